"""The ridge or logistic regression that is most like an estimator.

It is fitted on the same labelled rows as the estimator, on their columns or on a
kernel, and predicts the same rows of validation.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.answers._margins import margins as margins_of
from skal.answers._reading import codes_of
from skal.inputs._containers import take
from skal.inputs._tags import is_tags
from skal.oracle.annealing._agreement import Agreement, likeness
from skal.oracle.annealing._columns import (
    KernelScaling,
    Scaling,
    as_matrix,
    can_be_matrix,
)
from skal.oracle.annealing._logistic import Logistic, fit_logistic, logistic_changes
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
# Number of classes that the true class of an answer is compared with: those with the
# highest predictions before the exchange.
N_RIVALS = 3
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
    if is_tags(problem.y_pool) or is_tags(problem.y_val) or len(problem.classes) < 2:
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
    return is_long and can_screen(problem)


class Labelled(NamedTuple):
    """Rows with their classes, and the rows that margins are compared on.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The rows of the warm start, followed by those of the pool.
    codes : ndarray of shape (n_rows,)
        Their classes, from 0 to n_classes - 1.
    X_val : ndarray of shape (n_answers, n_columns)
        The rows of validation.
    true : ndarray of shape (n_answers,)
        Their classes.
    n_classes : int
        Number of classes.
    """

    X: NDArray
    codes: NDArray[np.int64]
    X_val: NDArray
    true: NDArray[np.int64]
    n_classes: int

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
        sample, classes = some_rows(problem), problem.classes
        true = codes_of(np.asarray(take(problem.y_val, sample)), classes)
        X_val = as_matrix(take(problem.X_val, sample))
        codes = codes_of(np.asarray(y), classes)
        return cls(as_matrix(X), codes, X_val, true, len(classes))


class Regression:
    """Regressions on labelled rows, of the kind that is most like an estimator.

    Parameters
    ----------
    labelled : Labelled
        The rows and their classes.
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
        self.is_true = np.eye(labelled.n_classes, dtype=bool)[labelled.true]
        self._is_logistic = False
        found = {}
        for scaling in self._scalings(with_kernels):
            self._use(scaling)
            for self._penalty in PENALTIES:
                found[scaling, self._penalty] = self._likeness(sets, margins)
        best = max(found, key=lambda choice: found[choice])
        scaling, self._penalty = best
        self._use(scaling)
        if not with_kernels:
            self._use_logistic(found[best], sets, margins)

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
        given = X, self.data.codes[rows], self.data.n_classes, self._penalty
        if not self._is_logistic:
            return fit_ridge(*given)
        return fit_logistic(*given, start)

    def margins(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the margins of the regression on labelled rows."""
        return margins_of(self.X_val @ self.fit(rows).coefs, self.data.true)

    def gaps(
        self, model: Ridge | Logistic
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Compare the predictions for the true classes with those for their rivals.

        Parameters
        ----------
        model : Ridge or Logistic
            A regression of this kind.

        Returns
        -------
        rivals : ndarray of shape (n_rivals, n_answers)
            The classes that the true class of each answer is compared with.
        gaps : ndarray of shape (n_rivals, n_answers)
            The prediction for the true class minus that for each of them.
        """
        scores = self.X_val @ model.coefs
        others = np.where(self.is_true, np.inf, -scores)
        rivals = _smallest(others, min(N_RIVALS, self.data.n_classes - 1)).T
        gaps = scores[self.is_true] - np.take_along_axis(scores.T, rivals, axis=0)
        return rivals, gaps

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
        foretold = before = np.zeros_like(margins[0])
        for rows, after in zip(sets, margins, strict=True):
            now = self.margins(rows).astype(np.float32)
            agreement.add(now - foretold, before, after)
            foretold, before = now, after


def changes(
    model: Ridge | Logistic, X: NDArray[np.float32], codes: NDArray[np.int64]
) -> Changes:
    """Return how each of several exchanges would change a regression.

    Parameters
    ----------
    model : Ridge or Logistic
        The regression before the exchange.
    X : ndarray of shape (2, n_exchanges, n_columns)
        The rows to add, and the rows to remove.
    codes : ndarray of shape (2, n_exchanges)
        Their classes.

    Returns
    -------
    Changes
        Exact for a ridge regression, by one Newton step for a logistic one.
    """
    if isinstance(model, Logistic):
        return logistic_changes(model, X, codes)
    return changes_by(model, X, codes)


def _smallest(values: NDArray, n: int) -> NDArray[np.int64]:
    """Return the columns of the n smallest values in each row, ascending."""
    some = np.argpartition(values, n - 1, axis=1)[:, :n]
    order = np.argsort(np.take_along_axis(values, some, axis=1), axis=1)
    return np.take_along_axis(some, order, axis=1)
