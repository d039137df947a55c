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
from skal.oracle.annealing._forward import N_PROBES, ForwardSearch
from skal.oracle.evaluation._objective import Objective
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies._base import fit_inner

# Number of batches that are tried in each round: the start then costs about as many
# trainings as 16 guided steps.
N_CANDIDATES = 16
# Number of sets that a beam tries in each round, and of whole orders that all beams may
# take, at most. On three splits of Sonar, with 2,700 trainings, 8 beams and annealing
# from the best led to 0.919, and 26 beams to 0.915.
N_TRIED, MAX_GROWN = 2, 16
# Key under which the journal stores the number of candidates.
N_CANDIDATES_KEY = "candidates of the start, as max_trainings allows"


class StartSpec(NamedTuple):
    """How the first order of a search is found.

    Parameters
    ----------
    given : {"random", "strategies", "boss", "beams"}, array-like or strategy
        The parameter `start` of `AnnealingOracle`, with "auto" resolved.
    max_trainings : int or None
        Limit on the trainings of the whole search.
    """

    given: Any
    max_trainings: int | None

    @property
    def kind(self) -> str:
        """Return "random", "strategies", "beams", "strategy" or "order"."""
        if isinstance(self.given, str):
            return "strategies" if self.given == "boss" else self.given
        return "strategy" if hasattr(self.given, "select") else "order"

    def described(self, problem: Problem) -> dict[str, str]:
        """Return the description that a journal stores."""
        if self.kind == "order":
            order = problem.positions(self.given, "start", is_whole=True)
            return {"start": describe(order.tolist())}
        if self.kind in ("strategies", "beams"):
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
        needed = problem.n_rounds + self._n_further(problem)
        if self.max_trainings is not None and self.max_trainings < needed:
            raise ValueError(
                f"max_trainings={self.max_trainings} does not even score the start, "
                f"which takes {needed}: set max_trainings to {needed} or more."
            )

    def forecast(self, problem: Problem) -> int:
        """Return the expected number of trainings until the start is scored."""
        searches = self.kind in ("strategies", "beams")
        n_orders = self.n_candidates(problem) if searches else 1
        return n_orders * problem.n_rounds + self._n_further(problem)

    def _n_further(self, problem: Problem) -> int:
        """Return the number of models that are trained besides the orders' own."""
        if self.kind == "beams":
            return N_PROBES
        # A strategy may need a model of the warm start.
        if self.kind == "strategies":
            return bool(needs_of(self.proposers(problem)))
        return self.kind == "strategy"

    def proposers(self, problem: Problem) -> list[Any]:
        """Return the strategies that propose batches."""
        if self.given == "boss":
            return boss_strategies(problem)
        return usual_strategies(problem)

    def n_candidates(self, problem: Problem) -> int:
        """Return the number of batches that are tried in each round.

        With a limit on trainings, the start may take at most a quarter of them. Beams
        may take all; the number counts all beams together.
        """
        most = MAX_GROWN if self.kind == "beams" else N_CANDIDATES
        if self.max_trainings is None:
            return most
        is_beams = self.kind == "beams"
        allowed = self.max_trainings - N_PROBES if is_beams else self.max_trainings // 4
        return min(most, max(1, allowed // problem.n_rounds))


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
        self._forward: ForwardSearch | None = None

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
            case "beams":
                self._partial = self._grow_beams()
        self.objective.budget.reserve = 0
        self._partial = self._completed(self._partial)
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
        partial = self._partial
        if self._search is not None:
            partial = self._search.best_prefix()
        elif self._forward is not None:
            partial = self._forward.best_order
        return self._completed(partial)

    def _completed(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return an order with the rest of the pool; what is too dear comes last."""
        whole = complete(order, self.problem.n_pool, self._rng)
        return self.problem.affordable_first(whole)

    def _follow_strategy(self) -> None:
        """Let the given strategy label the pool, round by round."""
        problem, objective = self.problem, self.objective
        strategy = fit_inner(self.spec.given, problem.X_pool, problem, self._rng)

        def train(order: NDArray[np.int64]) -> Any:
            self._partial = order
            return objective.train(order)

        for _ in run_rounds(problem, strategy, objective.trainer, train):
            pass

    def _grow_beams(self) -> NDArray[np.int64]:
        """Return the best of the orders that beams grow, as regressions foretell."""
        n = self.spec.n_candidates(self.problem)
        n_tried, n_allowed = min(N_TRIED, n), N_PROBES + n * self.problem.n_rounds
        self._forward = ForwardSearch(
            self.problem, self.objective, self.seed, n_tried, n_allowed
        )
        self._forward.run()
        return self._forward.best_order

    @property
    def margins(self) -> NDArray[np.float32] | None:
        """Return the margins after each round, if the search for the start has them."""
        return None if self._forward is None else self._forward.best_margins

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
