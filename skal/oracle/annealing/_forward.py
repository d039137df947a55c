"""A start for long searches: orders that grow row by row, as a regression foretells.

Where each of many rounds labels one row, scoring an order takes as many trainings as
there are rounds. A beam search takes that many for a single point of the order, if it
tries all candidates. A ridge regression foretells their margins in closed form, so that
only the most promising few are trained on. Their margins, in turn, are where the next
forecasts start from.

A wide beam is hardly better than a narrow one, but another narrow one, after another
regression, may be better. The best of several is the start.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.curves import prefixes
from skal.oracle.annealing._agreement import Agreement
from skal.oracle.annealing._datamodel import ERROR_DECAY
from skal.oracle.annealing._growing import Growing
from skal.oracle.annealing._regression import Labelled, Regression
from skal.oracle.annealing._ridge import Ridge
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
# Maximum number of candidates of a beam whose margins are foretold, in addition to one
# for each round.
N_FORETOLD = 1000
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
    regression : Growing
        The regression on the labelled rows.
    """

    order: NDArray[np.int64]
    total: float
    value: float
    margins: tuple[NDArray[np.float32], ...]
    regression: Growing


class _Extension(NamedTuple):
    """A prefix with one more point.

    Parameters
    ----------
    prefix : _Prefix
        The prefix.
    candidate : int
        The index of the point among the candidates.
    order : ndarray of shape (n_labelled + 1,)
        The order of the prefix, with the point.
    total : float
        The sum of the objective values, with the foretold one of the last point.
    shifts : ndarray of shape (n_answers,)
        The foretold shifts of the margins of the regression.
    """

    prefix: _Prefix
    candidate: int
    order: NDArray[np.int64]
    total: float
    shifts: NDArray[np.float32]


