"""Base classes of oracles, and of the searches that some of them run step by step."""

import os
import warnings
from abc import ABC, abstractmethod
from contextlib import nullcontext
from itertools import count, islice
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.callback import CallbackSupportMixin, with_callbacks

from skal._sklearn import validate
from skal._threads import interrupt_ends_study
from skal.inputs._containers import n_rows, other_rows
from skal.loop import check_validation
from skal.oracle.evaluation._budget import Budget, Course, OutOfTime
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._history import History
from skal.oracle.journal._journal import Journal
from skal.oracle.journal._sqlite import check_path
from skal.strategies import OrderStrategy


class BaseOracle(OrderStrategy):
    """Base class of oracles. A subclass implements `_search(problem)`.

    `_search` returns the best order that was found, as positions in the pool, its
    quality on validation, and the number of trainings.
    """

    # Whether the strategy uses labels of the pool, and whether it needs a validation
    # set.
    peeks = True
    searches = True

    def check_problem(self, problem):
        """Check that the parameters are valid and suit a problem, without training.

        Parameters
        ----------
        problem : Problem
            The problem to search on.

        Raises
        ------
        ValueError
            If they are not or do not.
        """
        validate(self)
        check_validation(problem, self)
        is_late = problem.costs is not None and problem.limits[1] < (
            problem.costs[problem.affordable].max()
        )
        if is_late and n_rows(problem.X_warm) == 0:
            raise ValueError(
                f"{type(self).__name__} scores each round, and without a warm start an "
                "order that begins with a row that costs more than batch_size has none "
                "in round 1: give a warm start, or increase batch_size."
            )
        # It refuses a number of jobs that joblib cannot run.
        effective_n_jobs(getattr(self, "n_jobs", None))

    def _fit(self, X, y, problem):
        if problem is None:
            raise ValueError(
                f"{type(self).__name__} searches with the labels of the pool, so it "
                "needs a problem: use it as the strategy of an ActiveLearner."
            )
        self.check_problem(problem)
        order, self.quality_, self.n_trainings_ = self._search(problem)
        self._plan = np.asarray(order, dtype=np.int64)
        self.order_ = problem.pool_rows[self._plan]


class Search(ABC):
    """A search that proceeds in steps, as `SearchOracle` runs it.

    Attributes
    ----------
    history : History
        The steps so far. It must be there before `begin`.
    """

    history: History

    @property
    @abstractmethod
    def n_steps(self) -> int | None:
        """Return the largest number of steps; None if only a limit ends the search."""

    @property
    @abstractmethod
    def is_whole(self) -> bool:
        """Return whether there is a whole order; otherwise `found` completes one."""

    @property
    @abstractmethod
    def progress(self) -> dict[str, Any]:
        """Return the values that a progress bar shows, by name.

        It is read within `begin` as well, when it may still be empty.
        """

    @abstractmethod
    def begin(self) -> None:
        """Prepare the first step. This may train.

        Raises
        ------
        OutOfTime
            If `max_time` is over. `found` must still work.
        """

    @abstractmethod
    def step(self, t: int) -> bool:
        """Take step t. Return whether it was taken.

        Parameters
        ----------
        t : int
            The number of the step: 1, 2, ..., up to `n_steps`, in this order.

        Returns
        -------
        bool
            Whether the step was taken. If not, the search is over.

        Raises
        ------
        OutOfTime
            If `max_time` is over within the step. `found` must still work.
        """

    @abstractmethod
    def found(self) -> tuple[NDArray[np.int64], float]:
        """Return the best order and its quality.

        It may be called after any number of steps, also if `begin` or a step was cut
        short after the first training. If the order is not whole yet, the best
        beginning is completed at random, and scored as far as time allows.

        Returns
        -------
        order : ndarray of shape (n_acquired,) or (n_pool,)
            Positions in the pool, of which the first `n_acquired` are used.
        quality : float
            Its xi-quality on validation.
        """


