"""Progress bars for searches and seed loops, through scikit-learn's callback API."""

from queue import Queue
from threading import Thread

from sklearn.callback import ProgressBar as _SklearnProgressBar
from sklearn.callback._callback_context import get_context_path
from sklearn.callback._transport import close_listener, open_listener, send

__all__ = ["ProgressBar"]

_monitors: dict = {}

# What a task may report, and how it is shown: short, for a terminal of 80 columns.
_SPELLED = {
    "score": "score {:.4f}",
    "quality": "quality {:.4f}",
    "best_quality": "best {:.4f}",
    "acceptance_rate": "accepted {:.0%}",
}
# Where there are more tasks than this side by side, the bars of those that are done go.
MANY = 20


class ProgressBar(_SklearnProgressBar):
    """Nested progress bars: seeds, rounds, search steps.

    Like `sklearn.callback.ProgressBar`, and next to each bar stands what its last step
    reported: the score of a round; the best quality and the acceptance rate of a
    search. Jobs in other processes report to the same bars. Where a bar has more than
    20 steps, those that are done show none.

    Parameters
    ----------
    max_propagation_depth : int or None, default=None
        How many levels of nested estimators show bars; None shows all.
    costs : dict of str to float, default=None
        What the steps of the first bar take, by name, in any unit. The bar then
        advances by these, in percent, and not by one for each step, so that it can tell
        how much time is left. Steps that are already done when a study is resumed are
        no part of the estimate.

    Notes
    -----
    Needs rich: ``pip install 'skal-learn[progress]'``.

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
        monitor = _Monitor() if self.costs is None else _WeighedMonitor(self.costs)
        self._listener_handles[context.root_uuid] = open_listener(monitor.queue.put)
        _monitors[context.root_uuid] = monitor
        monitor.start()

    def on_fit_task_end(self, estimator, context, *, metadata=None):
        """Advance the bar of the task above, and show what the task reported."""
        message = {
            "event": "end",
            "path": _path(context),
            "task_name": context.task_name,
            "report": metadata,
        }
        send(self._listener_handles[context.root_uuid], message)

    def teardown(self, estimator, context):
        """Close the bars of a run."""
        monitor = _monitors.pop(context.root_uuid)
        monitor.queue.put(None)
        monitor.join()
        close_listener(self._listener_handles.pop(context.root_uuid))


def _path(context):
    return tuple(ctx.task_id for ctx in get_context_path(context))


class _Monitor(Thread):
    """Draws the bars, from messages in a queue.

    scikit-learn's own monitor sums over all finished steps at each step; a search has
    thousands of them, so this one counts.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.queue = Queue()
        self.bars = {}

    def run(self):
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("{task.fields[report]}"),
        )
        with Progress(*columns, expand=True) as self.progress:
            while message := self.queue.get():
                handle = self._begin if message["event"] == "begin" else self._end
                handle(message)

    def _begin(self, message):
        path = tuple(message["path"])
        indent = "  " * (len(path) - 1)
        name = message["source_task_name"] or message["task_name"]
        label = f"{indent}{message['estimator_name']}: {name}"
        self.bars[path] = self.progress.add_task(
            label, total=message["max_subtasks"], report=""
        )

    def _end(self, message):
        path = message["path"]
        if path in self.bars:
            self._fill(self.bars[path])
        if path[:-1] in self.bars:
            report = _spell_out(message["report"])
            fields = {"report": report} if report else {}
            above = self.bars[path[:-1]]
            self._advance(path, message["task_name"])
            self.progress.update(above, **fields)
            if (self.progress.tasks[above].total or 0) > MANY:
                self._hide(path)

    def _advance(self, path, name):
        """Count a task that is done in the bar above it."""
        self.progress.update(self.bars[path[:-1]], advance=1)

    def _hide(self, path):
        """Take away the bars of a task and of all below it."""
        for other in [one for one in self.bars if one[: len(path)] == path]:
            self.progress.update(self.bars.pop(other), visible=False)

    def _fill(self, bar):
        """Show a bar as full: a task may end before all of its steps."""
        task = self.progress.tasks[bar]
        self.progress.update(bar, completed=task.total or 1, total=task.total or 1)


class _WeighedMonitor(_Monitor):
    """Draws the same bars, the first of them in percent of the costs of its steps."""

    def __init__(self, costs):
        super().__init__()
        scale = 100 / sum(costs.values())
        self.costs = {name: scale * cost for name, cost in costs.items()}
        self.names, self.done = {}, {}

    def _begin(self, message):
        super()._begin(message)
        path = tuple(message["path"])
        if len(path) == 1:
            self.progress.update(self.bars[path], total=100)
        elif len(path) == 2:
            self.names[path] = message["source_task_name"] or message["task_name"]

    def _advance(self, path, name):
        if len(path) == 2:
            # The task of a learner has the learner's own name in its end.
            self.done[path] = self.costs.get(self.names.get(path, name), 0)
        else:
            super()._advance(path, name)
            self.done[path[:2]] = self._part_done(path[:2])
        first, done = self.bars[path[:1]], sum(self.done.values())
        if path[:2] in self.names:
            self.progress.update(first, completed=done)
        else:
            # It was done before: that took no time, and tells nothing of the others.
            self.progress.reset(first, completed=done)

    def _part_done(self, path):
        """Return the cost so far of a step: that of a search, which is nearly all."""
        tasks = [
            self.progress.tasks[bar]
            for other, bar in self.bars.items()
            if other[:2] == path and self.progress.tasks[bar].total
        ]
        longest = max(tasks, key=lambda task: task.total, default=None)
        share = 0 if longest is None else longest.completed / longest.total
        return self.costs.get(self.names.get(path), 0) * share


def _spell_out(report):
    report = report or {}
    return ", ".join(
        spelled.format(report[name])
        for name, spelled in _SPELLED.items()
        if name in report
    )
