"""The first order of a search: random, given, or found by one or more strategies."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.identity._fingerprint import describe
from skal.loop import run_rounds
from skal.oracle._base import BaseOracle, complete
from skal.oracle._best_of import (
    BestOf,
    begin_best_of,
    boss_strategies,
    needs_of,
    usual_strategies,
)
from skal.oracle.evaluation._objective import Objective
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies._base import fit_inner

# Number of batches that strategies propose in each round: the start then costs about as
# many trainings as 16 guided steps.
N_CANDIDATES = 16
# Key under which the journal stores the number of candidates.
N_CANDIDATES_KEY = "candidates of the start, as max_trainings allows"


class StartSpec(NamedTuple):
    """How the first order of a search is found.

    Parameters
    ----------
    given : {"random", "strategies", "boss"}, array-like of int or strategy
        The parameter `start` of `AnnealingOracle`, with "auto" resolved.
    max_trainings : int or None
        Limit on the trainings of the whole search.
    """

    given: Any
    max_trainings: int | None

    @property
    def kind(self) -> str:
        """Return "random", "strategies", "strategy" or "order"."""
        if isinstance(self.given, str):
            return "random" if self.given == "random" else "strategies"
        return "strategy" if hasattr(self.given, "select") else "order"

    def described(self, problem: Problem) -> dict[str, str]:
        """Return the description that a journal stores."""
        if self.kind == "order":
            order = problem.positions(self.given, "start", is_whole=True)
            return {"start": describe(order.tolist())}
        if self.kind == "strategies":
            n_candidates = describe(self.n_candidates(problem))
            return {"start": describe(self.given), N_CANDIDATES_KEY: n_candidates}
        return {"start": describe(self.given)}

    def check(self, problem: Problem) -> None:
        """Check that the start suits the problem and the limit.

        Parameters
        ----------
        problem : Problem
            The problem to search on.

        Raises
        ------
        ValueError
            If the start is an oracle, does not order the pool, or takes more than
            `max_trainings`.
        """
        if self.kind == "order":
            problem.positions(self.given, "start", is_whole=True)
        if isinstance(self.given, BaseOracle):
            raise ValueError(
                f"start={type(self.given).__name__}() is itself a search, whose "
                "trainings would not be counted: run it first, and give its order_."
            )
        needed = problem.n_rounds + self._uses_model(problem)
        if self.max_trainings is not None and self.max_trainings < needed:
            raise ValueError(
                f"max_trainings={self.max_trainings} does not even score the start, "
                f"which takes {needed}: set max_trainings to {needed} or more."
            )

    def forecast(self, problem: Problem) -> int:
        """Return the expected number of trainings until the start is scored."""
        if self.kind == "strategies":
            n_models = self._uses_model(problem)
            return self.n_candidates(problem) * problem.n_rounds + n_models
        return problem.n_rounds + self._uses_model(problem)

    def _uses_model(self, problem: Problem) -> bool:
        """Return whether a model of the warm start is trained for a strategy."""
        if self.kind == "strategies":
            return bool(needs_of(self.proposers(problem)))
        return self.kind == "strategy"

    def proposers(self, problem: Problem) -> list[Any]:
        """Return the strategies that propose batches."""
        if self.given == "boss":
            return boss_strategies(problem)
        return usual_strategies(problem)

    def n_candidates(self, problem: Problem) -> int:
        """Return the number of batches that strategies propose in each round.

        With a limit on trainings, the start may take at most a quarter of them.
        """
        if self.max_trainings is None:
            return N_CANDIDATES
        affordable = self.max_trainings // (4 * problem.n_rounds)
        return min(N_CANDIDATES, max(1, affordable))


class StartSearch:
    """Finds the first order of a chain.

    Parameters
    ----------
    spec : StartSpec
        How to find it.
    problem : Problem
        The data, the estimator and the rounds.
    objective : Objective
        Scores labelled sets.
    seed : int
        The oracle's own seed.
    """

    def __init__(
        self, spec: StartSpec, problem: Problem, objective: Objective, seed: int
    ) -> None:
        self.spec, self.problem = spec, problem
        self.objective, self.seed = objective, seed
        self._rng = stream(seed, Stream.START)
        # The part of the order that was found so far.
        self._partial = np.empty(0, dtype=np.int64)
        self._search: BestOf | None = None

    def order(self) -> NDArray[np.int64]:
        """Find the first order.

        Returns
        -------
        ndarray of shape (n_pool,)
            A permutation of the pool.
        """
        match self.spec.kind:
            case "order":
                self._partial = self.problem.positions(
                    self.spec.given, "start", is_whole=True
                )
            case "strategy":
                self._follow_strategy()
            case "strategies":
                self._partial = self._best_of_strategies()
        self.objective.budget.reserve = 0
        self._partial = complete(self._partial, self.problem.n_pool, self._rng)
        return self._partial

    @property
    def is_whole(self) -> bool:
        """Return whether the whole order was found."""
        return len(self._partial) == self.problem.n_pool

    def so_far(self) -> NDArray[np.int64]:
        """Return the best order so far, for when `order` was cut short.

        Returns
        -------
        ndarray of shape (n_pool,)
            A permutation of the pool, completed at random.
        """
        search = self._search
        partial = self._partial if search is None else search.best_prefix()
        return complete(partial, self.problem.n_pool, self._rng)

    def _follow_strategy(self) -> None:
        """Let the given strategy label the pool, round by round."""
        problem, objective = self.problem, self.objective
        strategy = fit_inner(self.spec.given, problem.X_pool, problem, self._rng)

        def train(order: NDArray[np.int64]) -> Any:
            self._partial = order
            return objective.train(order)

        for _ in run_rounds(problem, strategy, objective.trainer, train):
            pass

    def _best_of_strategies(self) -> NDArray[np.int64]:
        """Return the best order of batches that strategies propose."""
        problem, objective = self.problem, self.objective
        strategies, n = self.spec.proposers(problem), self.spec.n_candidates(problem)
        self._search = begin_best_of(problem, objective, self.seed, strategies, n)
        self._search.begin()
        for t in range(1, self._search.n_steps + 1):
            self._search.step(t)
            objective.flush()
        found = self._search.best_prefix()
        self._search = None
        return found
