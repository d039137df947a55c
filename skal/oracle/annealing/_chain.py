"""Base class of annealing searches: current order, best order, record."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skal.curves import prefixes
from skal.oracle.annealing._moves import changed_rounds, exchange
from skal.oracle.annealing._schedule import Schedule
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._history import NO_MOVE, History
from skal.oracle.journal._journal import Journal
from skal.problem import Problem

# A search has levelled off when its best order is older than this share of all of its
# trainings, and than this many of them for each round. By a share of 0.25 none of four
# guided searches on digits was level before its end; by 0.1 all were, with 20 to 40 %
# of their gain still to come.
LEVEL_SHARE, LEVEL_SWEEPS = 0.25, 10


class First(Protocol):
    """Where a chain begins: orders are permutations of the pool."""

    def order(self) -> NDArray[np.int64]:
        """Find the order to begin with."""

    def so_far(self) -> NDArray[np.int64]:
        """Return the best of what was found if `order` was cut short, completed."""

    @property
    def is_whole(self) -> bool:
        """Return whether the order was found."""


@dataclass(frozen=True)
class State:
    """An order, as a permutation of the pool, and its scores after k = 1..K rounds."""

    order: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def quality(self) -> float:
        return float(np.mean(self.scores))


class Chain:
    """Where a search stands: the current order, the best one, and all steps.

    A subclass writes `begin()`, which scores the start, and `step(t)`.

    Parameters
    ----------
    problem : Problem
    objective : Objective
    seed : int
        Determines the moves.
    schedule : Schedule
    start : First
        Finds the order to start from.
    max_trainings : int or None, default=None
    journal : Journal or None, default=None
        Where steps are written down.
    """

    # The share of annealing steps in which the search is not called level, since it is
    # hot at first and wanders.
    hot_share = 0.0

    current: State
    best: State

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        seed: int,
        schedule: Schedule,
        start: First,
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
        # Steps that were taken, those that moved, and the trainings at the latest best.
        self.n_tried = self.n_accepted = self.n_at_best = 0
        self._latest_best = -np.inf

    @property
    def n_steps(self) -> int:
        """How many steps there are, greedy ones included."""
        return self.schedule.last

    @property
    def is_whole(self) -> bool:
        """Return whether the order to start from was found, scored or not."""
        return self.start.is_whole

    @property
    def progress(self) -> dict[str, Any]:
        """What a progress bar shows; nothing before the start was scored.

        "level_for" is there once the search has levelled off: the trainings since the
        best order was found.
        """
        if not hasattr(self, "best"):
            return {}
        shown = {
            "best_quality": self.best.quality,
            "acceptance_rate": self.n_accepted / max(1, self.n_tried),
        }
        n_trainings = self.objective.n_trainings
        level_for = n_trainings - self.n_at_best
        is_hot = self.n_tried < self.hot_share * self.schedule.n_steps
        if not is_hot and is_level(level_for, n_trainings, self.problem.n_rounds):
            shown["level_for"] = level_for
        return shown

    def found(self) -> tuple[NDArray[np.int64], float]:
        """Return the best order, and its quality."""
        if not hasattr(self, "best"):
            self._end_start()
        return self.best.order, self.best.quality

    def _end_start(self) -> None:
        """Make do with what was found of the start; no journal hears of it."""
        order = self.start.so_far()
        scores = self.objective.scores_in_time(self._sets(order))
        self.current = self.best = State(order, scores)
        self.history = History()
        self._record(0, self.best, True)

    def _is_too_much(self, n_trainings: int) -> bool:
        return self.max_trainings is not None and n_trainings > self.max_trainings

    def _changed(
        self, order: NDArray[np.int64], move: tuple[int, int]
    ) -> tuple[NDArray[np.int64], range]:
        """Return the order after a move, and the rounds whose set has changed."""
        return exchange(order, move), self._rounds(move)

    def _rounds(self, move: tuple[int, int]) -> range:
        problem = self.problem
        sizes = problem.n_acquired, problem.batch_size, problem.n_rounds
        return changed_rounds(move, *sizes)

    def _sets(
        self, order: NDArray[np.int64], rounds: range | None = None
    ) -> list[NDArray[np.int64]]:
        """Return what is labelled after some rounds, or all."""
        rounds = range(1, self.problem.n_rounds + 1) if rounds is None else rounds
        used = order[: self.problem.n_acquired]
        return prefixes(used, self.problem.batch_size, rounds)

    def _record(
        self,
        t: int,
        proposed: State,
        accepted: bool,
        move: tuple[int, int] = NO_MOVE,
    ) -> None:
        """Write a step down. It is `accepted` if one of its moves was, or its only."""
        n_trainings = self.objective.n_trainings
        if t > 0:
            self.n_tried += 1
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
        Trainings since the best order was found.
    n_trainings : int
        Trainings of the search so far.
    n_rounds : int
        K: a guided step takes about as many trainings.
    """
    return level_for >= max(LEVEL_SHARE * n_trainings, LEVEL_SWEEPS * n_rounds)
