"""A search that learns from what it tries: guided proposals, several in one step."""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.curves import prefixes
from skal.oracle._belief import (
    RECENT,
    SMOOTH,
    Belief,
    Outcomes,
    foretold_gain,
    rank,
    smooth_share,
)
from skal.oracle._chain import Schedule, accepts
from skal.oracle._history import History
from skal.oracle._journal import Journal
from skal.oracle._objective import Objective
from skal.oracle._proposal import changed_rounds, exchange, propose
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.utils._rows import n_rows

# So many moves are drawn for each step; the most promising are tried.
N_DRAWN = 150
# With gamma="auto" a loss of typical size is accepted with probability exp(-COLDNESS).
COLDNESS = 10.0
NO_MOVE = (-1, -1)


class _State(NamedTuple):
    """An order, and what its models are worth after k = 1..K rounds."""

    order: NDArray[np.int64]
    scores: NDArray[np.float64]
    margins: NDArray[np.float32]

    @property
    def quality(self) -> float:
        return float(np.mean(self.scores))

    @property
    def values(self) -> NDArray[np.float64]:
        """What the search climbs on: a plateau of the score still has a slope."""
        return self.scores + SMOOTH * smooth_share(self.margins)


class _Move(NamedTuple):
    """An exchange of the points at two places, the first of them labelled earlier."""

    first: int
    last: int
    rounds: range
    foretold: NDArray[np.float64]


