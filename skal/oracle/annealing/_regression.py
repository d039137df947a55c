"""The ridge or logistic regression that is most like an estimator.

It is fitted on the same labelled rows as the estimator, on their columns or on a
kernel, and predicts the same rows of validation.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.inputs._containers import take
from skal.inputs._matrix import (
    KernelScaling,
    Scaling,
    as_matrix,
    can_be_matrix,
)
from skal.inputs._targets import Target
from skal.oracle.annealing._agreement import Agreement, likeness
from skal.oracle.annealing._logistic import Logistic, fit_logistic, logistic_changes
from skal.oracle.annealing._responses import (
    ClassResponses,
    Outlook,
    Responses,
    responses_of,
)
from skal.oracle.annealing._ridge import Changes, Ridge, changes_by, fit_ridge
from skal.oracle.evaluation._sample import some_rows
from skal.problem import Problem

# Penalties to choose from, where rows have a mean square of one.
PENALTIES = 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0
# Smallest of these penalties with which a logistic regression forecasts exchanges. On
# digits one with 0.01 was most like the estimator, but gains that it foretold had a
# correlation of 0.1 to 0.6 with the actual ones (ridge: 0.7 to 0.9): it separates its
# rows, so that a single row may change it more than a Newton step tells.
MIN_LOGISTIC_PENALTY = 1.0
# Coefficients of kernels to choose from, in the same units: with standardised columns,
# 1 is the kernel of `SVC`.
GAMMAS = 0.3, 1.0, 3.0
# Maximum number of numbers in the columns of all rows, to keep them (64 MB). Otherwise
# columns are computed from the rows whenever they are needed.
MAX_KEPT = 2**24
# Number of exchanges that are possible in a pool below which there is no screening: it
# would choose among exchanges that can all be tried.
MIN_EXCHANGES = 600
# Number of rounds from which a search for single rows is a long one: to score an order
# takes as many trainings.
MANY_ROUNDS = 21


def can_screen(problem: Problem) -> bool:
    """Return whether a regression can be fitted on the rows of a problem.

    Parameters
    ----------
    problem : Problem
        With a validation set.

    Returns
    -------
    bool
    """
    if problem.n_acquired * problem.n_pool < MIN_EXCHANGES:
        return False
    is_one_class = problem.target.has_classes and len(problem.classes) < 2
    is_other = problem.target is Target.TAGS or problem.target.has_columns
    if is_other or is_one_class:
        return False
    return can_be_matrix(problem.X_pool) and can_be_matrix(problem.X_val)


def goes_row_by_row(problem: Problem) -> bool:
    """Return whether many rounds label one row each, of a kind that can be screened.

    Parameters
    ----------
    problem : Problem
        With a validation set.

    Returns
    -------
    bool
    """
    is_long = problem.batch_size == 1 and problem.n_rounds >= MANY_ROUNDS
    return is_long and problem.costs is None and can_screen(problem)


def may_use_kernels(problem: Problem) -> bool:
    """Return whether the regression is chosen among those on kernels, too.

    Parameters
    ----------
    problem : Problem
        With a validation set.

    Returns
    -------
    bool
        True for regressors, among which kernel machines and forests are usual, and for
        long searches; otherwise the choice would take longer than it saves.
    """
    return goes_row_by_row(problem) or not problem.target.has_classes


class Labelled(NamedTuple):
    """Rows with their targets, and the rows that margins are compared on.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The rows of the warm start, followed by those of the pool.
    X_val : ndarray of shape (n_answers, n_columns)
        The rows of validation.
    responses : Responses
        The targets of all of them.
    """

    X: NDArray
    X_val: NDArray
    responses: Responses

    @classmethod
    def of(cls, problem: Problem, X: Any, y: Any) -> "Labelled":
        """Return the rows of a problem that can be screened.

        Parameters
        ----------
        problem : Problem
            With a validation set.
        X, y : rows and labels
            The warm start, followed by the pool.

        Returns
        -------
        Labelled
        """
        sample = some_rows(problem)
        X_val = as_matrix(take(problem.X_val, sample))
        return cls(as_matrix(X), X_val, responses_of(problem, sample, y))


class Regression:
    """Regressions on labelled rows, of the kind that is most like an estimator.

    Parameters
    ----------
    labelled : Labelled
        The rows and their targets.
    sets : sequence of ndarray of int
        The labelled rows of several models of the estimator.
    margins : ndarray of shape (n_models, n_answers)
        The margins of these models. The scaling and the penalty of the regression are
        those whose margins are most like them.
    with_kernels : bool
        Whether to choose among ridge regressions on kernels, instead of a logistic
        regression on the columns.
    """

    def __init__(
        self,
        labelled: Labelled,
        sets: Sequence[NDArray[np.int64]],
        margins: NDArray[np.float32],
        with_kernels: bool,
    ) -> None:
        self.data = labelled
        self._is_logistic = False
        found = {}
        for scaling in self._scalings(with_kernels):
            self._use(scaling)
            for self._penalty in PENALTIES:
                found[scaling, self._penalty] = self._likeness(sets, margins)
        self._choices = _distinct(found)
        self.choose(0)
        if isinstance(labelled.responses, ClassResponses) and not with_kernels:
            self._use_logistic(max(found.values()), sets, margins)

    def _use_logistic(
        self,
        least: float,
        sets: Sequence[NDArray[np.int64]],
        margins: NDArray[np.float32],
    ) -> None:
        """Use a logistic regression from now on if it has more than a likeness."""
        ridge_penalty, self._is_logistic = self._penalty, True
        found = {}
        # From the largest, until smaller ones are less like the estimator.
        for self._penalty in reversed(PENALTIES):
            found[self._penalty] = self._likeness(sets, margins)
            if found[self._penalty] < max(found.values()):
                break
        self._penalty = max(found, key=lambda penalty: found[penalty])
        is_useful = found[self._penalty] > least
        if not is_useful or self._penalty < MIN_LOGISTIC_PENALTY:
            self._penalty, self._is_logistic = ridge_penalty, False

    def _likeness(
        self, sets: Sequence[NDArray[np.int64]], margins: NDArray[np.float32]
    ) -> float:
        """Return the mean likeness of the margins to those of the estimator."""
        each = map(likeness, map(self.margins, sets), margins)
        return float(np.mean(list(each)))

    def _scalings(self, with_kernels: bool) -> list[Scaling]:
        """Return the scalings to choose from."""
        scalings = [Scaling(self.data.X, False), Scaling(self.data.X, True)]
        if with_kernels:
            X = self.data.X
            scalings += [KernelScaling(X, one, g) for one in scalings for g in GAMMAS]
        return scalings

    def choose(self, rank: int) -> None:
        """Use the regression that is most like the estimator, or a less like one.

        Parameters
        ----------
        rank : int
            0 is the most like one, `n_choices - 1` the least.
        """
        scaling, self._penalty = self._choices[rank]
        self._use(scaling)

    @property
    def n_choices(self) -> int:
        """Return the number of regressions to choose from."""
        return len(self._choices)

    def _use(self, scaling: Scaling) -> None:
        """Use a scaling from now on."""
        self._scaling, X = scaling, self.data.X
        self.X_val = scaling.transform(self.data.X_val)
        is_small = len(X) * self.X_val.shape[1] <= MAX_KEPT
        self._kept = scaling.transform(X) if is_small else None

    def columns(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the columns of some rows, shape (n_rows, n_columns)."""
        if self._kept is not None:
            return self._kept[rows]
        return self._scaling.transform(take(self.data.X, rows))

    def fit(
        self, rows: NDArray[np.int64], start: NDArray | None = None
    ) -> Ridge | Logistic:
        """Return the regression on labelled rows.

        Parameters
        ----------
        rows : ndarray of shape (n_labelled,)
            The labelled rows.
        start : ndarray of shape (n_columns, n_classes) or None, default=None
            Coefficients from which a logistic regression starts.

        Returns
        -------
        Ridge or Logistic
        """
        X = self.columns(rows).astype(np.float64)
        targets = self.data.responses.columns(rows)
        if not self._is_logistic:
            return fit_ridge(X, targets, self._penalty)
        return fit_logistic(X, targets, self._penalty, start)

    def margins(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the margins of the regression on labelled rows."""
        return self.data.responses.margins(self.X_val @ self.fit(rows).coefs)

    def targets(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the targets of rows, for forecasts, shape (..., n_targets)."""
        return self.data.responses.columns(rows).astype(np.float32)

    def outlook(self, model: Ridge | Logistic) -> Outlook:
        """Return the predictions of a regression of this kind."""
        return self.data.responses.outlook(self.X_val @ model.coefs)

    def compare(
        self,
        agreement: Agreement,
        sets: Sequence[NDArray[np.int64]],
        margins: NDArray[np.float32],
    ) -> None:
        """Add the steps from set to set to an agreement, the first from nothing.

        Parameters
        ----------
        agreement : Agreement
            How far forecasts agree with the estimator, which is updated.
        sets : sequence of ndarray of int
            The labelled rows of several models of the estimator, growing.
        margins : ndarray of shape (n_models, n_answers)
            The margins of these models.
        """
        foretold = before = self.data.responses.unfitted
        for rows, after in zip(sets, margins, strict=True):
            now = self.margins(rows).astype(np.float32)
            agreement.add(now - foretold, before, after)
            foretold, before = now, after


def changes(
    model: Ridge | Logistic, X: NDArray[np.float32], targets: NDArray[np.float32]
) -> Changes:
    """Return how each of several exchanges would change a regression.

    Parameters
    ----------
    model : Ridge or Logistic
        The regression before the exchange.
    X : ndarray of shape (2, n_exchanges, n_columns)
        The rows to add, and the rows to remove.
    targets : ndarray of shape (2, n_exchanges, n_targets)
        Their targets.

    Returns
    -------
    Changes
        Exact for a ridge regression, by one Newton step for a logistic one.
    """
    if isinstance(model, Logistic):
        return logistic_changes(model, X, targets)
    return changes_by(model, X, targets)


def _distinct(
    likenesses: dict[tuple[Scaling, float], float],
) -> list[tuple[Scaling, float]]:
    """Return the choices, the most like first, and equal ones only once."""
    ranked = sorted(likenesses, key=lambda choice: -likenesses[choice])
    distinct: dict[float, tuple[Scaling, float]] = {}
    for choice in ranked:
        # Two ways to scale columns are the same if these are scaled already.
        distinct.setdefault(round(likenesses[choice], 5), choice)
    return list(distinct.values())
