"""Display of progress bars: in a terminal or notebook, or as lines in a file."""

from skal.utils._bars import spell_clock, spell_duration, spell_trainings

# Number of subtasks beyond which the bars of finished ones are removed, and searches
# among them write only their first and last lines into a log.
MANY = 20
# Number of lines that a log has for a task.
LINES = 10
# Number of columns of a terminal for everything but the label of a bar.
LABEL_MARGIN = 52


class Screen:
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
        # Seeds and cells have learners of the same class, so show their names.
        is_named = bar.depth > 0 and bar.name != "search"
        label = bar.name if is_named else bar.label
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
