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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.oracle.annealing._agreement import Agreement
from skal.oracle.annealing._datamodel import (
    LOGISTIC_SLOPE,
    MIN_OUTCOMES,
    SMOOTH_WEIGHT,
)
from skal.oracle.annealing._regression import Labelled, Regression
from skal.oracle.annealing._ridge import Ridge, changes_by, exchanged, margin_shifts

# Correlation of foretold and actual shifts of margins below which forecasts are not
# used. On digits it was 0.6 to 0.9 for linear models, and 0.05 for a forest.
MIN_CORRELATION = 0.2


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
    with_kernels : bool, default=False
        Whether the regression may be one on a kernel.
    """

    def __init__(
        self,
        labelled: Labelled,
        sets: Sequence[NDArray[np.int64]],
        margins: NDArray[np.float32],
        with_kernels: bool = False,
    ) -> None:
        some = sorted({0, len(sets) // 2, len(sets) - 1})
        self._regression = Regression(
            labelled, [sets[k] for k in some], margins[some], with_kernels
        )
        self._rounds: list[_Round] = []
        # Until exchanges are tried, believe what the steps from round to round show.
        self._agreement, self._n_learned = Agreement(), 0
        self._regression.compare(self._agreement, sets, margins)

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
            return self._regression.fit(rows)
        added = np.setdiff1d(rows, before.rows, assume_unique=True)
        removed = np.setdiff1d(before.rows, rows, assume_unique=True)
        if len(added) != 1 or len(removed) != 1:
            return self._regression.fit(rows)
        pair = np.concatenate([added, removed])
        X = self._regression.columns(pair).astype(np.float64)
        return exchanged(before.ridge, X, self._regression.data.codes[pair])

    def _round(
        self,
        rows: NDArray[np.int64],
        ridge: Ridge,
        margins: NDArray[np.float32],
        width: float,
    ) -> _Round:
        """Prepare the forecasts of exchanges in one labelled set."""
        rough = Ridge(*(part.astype(np.float32) for part in ridge))
        rivals, gaps = self._regression.gaps(rough)
        # The objective rises with the prediction for the true class, and falls with
        # that for its nearest rival.
        slopes = value_slopes(margins, width)
        pull = self._regression.is_true * slopes[:, None]
        pull[np.arange(len(pull)), rivals[0]] = -slopes
        gradient = self._regression.X_val.T @ pull.astype(np.float32)
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
        flat = self._regression.columns(rows.ravel())
        return Points(flat.reshape(*rows.shape, -1), self._regression.data.codes[rows])

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
        true, X_val = self._regression.data.true, self._regression.X_val
        return margin_shifts(one.gaps, true, one.rivals, X_val, changes).T


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
