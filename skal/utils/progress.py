"""Progress bars for searches and seed loops, through scikit-learn's callback API."""

import math
import time
from queue import Queue
from threading import Thread

from sklearn.callback import ProgressBar as _SklearnProgressBar

from skal._sklearn import close_listener, get_context_path, open_listener, send

__all__ = ["ProgressBar"]

_monitors: dict = {}

# Values that a task may report, and how they are shown: short, for 80 columns.
_SPELLED = {
    "score": "score {:.4f}",
    "quality": "quality {:.4f}",
    "best_quality": "best {:.4f}",
    "acceptance_rate": "accepted {:.0%}",
    "level_for": "level for {:,} trainings",
}
# Where a task has more tasks than this side by side, the bars of those that are done
# are removed, and searches below it write few lines into a log.
MANY = 20
# A log has this many lines for a task.
LINES = 10
# Columns of a terminal that are left for a label: 52 are for the rest of a line.
LABEL_MARGIN = 52


class ProgressBar(_SklearnProgressBar):
    """Nested progress bars: seeds, rounds, search steps.

    Like `sklearn.callback.ProgressBar`, and next to each bar stands what its last step
    reported: the score of a round; the best quality and the acceptance rate of a
    search. Jobs in other processes report to the same bars. Where a bar has more than
    20 steps, those that are done show none.

    Where the output is no terminal, such as a file, it consists of plain lines: one at
    each tenth of the whole and of each search, and one for each task that is done.

    Parameters
    ----------
    max_propagation_depth : int or None, default=None
        How many levels of nested estimators show bars; None shows all.
    costs : dict of str to float, default=None
        What the steps of the first bar take, by name, in any unit. By default a run
        costs as many units as it is expected to take trainings.

    Notes
    -----
    Needs rich: ``pip install 'skal-learn[progress]'``.

    A bar advances by the expected cost of its steps: in a study or a learner, a search
    counts as many times as it takes trainings. Steps that are already done when a study
    is resumed are no part of the time that is left.

    The bar of a search advances by the limit that will end it first: by trainings, as
    many as its steps are expected to take or `max_trainings` allows, or by time if it
    has a `max_time`. It moves from the first training on, since the search for the
    start is part of it. After that training the bar shows about how many there will be,
    and how long one takes; where trainings run side by side, that is the time from one
    to the next. The share of accepted steps is that of `history_["accepted"]`. A search
    is "level" when its best order is older than a quarter of all its trainings so far
    (and than 10 K of them); a blind one, which is hot at first, only after a quarter of
    its annealing steps. The number is that of the trainings since the best order.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ActiveLearner, AnnealingOracle
    >>> from skal.utils.progress import ProgressBar
    >>> learner = ActiveLearner(LogisticRegression(), AnnealingOracle())
    >>> learner = learner.set_callbacks(ProgressBar())
    """

    def __init__(self, max_propagation_depth=None, costs=None):
        super().__init__(max_propagation_depth=max_propagation_depth)
        self.costs = costs

    def setup(self, estimator, context):
        """Open the bars of a run."""
        monitor = _Monitor(self.costs)
        self._listener_handles[context.root_uuid] = open_listener(monitor.queue.put)
        _monitors[context.root_uuid] = monitor
        monitor.start()

    def on_fit_task_begin(self, estimator, context, *, metadata=None):
        """Show the bar of a task that has tasks of its own, with what they cost."""
        is_merged = context.source_estimator_name is not None
        if context.max_subtasks == 0 and context.parent is not None and not is_merged:
            return
        self._send(
            context,
            event="begin",
            label=f"{context.estimator_name}: {_name(context)}",
            name=_name(context),
            total=context.max_subtasks,
            costs=(metadata or {}).get("costs", {}),
        )

    def on_progress(self, context, report):
        """Show how far a task has got that is not at its end."""
        self._send(context, event="progress", report=report)

    def on_fit_task_end(self, estimator, context, *, metadata=None):
        """Advance the bar of the task above, and show what the task reported."""
        name = context.task_name
        self._send(context, event="end", name=name, report=metadata or {})

    def _send(self, context, **message):
        path = tuple(ctx.task_id for ctx in get_context_path(context))
        send(self._listener_handles[context.root_uuid], message | {"path": path})

    def teardown(self, estimator, context):
        """Close the bars of a run."""
        monitor = _monitors.pop(context.root_uuid)
        monitor.queue.put(None)
        monitor.join()
        close_listener(self._listener_handles.pop(context.root_uuid))


def _name(context):
    return context.source_task_name or context.task_name