class SearchOracle(CallbackSupportMixin, BaseOracle):
    """Base class of oracles that search step by step.

    A subclass implements three methods: `_parameters(problem)` returns everything that
    determines the search, as a dict of strings; `_forecast(problem)` returns the
    expected number of trainings before the first step and in all steps; and
    `_begin(problem, objective, journal)` returns the `Search`.
    """

    _parameter_constraints: dict = {
        "n_jobs": [Integral, None],
        "journal": [str, os.PathLike, None],
        "random_state": ["random_state"],
    }

    # Defaults of parameters that only some subclasses have: the number of sets to
    # prefetch, and the limits of the search.
    prefetch = 0
    max_time = None
    max_trainings = None
    # Whether the search needs margins.
    with_margins = False

    @with_callbacks
    def fit(self, X, y=None, *, problem=None):
        """Search for the optimal order of a problem.

        Ctrl-C ends the search with a warning and keeps the best order so far. If no set
        has been scored yet, KeyboardInterrupt is raised.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe or list
            Rows of the pool.
        y : array-like, default=None
            Labels of the pool.
        problem : Problem
            The problem to search on, with a validation set.

        Returns
        -------
        self : oracle
            The fitted oracle, with the best order it found.

        Raises
        ------
        ValueError
            If `problem` is missing, a parameter does not suit it, or the journal is
            damaged, not a journal of skal, or the journal of another search.
        OSError
            If the journal cannot be opened or written. Its content is kept.
        """
        return super().fit(X, y, problem=problem)

    def check_problem(self, problem):
        """Check that the parameters are valid and suit a problem, without training.

        Parameters
        ----------
        problem : Problem
            The problem to search on.

        Raises
        ------
        ValueError
            If they are not or do not.
        OSError
            If there cannot be a journal at the given path.
        """
        super().check_problem(problem)
        if self.journal is not None:
            check_path(Path(self.journal))

    def expected_trainings(self, problem):
        """Return the approximate number of sets a search trains on without time limit.

        Parameters
        ----------
        problem : Problem
            The problem to search on.

        Returns
        -------
        int
            Expected number of trainings, at most `max_trainings`.
        """
        validate(self)
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
            # Search, as far as the limits allow.
            search = self._begin(problem, objective, journal)
            before, in_steps = self._forecast(problem)
            course = Course(budget, search.n_steps, before, before + in_steps)
            _SearchRun(self, search, objective, course).run()
            # Nothing is held back for the end any more: this is the end.
            budget.reserve = 0
            order, quality = search.found()
        self.history_ = search.history.table()
        self.n_speculative_ = objective.n_speculative
        acquired = order[: problem.ends(order)[-1]]
        return acquired, quality, objective.n_trainings

    def _open_journal(self, problem):
        if self.journal is None:
            return nullcontext()
        name, parameters = type(self).__name__, self._parameters(problem)
        return Journal(self.journal, problem, name, self.seed_, parameters)


class _SearchRun:
    """Runs all steps of a search, unless a limit, a callback or the user ends it.

    Parameters
    ----------
    oracle : SearchOracle
        The oracle, which has the callbacks.
    search : Search
        The search to run.
    objective : Objective
        The objective of the search, which reports trainings and checks the time.
    course : Course
        Computes the progress.
    """

    def __init__(self, oracle, search, objective, course):
        self.oracle, self.search = oracle, search
        self.objective, self.course = objective, course
        # The present step, 0 before the first, and the number of steps taken.
        self.step = self.n_taken = 0
        n_steps = search.n_steps
        self.context = oracle._init_callback_context(max_subtasks=n_steps)

    def run(self):
        """Begin the search and take all steps."""
        self.context.call_on_fit_task_begin(estimator=self.oracle)
        self.objective.on_trained = self._report_training
        try:
            self.search.begin()
            self._take_steps()
        except OutOfTime:
            self._warn_of_time()
        except KeyboardInterrupt:
            if not self.objective.n_trainings or interrupt_ends_study():
                raise
            self._warn_of_interrupt()
        self.objective.on_trained = lambda: None
        self.context.call_on_fit_task_end(estimator=self.oracle)

    def _take_steps(self):
        for t in islice(count(1), self.search.n_steps):
            self.step = t
            self.objective.check_time()
            task = self._subtask()
            task.call_on_fit_task_begin(estimator=self.oracle)
            was_taken = self.search.step(t)
            self.n_taken += was_taken
            wants_stop = task.call_on_fit_task_end(
                estimator=self.oracle, metadata=self._report()
            )
            if not was_taken or wants_stop:
                break

    def _report_training(self):
        """Report to skal's own callbacks that a training has ended within a step.

        scikit-learn's callbacks are called for whole steps only.
        """
        for callback in getattr(self.oracle, "_skl_callbacks", ()):
            if hasattr(callback, "on_progress"):
                callback.on_progress(self.context, self._report())

    def _report(self):
        n_trainings = self.objective.n_trainings_so_far
        done = self.course.report(self.n_taken, n_trainings, is_start=self.step == 0)
        return self.search.progress | done

    def _subtask(self):
        """Return the context of a step, and drop the context of the step before.

        scikit-learn would keep them all, at 350 bytes a step.
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
                f"{self._result()}. Increase max_time for a better order.",
                stacklevel=2,
            )

    def _warn_of_interrupt(self):
        warnings.warn(
            f"The search was interrupted {self._where()}: going on with "
            f"{self._result()}.",
            stacklevel=2,
        )

    def _result(self):
        completed = "" if self.search.is_whole else ", completed at random"
        return f"the best order so far{completed}"

    def _where(self):
        if self.step == 0:
            return "in its start"
        n_steps = self.search.n_steps
        return f"in step {self.step}" + (f" of {n_steps}" if n_steps else "")


def complete(order, n_pool, rng):
    """Append the remaining points of the pool to an order, in random order.

    Parameters
    ----------
    order : ndarray of shape (n_labelled,)
        Positions in the pool.
    n_pool : int
        Number of points in the pool.
    rng : numpy.random.Generator
        Generator to draw from.

    Returns
    -------
    ndarray of shape (n_pool,)
        A permutation of the pool.
    """
    return np.concatenate([order, rng.permutation(other_rows(order, n_pool))])
