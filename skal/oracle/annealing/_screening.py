"""Screening: a ridge regression foretells how exchanges shift the margins.

The regression is fitted on the same labelled rows as the estimator, and predicts the
same rows of validation. An exchange of two points changes it in closed form, so that
its margins after hundreds of exchanges are known without a training. They are in other
units than the margins of the estimator: one factor between the two is learned from the
exchanges that were tried. For an estimator that is not at all like a linear model, such
as a forest, the forecasts are worthless, which shows in the same exchanges: the search
then goes on without them.
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
from skal.oracle.annealing._columns import Scaling, as_matrix, can_be_matrix
from skal.oracle.annealing._datamodel import (
    LOGISTIC_SLOPE,
    MIN_OUTCOMES,
    SMOOTH_WEIGHT,
)
from skal.oracle.annealing._ridge import (
    Ridge,
    changes_by,
    exchanged,
    fit_ridge,
    margin_shifts,
)
from skal.oracle.evaluation._sample import some_rows
from skal.problem import Problem

# Penalties to choose from, where rows have a mean square of one.
PENALTIES = 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0
# Number of exchanges that are possible in a pool below which there is no screening: it
# would choose among exchanges that can all be tried.
MIN_EXCHANGES = 600
# Number of classes that the true class of an answer is compared with: those with the
# highest predictions before the exchange.
N_RIVALS = 3
# Maximum number of numbers in the columns of all rows, to keep them (64 MB). Otherwise
# columns are computed from the rows whenever they are needed.
MAX_KEPT = 2**24
# Correlation of foretold and actual shifts of margins below which forecasts are not
# used. On digits it was 0.6 to 0.9 for linear models, and 0.05 for a forest.
MIN_CORRELATION = 0.2


def can_screen(problem: Problem) -> bool:
    """Return whether a ridge regression can be fitted on the rows of a problem.

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


class Points(NamedTuple):
    """Pairs of points to exchange.

    Parameters
    ----------
    X : ndarray of shape (2, n_exchanges, n_columns)
        The columns of the points that are added, and of those that are removed.
    codes : ndarray of shape (2, n_exchanges)
        Their classes.
    """

    X: NDArray[np.float32]
    codes: NDArray[np.int64]

    def at(self, chosen: NDArray[np.int64]) -> "Points":
        """Return some of the pairs."""
        return Points(self.X[:, chosen], self.codes[:, chosen])


class _Round(NamedTuple):
    """The regression of a round, with all that exchanges in its set need.

    Parameters
    ----------
    rows : ndarray of shape (n_labelled,)
        The labelled rows.
    ridge : Ridge
        The regression on them.
    rough_ridge : Ridge
        The same in single precision, which is enough for forecasts.
    rivals : ndarray of shape (n_rivals, n_answers)
        The classes that the true class of each answer is compared with.
    gaps : ndarray of shape (n_rivals, n_answers)
        The prediction for the true class minus that for each of them.
    gradient : ndarray of shape (n_columns, n_classes)
        The derivative of the estimator's objective by the coefficients.
    """

    rows: NDArray[np.int64]
    ridge: Ridge
    rough_ridge: Ridge
    rivals: NDArray[np.int64]
    gaps: NDArray[np.float32]
    gradient: NDArray[np.float32]