class _Bar:
    """The state of a task that has tasks of its own.

    Parameters
    ----------
    message : dict
        Of its beginning.
    above : _Bar or None
    """

    def __init__(self, message, above):
        self.path, self.above = message["path"], above
        self.label, self.name = message["label"], message["name"]
        self.total, self.costs = message["total"], message["costs"]
        self.n_done, self.share, self.is_done = 0, 0.0, False
        self.report, self.texts, self.short_texts = {}, "", ""
        self.started = self._paced_at = time.monotonic()
        self._paced_from, self._left = 0.0, None
        # The cost of all tasks: those without a given one cost 1.
        self.whole = sum(self.costs.values()) + max(
            0, (self.total or 0) - len(self.costs)
        )

    @property
    def depth(self):
        return len(self.path) - 1

    @property
    def is_search(self):
        """Return whether the task reports its own share, as a search does."""
        return "share" in self.report

    def hear(self, report):
        """Take in what was reported, by the task or by one of its own."""
        self.report = report
        self.say(report)
        if "share" in report:
            self.n_done = report["step"]
            self._left = report.get("seconds_left"), time.monotonic()
            self.move_to(report["share"])

    def say(self, report):
        """Show what was reported, if there is anything to show."""
        if texts := _spell_out(report):
            self.texts, self.short_texts = texts, texts.removesuffix(" trainings")
        elif "expected_trainings" in report:
            self.texts = self.short_texts = f"~{_trainings(report)}"

    def advance(self, name, share):
        """Add a share of one of the tasks to what is done."""
        cost = self.costs.get(name, 1)
        self.move_to(self.share + share * cost / self.whole if self.whole else 0.0)

    def move_to(self, share):
        """Set the share that is done, and move the bars above along."""
        share = min(1.0, share)
        gained, self.share = share - self.share, share
        if self.above is not None and gained:
            self.above.advance(self.name, gained)

    def rest(self):
        """Leave what was done so far out of the pace: it took no time."""
        self._paced_at, self._paced_from = time.monotonic(), self.share

    def end(self):
        """Fill the bar: a task may end before all of its steps."""
        if self.is_search and not _spell_out(self.report):
            self.texts = self.short_texts = ""
        self.is_done, self.ended = True, time.monotonic()
        self.move_to(1.0)

    @property
    def elapsed(self):
        return (self.ended if self.is_done else time.monotonic()) - self.started

    @property
    def left(self):
        """Return the seconds that are left; None if that is not known."""
        now = time.monotonic()
        if self._left is not None:
            seconds, told = self._left
            return None if seconds is None else max(0.0, seconds - (now - told))
        gained = self.share - self._paced_from
        if gained <= 0:
            return None
        return (now - self._paced_at) * (1 - self.share) / gained

    @property
    def count(self):
        """Return how many tasks are done, out of how many."""
        if self.is_search and not self.is_done:
            if self.report["is_start"]:
                return "start"
            if self.report["is_limited"]:
                return f"{self.share:.0%}"
        return f"{self.n_done}" if self.total is None else f"{self.n_done}/{self.total}"

    @property
    def count_and_share(self):
        """Return the count, and the share where the count does not show it."""
        is_weighed = self.costs and not self.is_done and self.above is None
        return f"{self.count} {self.share:.0%}" if is_weighed else self.count

    @property
    def is_mostly_one_task(self):
        """Return whether one task of it takes most of the time, as a search does."""
        return max(self.costs.values(), default=0) > 0.5 * self.whole


class _Monitor(Thread):
    """Keeps the bars up to date from messages in a queue, and shows them.

    scikit-learn's own monitor sums over all finished steps at each step; a search has
    thousands of them, so this one counts.

    Parameters
    ----------
    costs : dict of str to float, default=None
        The costs of the tasks of the first bar, in the place of those it comes with.
    """

    def __init__(self, costs=None):
        super().__init__(daemon=True)
        self.queue = Queue()
        self.costs, self.bars = costs, {}

    def run(self):
        from rich import progress

        console = progress.get_console()
        is_live = console.is_terminal or console.is_jupyter
        with (_Screen if is_live else _Log)(console) as self.display:
            while message := self.queue.get():
                getattr(self, f"_{message['event']}")(message)

    def _begin(self, message):
        path = message["path"]
        if len(path) == 1 and self.costs is not None:
            message["costs"] = self.costs
        self.bars[path] = bar = _Bar(message, self.bars.get(path[:-1]))
        self.display.begin(bar)

    def _progress(self, message):
        if message["path"] in self.bars:
            bar = self.bars[message["path"]]
            bar.hear(message["report"])
            self.display.show(bar)

    def _end(self, message):
        path, report = message["path"], message["report"]
        bar, above = self.bars.get(path), self.bars.get(path[:-1])
        if bar is not None:
            bar.end()
            bar.say(report)
            self.display.end(bar)
        if above is None:
            return
        self._remove_below(path)
        above.hear(report)
        if "share" not in report:
            above.n_done += 1
            if bar is None:
                above.advance(message["name"], 1)
            if bar is None and not report:
                # It was done before, so it tells nothing of the time that others take.
                above.rest()
        self.display.show(above)
        if bar is not None and (above.total or 0) > MANY:
            self.display.remove(self.bars.pop(path))

    def _remove_below(self, path):
        """Remove the bars of all tasks below one."""
        for other in [one for one in self.bars if one[: len(path)] == path != one]:
            self.display.remove(self.bars.pop(other))


