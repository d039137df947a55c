"""Display of progress bars: in a terminal, in a notebook, or as lines in a file."""

import time
from html import escape

from skal.utils._bars import spell_clock, spell_duration, spell_trainings

# Number of subtasks beyond which the bars of finished ones are removed, and searches
# among them write only their first and last lines into a log.
MANY = 20
# Number of lines that a log has for a task.
LINES = 10
# Number of columns of a terminal for everything but the label of a bar.
LABEL_MARGIN = 52


class Screen:
    """Shows bars in a terminal, which rich refreshes by itself."""

    # Seconds without a message after which `tick` is called.
    pause = None

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
        label = _label(bar)
        # Shorten at the beginning, since names of cells differ at the end.
        label = label if len(label) <= room else f"…{label[1 - room :]}"
        label = " " * bar.depth + label
        self.tasks[bar.path] = self.progress.add_task(label, total=1.0, bar=bar)

    def show(self, bar):
        """Update a bar and the bars above it."""
        while bar is not None:
            self.progress.update(self.tasks[bar.path], completed=bar.share)
            bar = bar.above

    end = show

    def remove(self, bar):
        """Remove a bar."""
        self.progress.update(self.tasks.pop(bar.path), visible=False)


class Notebook:
    """Shows bars below a cell of a notebook, in a single output that is updated.

    It needs no widgets, and the last state is saved with the notebook.
    """

    pause = 1.0
    # Least number of seconds between two updates.
    least = 0.25

    def __init__(self, console):
        self.bars, self._updated_at = {}, float("-inf")

    def __enter__(self):
        from IPython.display import display

        self._output = display(self._bundle(), raw=True, display_id=True)
        return self

    def __exit__(self, *error):
        self._update()

    def begin(self, bar):
        """Open a bar."""
        self.bars[bar.path] = bar
        self.tick()

    def show(self, bar):
        """Update a bar and the bars above it."""
        self.tick()

    end = show

    def remove(self, bar):
        """Remove a bar."""
        self.bars.pop(bar.path)

    def tick(self):
        """Update the output, unless it was updated just now."""
        if time.monotonic() - self._updated_at >= self.least:
            self._update()

    def _update(self):
        self._output.update(self._bundle(), raw=True)
        self._updated_at = time.monotonic()

    def _place(self, path):
        """Return a key that sorts bars below the ones they belong to."""
        begun = {one: i for i, one in enumerate(self.bars)}
        return [begun.get(path[:n], -1) for n in range(1, len(path) + 1)]

    def _bundle(self):
        """Return the bars as text and as HTML."""
        bars = [self.bars[path] for path in sorted(self.bars, key=self._place)]
        lines = [" ".join(filter(None, _cells(bar))) for bar in bars]
        rows = "".join(map(_row, bars))
        return {
            "text/plain": "\n".join(lines),
            "text/html": f'<table class="skal-progress">{rows}</table>',
        }


def _label(bar):
    # Seeds and cells have learners of the same class, so show their names.
    return bar.name if bar.depth > 0 and bar.name != "search" else bar.label


def _cells(bar):
    """Return the label, share, count, time and values of a bar in a notebook."""
    seconds = bar.elapsed if bar.is_done else bar.left
    when = f"{spell_clock(seconds)} {'taken' if bar.is_done else 'left'}"
    count = "" if bar.count.endswith("%") else bar.count
    return "  " * bar.depth + _label(bar), f"{bar.share:.0%}", count, when, bar.texts


def _row(bar):
    """Return a row of HTML; only its label, which may be long, is broken."""
    _, share, *others = map(escape, _cells(bar))
    label = escape(_label(bar))
    style = "text-align: left; white-space: nowrap; padding-right: 0.8em"
    cell = f'<td style="{style}">{{}}</td>'.format
    meter = f'<progress value="{bar.share:.4f}" max="1">{share}</progress> {share}'
    indented = f'<td style="text-align: left; padding-left: {bar.depth + 0.5}em">'
    return f"<tr>{indented}{label}</td>{''.join(map(cell, [meter, *others]))}</tr>"


def _time_column():
    """Return a column of rich that shows the time of a bar."""
    from rich.progress import ProgressColumn
    from rich.text import Text

    class TimeColumn(ProgressColumn):
        """The remaining time of a task, or the time that it took if it is done."""

        max_refresh = 0.5

        def render(self, task):
            bar = task.fields["bar"]
            seconds = bar.elapsed if bar.is_done else bar.left
            style = "progress.elapsed" if bar.is_done else "progress.remaining"
            return Text(spell_clock(seconds), style=style)

    return TimeColumn()


class Log:
    """Writes the progress of a run into a file, with few lines for each task."""

    pause = None

    def __init__(self, console):
        self.console = console
        self.lines, self.estimated = {}, set()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def begin(self, bar):
        """Begin to count the lines of a task."""
        self.lines[bar.path] = 0

    def show(self, bar):
        """Write a line if another tenth of a task or of a task above it is done."""
        while bar is not None:
            self._estimate(bar)
            line = int(bar.share * LINES + 1e-9)
            if self.lines[bar.path] < line < LINES and self._is_shown(bar):
                self._write(bar, f"{bar.share:.0%}", f"{spell_clock(bar.left)} left")
            self.lines[bar.path] = max(line, self.lines[bar.path])
            bar = bar.above

    def end(self, bar):
        """Write the last line of a task."""
        self.lines[bar.path] = LINES
        self._write(bar, "done", f"took {spell_clock(bar.elapsed)}")
        self.show(bar.above)

    def remove(self, bar):
        """Forget a task."""
        self.lines.pop(bar.path)
        self.estimated.discard(bar.path)

    def _is_shown(self, bar):
        """Return whether a task has lines before its end."""
        if bar.is_search:
            return not _is_one_of_many(bar)
        return bar.above is None and not bar.is_mostly_one_task

    def _estimate(self, bar):
        """Write a line, once, about how long a search is expected to take."""
        if "expected_trainings" in bar.report and bar.path not in self.estimated:
            self.estimated.add(bar.path)
            left = spell_duration(bar.report["seconds_left"])
            self._print(bar, f"about {spell_trainings(bar.report)}, {left} left")

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
