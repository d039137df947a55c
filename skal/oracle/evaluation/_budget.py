"""How far a search may go, how far it has got, and what that takes."""

import math
import time
from typing import Any

# Steps that the expected number of trainings per step counts as, next to those that
# were taken: at first the forecast holds, and after some tens of steps the search does.
PRIOR_STEPS = 10


class OutOfTime(Exception):
    """A search has used up its `max_time`: raised between two trainings."""


class Budget:
    """The limits of a search, and the time that it takes.

    Parameters
    ----------
    max_time : float or None, default=None
        Seconds that the search may take, counted from here.
    max_trainings : int or None, default=None
        Trainings that the search may take.
    """

    def __init__(
        self, max_time: float | None = None, max_trainings: int | None = None
    ) -> None:
        self.max_time, self.max_trainings = max_time, max_trainings
        self._started = self._latest = time.monotonic()
        # Seconds and number of trainings, and those of the first turn among them.
        self._seconds, self._n_trained = 0.0, 0
        self._first: tuple[float, int] | None = None
        # Trainings that the search still needs for a whole order if it ends now.
        self.reserve = 0

    @property
    def elapsed(self) -> float:
        """Return the seconds since the search began."""
        return time.monotonic() - self._started

    @property
    def seconds_per_training(self) -> float:
        """Return the mean seconds from one training to the next; NaN before any.

        Where trainings run side by side it is less than one of them takes. The first
        ones, before which workers are started, count as long as there are no others.
        """
        if self._first is None:
            return math.nan
        seconds, n_trained = self._first
        if self._n_trained > n_trained:
            seconds, n_trained = self._seconds - seconds, self._n_trained - n_trained
        return seconds / n_trained

    def check(self) -> None:
        """Raise OutOfTime if there is none left, but for what is held in reserve."""
        if self.max_time is None:
            return
        seconds = self.seconds_per_training
        reserved = 0.0 if math.isnan(seconds) else self.reserve * seconds
        if self.elapsed + reserved >= self.max_time:
            raise OutOfTime

    def skip(self) -> None:
        """Leave the time since the last training out of its mean: none was needed."""
        self._latest = time.monotonic()

    def add(self, n_trained: int, busy: float | None = None) -> None:
        """Count trainings that have just ended.

        Parameters
        ----------
        n_trained : int
        busy : float or None, default=None
            The seconds that workers took, where they may first have been started.
        """
        now = time.monotonic()
        seconds = now - self._latest
        if self._first is None:
            seconds = seconds if busy is None else busy
            self._first = seconds, n_trained
        self._seconds += seconds
        self._n_trained += n_trained
        self._latest = now


class Course:
    """How far a search has got, as a progress bar shows it.

    A search ends after its last step or at one of its limits, whichever comes first.
    Its share that is done is the largest of: the steps that were taken, the trainings
    (out of those that are expected, or allowed), and the time (out of `max_time`).

    Parameters
    ----------
    budget : Budget
    n_steps : int
    n_start : int
        Trainings that are expected before the first step.
    n_expected : int
        Trainings that are expected in all.
    """

    def __init__(
        self, budget: Budget, n_steps: int, n_start: int, n_expected: int
    ) -> None:
        self._budget, self._n_steps, self._n_expected = budget, n_steps, n_expected
        self._per_step = (n_expected - n_start) / max(1, n_steps)
        self._n_at_start = n_start
        self._share = 0.0

    def report(
        self, step: int, n_trainings: int, is_start: bool = False
    ) -> dict[str, Any]:
        """Return what a bar needs to know.

        Parameters
        ----------
        step : int
            The number of steps that were taken.
        n_trainings : int
            The number of trainings so far.
        is_start : bool, default=False
            Whether the search has not come to its first step yet.

        Returns
        -------
        dict
            "step" and "is_start"; the "share" that is done; whether the search
            "is_limited", so that it ends before its last step; and after the first
            training "seconds_per_training", "seconds_left", and "expected_trainings".
        """
        if is_start:
            self._n_at_start = n_trainings
        whole = self._expected(step, n_trainings, is_start)
        most = self._budget.max_trainings
        expected = whole if most is None else min(whole, most)
        shares = step / max(1, self._n_steps), n_trainings / max(1, expected)
        self._share = min(1.0, max(self._share, *shares, self._time_share()))
        report = {
            "step": step,
            "is_start": is_start,
            "share": self._share,
            "is_limited": expected < whole or self._time_share() >= max(shares),
        }
        seconds = self._budget.seconds_per_training
        if not math.isnan(seconds):
            left = self._seconds_left((expected - n_trainings) * seconds)
            report |= {"seconds_per_training": seconds, "seconds_left": left}
            if seconds > 0:
                report["expected_trainings"] = round(n_trainings + left / seconds)
        return report

    def _expected(self, step: int, n_trainings: int, is_start: bool) -> float:
        """Return how many trainings the search would take without any limit."""
        if is_start:
            return max(self._n_expected, n_trainings)
        taken = n_trainings - self._n_at_start
        rate = (taken + PRIOR_STEPS * self._per_step) / (step + PRIOR_STEPS)
        return n_trainings + rate * (self._n_steps - step)

    def _time_share(self) -> float:
        most = self._budget.max_time
        return 0.0 if most is None else self._budget.elapsed / most

    def _seconds_left(self, seconds: float) -> float:
        most = self._budget.max_time
        return max(
            0.0, seconds if most is None else min(seconds, most - self._budget.elapsed)
        )
