"""Where a search begins: anywhere, or at the order of a strategy, or of several."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.identity._fingerprint import describe
from skal.loop import run_rounds
from skal.oracle._base import BaseOracle, complete
from skal.oracle._best_of import BestOf, begin_best_of, needs_of, usual_strategies
from skal.oracle.evaluation._objective import Objective
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies import fit_inner

# Batches that are tried in each round, where several strategies propose them.
N_CANDIDATES = 16
# Under this name a journal knows how many they are.
TRIED = "candidates of the start, as max_trainings allows"


class Start(NamedTuple):
    """Where a search begins.

    Parameters
    ----------
    given : {"random", "strategies"}, array-like of int or strategy
    max_trainings : int or None
        What the whole search may train.
    """

    given: Any
    max_trainings: int | None

    @property
    def kind(self) -> str:
        """Return "random", "strategies", "strategy" or "order"."""
        if isinstance(self.given, str):
            return self.given
        return "strategy" if hasattr(self.given, "select") else "order"

    def described(self, problem: Problem) -> dict[str, str]:
        """Return what a journal keeps of it."""
        if self.kind == "order":
            order = problem.whole_order(self.given, "start")
            return {"start": describe(order.tolist())}
        if self.kind == "strategies":
            n_tried = describe(self.n_tried(problem))
            return {"start": describe(self.given), TRIED: n_tried}
        return {"start": describe(self.given)}

    def check(self, problem: Problem) -> None:
        """Raise ValueError if it is an oracle, or costs more than there is."""
        if isinstance(self.given, BaseOracle):
            raise ValueError(
                f"start={type(self.given).__name__}() is a search of its own, whose "
                "trainings would not count: run it first, and give its order_."
            )
        needed = problem.n_rounds + self._asks_a_model(problem)
        if self.max_trainings is not None and self.max_trainings < needed:
            raise ValueError(
                f"max_trainings={self.max_trainings} does not even score the start, "
                f"which takes {needed}: allow for more."
            )

    def forecast(self, problem: Problem) -> int:
        """Return about how many sets are trained on until the order is scored."""
        if self.kind == "strategies":
            n_asked = self._asks_a_model(problem)
            return self.n_tried(problem) * problem.n_rounds + n_asked
        return problem.n_rounds + self._asks_a_model(problem)

    def _asks_a_model(self, problem: Problem) -> bool:
        if self.kind == "strategies":
            return bool(needs_of(usual_strategies(problem)))
        return self.kind == "strategy"

    def n_tried(self, problem: Problem) -> int:
        """Return how many batches are tried in each round."""
        if self.max_trainings is None:
            return N_CANDIDATES
        affordable = self.max_trainings // (4 * problem.n_rounds)
        return min(N_CANDIDATES, max(1, affordable))


class FirstOrder:
    """The search for the first order of a chain.

    Parameters
    ----------
    start : Start
    problem : Problem
    objective : Objective
    seed : int
        The oracle's own seed.
    """

    def __init__(
        self, start: Start, problem: Problem, objective: Objective, seed: int
    ) -> None:
        self.start, self.problem = start, problem
        self.objective, self.seed = objective, seed
        self._rng = stream(seed, Stream.START)
        self._begun = np.empty(0, dtype=np.int64)
        self._search: BestOf | None = None

    def order(self) -> NDArray[np.int64]:
        """Return the first order, as a permutation of the pool."""
        match self.start.kind:
            case "order":
                self._begun = self.problem.whole_order(self.start.given, "start")
            case "strategy":
                self._follow_strategy()
            case "strategies":
                self._begun = self._best_of_several()
        self.objective.budget.reserve = 0
        self._begun = complete(self._begun, self.problem.n_pool, self._rng)
        return self._begun

    @property
    def is_whole(self) -> bool:
        """Return whether the order was found."""
        return len(self._begun) == self.problem.n_pool

    def so_far(self) -> NDArray[np.int64]:
        """Return the best of what was found before `order` was cut short, completed."""
        begun = self._begun if self._search is None else self._search.begun()
        return complete(begun, self.problem.n_pool, self._rng)

    def _follow_strategy(self) -> None:
        problem, objective = self.problem, self.objective
        strategy = fit_inner(self.start.given, problem.X_pool, problem, self._rng)

        def train(order: NDArray[np.int64]) -> Any:
            self._begun = order
            return objective.train(order)

        for _ in run_rounds(problem, strategy, objective.trainer, train):
            pass

    def _best_of_several(self) -> NDArray[np.int64]:
        """Return the best of what strategies propose, batch by batch."""
        problem, objective = self.problem, self.objective
        strategies, n = usual_strategies(problem), self.start.n_tried(problem)
        self._search = begin_best_of(problem, objective, self.seed, strategies, n)
        self._search.begin()
        for t in range(1, self._search.n_steps + 1):
            self._search.step(t)
            objective.flush()
        found = self._search.begun()
        self._search = None
        return found
