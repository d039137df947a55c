"""The state of a progress bar, and how its numbers are spelled out."""

import math
import time

# Formats of the values that a task may report: short, to fit into 80 columns.
_SPELLED = {
    "score": "score {:z.4f}",
    "quality": "quality {:z.4f}",
    "best_quality": "best {:z.4f}",
    "acceptance_rate": "accepted {:.0%}",
    "level_for": "level for {:,} trainings",
}


class Bar:
    """The state of the bar of a task that has subtasks.

    Parameters
    ----------
    message : dict
        The message that announced the task, with its path, label, name, total and
        costs.
    above : Bar or None
        The bar of the parent task.
    """

    def __init__(self, message, above):
        self.path, self.above = message["path"], above
        self.label, self.name = message["label"], message["name"]
        self.total, self.costs = message["total"], message["costs"]
        self.n_done, self.share, self.is_done = 0, 0.0, False
        self.report, self.texts, self.short_texts = {}, "", ""
        self.started = self._paced_at = time.monotonic()
        self._paced_from, self._left = 0.0, None
        # The cost of all subtasks. A subtask costs 1 by default.
        self.whole = sum(self.costs.values()) + max(
            0, (self.total or 0) - len(self.costs)
        )

    @property
    def depth(self):
        """Number of tasks above this one."""
        return len(self.path) - 1

    @property
    def is_search(self):
        """Return whether the task reports the share that is done, as a search does."""
        return "share" in self.report

    def hear(self, report):
        """Process a report of the task, or of one of its subtasks."""
        self.report = report
        self.say(report)
        if "share" in report:
            self.n_done = report["step"]
            self._left = report.get("seconds_left"), time.monotonic()
            self.move_to(report["share"])

    def say(self, report):
        """Set the text of a report, if it has anything to show."""
        if texts := spell_out(report):
            self.texts, self.short_texts = texts, texts.removesuffix(" trainings")
        elif "expected_trainings" in report:
            self.texts = self.short_texts = f"~{spell_trainings(report)}"

    def advance(self, name, share):
        """Advance by a share of a subtask's cost."""
        cost = self.costs.get(name, 1)
        self.move_to(self.share + share * cost / self.whole if self.whole else 0.0)

    def move_to(self, share):
        """Set the share that is done, and advance the bars above."""
        share = min(1.0, share)
        gained, self.share = share - self.share, share
        if self.above is not None and gained:
            self.above.advance(self.name, gained)

    def rest(self):
        """Exclude the share done so far from the pace, since it took no time."""
        self._paced_at, self._paced_from = time.monotonic(), self.share

    def end(self):
        """Fill the bar, since a task may end before all of its steps are done."""
        if self.is_search and not spell_out(self.report):
            self.texts = self.short_texts = ""
        self.is_done, self.ended = True, time.monotonic()
        self.move_to(1.0)

    @property
    def elapsed(self):
        """Seconds that the task has taken so far."""
        return (self.ended if self.is_done else time.monotonic()) - self.started

    @property
    def left(self):
        """Estimate of the remaining seconds; None until the first progress."""
        now = time.monotonic()
        if self._left is not None:
            seconds, reported_at = self._left
            return None if seconds is None else max(0.0, seconds - (now - reported_at))
        gained = self.share - self._paced_from
        if gained <= 0:
            return None
        return (now - self._paced_at) * (1 - self.share) / gained

    @property
    def count(self):
        """Text of how many subtasks are done, out of how many."""
        if self.is_search and not self.is_done:
            if self.report["is_start"]:
                return "start"
            if self.report["is_limited"]:
                return f"{self.share:.0%}"
        if self.total is not None:
            return f"{self.n_done}/{self.total}"
        # A search that only a limit ends.
        return f"{self.n_done} steps" if self.is_search else f"{self.n_done}"

    @property
    def count_and_share(self):
        """Text of the count, with the share if subtasks differ in cost."""
        is_weighed = self.costs and not self.is_done and self.above is None
        return f"{self.count} {self.share:.0%}" if is_weighed else self.count

    @property
    def is_mostly_one_task(self):
        """Return whether one subtask takes most of the time, as a search does."""
        return max(self.costs.values(), default=0) > 0.5 * self.whole


def spell_out(report):
    """Spell out the values of a report, such as "score 0.9123"."""
    if "level_for" in report:
        # A line has not enough room for both, and the acceptance rate is then low.
        report = {k: v for k, v in report.items() if k != "acceptance_rate"}
    return ", ".join(
        spelled.format(report[name])
        for name, spelled in _SPELLED.items()
        if name in report
    )


def spell_trainings(report):
    """Spell out how many trainings there will be, and how long one takes."""
    n, seconds = report["expected_trainings"], report["seconds_per_training"]
    return f"{round(n, 1 - _magnitude(n)):,} trainings of {spell_duration(seconds)}"


def _magnitude(number):
    """Return the power of ten of a number's first digit."""
    return int(math.log10(number)) if number >= 1 else 0


def spell_duration(seconds):
    """Spell out a duration with about two digits, in a suitable unit."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{_two_digits(seconds / length)} {unit}"
    return f"{_two_digits(seconds)} s"


def _two_digits(number):
    return f"{number:,.0f}" if number >= 99.5 else f"{number:.2g}"


def spell_clock(seconds):
    """Spell out a duration as hours, minutes and seconds, such as "0:01:40"."""
    if seconds is None:
        return "-:--:--"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
