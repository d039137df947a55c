"""The paper's search: blind proposals, one in each step; what it may ask for next."""

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.oracle.annealing._chain import Chain, State
from skal.oracle.annealing._lookahead import acceptance_rate, likely_paths, needed_gain
from skal.oracle.annealing._moves import propose
from skal.oracle.annealing._schedule import accepts
from skal.oracle.evaluation._objective import Likely
from skal.problem import Problem
from skal.seeding import Stream, stream

# So many moves tell what the next ones may gain.
RECENT = 100


class _Draw(NamedTuple):
    """All that is random in a step: two places to exchange, and a uniform number."""

    move: tuple[int, int]
    uniform: float


class _Future(NamedTuple):
    """Where a chain stands after steps that it has not taken yet."""

    current: NDArray[np.int64]
    best: NDArray[np.int64]
    n_trainings: int


class UniformChain(Chain):
    """A search that exchanges any two points with the same probability (Algorithm 1).

    As published, and trained ahead along the path that it is likely to take.
    """

    # On digits, 50 to 95 % of the gain was still to come where the best order was old
    # in the first quarter, and it never was later.
    hot_share = 0.25

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._total_change, self._n_changes = 0.0, 0
        self._draws: dict[int, _Draw | None] = {}
        # A greedy move starts from the best order, so it gains less than another.
        self._gains = {greedy: deque[float](maxlen=RECENT) for greedy in (False, True)}

    def begin(self) -> None:
        """Score the start, which is step 0."""
        order = self.start.order()
        scores = self.objective.scores(self._sets(order))
        self.current = self.best = State(order, scores)
        self._record(0, self.current, True)

    def step(self, t: int) -> bool:
        """Take step t; False if there is none to take, or it would be too expensive."""
        draw = self._draw(t)
        if draw is None:
            return False
        beta = self._beta(t)
        origin = self.best if beta is None else self.current
        proposed = self._score(origin, draw.move, t)
        self._draws.pop(t)
        if proposed is None:
            return False
        gain = proposed.quality - origin.quality
        self._learn(gain, beta)
        accepted = accepts(gain, beta, draw.uniform)
        if accepted:
            self.current = proposed
        if proposed.quality > self.best.quality:
            self.best = proposed
        self._record(t, proposed, accepted, draw.move)
        return True

    def _draw(self, t: int) -> _Draw | None:
        """Draw step t's random numbers, from a stream of its own; None if no move."""
        if t not in self._draws:
            rng = stream(self.seed, Stream.STEP, t)
            problem = self.problem
            move = propose(problem.n_acquired, problem.n_pool, problem.batch_size, rng)
            self._draws[t] = None if move is None else _Draw(move, rng.random())
        return self._draws[t]

    def _beta(self, t: int) -> float | None:
        typical = self._total_change / self._n_changes if self._n_changes else None
        return self.schedule.beta(t, typical)

    def _learn(self, gain: float, beta: float | None) -> None:
        self._total_change += abs(gain)
        self._n_changes += gain != 0
        self._gains[beta is None].append(gain)

    def _score(self, origin: State, move: tuple[int, int], t: int) -> State | None:
        """Make a move and train on what it changes; None if that is too much."""
        order, rounds = self._changed(origin.order, move)
        sets = self._sets(order, rounds)
        n_trainings = self.objective.n_trainings + self.objective.n_new(sets)
        if self._is_too_much(n_trainings):
            return None
        scores = origin.scores.copy()
        scores[rounds.start - 1 : rounds.stop - 1] = self.objective.scores(
            sets, self._likely_sets(t, n_trainings)
        )
        return State(order, scores)

    def _likely_sets(self, t: int, n_trainings: int) -> Iterator[Likely]:
        """Yield the sets of steps that may follow step t, of the likeliest first.

        With the probability of each step; one that the limit forbids has no sets.

        Parameters
        ----------
        t : int
        n_trainings : int
            How many there will have been after step t.
        """
        here = _Future(self.current.order, self.best.order, n_trainings)
        futures: dict[tuple[bool, ...], _Future] = {(): here}
        n_steps = self.schedule.last - t
        for path, chance in likely_paths(lambda i: self._rate(t + i), n_steps):
            before = futures[path[:-1]]
            after = self._after(before, t + len(path) - 1, path[-1])
            sets = self._next_sets(after, t + len(path))
            n_trainings = after.n_trainings + self.objective.n_new(sets)
            futures[path] = after._replace(n_trainings=n_trainings)
            yield chance, [] if self._is_too_much(n_trainings) else sets

    def _rate(self, t: int) -> float:
        """Estimate the probability that step t will be accepted."""
        draw, beta = self._draw(t), self._beta(t)
        assert draw is not None  # where one step has a move, all have
        return acceptance_rate(
            self._gains[beta is None], needed_gain(draw.uniform, beta)
        )

    def _after(self, state: _Future, t: int, accepted: bool) -> _Future:
        if not accepted:
            return state
        order, _ = self._changed(*self._origin_and_move(state, t))
        if t > self.schedule.n_steps:
            return state._replace(current=order, best=order)
        # Whether an annealing step also finds a new best order, nobody can guess.
        return state._replace(current=order)

    def _next_sets(self, state: _Future, t: int) -> list[NDArray[np.int64]]:
        return self._sets(*self._changed(*self._origin_and_move(state, t)))

    def _origin_and_move(
        self, state: _Future, t: int
    ) -> tuple[NDArray[np.int64], tuple[int, int]]:
        draw = self._draw(t)
        assert draw is not None
        return state.best if t > self.schedule.n_steps else state.current, draw.move


def mean_changed(problem: Problem) -> float:
    """Return how many rounds a blind move changes, on average over all of them.

    Of K rounds a swap changes (K + 1) / 3, a replacement (K + 1) / 2.
    """
    swap, replacement = (problem.n_rounds + 1) / 3, (problem.n_rounds + 1) / 2
    if problem.n_rounds == 1:
        return replacement
    return swap if problem.n_pool == problem.n_acquired else (swap + replacement) / 2
