"""Base classes of oracles: all of them, and those that search step by step."""

import os
import warnings
from contextlib import nullcontext
from numbers import Integral

import numpy as np
from sklearn.callback import CallbackSupportMixin, with_callbacks

from skal.loop import check_validation
from skal.oracle.evaluation._budget import Budget, Course, OutOfTime
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._journal import Journal
from skal.strategies import OrderStrategy


class BaseOracle(OrderStrategy):
    """Base class of oracles. A subclass writes `_search(problem)`.

    `_search` returns the best order it found, as positions in the pool, its quality on
    validation, and the number of trainings that took.
    """

    peeks = True
    # Whether it needs a validation set.
    searches = True

    def _fit(self, X, y, problem):
        if problem is None:
            raise ValueError(
                f"{type(self).__name__} searches with the labels of the pool, so it "
                "needs a problem: use it as the strategy of an ActiveLearner."
            )
        check_validation(problem, self)
        order, self.quality_, self.n_trainings_ = self._search(problem)
        self._plan = np.asarray(order, dtype=np.int64)
        self.order_ = problem.pool_rows[self._plan]


class SearchOracle(CallbackSupportMixin, BaseOracle):
    """Base class of oracles that search step by step.

    A subclass writes `_parameters(problem)`, which names what determines the search, as
    strings; `_forecast(problem)`, the trainings that are expected before the first step
    and in all steps; and `_begin(problem, objective, journal)`, which returns the
    search. This has `n_steps`, the largest number of steps; `begin()`; `step(t)` for
    t = 1, 2, ..., which is False where there is no more; `progress`, a dict; `history`;
    and `found()`, the best order and its quality, also where `begin` or a step was cut
    short after the first training. `is_whole` is false until there is a whole order: if
    the search ends before that, `found` completes it.
    """

    _parameter_constraints: dict = {
        "n_jobs": [Integral, None],
        "journal": [str, os.PathLike, None],
        "random_state": ["random_state"],
    }

    # Parameters of some subclasses: the number of sets that are trained ahead of being
    # asked for, and the limits of the search.
    prefetch = 0
    max_time = None
    max_trainings = None
    # Whether the search asks by how much each answer of a model is right.
    with_margins = False

    @with_callbacks
    def fit(self, X, y=None, *, problem=None):
        """Search for the optimal order of a problem.

        Ctrl-C ends the search, with a warning, and leaves the best order so far. Before
        the first set was scored there is none, and KeyboardInterrupt is raised.

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

    def expected_trainings(self, problem):
        """Return about how many sets a search trains on, if no time limit ends it.

        Parameters
        ----------
        problem : Problem

        Returns
        -------
        int
        """
        self._validate_params()
        expected = sum(self._forecast(problem))
        return round(min(expected, self.max_trainings or expected))

    def _search(self, problem):
        budget = Budget(self.max_time, self.max_trainings)
        with (
            self._open_journal(problem) as journal,
            Objective(
                problem,
                self.n_jobs,
                prefetch=self.prefetch,
                journal=journal,
                with_margins=self.with_margins,
                budget=budget,
            ) as objective,
        ):
            search = self._begin(problem, objective, journal)
            before, in_steps = self._forecast(problem)
            course = Course(budget, search.n_steps, before, before + in_steps)
            _Walk(self, search, objective, course).go()
            budget.reserve = 0
            order, quality = search.found()
        self.history_ = search.history.table()
        self.n_speculative_ = objective.n_speculative
        return order[: problem.n_acquired], quality, objective.n_trainings

    def _open_journal(self, problem):
        if self.journal is None:
            return nullcontext()
        name, parameters = type(self).__name__, self._parameters(problem)
        return Journal(self.journal, problem, name, self.seed_, parameters)


class _Walk:
    """All steps of a search, as far as limits, callbacks and the user allow them.

    Parameters
    ----------
    oracle : SearchOracle
    search : search
    objective : Objective
    course : Course
    """

    def __init__(self, oracle, search, objective, course):
        self.oracle, self.search = oracle, search
        self.objective, self.course = objective, course
        # The step that is being taken, 0 before the first, and how many were taken.
        self.step = self.n_taken = 0
        n_steps = search.n_steps
        self.context = oracle._init_callback_context(max_subtasks=n_steps)

    def go(self):
        """Begin, and take all steps."""
        self.context.call_on_fit_task_begin(estimator=self.oracle)
        self.objective.on_trained = self._report_training
        try:
            self.search.begin()
            self._take_steps()
        except OutOfTime:
            self._warn_of_time()
        except KeyboardInterrupt:
            if not self.objective.n_trainings:
                raise
            self._warn_of_interrupt()
        self.objective.on_trained = lambda: None
        self.context.call_on_fit_task_end(estimator=self.oracle)

    def _take_steps(self):
        for t in range(1, self.search.n_steps + 1):
            self.step = t
            self.objective.check_time()
            task = self._subtask()
            task.call_on_fit_task_begin(estimator=self.oracle)
            moved = self.search.step(t)
            self.n_taken += moved
            wants_stop = task.call_on_fit_task_end(
                estimator=self.oracle, metadata=self._report()
            )
            if not moved or wants_stop:
                break

    def _report_training(self):
        """Show that a training has ended, within the start or a step.

        scikit-learn's callbacks hear of whole steps alone; a bar of skal, of more.
        """
        for callback in getattr(self.oracle, "_skl_callbacks", ()):
            if hasattr(callback, "on_progress"):
                callback.on_progress(self.context, self._report())

    def _report(self):
        n_trainings = self.objective.n_trainings_so_far
        done = self.course.report(self.n_taken, n_trainings, is_start=self.step == 0)
        return self.search.progress | done

    def _subtask(self):
        """Return the context of a step, in the place of that of the one before.

        scikit-learn would keep all of them, and with them 350 bytes for each step.
        """
        self.context._children_map.clear()
        task = self.context.subcontext(task_name="step")
        task.task_id = self.n_taken
        return task

    def _warn_of_time(self):
        if self.step == 0 or not self.search.is_whole:
            warnings.warn(
                f"max_time={self.oracle.max_time} ended the search {self._where()}, "
                f"after {self.objective.n_trainings} trainings: going on with "
                f"{self._rest()}. Allow more time for a better one.",
                stacklevel=2,
            )

    def _warn_of_interrupt(self):
        warnings.warn(
            f"The search was interrupted {self._where()}: going on with "
            f"{self._rest()}.",
            stacklevel=2,
        )

    def _rest(self):
        completed = "" if self.search.is_whole else ", completed at random"
        return f"the best order so far{completed}"

    def _where(self):
        if self.step == 0:
            return "in its start"
        return f"in step {self.step} of {self.search.n_steps}"


def complete(order, n_pool, rng):
    """Append what an order leaves out of the pool, in random order."""
    left = np.setdiff1d(np.arange(n_pool), order)
    return np.concatenate([order, rng.permutation(left)])