class ForwardSearch:
    """Beams of orders that grow by one point in each round, one beam after another.

    The first follows the regression that is most like the estimator, the second the
    next one, and so on.

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
    n_allowed : int, default=0
        Maximum number of trainings; one beam is always grown.
    """

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        seed: int,
        n_tried: int,
        n_allowed: int = 0,
    ) -> None:
        self.problem, self.objective, self.seed = problem, objective, seed
        self.n_tried, self.n_allowed = n_tried, n_allowed
        self.n_kept = max(1, round(KEPT * n_tried))
        self._value = value_of(problem.target, row_by_row=True)
        self._kept: list[_Prefix] = []
        self._best: _Prefix | None = None

    @property
    def best_order(self) -> NDArray[np.int64]:
        """Return the best whole order, or else the best prefix, shape (n_labelled,)."""
        if self._best is not None:
            return self._best.order
        return self._kept[0].order if self._kept else np.empty(0, dtype=np.int64)

    @property
    def best_margins(self) -> NDArray[np.float32]:
        """Return the margins of the best whole order, shape (n_rounds, n_answers)."""
        assert self._best is not None
        return np.stack(self._best.margins)

    def run(self) -> None:
        """Let the orders of each beam grow until they are whole, and find the best."""
        n_rounds = self.objective.budget.reserve = self.problem.n_rounds
        self._choose_regression()
        for number in range(self._regression.n_choices):
            # Two regressions may find the same sets, which are trained on once.
            needed = self.objective.n_trainings + self.n_tried * n_rounds
            if number > 0 and needed > self.n_allowed:
                break
            self._begin(number)
            self._grow_whole()

    def _grow_whole(self) -> None:
        """Let the orders of a beam grow until they are whole, and keep the best."""
        n_rounds = self.problem.n_rounds
        for t in range(1, n_rounds + 1):
            # A whole order is scored already.
            left = n_rounds + 1 - t if self._best is None else 0
            self.objective.budget.reserve = left
            self._grow()
            self.objective.flush()
        found = self._kept[0]
        if self._best is None or self._quality(found) > self._quality(self._best):
            self._best = found

    def _quality(self, whole: _Prefix) -> tuple[float, float]:
        """Return the xi-quality of an order; objective values break ties."""
        ends = self.problem.ends(whole.order)
        sets = prefixes(whole.order, ends, range(1, self.problem.n_rounds + 1))
        return float(self.objective.scores(sets).mean()), whole.total

    def _choose_regression(self) -> None:
        """Rank the regressions by the models of a few random sets."""
        problem, trainer = self.problem, self.objective.trainer
        order = stream(self.seed, Stream.CANDIDATES).permutation(problem.n_pool)
        sizes = sorted({max(1, int(share * problem.n_pool)) for share in PROBES})
        sets = [order[:size] for size in sizes]
        _, margins = self._train(sets)
        rows = [trainer.labelled_rows(positions) for positions in sets]
        labelled = Labelled.of(problem, trainer.X, trainer.y)
        self._regression = Regression(labelled, rows, margins, with_kernels=True)
        self._probes = rows, margins
        self._begin(0)

    def _begin(self, number: int) -> None:
        """Begin a beam, with a regression of its own."""
        rows, margins = self._probes
        self._regression.choose(number)
        self._agreement = Agreement()
        self._regression.compare(self._agreement, rows, margins)
        self._mean_square = FIRST_ERROR**2 * float(np.mean(margins**2))
        empty = np.empty(0, dtype=np.int64)
        ridge = self._regression.fit(self.objective.trainer.labelled_rows(empty))
        assert isinstance(ridge, Ridge)
        self._points = self._candidates(number)
        rows = self.objective.trainer.n_warm + self._points
        self._X = self._regression.columns(rows).astype(np.float64)
        self._targets = self._regression.data.responses.columns(rows)
        growing = Growing.of(ridge, self._X, self._regression.X_val)
        self._kept = [_Prefix(empty, 0.0, 0.0, (), growing)]

    def _candidates(self, number: int) -> NDArray[np.int64]:
        """Return the points that a beam chooses from: all, or some of a large pool."""
        n, most = self.problem.n_pool, N_FORETOLD + self.problem.n_rounds
        if n <= most:
            return np.arange(n)
        rng = stream(self.seed, Stream.CANDIDATES, number)
        return np.sort(rng.choice(n, most, replace=False))

    def _train(
        self, sets: list[NDArray[np.int64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return the scores and the margins of the models of sets."""
        scores = self.objective.scores(sets)
        return scores, margins_of_scored(self.objective, sets)

    def _grow(self) -> None:
        """Train on the most promising extensions, and keep the best of them."""
        tried = self._most_promising()
        scores, margins = self._train([one.order for one in tried])
        values = self._value.of(scores, margins)
        totals = [
            one.prefix.total + value for one, value in zip(tried, values, strict=True)
        ]
        for one, after in zip(tried, margins, strict=True):
            self._learn(one, after)
        best = np.argsort(-np.array(totals), kind="stable")[: self.n_kept]
        self._kept = [self._grown(tried[i], float(values[i]), margins[i]) for i in best]

    def _most_promising(self) -> list[_Extension]:
        """Return the most promising extensions of all prefixes, one per set."""
        best: dict[bytes, _Extension] = {}
        for prefix in self._kept:
            for one in self._extensions(prefix):
                # Two orders of a set: keep the one that was better before.
                labelled = np.sort(one.order).tobytes()
                if labelled not in best or one.total > best[labelled].total:
                    best[labelled] = one
        return sorted(best.values(), key=lambda one: -one.total)[: self.n_tried]

    def _extensions(self, prefix: _Prefix) -> Iterator[_Extension]:
        """Yield the most promising extensions of a prefix."""
        left = np.flatnonzero(~np.isin(self._points, prefix.order))
        now, shifts = self._foretell(prefix, left)
        std = np.full(len(left), np.sqrt(self._mean_square), dtype=np.float32)
        factor = np.float32(self._agreement.factor)
        gains = self._value.gains(now, factor * shifts, std)
        totals = prefix.total + prefix.value + gains
        for i in np.argsort(-totals, kind="stable")[: self.n_tried]:
            order = np.append(prefix.order, self._points[left[i]])
            yield _Extension(prefix, int(left[i]), order, float(totals[i]), shifts[i])

    def _foretell(
        self, prefix: _Prefix, left: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the margins of a prefix, and how candidates shift the regression's."""
        regression, growing = self._regression, prefix.regression
        outlook = regression.outlook(growing.ridge)
        amounts = growing.amounts(self._X, self._targets)[left]
        shifts = outlook.shifts_along(growing.reach[:, left], amounts)
        if prefix.margins:
            return prefix.margins[-1], shifts
        # In the units of the estimator, as far as these are known.
        unfitted = regression.data.responses.unfitted
        scaled = np.float32(self._agreement.factor) * (outlook.margins - unfitted)
        return unfitted + scaled.astype(np.float32), shifts

    def _grown(
        self, one: _Extension, value: float, margins: NDArray[np.float32]
    ) -> _Prefix:
        """Return an extension as a prefix, with its actual value and margins."""
        prefix = one.prefix
        growing = prefix.regression.with_row(one.candidate, self._X, self._targets)
        after = *prefix.margins, margins
        return _Prefix(one.order, prefix.total + value, value, after, growing)

    def _learn(self, one: _Extension, after: NDArray[np.float32]) -> None:
        """Learn how far forecasts can be trusted."""
        if not one.prefix.margins:
            return
        before = one.prefix.margins[-1]
        foretold = np.float32(self._agreement.factor) * one.shifts
        error = float(np.mean((after - before - foretold) ** 2))
        self._mean_square += (1 - ERROR_DECAY) * (error - self._mean_square)
        self._agreement.add(one.shifts, before, after)


def margins_of_scored(
    objective: Objective, sets: Sequence[NDArray[np.int64]]
) -> NDArray[np.float32]:
    """Return the margins of scored sets, trained again where they were dropped.

    Parameters
    ----------
    objective : Objective
        Has scored the sets. It must be made with `with_margins=True`.
    sets : sequence of ndarray
        Positions in the pool, in any order.

    Returns
    -------
    ndarray of shape (n_sets, n_answers)
    """
    found: list[Any] = []
    for positions in sets:
        (margins,) = objective.margins([positions])
        if margins is None:
            objective.train(positions)
            (margins,) = objective.margins([positions])
        found.append(margins)
    return np.array(found, dtype=np.float32)
