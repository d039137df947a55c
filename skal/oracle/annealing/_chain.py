"""Base class of annealing searches: current order, best order, history."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.curves import prefixes
from skal.oracle._base import Search
from skal.oracle.annealing._moves import changed_rounds, exchange
from skal.oracle.annealing._schedule import Schedule
from skal.oracle.annealing._start import StartSearch
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._history import NO_MOVE, History
from skal.oracle.journal._journal import Journal
from skal.problem import Problem

# A search has levelled off once the trainings since its best order are at least this
# fraction of all trainings, and at least this many per round. With 0.25, four guided
# searches on digits were never called level before their end. With 0.1 all four were,
# although 20 to 40 % of their gain was still to come.
LEVEL_SHARE, LEVEL_SWEEPS = 0.25, 10


@dataclass(frozen=True)
class State:
    """An order and its scores.

    Parameters
    ----------
    order : ndarray of shape (n_pool,)
        A permutation of the pool.
    scores : ndarray of shape (n_rounds,)
        Scores after k = 1..K rounds.
    """

    order: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def quality(self) -> float:
        """Return the xi-quality, which is the mean score."""
        return float(np.mean(self.scores))


class Chain(Search):
    """Base class of annealing searches: a chain of orders that starts from one.

    A subclass implements `begin` and `step`.

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

    # Fraction of the annealing steps of a lap in which a search is never reported as
    # level: at first it is hot and wanders, so an old best order says little.
    hot_share = 0.0

    current: State
    best: State

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
        self.problem = problem
        self.objective = objective
        self.seed = seed
        self.schedule = schedule
        self.start = start
        self.max_trainings = max_trainings
        self.history = History(journal)
        # Without costs, all orders have the same ends of rounds.
        self._fixed_ends = problem.ends(problem.affordable)
        # Number of points that can be labelled: they come first in all orders.
        self.n_affordable = len(problem.affordable)
        # Steps taken, accepted steps, and the trainings when the best order was found.
        self.n_taken = self.n_accepted = self.n_at_best = 0
        self._latest_best = -np.inf
        # The trainings when the present lap of the schedule began.
        self._n_at_lap = 0

    @property
    def n_steps(self) -> int | None:
        """Return the number of steps, greedy ones included; None if it has no end."""
        return self.schedule.last

    @property
    def is_whole(self) -> bool:
        """Return whether the order to start from was found, scored or not."""
        return self.start.is_whole

    @property
    def progress(self) -> dict[str, Any]:
        """Return the values that a progress bar shows; none before the start is scored.

        Returns
        -------
        dict
            "best_quality"; "acceptance_rate"; and, once the search has levelled off,
            "level_for", the number of trainings since the best order was found.
        """
        if not hasattr(self, "best"):
            return {}
        shown = {
            "best_quality": self.best.quality,
            "acceptance_rate": self.n_accepted / max(1, self.n_taken),
        }
        n_trainings = self.objective.n_trainings
        level_for = n_trainings - self.n_at_best
        is_hot = self.schedule.is_early(self.n_taken, self.hot_share)
        if not is_hot and is_level(level_for, n_trainings, self.problem.n_rounds):
            shown["level_for"] = level_for
        return shown

    def found(self) -> tuple[NDArray[np.int64], float]:
        """Return the best order and its quality.

        If the start was cut short, the part of it that was found is completed.

        Returns
        -------
        order : ndarray of shape (n_pool,)
            A permutation of the pool.
        quality : float
            Its xi-quality on validation.
        """
        if not hasattr(self, "best"):
            self._use_partial_start()
        return self.best.order, self.best.quality

    def _use_partial_start(self) -> None:
        """Make the partial start the best order, without writing it to the journal."""
        order = self.start.so_far()
        scores = self.objective.scores_in_time(self._sets(order))
        self.current = self.best = State(order, scores)
        self.history = History()
        self._record(0, self.best, True)

    def _begins_lap(self, t: int) -> bool:
        """Return whether the search goes on with step t, which may begin a lap.

        A lap starts from the best order.

        Returns
        -------
        bool
            False if the lap before trained on no set: all orders around are known.
        """
        if not self.schedule.starts_lap(t):
            return True
        n_before, self._n_at_lap = self._n_at_lap, self.objective.n_trainings
        self.current = self.best
        return self._n_at_lap > n_before

    def _exceeds_limit(self, n_trainings: int) -> bool:
        """Return whether a number of trainings is more than `max_trainings`."""
        return self.max_trainings is not None and n_trainings > self.max_trainings

    def _ends(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many points of an order are labelled after each round."""
        is_fixed = self.problem.costs is None
        return self._fixed_ends if is_fixed else self.problem.ends(order)

    def _apply(
        self, order: NDArray[np.int64], move: tuple[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the order after a move, and the rounds whose set it changes."""
        moved = exchange(order, move)
        ends = self._ends(order), self._ends(moved)
        return moved, changed_rounds(move, *ends)

    def _sets(
        self, order: NDArray[np.int64], rounds: Iterable[int] | None = None
    ) -> list[NDArray[np.int64]]:
        """Return the labelled sets after the given rounds, by default after each."""
        rounds = range(1, self.problem.n_rounds + 1) if rounds is None else rounds
        return prefixes(order, self._ends(order), rounds)

    def _record(
        self,
        t: int,
        proposed: State,
        accepted: bool,
        move: tuple[int, int] = NO_MOVE,
    ) -> None:
        """Add a step to the history; it is accepted if one of its moves was."""
        n_trainings = self.objective.n_trainings
        if t > 0:
            self.n_taken += 1
            self.n_accepted += accepted
        if self.best.quality > self._latest_best:
            self._latest_best, self.n_at_best = self.best.quality, n_trainings
        qualities = proposed.quality, self.current.quality, self.best.quality
        self.history.add((t, *qualities, accepted, n_trainings), move)


def is_level(level_for: int, n_trainings: int, n_rounds: int) -> bool:
    """Return whether a search has levelled off.

    Parameters
    ----------
    level_for : int
        Number of trainings since the best order was found.
    n_trainings : int
        Number of trainings of the search so far.
    n_rounds : int
        Number of rounds, K. A guided step takes about as many trainings.

    Returns
    -------
    bool
    """
    return level_for >= max(LEVEL_SHARE * n_trainings, LEVEL_SWEEPS * n_rounds)


def accepts(gain: float, beta: float | None, uniform: float) -> bool:
    """Return whether a move is accepted (the Metropolis rule).

    Parameters
    ----------
    gain : float
        Quality after the move minus quality before it.
    beta : float or None
        Inverse temperature; None is greedy, and accepts improvements only.
    uniform : float
        A random number, uniform in [0, 1).

    Returns
    -------
    bool
    """
    if beta is None:
        return gain > 0
    return bool(uniform < np.exp(beta * min(gain, 0)))
