"""The end of the time that a study may take."""

import time
from typing import Any


class TimeIsUp(Exception):
    """Raised between two trainings of a study when its time is over."""


class Deadline:
    """A callback that ends a study when its time is over.

    It is asked before each round of a run and after each training of a search, also in
    other processes, so a study ends late by at most one training.

    Parameters
    ----------
    end : float
        The latest time, in seconds since the epoch: other clocks differ between
        processes.
    """

    max_propagation_depth = None

    def __init__(self, end: float) -> None:
        self.end = end

    def check(self) -> None:
        """Raise `TimeIsUp` if the time is over."""
        if time.time() >= self.end:
            raise TimeIsUp

    def setup(self, estimator: Any, context: Any) -> None:
        """Do nothing at the begin of the study."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing at the end of the study."""

    def on_fit_task_begin(self, estimator: Any, context: Any, **kwargs: Any) -> None:
        """Check the time before a task: a run, a round or a step of a search."""
        self.check()

    def on_fit_task_end(self, estimator: Any, context: Any, **kwargs: Any) -> None:
        """Do nothing: a task that has ended counts."""

    def on_progress(self, context: Any, report: Any) -> None:
        """Check the time after a training of a search."""
        self.check()
