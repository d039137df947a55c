"""A search that learns from what it tries: guided proposals, several in one step."""

from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.inputs._containers import n_rows
from skal.oracle.annealing._chain import Chain, State
from skal.oracle.annealing._datamodel import (
    RECENT,
    SMOOTH,
    Belief,
    Outcomes,
    foretold_gain,
    rank,
    smooth_share,
)
from skal.oracle.annealing._moves import exchange, propose
from skal.oracle.annealing._schedule import COLDNESS, accepts
from skal.seeding import Stream, stream

# So many moves are drawn for each step; the most promising are tried.
N_DRAWN = 150


@dataclass(frozen=True)
class _Position(State):
    """An order, its scores, and the margins of its models."""

    margins: NDArray[np.float32]

    @property
    def worth(self) -> tuple[float, float]:
        """What orders are compared by: the smooth share decides ties."""
        return self.quality, float(_values(self.scores, self.margins).mean())

    def after(self, move: "_Move", seen: "_Seen") -> "_Position":
        """Return where a move leads."""
        scores, margins = self.scores.copy(), self.margins.copy()
        scores[move.changed], margins[move.changed] = seen
        return _Position(exchange(self.order, move.places), scores, margins)


class _Move(NamedTuple):
    """An exchange of the points at two places, the first of them labelled earlier."""

    places: tuple[int, int]
    rounds: range
    foretold: NDArray[np.float64]

    @property
    def changed(self) -> slice:
        """Where the changed rounds stand among k = 1..K."""
        return slice(self.rounds.start - 1, self.rounds.stop - 1)


class _Seen(NamedTuple):
    """What the models are worth that a move changes."""

    scores: NDArray[np.float64]
    margins: NDArray[np.float32]


class GuidedChain(Chain):
    """A search whose proposals are guided by what it has seen.

    Each step draws many moves, foretells what they gain, and tries the most promising
    whose changed rounds do not overlap. Such moves do not affect one another, so that
    they are trained side by side, and accepted or not each by itself. The objective
    must tell margins.
    """

    current: _Position
    best: _Position

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outcomes = Outcomes()
        self._changes = deque[float](maxlen=RECENT)

    def begin(self) -> None:
        """Score the start, which is step 0."""
        order = self.start.order()
        sets = self._sets(order)
        scores = self.objective.scores(sets)
        margins = np.array([self._margins(s) for s in sets], dtype=np.float32)
        self.current = self.best = _Position(order, scores, margins)
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
        if not drawn:
            return False
        moves, n_new = self._choose(drawn)
        if self._is_too_much(self.objective.n_trainings + n_new):
            return False
        if not moves:
            # All around was tried: to go anywhere costs nothing, and leads away.
            moves = [drawn[int(rng.integers(len(drawn)))]]
            beta = None if beta is None else 0.0
        before = proposed = self.current
        for move, seen in zip(moves, self._try(moves), strict=True):
            gain = self._learn(move, before, seen)
            proposed = proposed.after(move, seen)
            if accepts(gain, beta, rng.random()):
                self.current = self.current.after(move, seen)
        if self.current.worth > self.best.worth:
            self.best = self.current
        self._record(t, proposed, self.current is not before)
        return True

    def _beta(self, t: int) -> float | None:
        if t > self.schedule.n_steps:
            return None
        if self.schedule.gamma == "auto":
            return COLDNESS / float(np.mean(self._changes)) if self._changes else 0.0
        return self.schedule.gamma * t

    def _choose(self, drawn: list[_Move]) -> tuple[list[_Move], int]:
        """Return the best moves that fit together and are new, and what they cost."""
        rounds, places = set(range(1, self.problem.n_rounds + 1)), set[int]()
        chosen: list[_Move] = []
        total = 0
        for move in drawn:
            if not rounds.issuperset(move.rounds) or not places.isdisjoint(move.places):
                continue
            if n_new := self._n_new(move):
                chosen.append(move)
                total += n_new
                rounds.difference_update(move.rounds)
                places.update(move.places)
            if not rounds:
                break
        return chosen, total

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
            _Move(drawn[i], rounds[i], foretold[i])
            for i in np.argsort(-promise, kind="stable")
        ]

    def _try(self, moves: list[_Move]) -> list[_Seen]:
        """Return what each of the moves leads to, trained side by side."""
        sets = [self._moved_sets(move) for move in moves]
        scores = self.objective.scores([s for changed in sets for s in changed])
        ends = np.cumsum([len(changed) for changed in sets])[:-1]
        return [
            _Seen(of_move, self._seen_margins(move, changed))
            for move, changed, of_move in zip(
                moves, sets, np.split(scores, ends), strict=True
            )
        ]

    def _seen_margins(
        self, move: _Move, sets: list[NDArray[np.int64]]
    ) -> NDArray[np.float32]:
        """Return the margins after a move; of a model of long ago they are foretold."""
        added, removed = self._points(move, self.current)
        change, _ = self.belief.change(np.array([added]), np.array([removed]))
        margins = self.current.margins[move.changed].copy()
        weights = self._weights[move.changed]
        for i, seen in enumerate(self.objective.margins(sets)):
            margins[i] = margins[i] + change[0] / weights[i] if seen is None else seen
        return margins

    def _learn(self, move: _Move, before: _Position, seen: _Seen) -> float:
        """Learn from a move, and return its gain."""
        scores, margins = before.scores[move.changed], before.margins[move.changed]
        changes = (seen.margins - margins) * self._weights[move.changed, None]
        self.belief.learn(*self._points(move, before), changes.mean(axis=0))
        gains = _values(*seen) - _values(scores, margins)
        for foretold, gain in zip(move.foretold[move.changed], gains, strict=True):
            self._outcomes.add(float(foretold), float(gain))
        gain = float(gains.sum()) / self.problem.n_rounds
        if gain != 0:
            self._changes.append(abs(gain))
        return gain

    @staticmethod
    def _points(move: _Move, state: State) -> tuple[int, int]:
        """Return which point comes in earlier, and which goes back for it."""
        first, last = move.places
        return int(state.order[last]), int(state.order[first])

    def _margins(self, positions: NDArray[np.int64]) -> Any:
        """Return the margins of a set, also where the start took many trainings."""
        (found,) = self.objective.margins([positions])
        if found is None:
            self.objective.train(positions)
            (found,) = self.objective.margins([positions])
        return found

    def _n_new(self, move: _Move) -> int:
        """Count what a move would have to train on."""
        return self.objective.n_new(self._moved_sets(move))

    def _moved_sets(self, move: _Move) -> list[NDArray[np.int64]]:
        return self._sets(*self._changed(self.current.order, move.places))


def _values(
    scores: NDArray[np.float64], margins: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return what the search climbs on: a plateau of the score still has a slope."""
    return scores + SMOOTH * smooth_share(margins)