class Screening:
    """Foretells the margins of an estimator after exchanges in its labelled sets.

    Parameters
    ----------
    labelled : Labelled
        The rows and their classes.
    sets : sequence of ndarray of int
        The labelled rows of several models of the estimator, growing.
    margins : ndarray of shape (n_models, n_answers)
        The margins of these models. The scaling and the penalty of the regression are
        those whose margins are most like them.
    """

    def __init__(
        self,
        labelled: Labelled,
        sets: Sequence[NDArray[np.int64]],
        margins: NDArray[np.float32],
    ) -> None:
        self._data = labelled
        self._is_true = np.eye(labelled.n_classes, dtype=bool)[labelled.true]
        self._rounds: list[_Round] = []
        self._choose(sets, margins)
        # Until exchanges are tried, believe what the steps from round to round show.
        self._agreement, self._n_learned = Agreement(), 0
        foretold = before = np.zeros_like(margins[0])
        for rows, after in zip(sets, margins, strict=True):
            now = self._margins(rows).astype(np.float32)
            self._agreement.add(now - foretold, before, after)
            foretold, before = now, after

    def _choose(
        self, sets: Sequence[NDArray[np.int64]], margins: NDArray[np.float32]
    ) -> None:
        """Choose a scaling and a penalty by the first, middle and last model."""
        some = sorted({0, len(sets) // 2, len(sets) - 1})
        found = {}
        for scaling in (Scaling(self._data.X, False), Scaling(self._data.X, True)):
            self._use(scaling)
            for self._penalty in PENALTIES:
                each = [likeness(self._margins(sets[k]), margins[k]) for k in some]
                found[scaling, self._penalty] = np.mean(each)
        scaling, self._penalty = max(found, key=lambda choice: found[choice])
        self._use(scaling)

    def _use(self, scaling: Scaling) -> None:
        """Use a scaling from now on."""
        self._scaling, X = scaling, self._data.X
        self._X_val = scaling.transform(self._data.X_val)
        is_small = len(X) * self._X_val.shape[1] <= MAX_KEPT
        self._kept = scaling.transform(X) if is_small else None

    def _columns(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the columns of some rows."""
        if self._kept is not None:
            return self._kept[rows]
        return self._scaling.transform(take(self._data.X, rows))

    @property
    def is_trusted(self) -> bool:
        """Return whether the forecasts so far were worth anything, or are too few."""
        if self._n_learned < MIN_OUTCOMES:
            return True
        return self._agreement.correlation >= MIN_CORRELATION

    def follow(
        self,
        sets: Sequence[NDArray[np.int64]],
        margins: NDArray[np.float32],
        widths: NDArray[np.float32],
    ) -> None:
        """Set the labelled sets in which exchanges are made from now on.

        Parameters
        ----------
        sets : sequence of n_rounds ndarrays of int
            The labelled rows of each round.
        margins : ndarray of shape (n_rounds, n_answers)
            The margins of the estimator.
        widths : ndarray of shape (n_rounds,)
            Standard deviation of a shift of the margins, for the slopes.
        """
        before: list[_Round | None] = [*self._rounds] or [None] * len(sets)
        self._rounds = [
            one._replace(rows=rows)
            if one is not None and np.array_equal(np.sort(rows), np.sort(one.rows))
            else self._round(rows, self._refit(one, rows), *given)
            for one, rows, *given in zip(before, sets, margins, widths, strict=True)
        ]

    def _refit(self, before: _Round | None, rows: NDArray[np.int64]) -> Ridge:
        """Return the regression of a set, by an exchange if no more has changed."""
        if before is None:
            return self._fit(rows)
        added = np.setdiff1d(rows, before.rows, assume_unique=True)
        if len(added) > 1:
            return self._fit(rows)
        removed = np.setdiff1d(before.rows, rows, assume_unique=True)
        pair = np.concatenate([added, removed])
        X = self._columns(pair).astype(np.float64)
        return exchanged(before.ridge, X, self._data.codes[pair])

    def _round(
        self,
        rows: NDArray[np.int64],
        ridge: Ridge,
        margins: NDArray[np.float32],
        width: float,
    ) -> _Round:
        """Prepare the forecasts of exchanges in one labelled set."""
        rough = Ridge(*(part.astype(np.float32) for part in ridge))
        scores = self._X_val @ rough.coefs
        others = np.where(self._is_true, np.inf, -scores)
        rivals = _smallest(others, min(N_RIVALS, self._data.n_classes - 1)).T
        gaps = scores[self._is_true] - np.take_along_axis(scores.T, rivals, axis=0)
        # The objective rises with the prediction for the true class, and falls with
        # that for its nearest rival.
        slopes = value_slopes(margins, width)
        pull = self._is_true * slopes[:, None]
        pull[np.arange(len(pull)), rivals[0]] = -slopes
        gradient = self._X_val.T @ pull.astype(np.float32)
        return _Round(rows, ridge, rough, rivals, gaps, gradient)

    def points(self, rows: NDArray[np.int64]) -> Points:
        """Return the points to exchange.

        Parameters
        ----------
        rows : ndarray of shape (2, n_exchanges)
            The rows to add, and the rows to remove.

        Returns
        -------
        Points
        """
        flat = self._columns(rows.ravel())
        return Points(flat.reshape(*rows.shape, -1), self._data.codes[rows])

    def first_gains(self, k: int, points: Points) -> NDArray[np.float64]:
        """Return the gains by exchanges in one round, to first order.

        Parameters
        ----------
        k : int
            The index of the round, from 0.
        points : Points
            The points to exchange.

        Returns
        -------
        ndarray of shape (n_exchanges,)
            Gains of the estimator's objective, as far as it is linear.
        """
        one = self._rounds[k]
        changes = changes_by(one.rough_ridge, *points)
        along = changes.directions @ one.gradient
        return self._agreement.factor * (along * changes.amounts).sum(axis=(0, 2))

    def shifts(self, k: int, points: Points) -> NDArray[np.float32]:
        """Return how exchanges in one round shift the margins of the estimator.

        Parameters
        ----------
        k : int
            The index of the round, from 0.
        points : Points
            The points to exchange.

        Returns
        -------
        ndarray of shape (n_exchanges, n_answers)
        """
        return np.float32(self._agreement.factor) * self._own_shifts(k, points)

    def learn(
        self,
        k: int,
        points: Points,
        before: NDArray[np.float32],
        after: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Compare the forecast of an exchange with its outcome.

        Parameters
        ----------
        k : int
            The index of the round, from 0.
        points : Points
            The two points that were exchanged.
        before, after : ndarray of shape (n_answers,)
            The margins of the estimator.

        Returns
        -------
        ndarray of shape (n_answers,)
            The forecast, as `shifts` returned it before this.
        """
        (foretold,) = self._own_shifts(k, points)
        factor = np.float32(self._agreement.factor)
        self._agreement.add(foretold, before, after)
        self._n_learned += 1
        return factor * foretold

    def _own_shifts(self, k: int, points: Points) -> NDArray[np.float32]:
        """Return how exchanges in one round shift the margins of the regression."""
        one = self._rounds[k]
        changes = changes_by(one.rough_ridge, *points)
        true, X_val = self._data.true, self._X_val
        return margin_shifts(one.gaps, true, one.rivals, X_val, changes).T

    def _fit(self, rows: NDArray[np.int64]) -> Ridge:
        X = self._columns(rows).astype(np.float64)
        codes, n_classes = self._data.codes[rows], self._data.n_classes
        return fit_ridge(X, codes, n_classes, self._penalty)

    def _margins(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the margins of the regression on labelled rows."""
        return margins_of(self._X_val @ self._fit(rows).coefs, self._data.true)


def value_slopes(margins: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Return the derivative of the objective by each margin, as it is foretold.

    Parameters
    ----------
    margins : ndarray of shape (n_answers,)
        The margins of a model.
    width : float
        Standard deviation of a shift of a margin.

    Returns
    -------
    ndarray of shape (n_answers,)
        The derivative of `predicted_gains` by the shifts.
    """

    def slope(margins: NDArray[np.float32]) -> NDArray[np.float32]:
        return LOGISTIC_SLOPE / 4 * (1 - np.tanh(LOGISTIC_SLOPE / 2 * margins) ** 2)

    both = slope(margins / width) / width + SMOOTH_WEIGHT * slope(margins)
    return (both / len(margins)).astype(np.float32)


def _smallest(values: NDArray, n: int) -> NDArray[np.int64]:
    """Return the columns of the n smallest values in each row, ascending."""
    some = np.argpartition(values, n - 1, axis=1)[:, :n]
    order = np.argsort(np.take_along_axis(values, some, axis=1), axis=1)
    return np.take_along_axis(some, order, axis=1)
