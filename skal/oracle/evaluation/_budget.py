"""The limits of a search, the time per training, and the progress so far."""

import math
import time
from typing import Any

# Weight of the forecast in the estimated number of trainings per step, as a number of
# steps: the forecast dominates at first, the actual steps after a few tens.
PRIOR_STEPS = 10


class OutOfTime(BaseException):
    """Raised between two trainings when a search has used up its `max_time`.

    It is not an error, so that `except Exception` lets it through.
    """


class Budget:
    """The limits of a search, and the time that its trainings take.

    Parameters
    ----------
    max_time : float or None, default=None
        Maximum time of the search in seconds, from when this object is made.
    max_trainings : int or None, default=None
        Maximum number of trainings.
    """

    def __init__(
        self, max_time: float | None = None, max_trainings: int | None = None
    ) -> None:
        self.max_time, self.max_trainings = max_time, max_trainings
        self._started = self._latest = time.monotonic()
        # Seconds and number of trainings; and the same for the first turn alone.
        self._seconds, self._n_trained = 0.0, 0
        self._first: tuple[float, int] | None = None
        # Number of trainings that the search would still need, if it ended now, to
        # score a whole order. Time for them is held back.
        self.reserve = 0

    @property
    def elapsed(self) -> float:
        """Return the seconds since the search began."""
        return time.monotonic() - self._started

    @property
    def seconds_per_training(self) -> float:
        """Return the mean seconds from one training to the next.

        With parallel trainings, this is less than the duration of one. The first turn,
        in which workers are started, is left out as soon as there is another.

        Returns
        -------
        float
            NaN before the first training.
        """
        if self._first is None:
            return math.nan
        seconds, n_trained = self._first
        if self._n_trained > n_trained:
            seconds, n_trained = self._seconds - seconds, self._n_trained - n_trained
        return seconds / n_trained

    @property
    def left(self) -> float:
        """Return the seconds that are left, without those for trainings in reserve."""
        if self.max_time is None:
            return math.inf
        seconds = self.seconds_per_training
        reserved = 0.0 if math.isnan(seconds) else self.reserve * seconds
        return self.max_time - self.elapsed - reserved

    @property
    def n_affordable(self) -> float:
        """Return for how many trainings the time is enough.

        Returns
        -------
        float
            1 before the first training, if the time is limited: it may take long.
        """
        seconds = self.seconds_per_training
        if self.max_time is None or seconds == 0:
            return math.inf
        return 1 if math.isnan(seconds) else max(0, self.left // seconds)

    def check(self) -> None:
        """Raise OutOfTime if no time is left, except for the trainings in reserve."""
        if self.left <= 0:
            raise OutOfTime

    def skip(self) -> None:
        """Exclude the time since the last training from the mean time per training."""
        self._latest = time.monotonic()

    def add(self, n_trained: int, busy: float | None = None) -> None:
        """Count trainings that have just ended.

        Parameters
        ----------
        n_trained : int
            Number of trainings.
        busy : float or None, default=None
            For trainings in workers, the seconds that they took, without the time to
            start the workers.
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
    """The progress of a search, as a progress bar shows it.

    A search ends after its last step or at one of its limits, whichever comes first.
    The share that is done is the largest of three: the share of the steps, of the
    expected or allowed trainings, and of `max_time`.

    Parameters
    ----------
    budget : Budget
        The limits, and the time per training.
    n_steps : int or None
        Number of steps; None if only a limit ends the search.
    n_start : int
        Expected number of trainings before the first step.
    n_expected : int
        Expected number of trainings in total.
    """

    def __init__(
        self, budget: Budget, n_steps: int | None, n_start: int, n_expected: float
    ) -> None:
        self._budget = budget
        self._n_steps = math.inf if n_steps is None else n_steps
        self._n_expected = math.inf if n_steps is None else n_expected
        self._per_step = (n_expected - n_start) / max(1, self._n_steps)
        self._n_at_start = n_start
        self._share = 0.0

    def report(
        self, step: int, n_trainings: int, is_start: bool = False
    ) -> dict[str, Any]:
        """Return the values that a progress bar shows.

        Parameters
        ----------
        step : int
            Number of steps taken so far.
        n_trainings : int
            Number of trainings so far.
        is_start : bool, default=False
            Whether the search is still before its first step.

        Returns
        -------
        dict
            "step" and "is_start", as given; "share", the share that is done, which
            never decreases; "is_limited", whether a limit will end the search before
            its last step; and, after the first training, "seconds_per_training",
            "seconds_left", and "expected_trainings".
        """
        if is_start:
            self._n_at_start = n_trainings
        # Expected number of trainings, and the share that is done.
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
        # Remaining time, once there was a training.
        seconds = self._budget.seconds_per_training
        if not math.isnan(seconds):
            left = self._seconds_left(expected - n_trainings, seconds)
            report |= {"seconds_per_training": seconds, "seconds_left": left}
            if seconds > 0:
                report["expected_trainings"] = round(n_trainings + left / seconds)
        return report

    def _expected(self, step: int, n_trainings: int, is_start: bool) -> float:
        """Return the expected number of trainings of the search without limits."""
        if is_start or self._n_steps == math.inf:
            return max(self._n_expected, n_trainings)
        taken = n_trainings - self._n_at_start
        rate = (taken + PRIOR_STEPS * self._per_step) / (step + PRIOR_STEPS)
        return n_trainings + rate * (self._n_steps - step)

    def _time_share(self) -> float:
        """Return the share of `max_time` that is over; 0 without a limit."""
        most = self._budget.max_time
        return 0.0 if most is None else self._budget.elapsed / most

    def _seconds_left(self, n_trainings: float, seconds: float) -> float:
        """Return the seconds that trainings will take, at most those of `max_time`."""
        most = self._budget.max_time
        left = math.inf if most is None else most - self._budget.elapsed
        if n_trainings < math.inf:
            left = min(left, n_trainings * seconds)
        return max(0.0, left)
