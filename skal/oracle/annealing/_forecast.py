"""Forecasts of how exchanges of points change the models of a search.

A regression foretells how an exchange shifts the margins (see `Screening`), and a
linear datamodel learns what is left. Without a regression, the datamodel learns all.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.oracle.annealing._datamodel import (
    Calibration,
    LinearDatamodel,
    expected_improvement,
)
from skal.oracle.annealing._regression import Labelled, can_screen, may_use_kernels
from skal.oracle.annealing._screening import Points, Screening
from skal.oracle.annealing._value import Value
from skal.problem import Problem
from skal.training import Trainer

# Number of exchanges that are looked at closely if a regression has foretold more to
# first order; in a large validation set fewer of them, since this takes as long as all
# other forecasts.
N_CLOSE, MIN_CLOSE, MAX_CLOSE_MARGINS = 150, 50, 75_000


class Drawn(NamedTuple):
    """Exchanges that may be tried.

    Parameters
    ----------
    places : ndarray of shape (n_exchanges, 2)
        The two places of the order, ascending.
    added, removed : ndarray of shape (n_exchanges,)
        The points that are added to the labelled sets and removed from them.
    begin, end : ndarray of shape (n_exchanges,)
        The labelled sets of the rounds begin <= k < end get one point for the other.
    n_sets : ndarray of shape (n_exchanges,)
        Number of labelled sets that change. With costs, an exchange may also change
        where rounds end.
    """

    places: NDArray[np.int64]
    added: NDArray[np.int64]
    removed: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    n_sets: NDArray[np.int64]

    def at(self, chosen: NDArray[np.int64]) -> "Drawn":
        """Return some of the exchanges."""
        return Drawn(*(part[chosen] for part in self))

    def changing(self, k: int) -> NDArray[np.int64]:
        """Return the indices of the exchanges that change round k."""
        return np.flatnonzero((self.begin <= k) & (k < self.end))


class Moved(NamedTuple):
    """Points that enter or leave labelled sets because rounds end elsewhere.

    Parameters
    ----------
    exchanges : ndarray of shape (n_moved,)
        The index of the exchange, within those that may be tried.
    rounds : ndarray of shape (n_moved,)
        The round k whose set changes.
    points : ndarray of shape (n_moved,)
        The points.
    is_added : ndarray of shape (n_moved,)
        Whether a point enters the set.
    """

    exchanges: NDArray[np.int64]
    rounds: NDArray[np.int64]
    points: NDArray[np.int64]
    is_added: NDArray[np.bool_]

    def of(self, k: int) -> "Moved":
        """Return those of one round."""
        return Moved(*(part[self.rounds == k] for part in self))


class Forecast:
    """Foretells the margins and the gains of exchanges, and learns from their outcomes.

    Parameters
    ----------
    problem : Problem
        The data and the rounds.
    trainer : Trainer
        The trainer of the search, which has the labelled rows.
    sets : list of ndarray
        Positions in the pool that are labelled after each round of the first order.
    margins : ndarray of shape (n_rounds, n_answers)
        The margins of its models.
    value : Value
        The objective of the search.
    """

    def __init__(
        self,
        problem: Problem,
        trainer: Trainer,
        sets: list[NDArray[np.int64]],
        margins: NDArray[np.float32],
        value: Value,
    ) -> None:
        self._trainer, self._margins = trainer, margins
        self.n_rounds = problem.n_rounds
        self.datamodel = LinearDatamodel(problem.n_pool, margins.shape[1])
        self.value = value
        self.calibration = Calibration(self.value.max_slope)
        n_labelled = np.array([trainer.n_warm + len(positions) for positions in sets])
        # One point matters less the more are labelled: its effect in round k is taken
        # to be inversely proportional to the number of labels, hence these weights.
        self._weights = (n_labelled / n_labelled.mean()).astype(np.float32)
        self._screening: Screening | None = None
        if can_screen(problem):
            rows = Labelled.of(problem, trainer.X, trainer.y)
            with_kernels = may_use_kernels(problem)
            self._screening = Screening(
                rows, self._rows(sets), margins, self.value, with_kernels
            )

    @property
    def is_screening(self) -> bool:
        """Return whether a regression foretells exchanges, so that more are drawn."""
        return self._screening is not None

    def follow(
        self, sets: list[NDArray[np.int64]], margins: NDArray[np.float32]
    ) -> None:
        """Set the order that exchanges start from.

        Parameters
        ----------
        sets : list of ndarray
            Positions in the pool that are labelled after each round.
        margins : ndarray of shape (n_rounds, n_answers)
            The margins of its models.
        """
        self._margins = margins
        if self._screening is not None:
            # For two points that were never exchanged before.
            std = self.datamodel.error_scale * np.sqrt(2 + self.datamodel.noise)
            widths = (std / self._weights).astype(np.float32)
            self._screening.follow(self._rows(sets), margins, widths)

    def most_promising(self, drawn: Drawn) -> Drawn:
        """Return the exchanges with the highest expected improvement, to first order.

        All of them are returned if they are few, or if there is no regression.

        Parameters
        ----------
        drawn : Drawn
            The exchanges.

        Returns
        -------
        Drawn
        """
        n_close = max(
            MIN_CLOSE, min(N_CLOSE, MAX_CLOSE_MARGINS // self._margins.shape[1])
        )
        if self._screening is None or len(drawn.places) <= n_close:
            return drawn
        points = self._points(*drawn[1:3])
        total = np.zeros(len(drawn.places))
        for k in range(1, self.n_rounds + 1):
            i = drawn.changing(k)
            total[i] += self._screening.rough_gains(k - 1, points.at(i))
        improvement = self.improvement(total, drawn.n_sets)
        return drawn.at(np.sort(np.argsort(-improvement, kind="stable")[:n_close]))

    def gains(self, drawn: Drawn, moved: Moved | None = None) -> NDArray[np.float64]:
        """Predict the gain of each exchange in each round.

        Parameters
        ----------
        drawn : Drawn
            The exchanges.
        moved : Moved or None, default=None
            With costs, the other points that they move.

        Returns
        -------
        ndarray of shape (n_exchanges, n_rounds)
            Zero in rounds that an exchange does not change.
        """
        gains = np.zeros((len(drawn.places), self.n_rounds))
        effects, stds = self.datamodel.predict(drawn.added, drawn.removed)
        points = None if self._screening is None else self._points(*drawn[1:3])
        for k, (margins, weight) in enumerate(
            zip(self._margins, self._weights, strict=True), start=1
        ):
            i = drawn.changing(k)
            shifts, spread = effects[i] / weight, stds[i] / weight
            if self._screening is not None and points is not None:
                shifts += self._screening.shifts(k - 1, points.at(i))
            if moved is not None and (moved.rounds == k).any():
                i, shifts, spread = self._with_moved(k, i, shifts, spread, moved.of(k))
            gains[i, k - 1] = self.value.gains(margins, shifts, spread)
        return gains

    def _with_moved(
        self, k: int, i: NDArray, shifts: NDArray, stds: NDArray, moved: Moved
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Return the exchanges that change round k, with the points that they move.

        The effects of several points are added up, which is right to first order.
        """
        every = np.union1d(i, moved.exchanges)
        own, other = (np.searchsorted(every, part) for part in (i, moved.exchanges))
        unit = (self.datamodel.error_scale / self._weights[k - 1]) ** 2
        squares = np.full(len(every), self.datamodel.noise * unit)
        squares[own] = stds**2
        np.add.at(squares, other, self.datamodel.variances[moved.points] * unit)
        whole = np.zeros((len(every), shifts.shape[1]), dtype=np.float32)
        whole[own] = shifts
        np.add.at(whole, other, self._shifts_alone(k, moved.points, moved.is_added))
        return every, whole, np.sqrt(squares).astype(np.float32)

    def _shifts_alone(
        self, k: int, points: NDArray[np.int64], is_added: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Predict how each point shifts the margins if nothing else changes."""
        signs = np.where(is_added, 1, -1)[:, None] / self._weights[k - 1]
        shifts = self.datamodel.effects(points) * signs.astype(np.float32)
        if self._screening is not None:
            alone = self._screening.alone(self._trainer.n_warm + points, is_added)
            shifts += self._screening.shifts(k - 1, alone)
        return shifts

    def shift(self, k: int, added: int, removed: int) -> NDArray[np.float32]:
        """Predict how one exchange shifts the margins in one round.

        Parameters
        ----------
        k : int
            The index of the round, from 0.
        added, removed : int
            The two points.

        Returns
        -------
        ndarray of shape (n_answers,)
        """
        pair = np.array([added]), np.array([removed])
        effects, _ = self.datamodel.predict(*pair)
        shifts = effects / self._weights[k]
        if self._screening is not None:
            shifts = shifts + self._screening.shifts(k, self._points(*pair))
        return shifts[0]

    def improvement(
        self, gains: NDArray[np.float64], n_sets: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the expected improvement by exchanges, relative to what they cost.

        Parameters
        ----------
        gains : ndarray of shape (n_exchanges,)
            Predicted gains, summed over rounds.
        n_sets : ndarray of shape (n_exchanges,)
            Number of sets that each exchange changes.

        Returns
        -------
        ndarray of shape (n_exchanges,)
        """
        return expected_improvement(gains, n_sets, self.calibration.line())

    def learn(
        self, added: int, removed: int, rows: slice, after: NDArray[np.float32]
    ) -> None:
        """Learn from the margins after an exchange.

        Parameters
        ----------
        added, removed : int
            The two points.
        rows : slice
            The indices of the rounds, from 0, whose labelled sets were changed.
        after : ndarray of shape (n_changed, n_answers)
            Their margins.
        """
        shifts = after - self._margins[rows]
        if self._screening is not None:
            points = self._points(np.array([added]), np.array([removed]))
            for i, k in enumerate(range(rows.start, rows.stop)):
                shifts[i] -= self._screening.learn(
                    k, points, self._margins[k], after[i]
                )
            if not self._screening.is_trusted:
                self._screening = None
        # The mean of the rounds, scaled to the mean number of labels.
        shifts *= self._weights[rows, None]
        self.datamodel.update(added, removed, shifts.mean(axis=0))

    def _points(self, added: NDArray[np.int64], removed: NDArray[np.int64]) -> Points:
        assert self._screening is not None
        return self._screening.points(self._trainer.n_warm + np.stack([added, removed]))

    def _rows(self, sets: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [self._trainer.labelled_rows(positions) for positions in sets]
