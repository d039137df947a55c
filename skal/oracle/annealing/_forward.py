"""A start for long searches: orders that grow row by row, as a regression foretells.

Where each of many rounds labels one row, scoring an order takes as many trainings as
there are rounds. A beam search takes that many for a single point of the order, if it
tries all candidates. A ridge regression foretells their margins in closed form, so that
only the most promising few are trained on. Their margins, in turn, are where the next
forecasts start from.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.inputs._containers import other_rows
from skal.oracle.annealing._agreement import Agreement
from skal.oracle.annealing._datamodel import ERROR_DECAY
from skal.oracle.annealing._regression import Labelled, Regression
from skal.oracle.annealing._ridge import Ridge, changes_by_adding, with_row
from skal.oracle.annealing._value import value_of
from skal.oracle.evaluation._objective import Objective
from skal.problem import Problem
from skal.seeding import Stream, stream

# Sizes of the random sets by whose models the regression is chosen, as shares of the
# pool, and their number.
PROBES = 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4
N_PROBES = len(PROBES)
# Part of the extensions that is kept: with half of them, a prefix that is behind for a
# few points may still win.
KEPT = 0.5
# Maximum number of candidates whose margins are foretold.
N_FORETOLD = 600
# Error of the first forecasts, relative to the size of the margins.
FIRST_ERROR = 0.1


class _Prefix(NamedTuple):
    """The beginning of an order.

    Parameters
    ----------
    order : ndarray of shape (n_labelled,)
        Positions in the pool.
    total : float
        Sum of the objective values after each of its points.
    value : float
        The latest of these values.
    margins : tuple of ndarray of shape (n_answers,)
        The margins of the estimator after each of its points.
    ridge : Ridge
        The regression on the labelled rows.
    """

    order: NDArray[np.int64]
    total: float
    value: float
    margins: tuple[NDArray[np.float32], ...]
    ridge: Ridge


class _Extension(NamedTuple):
    """A prefix with one more point.

    Parameters
    ----------
    prefix : _Prefix
        The prefix.
    point : int
        The point.
    total : float
        The sum of the objective values, with the foretold one of the last point.
    shifts : ndarray of shape (n_answers,)
        The foretold shifts of the margins of the regression.
    """

    prefix: _Prefix
    point: int
    total: float
    shifts: NDArray[np.float32]

    @property
    def order(self) -> NDArray[np.int64]:
        """Return the order of the prefix, with the point."""
        return np.append(self.prefix.order, self.point)


class ForwardSearch:
    """A beam of orders that grow by one point in each round.

    Parameters
    ----------
    problem : Problem
        The data, the estimator and the rounds, each of which labels one row.
    objective : Objective
        Scores labelled sets. It must be made with `with_margins=True`.
    seed : int
        Determines the sets by which the regression is chosen, and the candidates.
    n_tried : int
        Number of sets that are trained on in each round.
    """

    def __init__(
        self, problem: Problem, objective: Objective, seed: int, n_tried: int
    ) -> None:
        self.problem, self.objective, self.seed = problem, objective, seed
        self.n_tried = n_tried
        self.n_kept = max(1, round(KEPT * n_tried))
        self._agreement, self._value = Agreement(), value_of(problem.target)
        self._kept: list[_Prefix] = []

    @property
    def best_order(self) -> NDArray[np.int64]:
        """Return the best prefix so far, shape (n_labelled,)."""
        return self._kept[0].order if self._kept else np.empty(0, dtype=np.int64)

    @property
    def best_margins(self) -> NDArray[np.float32]:
        """Return its margins after each point, shape (n_labelled, n_answers)."""
        return np.stack(self._kept[0].margins)

    def run(self) -> None:
        """Let the orders grow until they are whole."""
        n_rounds = self.objective.budget.reserve = self.problem.n_rounds
        self._choose_regression()
        for t in range(1, n_rounds + 1):
            self.objective.budget.reserve = n_rounds + 1 - t
            self._grow(t)
            self.objective.flush()

    def _choose_regression(self) -> None:
        """Choose the regression by the models of a few random sets."""
        problem, trainer = self.problem, self.objective.trainer
        order = stream(self.seed, Stream.CANDIDATES).permutation(problem.n_pool)
        sizes = sorted({max(1, int(share * problem.n_pool)) for share in PROBES})
        sets = [order[:size] for size in sizes]
        _, margins = self._train(sets)
        rows = [trainer.labelled_rows(positions) for positions in sets]
        labelled = Labelled.of(problem, trainer.X, trainer.y)
        self._regression = Regression(labelled, rows, margins, with_kernels=True)
        self._regression.compare(self._agreement, rows, margins)
        self._mean_square = FIRST_ERROR**2 * float(np.mean(margins**2))
        empty = np.empty(0, dtype=np.int64)
        ridge = self._regression.fit(trainer.labelled_rows(empty))
        self._kept = [_Prefix(empty, 0.0, 0.0, (), ridge)]

    def _train(
        self, sets: list[NDArray[np.int64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return the scores and the margins of the models of sets."""
        scores = self.objective.scores(sets)
        return scores, np.array(self.objective.margins(sets), dtype=np.float32)

    def _grow(self, t: int) -> None:
        """Train on the most promising extensions, and keep the best of them."""
        tried = self._most_promising(t)
        scores, margins = self._train([one.order for one in tried])
        values = self._value.of(scores, margins)
        grown = [
            self._grown(one, float(value), after)
            for one, value, after in zip(tried, values, margins, strict=True)
        ]
        for one, after in zip(tried, margins, strict=True):
            self._learn(one, after)
        self._kept = sorted(grown, key=lambda one: -one.total)[: self.n_kept]

    def _most_promising(self, t: int) -> list[_Extension]:
        """Return the most promising extensions of all prefixes, one per set."""
        best: dict[bytes, _Extension] = {}
        for i, prefix in enumerate(self._kept):
            rng = stream(self.seed, Stream.CANDIDATES, t, i)
            for one in self._extensions(prefix, rng):
                # Two orders of a set: keep the one that was better before.
                labelled = np.sort(one.order).tobytes()
                if labelled not in best or one.total > best[labelled].total:
                    best[labelled] = one
        return sorted(best.values(), key=lambda one: -one.total)[: self.n_tried]

    def _extensions(
        self, prefix: _Prefix, rng: np.random.Generator
    ) -> Iterator[_Extension]:
        """Yield the most promising extensions of a prefix."""
        left = other_rows(prefix.order, self.problem.n_pool)
        points = rng.choice(left, min(N_FORETOLD, len(left)), replace=False)
        now, shifts = self._foretell(prefix, points)
        std = np.full(len(points), np.sqrt(self._mean_square), dtype=np.float32)
        factor = np.float32(self._agreement.factor)
        gains = self._value.gains(now, factor * shifts, std)
        totals = prefix.total + prefix.value + gains
        for i in np.argsort(-totals, kind="stable")[: self.n_tried]:
            yield _Extension(prefix, int(points[i]), float(totals[i]), shifts[i])

    def _foretell(
        self, prefix: _Prefix, points: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the margins of a prefix, and shifts of the regression by points."""
        regression, X, targets = self._regression, *self._columns(points)
        rough = Ridge(*(part.astype(np.float32) for part in prefix.ridge))
        outlook = regression.outlook(rough)
        shifts = outlook.shifts(regression.X_val, changes_by_adding(rough, X, targets))
        if prefix.margins:
            return prefix.margins[-1], shifts
        # In the units of the estimator, as far as these are known.
        unfitted = regression.data.responses.unfitted
        scaled = np.float32(self._agreement.factor) * (outlook.margins - unfitted)
        return unfitted + scaled, shifts

    def _grown(
        self, one: _Extension, value: float, margins: NDArray[np.float32]
    ) -> _Prefix:
        """Return an extension as a prefix, with its actual value and margins."""
        prefix = one.prefix
        rows = self.objective.trainer.n_warm + np.array([one.point])
        (x,) = self._regression.columns(rows).astype(np.float64)
        (target,) = self._regression.data.responses.columns(rows)
        ridge = with_row(prefix.ridge, x, target)
        after = *prefix.margins, margins
        return _Prefix(one.order, prefix.total + value, value, after, ridge)

    def _learn(self, one: _Extension, after: NDArray[np.float32]) -> None:
        """Learn how far forecasts can be trusted."""
        if not one.prefix.margins:
            return
        before = one.prefix.margins[-1]
        foretold = np.float32(self._agreement.factor) * one.shifts
        error = float(np.mean((after - before - foretold) ** 2))
        self._mean_square += (1 - ERROR_DECAY) * (error - self._mean_square)
        self._agreement.add(one.shifts, before, after)

    def _columns(
        self, points: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the columns and the targets of points of the pool."""
        rows = self.objective.trainer.n_warm + points
        return self._regression.columns(rows), self._regression.targets(rows)
