"""What oracles that search step by step share: workers, a journal, a progress bar."""

import os
import time
import warnings
from contextlib import nullcontext
from numbers import Integral

import numpy as np
from sklearn.callback import CallbackSupportMixin, with_callbacks

from skal.oracle._base import BaseOracle
from skal.oracle._journal import Journal
from skal.oracle._objective import Objective


class SearchOracle(CallbackSupportMixin, BaseOracle):
    """Base class of oracles that search step by step.

    A subclass writes `_parameters(problem)`, which tells what determines the search, as
    strings; and `_begin(problem, objective, journal)`, which returns the search. This
    has `n_steps`, at most so many there are; `begin()`; `step(t)` for t = 1, 2, ...,
    which is False where there is no more; `progress`, a dict; `history`; and `found()`,
    the best order and its quality.
    """

    _parameter_constraints: dict = {
        "n_jobs": [Integral, None],
        "journal": [str, os.PathLike, None],
        "random_state": ["random_state"],
    }

    # How many sets are trained ahead of being asked for, and after how many seconds the
    # search ends: parameters of some subclasses.
    prefetch = 0
    max_time = None
    # Whether the search asks by how much each answer of a model is right.
    with_margins = False

    @with_callbacks
    def fit(self, X, y=None, *, problem=None):
        """Search for the optimal order of a problem.

        Ctrl-C ends the search, with a warning, and leaves the best order so far.

        Parameters
        ----------
        X : rows of the pool
        y : labels of the pool
        problem : Problem
            With the validation set to search on.

        Returns
        -------
        self : oracle
            With the best order it found.

        Raises
        ------
        ValueError
            If there is no problem, a parameter does not suit it, or the journal is
            damaged, none of skal, or that of another search.
        OSError
            If the journal cannot be opened or written. What it holds is kept.
        """
        return super().fit(X, y, problem=problem)

    def _search(self, problem):
        started = time.monotonic()
        with (
            self._open_journal(problem) as journal,
            Objective(
                problem,
                self.n_jobs,
                prefetch=self.prefetch,
                journal=journal,
                with_margins=self.with_margins,
            ) as objective,
        ):
            search = self._begin(problem, objective, journal)
            context = self._init_callback_context(max_subtasks=search.n_steps)
            context.call_on_fit_task_begin(estimator=self)
            search.begin()
            self._walk(search, context, started)
            context.call_on_fit_task_end(estimator=self)
            order, quality = search.found()
        self.history_ = search.history.table()
        self.n_speculative_ = objective.n_speculative
        return order[: problem.n_acquired], quality, objective.n_trainings

    def _open_journal(self, problem):
        if self.journal is None:
            return nullcontext()
        name, parameters = type(self).__name__, self._parameters(problem)
        return Journal(self.journal, problem, name, self.seed_, parameters)

    def _walk(self, search, context, started):
        """Take all steps, as far as limits, callbacks and the user let it."""
        t = 1
        try:
            for t in range(1, search.n_steps + 1):
                may_go_on = self._take_step(search, context, t)
                if not may_go_on or self._is_late(started):
                    break
        except KeyboardInterrupt:
            warnings.warn(
                f"The search was interrupted in step {t} of {search.n_steps}: going on "
                "with the best order so far.",
                stacklevel=2,
            )

    def _is_late(self, started):
        return self.max_time is not None and time.monotonic() - started >= self.max_time

    def _take_step(self, search, context, t):
        """Take a step; whether there may be another one."""
        task = _subtask(context, t - 1)
        task.call_on_fit_task_begin(estimator=self)
        moved = search.step(t)
        wants_stop = task.call_on_fit_task_end(estimator=self, metadata=search.progress)
        return moved and not wants_stop


def complete(order, n_pool, rng):
    """Append what an order leaves out of the pool, in random order."""
    left = np.setdiff1d(np.arange(n_pool), order)
    return np.concatenate([order, rng.permutation(left)])


def _subtask(context, number):
    """Return the context of a step, in the place of that of the step before.

    scikit-learn would keep all of them, and with them 350 bytes for each step.
    """
    context._children_map.clear()
    task = context.subcontext(task_name="step")
    task.task_id = number
    return task