class _Screen:
    """Shows bars in a terminal or a notebook."""

    def __init__(self, console):
        from rich.progress import BarColumn, Progress, TextColumn

        field = "{{task.fields[bar].{}}}".format
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn(field("count_and_share"), justify="right", markup=False),
            _time_column(),
            TextColumn(field("short_texts"), markup=False),
        )
        self.progress = Progress(*columns, console=console, expand=True)
        self.tasks = {}

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *error):
        self.progress.stop()

    def begin(self, bar):
        """Open a bar."""
        room = max(20, self.progress.console.width - LABEL_MARGIN) - bar.depth
        # The class of a learner is the same for all seeds and cells.
        is_named = bar.depth > 0 and bar.name != "search"
        label = bar.name if is_named else bar.label
        # Names of cells end in what tells them apart.
        label = label if len(label) <= room else f"…{label[1 - room :]}"
        label = " " * bar.depth + label
        self.tasks[bar.path] = self.progress.add_task(label, total=1.0, bar=bar)

    def show(self, bar):
        """Bring a bar up to date, and those above it."""
        while bar is not None:
            self.progress.update(self.tasks[bar.path], completed=bar.share)
            bar = bar.above

    end = show

    def remove(self, bar):
        """Take a bar away."""
        self.progress.update(self.tasks.pop(bar.path), visible=False)


def _time_column():
    from rich.progress import ProgressColumn
    from rich.text import Text

    class TimeColumn(ProgressColumn):
        """The time that is left; of a task that is done, the time that it took."""

        max_refresh = 0.5

        def render(self, task):
            bar = task.fields["bar"]
            seconds = bar.elapsed if bar.is_done else bar.left
            style = "progress.elapsed" if bar.is_done else "progress.remaining"
            return Text(_clock(seconds), style=style)

    return TimeColumn()


class _Log:
    """Writes lines into a file: few, since all of them stay."""

    def __init__(self, console):
        self.console = console
        self.lines, self.estimated = {}, set()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def begin(self, bar):
        """Count the lines of a task."""
        self.lines[bar.path] = 0

    def show(self, bar):
        """Write a line if another tenth of a task is done, or of the whole."""
        while bar is not None:
            self._estimate(bar)
            line = int(bar.share * LINES + 1e-9)
            if self.lines[bar.path] < line < LINES and self._is_shown(bar):
                self._write(bar, f"{bar.share:.0%}", f"{_clock(bar.left)} left")
            self.lines[bar.path] = max(line, self.lines[bar.path])
            bar = bar.above

    def end(self, bar):
        """Write the last line of a task."""
        self.lines[bar.path] = LINES
        self._write(bar, "done", f"took {_clock(bar.elapsed)}")
        self.show(bar.above)

    def remove(self, bar):
        """Forget a task."""
        self.lines.pop(bar.path)
        self.estimated.discard(bar.path)

    def _is_shown(self, bar):
        """Return whether there are lines on the way; a search has its own."""
        if bar.is_search:
            return not _is_one_of_many(bar)
        return bar.above is None and not bar.is_mostly_one_task

    def _estimate(self, bar):
        """Write down once about how long a search will take."""
        if "expected_trainings" in bar.report and bar.path not in self.estimated:
            self.estimated.add(bar.path)
            left = _duration(bar.report["seconds_left"])
            self._print(bar, f"about {_trainings(bar.report)}, {left} left")

    def _write(self, bar, how_far, how_long):
        count = "" if how_far == bar.count else bar.count
        parts = how_far, count, how_long, bar.texts
        self._print(bar, ", ".join(part for part in parts if part))

    def _print(self, bar, text):
        names = [bar.label]
        while (bar := bar.above) is not None and bar.above is not None:
            names.insert(0, bar.name)
        line = f"{' > '.join(names)}: {text}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _is_one_of_many(bar):
    while (bar := bar.above) is not None:
        if (bar.total or 0) > MANY:
            return True
    return False


def _spell_out(report):
    if "level_for" in report:
        # There is no room for both, and hardly anything is accepted any more.
        report = {k: v for k, v in report.items() if k != "acceptance_rate"}
    return ", ".join(
        spelled.format(report[name])
        for name, spelled in _SPELLED.items()
        if name in report
    )


def _trainings(report):
    """Spell out how many trainings there will be, and how long one takes."""
    n, seconds = report["expected_trainings"], report["seconds_per_training"]
    return f"{round(n, 1 - _magnitude(n)):,} trainings of {_duration(seconds)}"


def _magnitude(number):
    return int(math.log10(number)) if number >= 1 else 0


def _duration(seconds):
    """Spell out a duration with two digits or so, in a unit that suits it."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{_two_digits(seconds / length)} {unit}"
    return f"{_two_digits(seconds)} s"


def _two_digits(number):
    return f"{number:,.0f}" if number >= 99.5 else f"{number:.2g}"


def _clock(seconds):
    """Spell out a duration as on a clock."""
    if seconds is None:
        return "-:--:--"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
