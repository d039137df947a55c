"""Beam search: prefixes of orders are extended, and the best few are kept."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.curves import prefixes
from skal.inputs._containers import other_rows
from skal.oracle._base import Search, complete
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._history import History
from skal.oracle.journal._journal import Journal
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies._budget import fitting


class Prefix(NamedTuple):
    """The beginning of an order.

    Parameters
    ----------
    order : ndarray of shape (n_labelled,)
        Positions in the pool.
    done : tuple of float
        The scores after the rounds that are complete.
    score : float
        The score of the whole prefix, with the points of an incomplete round.
    """

    order: NDArray[np.int64]
    done: tuple[float, ...]
    score: float

    def quality(self, n_rounds: int) -> float:
        """Return the quality if the score stayed the same in all remaining rounds."""
        missing = n_rounds - len(self.done)
        return float(np.mean([*self.done, *[self.score] * missing]))


class Beam(Search):
    """A beam search: extends the best few prefixes, step by step.

    Parameters
    ----------
    problem : Problem
        The data, the estimator and the rounds.
    objective : Objective
        Scores labelled sets.
    seed : int
        Determines the candidates.
    width : int
        Number of prefixes that are kept after each step.
    n_candidates : int
        Number of extensions of each prefix that are tried.
    by : {"point", "round"}
        Whether a step adds a single point or a whole batch.
    journal : Journal or None, default=None
        Where the steps are written.
    """

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        seed: int,
        width: int,
        n_candidates: int,
        by: str,
        journal: Journal | None = None,
    ) -> None:
        self.problem, self.objective, self.seed = problem, objective, seed
        self.width, self.n_candidates = width, n_candidates
        self.by = by
        self.history = History(journal)

    @property
    def n_steps(self) -> int:
        """Return the number of steps."""
        return n_steps_of(self.problem, self.by)

    def begin(self) -> None:
        """Begin with the empty prefix, which is the warm start alone."""
        self.kept = [Prefix(np.empty(0, dtype=np.int64), (), float("nan"))]
        # Extensions of the present step: the order, and the prefix that it extends.
        self._tried: list[tuple[NDArray[np.int64], Prefix]] = []

    def step(self, t: int) -> bool:
        """Extend all prefixes and keep the best. Return whether that was done: True.

        Parameters
        ----------
        t : int
            The step, from 1.

        Returns
        -------
        bool
            True, since each step is taken.
        """
        n_missing = self.problem.n_rounds - len(self.kept[0].done)
        self.objective.budget.reserve = n_missing
        self._tried = list(self._extensions(t))
        scores = self.objective.scores([order for order, _ in self._tried])
        self.kept = self._ranked(scores)[: self.width]
        self._tried = []
        self._record(t, float(np.mean(scores)))
        return True

    def _ranked(self, scores: NDArray[np.float64]) -> list[Prefix]:
        """Return the scored extensions, best first; ties keep their order."""
        extended = [
            self._extended(order, prefix, float(score))
            for (order, prefix), score in zip(self._tried, scores, strict=True)
            if not np.isnan(score)
        ]
        return sorted(extended, key=lambda one: -one.quality(self.problem.n_rounds))

    def _extensions(self, t: int) -> Iterable[tuple[NDArray[np.int64], Prefix]]:
        """Return longer orders and the prefixes they extend, one per labelled set."""
        best: dict[bytes, tuple[NDArray[np.int64], Prefix]] = {}
        for i, prefix in enumerate(self.kept):
            rng = stream(self.seed, Stream.CANDIDATES, t, i)
            for added in self._additions(prefix.order, rng):
                order = np.concatenate([prefix.order, added])
                labelled = np.sort(order).tobytes()
                # Orders with the same labelled set have the same score, so keep the one
                # with the higher scores in earlier rounds.
                known = best.get(labelled)
                if known is None or sum(prefix.done) > sum(known[1].done):
                    best[labelled] = order, prefix
        return best.values()

    def _additions(
        self, order: NDArray[np.int64], rng: np.random.Generator
    ) -> list[NDArray[np.int64]]:
        """Draw the points or batches that are tried next."""
        left = self._unlabelled(order)
        if self.by == "point":
            n = min(self.n_candidates, len(left))
            return [np.array([added]) for added in rng.choice(left, n, replace=False)]
        return [self._batch(order, left, rng) for _ in range(self.n_candidates)]

    def _batch(
        self,
        order: NDArray[np.int64],
        left: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Draw a whole batch."""
        problem = self.problem
        if problem.costs is None:
            n = min(problem.batch_size, problem.n_acquired - len(order))
            return rng.choice(left, n, replace=False)
        room = problem.room(order, len(self.kept[0].done) + 1)
        taken, _ = fitting(rng.permutation(left), problem.costs, room)
        return np.array(taken, dtype=np.int64)

    def _unlabelled(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions in the pool that are not in an order, ascending."""
        others = other_rows(order, self.problem.n_pool)
        if self.problem.costs is None:
            return others
        return others[np.isin(others, self.problem.affordable)]

    def _extended(
        self, order: NDArray[np.int64], prefix: Prefix, score: float
    ) -> Prefix:
        size, batch_size = len(order), self.problem.batch_size
        ends_round = (
            self.by == "round"
            or size % batch_size == 0
            or size == self.problem.n_acquired
        )
        return Prefix(
            order, (*prefix.done, score) if ends_round else prefix.done, score
        )

    def _record(self, t: int, proposed: float) -> None:
        n_trainings = self.objective.n_trainings
        quality = self.kept[0].quality(self.problem.n_rounds)
        score = self.kept[0].score
        self.history.add((t, proposed, score, quality, True, n_trainings))

    @property
    def progress(self) -> dict[str, Any]:
        """Return the values that a progress bar shows: "best_quality", if known."""
        quality = self.kept[0].quality(self.problem.n_rounds)
        return {} if np.isnan(quality) else {"best_quality": quality}

    @property
    def is_whole(self) -> bool:
        """Return whether all steps were taken, so that the order is whole."""
        return len(self.kept[0].done) == self.problem.n_rounds

    def best_prefix(self) -> NDArray[np.int64]:
        """Return the best prefix, including extensions of a step that was cut short.

        Returns
        -------
        ndarray of shape (n_labelled,)
            Positions in the pool.
        """
        scores = self.objective.scores_so_far([order for order, _ in self._tried])
        return (self._ranked(scores) or self.kept)[0].order

    def found(self) -> tuple[NDArray[np.int64], float]:
        """Return the best order and its quality.

        If the search was ended early, the order is completed at random.

        Returns
        -------
        order : ndarray of shape (n_acquired,)
            Positions in the pool.
        quality : float
            Its xi-quality on validation.
        """
        problem, rng = self.problem, stream(self.seed, Stream.START)
        whole = complete(self.best_prefix(), problem.n_pool, rng)
        order = problem.affordable_first(whole)
        ends = problem.ends(order)
        sets = prefixes(order, ends, range(1, problem.n_rounds + 1))
        return order[: ends[-1]], float(np.mean(self.objective.scores_in_time(sets)))


def n_steps_of(problem: Problem, by: str) -> int:
    """Return the number of steps of a beam search, by points or by rounds."""
    return problem.n_acquired if by == "point" else problem.n_rounds
