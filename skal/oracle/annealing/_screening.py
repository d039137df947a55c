"""Screening: a regression foretells how exchanges shift the margins.

A ridge or logistic regression is fitted on the same labelled rows as the estimator, and
predicts the same rows of validation. An exchange of two points changes it in closed
form, exactly or by a Newton step, so that its margins after hundreds of exchanges are
known without a training. They may be in other units than the margins of the estimator:
one factor between the two is learned from the exchanges that were tried. For an
estimator that is not at all like a linear model, such as a forest, the forecasts are
worthless, which shows in the same exchanges: the search then goes on without them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.oracle.annealing._agreement import Agreement
from skal.oracle.annealing._datamodel import MIN_OUTCOMES
from skal.oracle.annealing._logistic import Logistic
from skal.oracle.annealing._regression import Labelled, Regression, changes
from skal.oracle.annealing._responses import Outlook
from skal.oracle.annealing._ridge import Changes, Ridge, exchanged
from skal.oracle.annealing._value import Value

# Correlation of foretold and actual shifts of margins below which forecasts are not
# used. On digits it was 0.6 to 0.9 for linear models, and 0.05 for a forest.
MIN_CORRELATION = 0.2


class Points(NamedTuple):
    """Pairs of points to exchange.

    Parameters
    ----------
    X : ndarray of shape (2, n_exchanges, n_columns)
        The columns of the points that are added, and of those that are removed.
    targets : ndarray of shape (2, n_exchanges, n_targets)
        Their targets.
    """

    X: NDArray[np.float32]
    targets: NDArray[np.float32]

    def at(self, chosen: NDArray[np.int64]) -> "Points":
        """Return some of the pairs."""
        return Points(self.X[:, chosen], self.targets[:, chosen])


class _Round(NamedTuple):
    """The regression of a round, with all that exchanges in its set need.

    Parameters
    ----------
    rows : ndarray of shape (n_labelled,)
        The labelled rows.
    model : Ridge or Logistic
        The regression on them.
    rough : Ridge or Logistic
        The same in single precision, which is enough for forecasts.
    outlook : Outlook
        Its predictions on validation.
    gradient : ndarray of shape (n_columns, n_targets)
        The derivative of the estimator's objective by the coefficients.
    """

    rows: NDArray[np.int64]
    model: Ridge | Logistic
    rough: Ridge | Logistic
    outlook: Outlook
    gradient: NDArray[np.float32]


class Screening:
    """Foretells the margins of an estimator after exchanges in its labelled sets.

    Parameters
    ----------
    labelled : Labelled
        The rows and their targets.
    sets : sequence of ndarray of int
        The labelled rows of several models of the estimator, growing.
    margins : ndarray of shape (n_models, n_answers)
        The margins of these models. The scaling and the penalty of the regression are
        those whose margins are most like them.
    value : Value
        The objective of the search.
    with_kernels : bool, default=False
        Whether the regression may be one on a kernel.
    """

    def __init__(
        self,
        labelled: Labelled,
        sets: Sequence[NDArray[np.int64]],
        margins: NDArray[np.float32],
        value: Value,
        with_kernels: bool = False,
    ) -> None:
        self._value = value
        some = sorted({0, len(sets) // 2, len(sets) - 1})
        self._regression = Regression(
            labelled, [sets[k] for k in some], margins[some], with_kernels
        )
        self._rounds: list[_Round] = []
        # Until exchanges are tried, believe what the steps from round to round show.
        self._agreement, self._n_learned = Agreement(), 0
        self._regression.compare(self._agreement, sets, margins)
        X_val = self._regression.X_val
        self._moments = X_val.T @ X_val / np.float32(len(X_val))

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

    def _refit(
        self, before: _Round | None, rows: NDArray[np.int64]
    ) -> Ridge | Logistic:
        """Return the regression of a set, by an exchange if no more has changed."""
        if before is None:
            return self._regression.fit(rows)
        if isinstance(before.model, Logistic):
            return self._regression.fit(rows, before.model.coefs)
        added = np.setdiff1d(rows, before.rows, assume_unique=True)
        removed = np.setdiff1d(before.rows, rows, assume_unique=True)
        if len(added) != 1 or len(removed) != 1:
            return self._regression.fit(rows)
        pair = np.concatenate([added, removed])
        X = self._regression.columns(pair).astype(np.float64)
        targets = self._regression.data.responses.columns(pair)
        return exchanged(before.model, X, targets)

    def _round(
        self,
        rows: NDArray[np.int64],
        model: Ridge | Logistic,
        margins: NDArray[np.float32],
        width: float,
    ) -> _Round:
        """Prepare the forecasts of exchanges in one labelled set."""
        rough = type(model)(*(part.astype(np.float32) for part in model))
        outlook = self._regression.outlook(rough)
        pull = outlook.pull(self._value.slopes(margins, width))
        gradient = self._regression.X_val.T @ pull
        return _Round(rows, model, rough, outlook, gradient)

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
        targets = self._regression.targets(rows)
        return Points(flat.reshape(*rows.shape, -1), targets)

    def alone(self, rows: NDArray[np.int64], is_added: NDArray[np.bool_]) -> Points:
        """Return points that are added or removed without another one.

        Parameters
        ----------
        rows : ndarray of shape (n,)
            The rows to add or to remove.
        is_added : ndarray of shape (n,)
            Whether a row is added.

        Returns
        -------
        Points
            The other point of each pair is a row of zeros, with the targets that any
            regression predicts for it or does not learn from.
        """
        points = self.points(np.stack([rows, rows]))
        is_other = np.stack([~is_added, is_added])
        points.X[is_other], points.targets[is_other] = 0, 1 / points.targets.shape[-1]
        return points

    def rough_gains(self, k: int, points: Points) -> NDArray[np.float64]:
        """Return the gains by exchanges in one round, to first or second order.

        Parameters
        ----------
        k : int
            The index of the round, from 0.
        points : Points
            The points to exchange.

        Returns
        -------
        ndarray of shape (n_exchanges,)
            Gains of the estimator's objective, as far as it is linear or, for
            numbers, quadratic.
        """
        one, factor = self._rounds[k], self._agreement.factor
        found = changes(one.rough, *points)
        along = found.directions @ one.gradient
        gains = factor * (along * found.amounts).sum(axis=(0, 2))
        if self._value.curvature:
            squares = self._mean_squares(found)
            gains += self._value.curvature * factor**2 * squares
        return gains

    def _mean_squares(self, found: Changes) -> NDArray[np.float32]:
        """Return the mean square of the shifts of a single column, (n_exchanges,)."""
        coefs = np.einsum("dij,dik->ij", found.directions, found.amounts)
        return np.einsum("ij,ij->i", coefs @ self._moments, coefs)

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
        found = changes(one.rough, *points)
        return one.outlook.shifts(self._regression.X_val, found)
