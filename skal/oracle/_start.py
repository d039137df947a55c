"""Where a search begins: anywhere, or at the order of a strategy, or of several."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal._fingerprint import describe
from skal.loop import run_rounds
from skal.oracle._base import BaseOracle
from skal.oracle._best_of import begin_best_of, needs_of, usual_strategies
from skal.oracle._objective import Objective
from skal.oracle._search import complete
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
            n_tried = describe(self._n_tried(problem))
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

    def order(
        self, problem: Problem, objective: Objective, seed: int
    ) -> NDArray[np.int64]:
        """Return the first order, as a permutation of the pool."""
        rng = stream(seed, Stream.START)
        match self.kind:
            case "order":
                begun = problem.whole_order(self.given, "start")
            case "strategy":
                begun = self._order_of_strategy(problem, objective, rng)
            case "strategies":
                begun = self._best_of_several(problem, objective, seed)
            case _:
                begun = np.empty(0, dtype=np.int64)
        return complete(begun, problem.n_pool, rng)

    def _asks_a_model(self, problem: Problem) -> bool:
        if self.kind == "strategies":
            return bool(needs_of(usual_strategies(problem)))
        return self.kind == "strategy"

    def _order_of_strategy(
        self, problem: Problem, objective: Objective, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        strategy = fit_inner(self.given, problem.X_pool, problem, rng)
        *_, last = run_rounds(problem, strategy, objective.trainer, objective.train)
        return last.order

    def _best_of_several(
        self, problem: Problem, objective: Objective, seed: int
    ) -> NDArray[np.int64]:
        """Return the best of what strategies propose, batch by batch."""
        strategies, n_tried = usual_strategies(problem), self._n_tried(problem)
        search = begin_best_of(problem, objective, seed, strategies, n_tried)
        search.begin()
        for t in range(1, search.n_steps + 1):
            search.step(t)
            objective.flush()
        return search.found()[0]

    def _n_tried(self, problem: Problem) -> int:
        """Return how many batches are tried in each round."""
        if self.max_trainings is None:
            return N_CANDIDATES
        affordable = self.max_trainings // (4 * problem.n_rounds)
        return min(N_CANDIDATES, max(1, affordable))