class GuidedChain:
    """A search whose proposals are guided by what it has seen.

    Each step draws many moves, foretells what they gain, and tries the most promising
    whose changed rounds do not overlap. Such moves do not affect one another, so that
    they are trained side by side, and accepted or not each by itself.

    Parameters
    ----------
    problem : Problem
    objective : Objective
        One that tells margins.
    seed : int
        Determines the moves.
    schedule : Schedule
    start : callable
        Returns the order to start from, a permutation of the pool.
    max_trainings : int or None, default=None
    journal : Journal or None, default=None
        Where steps are written down.
    """

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        seed: int,
        schedule: Schedule,
        start: Callable[[], NDArray[np.int64]],
        max_trainings: int | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.problem, self.objective, self.seed = problem, objective, seed
        self.schedule, self.start = schedule, start
        self.max_trainings, self.journal = max_trainings, journal
        self.history = History()
        self.n_tried = self.n_accepted = 0
        self._outcomes = Outcomes()
        self._changes = deque[float](maxlen=RECENT)

    @property
    def n_steps(self) -> int:
        """How many steps there are, greedy ones included."""
        return self.schedule.last

    def begin(self) -> None:
        """Score the start, which is step 0."""
        order = self.start()
        sets = self._sets(order, range(1, self.problem.n_rounds + 1))
        scores = self.objective.scores(sets)
        margins = np.array([self._margins(s) for s in sets], dtype=np.float32)
        self.current = self.best = _State(order, scores, margins)
        self.belief = Belief(self.problem.n_pool, margins.shape[1])
        n_warm = n_rows(self.problem.X_warm)
        n_labelled = np.array([n_warm + len(positions) for positions in sets])
        # One of many labels counts for little.
        self._weights = (n_labelled / n_labelled.mean()).astype(np.float32)
        self._record(0, self.current, True)

    def step(self, t: int) -> bool:
        """Take step t; False if there is none to take, or it would be too expensive."""
        rng = stream(self.seed, Stream.STEP, t)
        beta = self._beta(t)
        if beta is None:
            self.current = self.best
        drawn = self._draw(rng)
        moves = self._choose(drawn)
        if not moves:
            known = [move for move in drawn if not self._n_new(move)]
            if not known:
                return False
            # All around was tried: to go anywhere costs nothing, and leads away.
            moves, beta = [known[int(rng.integers(len(known)))]], 0.0
        before = proposed = self.current
        for move, after in zip(moves, self._tried(moves), strict=True):
            gain = self._learn(move, before, after)
            proposed = _joined(proposed, move, after)
            if accepts(gain, beta, rng.random()):
                self.current = _joined(self.current, move, after)
                self.n_accepted += 1
        self.n_tried += len(moves)
        if _worth(self.current) > _worth(self.best):
            self.best = self.current
        self._record(t, proposed, self.current is not before)
        return True

    def _beta(self, t: int) -> float | None:
        if t > self.schedule.n_steps:
            return None
        if self.schedule.gamma == "auto":
            return COLDNESS / float(np.mean(self._changes)) if self._changes else 0.0
        return self.schedule.gamma * t

    def _choose(self, drawn: list[_Move]) -> list[_Move]:
        """Return the most promising moves that fit together and are new."""
        rounds, places = set(range(1, self.problem.n_rounds + 1)), set[int]()
        chosen: list[_Move] = []
        n_trainings = self.objective.n_trainings
        for move in drawn:
            if not rounds.issuperset(move.rounds) or not places.isdisjoint(move[:2]):
                continue
            n_new = self._n_new(move)
            if n_new and not self._is_too_much(n_trainings + n_new):
                chosen.append(move)
                n_trainings += n_new
                rounds.difference_update(move.rounds)
                places.update(move[:2])
            if not rounds:
                break
        return chosen

    def _draw(self, rng: np.random.Generator) -> list[_Move]:
        """Draw moves, the most promising first."""
        problem, current = self.problem, self.current
        sizes = problem.n_acquired, problem.n_pool, problem.batch_size
        draws = [propose(*sizes, rng) for _ in range(N_DRAWN)]
        drawn = sorted({(min(draw), max(draw)) for draw in draws if draw is not None})
        if not drawn:
            return []
        places, rounds = np.array(drawn), [self._rounds(pair) for pair in drawn]
        begin, end = np.array([(changed.start, changed.stop) for changed in rounds]).T
        foretold = np.zeros((len(places), problem.n_rounds))
        change, spread = self.belief.change(*current.order[places.T[::-1]])
        for k, (margins, weight) in enumerate(
            zip(current.margins, self._weights, strict=True), start=1
        ):
            u = np.flatnonzero((begin <= k) & (k < end))
            foretold[u, k - 1] = foretold_gain(
                margins, change[u] / weight, spread[u] / weight
            )
        promise = rank(foretold.sum(axis=1), end - begin, self._outcomes.line())
        return [
            _Move(drawn[i][0], drawn[i][1], rounds[i], foretold[i])
            for i in np.argsort(-promise, kind="stable")
        ]

    def _tried(self, moves: list[_Move]) -> list[_State]:
        """Return the states after each of the moves, trained side by side."""
        sets = [self._moved_sets(move) for move in moves]
        self.objective.scores([s for changed in sets for s in changed])
        return [
            self._after(move, changed)
            for move, changed in zip(moves, sets, strict=True)
        ]

    def _after(self, move: _Move, sets: list[NDArray[np.int64]]) -> _State:
        order = exchange(self.current.order, (move.first, move.last))
        scores, margins = self.current.scores.copy(), self.current.margins.copy()
        changed = slice(move.rounds.start - 1, move.rounds.stop - 1)
        scores[changed] = self.objective.scores(sets)
        added, removed = self._points(move, self.current)
        change, _ = self.belief.change(np.array([added]), np.array([removed]))
        found = self.objective.margins(sets)
        for k, seen in zip(range(changed.start, changed.stop), found, strict=True):
            # Of a model of long ago the margins are forgotten.
            margins[k] += change[0] / self._weights[k] if seen is None else 0
            margins[k] = margins[k] if seen is None else seen
        return _State(order, scores, margins)

    def _learn(self, move: _Move, before: _State, after: _State) -> float:
        """Learn from a move, and return its gain."""
        changed = slice(move.rounds.start - 1, move.rounds.stop - 1)
        weights = self._weights[changed, None]
        seen = (after.margins[changed] - before.margins[changed]) * weights
        self.belief.learn(*self._points(move, before), seen.mean(axis=0))
        gains = after.values[changed] - before.values[changed]
        for foretold, gain in zip(move.foretold[changed], gains, strict=True):
            self._outcomes.add(float(foretold), float(gain))
        gain = float(gains.sum())
        if gain != 0:
            self._changes.append(abs(gain))
        return gain

    @staticmethod
    def _points(move: _Move, state: _State) -> tuple[int, int]:
        """Return which point comes in earlier, and which goes back for it."""
        return int(state.order[move.last]), int(state.order[move.first])

    def _margins(self, positions: NDArray[np.int64]) -> Any:
        """Return the margins of a set, also where the start took many trainings."""
        if self.objective.margins([positions])[0] is None:
            self.objective.train(positions)
        return self.objective.margins([positions])[0]

    def _n_new(self, move: _Move) -> int:
        """Count what a move would have to train on."""
        return self.objective.n_new(self._moved_sets(move))

    def _moved_sets(self, move: _Move) -> list[NDArray[np.int64]]:
        order = exchange(self.current.order, (move.first, move.last))
        return self._sets(order, move.rounds)

    def _sets(self, order: NDArray[np.int64], rounds: range) -> list[NDArray[np.int64]]:
        used = order[: self.problem.n_acquired]
        return prefixes(used, self.problem.batch_size, rounds)

    def _rounds(self, places: tuple[int, int]) -> range:
        problem = self.problem
        sizes = problem.n_acquired, problem.batch_size, problem.n_rounds
        return changed_rounds(places, *sizes)

    def _is_too_much(self, n_trainings: int) -> bool:
        return self.max_trainings is not None and n_trainings > self.max_trainings

    def _record(self, t: int, proposed: _State, accepted: bool) -> None:
        qualities = proposed.quality, self.current.quality, self.best.quality
        row = (t, *qualities, accepted, self.objective.n_trainings)
        self.history.add(row)
        if self.journal is not None:
            self.journal.add_step(row, NO_MOVE)

    @property
    def progress(self) -> dict[str, float]:
        """What a progress bar shows."""
        return {
            "best_quality": self.best.quality,
            "acceptance_rate": self.n_accepted / max(1, self.n_tried),
        }

    def found(self) -> tuple[NDArray[np.int64], float]:
        """Return the best order, and its quality."""
        return self.best.order, self.best.quality


def _worth(state: _State) -> tuple[float, float]:
    """Return what orders are compared by: the smooth share decides ties."""
    return state.quality, float(state.values.mean())


def _joined(state: _State, move: _Move, after: _State) -> _State:
    """Return a state after one more move, of which `after` tells what it changes."""
    order = exchange(state.order, (move.first, move.last))
    scores, margins = state.scores.copy(), state.margins.copy()
    changed = slice(move.rounds.start - 1, move.rounds.stop - 1)
    scores[changed], margins[changed] = after.scores[changed], after.margins[changed]
    return _State(order, scores, margins)
