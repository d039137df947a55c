"""The chain of a search: where it stands, how it moves, what it may ask for next."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.curves import prefixes
from skal.oracle._history import History
from skal.oracle._journal import Journal
from skal.oracle._objective import Likely, Objective
from skal.oracle._prefetch import acceptance_rate, likely_paths, needed_gain
from skal.oracle._proposal import changed_rounds, exchange, propose
from skal.problem import Problem
from skal.seeding import Stream, stream

# At the end of an "auto" schedule a loss of typical size is accepted with probability
# exp(-COLDNESS).
COLDNESS = 10.0
# So many moves tell what the next ones may gain.
RECENT = 100


class Schedule(NamedTuple):
    """How cold each step is.

    Parameters
    ----------
    n_steps, n_greedy : int
        Annealing steps t = 1, 2, ..., and the greedy steps that follow.
    gamma : "auto" or float
        As in `AnnealingOracle`.
    """

    n_steps: int
    n_greedy: int
    gamma: Any

    @property
    def last(self) -> int:
        """The last step."""
        return self.n_steps + self.n_greedy

    def beta(self, t: int, typical: float | None) -> float | None:
        """Return the inverse temperature of step t; None for a greedy step.

        Parameters
        ----------
        t : int
        typical : float or None
            The mean size of the changes so far; None as long as there was none.
        """
        if t > self.n_steps:
            return None
        if self.gamma == "auto":
            return COLDNESS * t / self.n_steps / typical if typical else 0.0
        return self.gamma * t


class _State(NamedTuple):
    """An order, as a permutation of the pool, and its scores after k = 1..K rounds."""

    order: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def quality(self) -> float:
        return float(np.mean(self.scores))


class _Draw(NamedTuple):
    """All that is random in a step: two places to exchange, and a uniform number."""

    move: tuple[int, int]
    uniform: float


class _Future(NamedTuple):
    """Where a chain stands after steps that it has not taken yet."""

    current: NDArray[np.int64]
    best: NDArray[np.int64]
    n_trainings: int


class Chain:
    """Where a search stands: the current order, the best one, and all steps.

    Parameters
    ----------
    problem : Problem
    objective : Objective
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
        self.problem = problem
        self.objective = objective
        self.seed = seed
        self.schedule = schedule
        self.start = start
        self.max_trainings = max_trainings
        self.journal = journal
        self.n_accepted = 0
        self._total_change, self._n_changes = 0.0, 0
        self.history = History()
        self._draws: dict[int, _Draw | None] = {}
        # A greedy move starts from the best order, so it gains less than another.
        self._gains = {greedy: deque[float](maxlen=RECENT) for greedy in (False, True)}

    @property
    def n_steps(self) -> int:
        """How many steps there are, greedy ones included."""
        return self.schedule.last

    def begin(self) -> None:
        """Score the start, which is step 0."""
        order = self.start()
        rounds = range(1, self.problem.n_rounds + 1)
        scores = self.objective.scores(self._sets(order, rounds))
        self.current = self.best = _State(order, scores)
        self._record(0, self.current, True, (-1, -1))

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
            self.n_accepted += 1
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

    def _score(self, origin: _State, move: tuple[int, int], t: int) -> _State | None:
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
        return _State(order, scores)

    def _is_too_much(self, n_trainings: int) -> bool:
        return self.max_trainings is not None and n_trainings > self.max_trainings

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

    def _changed(
        self, order: NDArray[np.int64], move: tuple[int, int]
    ) -> tuple[NDArray[np.int64], range]:
        """Return the order after a move, and the rounds whose set has changed."""
        problem = self.problem
        rounds = changed_rounds(
            move, problem.n_acquired, problem.batch_size, problem.n_rounds
        )
        return exchange(order, move), rounds

    def _sets(self, order: NDArray[np.int64], rounds: range) -> list[NDArray[np.int64]]:
        used = order[: self.problem.n_acquired]
        return prefixes(used, self.problem.batch_size, rounds)

    def _record(
        self, t: int, proposed: _State, accepted: bool, move: tuple[int, int]
    ) -> None:
        qualities = proposed.quality, self.current.quality, self.best.quality
        row = (t, *qualities, bool(accepted), self.objective.n_trainings)
        self.history.add(row)
        if self.journal is not None:
            self.journal.add_step(row, move)

    @property
    def progress(self) -> dict[str, float]:
        """What a progress bar shows."""
        return {
            "best_quality": self.best.quality,
            "acceptance_rate": self.n_accepted / max(1, len(self.history) - 1),
        }

    def found(self) -> tuple[NDArray[np.int64], float]:
        """Return the best order, and its quality."""
        return self.best.order, self.best.quality


def accepts(gain: float, beta: float | None, uniform: float) -> bool:
    """Decide whether to move, at inverse temperature `beta`; None is greedy."""
    if beta is None:
        return gain > 0
    return bool(uniform < np.exp(beta * min(gain, 0)))
