"""The paper's annealing: uniform proposals, one in each step, with prefetching."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.oracle.annealing._chain import Chain, State, accepts
from skal.oracle.annealing._lookahead import acceptance_rate, likely_paths, needed_gain
from skal.oracle.annealing._moves import propose
from skal.oracle.annealing._schedule import MeanChange, Schedule
from skal.oracle.annealing._start import StartSearch
from skal.oracle.evaluation._objective import Likely, Objective
from skal.oracle.journal._journal import Journal
from skal.problem import Problem
from skal.seeding import Stream, stream

# Number of latest gains from which the acceptance rate of the next steps is estimated:
# recent enough to suit the present order, and enough for a rate to within 0.05.
N_RECENT_GAINS = 100


class _Draw(NamedTuple):
    """The random numbers of a step: two places to exchange, and a uniform number."""

    move: tuple[int, int]
    uniform: float


class _Future(NamedTuple):
    """A possible future state of the chain, for prefetching: orders without scores."""

    current: NDArray[np.int64]
    best: NDArray[np.int64]
    n_trainings: int


class UniformChain(Chain):
    """Annealing that proposes each exchange with the same probability (Algorithm 1).

    The steps are as in the paper. In addition, sets that the next steps will probably
    need are trained along with the sets of the present step.

    Parameters
    ----------
    problem : Problem
        The data, the estimator and the rounds.
    objective : Objective
        Scores labelled sets.
    seed : int
        Determines the moves.
    schedule : Schedule
        The temperature of each step.
    start : StartSearch
        Finds the order to start from.
    max_trainings : int or None, default=None
        The search ends before the step that would exceed it.
    journal : Journal or None, default=None
        Where the steps are written.
    """

    # On digits, a best order was old only in the first quarter of the steps while 50 to
    # 95 % of the gain was still to come.
    hot_share = 0.25

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        seed: int,
        schedule: Schedule,
        start: StartSearch,
        max_trainings: int | None = None,
        journal: Journal | None = None,
    ) -> None:
        super().__init__(
            problem, objective, seed, schedule, start, max_trainings, journal
        )
        self._mean_change = MeanChange()
        # Draws of the next steps, by where the rounds of the order end.
        self._draws: dict[int, dict[bytes, _Draw | None]] = {}
        # Latest gains, by whether the step was greedy: a greedy move starts from the
        # best order, so it gains less than others.
        self._gains = {
            is_greedy: deque[float](maxlen=N_RECENT_GAINS)
            for is_greedy in (False, True)
        }

    def begin(self) -> None:
        """Find the start and score it, which is step 0."""
        order = self.start.order()
        scores = self.objective.scores(self._sets(order))
        self.current = self.best = State(order, scores)
        self._record(0, self.current, True)

    def step(self, t: int) -> bool:
        """Take step t. Return whether it was taken.

        Parameters
        ----------
        t : int
            The step, from 1.

        Returns
        -------
        bool
            False if no move is possible, or the step would exceed `max_trainings`.
        """
        if not self._begins_lap(t):
            return False
        # Propose a move, from the best order if the step is greedy.
        beta = self._beta(t)
        origin = self.best if beta is None else self.current
        draw = self._draw(t, origin.order)
        if draw is None:
            return False
        proposed = self._score(origin, draw.move, t)
        self._draws.pop(t)
        if proposed is None:
            return False

        # Accept or reject it, keep the best order, and record the step.
        gain = proposed.quality - origin.quality
        self._mean_change.add(gain)
        self._gains[beta is None].append(gain)
        accepted = accepts(gain, beta, draw.uniform)
        if accepted:
            self.current = proposed
        if proposed.quality > self.best.quality:
            self.best = proposed
        self._record(t, proposed, accepted, draw.move)
        return True

    def _draw(self, t: int, order: NDArray[np.int64]) -> _Draw | None:
        """Draw step t's random numbers from its own stream; None if no move exists.

        With costs, they depend on where the rounds of the order end. They are kept
        until the step is taken, since looking ahead needs them earlier.
        """
        ends = self._ends(order)
        draws, key = self._draws.setdefault(t, {}), ends.tobytes()
        if key not in draws:
            rng = stream(self.seed, Stream.STEP, t)
            move = propose(ends, self.n_affordable, rng)
            draws[key] = None if move is None else _Draw(move, rng.random())
        return draws[key]

    def _beta(self, t: int) -> float | None:
        """Return the inverse temperature of step t, by the gains so far."""
        return self.schedule.beta(t, self._mean_change.value)

    def _score(self, origin: State, move: tuple[int, int], t: int) -> State | None:
        """Return the scored state after a move; None if it exceeds `max_trainings`."""
        order, rounds = self._apply(origin.order, move)
        sets = self._sets(order, rounds)
        n_trainings = self.objective.n_trainings + self.objective.n_new(sets)
        if self._exceeds_limit(n_trainings):
            return None
        scores = origin.scores.copy()
        scores[rounds - 1] = self.objective.scores(
            sets, self._likely_sets(t, n_trainings)
        )
        return State(order, scores)

    def _likely_sets(self, t: int, n_trainings: int) -> Iterator[Likely]:
        """Yield the sets of steps that may follow step t, the likeliest step first.

        Parameters
        ----------
        t : int
            The present step.
        n_trainings : int
            Number of trainings after step t.

        Yields
        ------
        chance : float
            Probability that the sets will be needed.
        sets : list of ndarray
            The sets that the step would score; empty if it would exceed the limit.
        """
        here = _Future(self.current.order, self.best.order, n_trainings)
        futures: dict[tuple[bool, ...], _Future] = {(): here}
        last = self.schedule.last
        left = None if last is None else last - t
        for path, chance in likely_paths(lambda i: self._rate(t + i), left):
            # The last decision of the path is about the step before the one that needs
            # the sets. The path without it was yielded earlier.
            before = futures[path[:-1]]
            after = self._after(before, t + len(path) - 1, path[-1])
            sets = self._next_sets(after, t + len(path))
            n_trainings = after.n_trainings + self.objective.n_new(sets)
            futures[path] = after._replace(n_trainings=n_trainings)
            yield chance, [] if self._exceeds_limit(n_trainings) else sets

    def _rate(self, t: int) -> float:
        """Estimate the probability that step t will be accepted."""
        draw, beta = self._draw(t, self.current.order), self._beta(t)
        assert draw is not None  # if one step has a move, all have
        return acceptance_rate(
            self._gains[beta is None], needed_gain(draw.uniform, beta)
        )

    def _after(self, state: _Future, t: int, accepted: bool) -> _Future:
        """Return the future after step t, if it is accepted or rejected."""
        if self.schedule.starts_lap(t):
            state = state._replace(current=state.best)
        if not accepted:
            return state
        order, _ = self._apply(*self._origin_and_move(state, t))
        if self.schedule.is_greedy(t):
            return state._replace(current=order, best=order)
        # Whether an annealing step finds a new best order cannot be predicted.
        return state._replace(current=order)

    def _next_sets(self, state: _Future, t: int) -> list[NDArray[np.int64]]:
        """Return the sets that step t would score from a future state."""
        return self._sets(*self._apply(*self._origin_and_move(state, t)))

    def _origin_and_move(
        self, state: _Future, t: int
    ) -> tuple[NDArray[np.int64], tuple[int, int]]:
        """Return the order that step t starts from, and its move."""
        from_best = self.schedule.is_greedy(t) or self.schedule.starts_lap(t)
        order = state.best if from_best else state.current
        draw = self._draw(t, order)
        assert draw is not None
        return order, draw.move


def mean_changed_rounds(problem: Problem) -> float:
    """Return the mean number of rounds that a uniform move changes.

    A swap changes (K + 1) / 3 of K rounds on average, a replacement (K + 1) / 2.

    Parameters
    ----------
    problem : Problem
        The data, the estimator and the rounds.

    Returns
    -------
    float
    """
    swap, replacement = (problem.n_rounds + 1) / 3, (problem.n_rounds + 1) / 2
    if problem.n_rounds == 1:
        return replacement
    return swap if problem.n_pool == problem.n_acquired else (swap + replacement) / 2
