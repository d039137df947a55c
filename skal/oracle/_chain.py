"""What searches that exchange points share: orders, a schedule, and a record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.curves import prefixes
from skal.oracle._history import NO_MOVE, History
from skal.oracle._journal import Journal
from skal.oracle._objective import Objective
from skal.oracle._proposal import changed_rounds, exchange
from skal.problem import Problem

# With gamma="auto" a loss of typical size is accepted with probability exp(-COLDNESS):
# by uniform proposals in the end, by guided ones all along.
COLDNESS = 10.0


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
    start : callable
        Returns the order to start from, a permutation of the pool.
    max_trainings : int or None, default=None
    journal : Journal or None, default=None
        Where steps are written down.
    """

    current: State
    best: State

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
        self.history = History(journal)
        self.n_tried = self.n_accepted = 0

    @property
    def n_steps(self) -> int:
        """How many steps there are, greedy ones included."""
        return self.schedule.last

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
        qualities = proposed.quality, self.current.quality, self.best.quality
        self.history.add((t, *qualities, accepted, self.objective.n_trainings), move)


def accepts(gain: float, beta: float | None, uniform: float) -> bool:
    """Decide whether to move, at inverse temperature `beta`; None is greedy."""
    if beta is None:
        return gain > 0
    return bool(uniform < np.exp(beta * min(gain, 0)))
