"""Greedy search: what is labelled next is tried out, and the best few are kept."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal._sklearn import Interval, StrOptions
from skal.curves import prefixes
from skal.identity._fingerprint import describe
from skal.oracle._base import SearchOracle, complete
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._history import History
from skal.oracle.journal._journal import Journal
from skal.problem import Problem
from skal.seeding import Stream, stream


class Partial(NamedTuple):
    """The beginning of an order.

    Parameters
    ----------
    order : ndarray of shape (n_labelled,)
        Positions in the pool.
    done : tuple of float
        The scores after the rounds that are complete.
    score : float
        That of all that is labelled.
    """

    order: NDArray[np.int64]
    done: tuple[float, ...]
    score: float

    def quality(self, n_rounds: int) -> float:
        """Return the quality if nothing were learned any more."""
        missing = n_rounds - len(self.done)
        return float(np.mean([*self.done, *[self.score] * missing]))


class Beam:
    """A search that extends the best few beginnings, step by step.

    Parameters
    ----------
    problem : Problem
    objective : Objective
    seed : int
        Determines the candidates.
    width : int
        How many beginnings are kept.
    n_candidates : int
        How many extensions of each are tried.
    by : {"point", "round"}
        What a step adds.
    journal : Journal or None, default=None
        Where steps are written down.
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
        self.n_added = 1 if by == "point" else problem.batch_size
        self.history = History(journal)

    @property
    def n_steps(self) -> int:
        """How many steps there are."""
        return -(-self.problem.n_acquired // self.n_added)

    def begin(self) -> None:
        """Begin with nothing but the warm start."""
        self.kept = [Partial(np.empty(0, dtype=np.int64), (), float("nan"))]
        # Extensions whose scores were asked for in the present step.
        self._tried: list[tuple[NDArray[np.int64], Partial]] = []

    def step(self, t: int) -> bool:
        """Extend all that was kept, and keep the best of what comes out."""
        n_missing = self.problem.n_rounds - len(self.kept[0].done)
        self.objective.budget.reserve = n_missing
        self._tried = list(self._extensions(t))
        scores = self.objective.scores([order for order, _ in self._tried])
        self.kept = self._best(scores)[: self.width]
        self._tried = []
        self._record(t, float(np.mean(scores)))
        return True

    def _best(self, scores: NDArray[np.float64]) -> list[Partial]:
        """Return what was tried and scored, the best first; of equals the first."""
        found = [
            self._extended(order, before, float(score))
            for (order, before), score in zip(self._tried, scores, strict=True)
            if not np.isnan(score)
        ]
        return sorted(found, key=lambda part: -part.quality(self.problem.n_rounds))

    def _extensions(self, t: int) -> Iterable[tuple[NDArray[np.int64], Partial]]:
        """Return longer orders, with what each begins with; no labelled set twice."""
        best: dict[bytes, tuple[NDArray[np.int64], Partial]] = {}
        for place, before in enumerate(self.kept):
            rng = stream(self.seed, Stream.CANDIDATES, t, place)
            for added in self._additions(before.order, rng):
                order = np.concatenate([before.order, added])
                labelled = np.sort(order).tobytes()
                # One set has one score: the rounds before it decide between two ways.
                known = best.get(labelled)
                if known is None or sum(before.done) > sum(known[1].done):
                    best[labelled] = order, before
        return best.values()

    def _additions(
        self, order: NDArray[np.int64], rng: np.random.Generator
    ) -> list[NDArray[np.int64]]:
        """Draw what may be labelled next."""
        left = self._left(order)
        if self.n_added == 1:
            n = min(self.n_candidates, len(left))
            return [np.array([added]) for added in rng.choice(left, n, replace=False)]
        n = min(self.n_added, self.problem.n_acquired - len(order))
        return [rng.choice(left, n, replace=False) for _ in range(self.n_candidates)]

    def _left(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what an order has not labelled, ascending."""
        return np.setdiff1d(np.arange(self.problem.n_pool), order)

    def _extended(
        self, order: NDArray[np.int64], before: Partial, score: float
    ) -> Partial:
        size, batch_size = len(order), self.problem.batch_size
        is_whole = size % batch_size == 0 or size == self.problem.n_acquired
        return Partial(order, (*before.done, score) if is_whole else before.done, score)

    def _record(self, t: int, proposed: float) -> None:
        n_trainings = self.objective.n_trainings
        quality = self.kept[0].quality(self.problem.n_rounds)
        score = self.kept[0].score
        self.history.add((t, proposed, score, quality, True, n_trainings))

    @property
    def progress(self) -> dict[str, float]:
        """What a progress bar shows."""
        quality = self.kept[0].quality(self.problem.n_rounds)
        return {} if np.isnan(quality) else {"best_quality": quality}

    @property
    def is_whole(self) -> bool:
        """Return whether the search has come to its end."""
        return len(self.kept[0].order) == self.problem.n_acquired

    def begun(self) -> NDArray[np.int64]:
        """Return the best beginning, also where a step was cut short."""
        scores = self.objective.scores_so_far([order for order, _ in self._tried])
        return (self._best(scores) or self.kept)[0].order

    def found(self) -> tuple[NDArray[np.int64], float]:
        """Return the best order, and its quality."""
        problem, rng = self.problem, stream(self.seed, Stream.START)
        # The search may have been ended early: what is missing then is random.
        order = complete(self.begun(), problem.n_pool, rng)[: problem.n_acquired]
        rounds = range(1, problem.n_rounds + 1)
        sets = prefixes(order, problem.batch_size, rounds)
        return order, float(np.mean(self.objective.scores_in_time(sets)))


class BeamOracle(SearchOracle):
    """Search for the optimal labelling order greedily, keeping the best few.

    An oracle: it knows the labels of the pool, and searches for the order with the
    highest xi-quality on the validation set. At each step, random candidates are tried
    out as what is labelled next: trained on, and scored on validation. The best of the
    beginnings that come out go on: those with the highest quality if nothing more were
    learned.

    Parameters
    ----------
    width : int, default=5
        How many beginnings are kept.

    n_candidates : int, default=20
        How many candidates are tried for each of them, at each step.

    by : {"point", "round"}, default="point"
        What is tried: single points, each batch being put together from the best; or
        random batches as a whole, which takes B times fewer trainings.

    max_time : float or None, default=None
        Seconds after which the search ends, as in `AnnealingOracle`. The order is
        completed at random then, and scored.

    n_jobs : int or None, default=None
        Trainings that run side by side. It does not change the result.

    journal : str, path-like or None, default=None
        A file to keep the search in, as in `AnnealingOracle`.

    random_state : int, RandomState instance or None, default=None
        Determines the candidates. Inside an `ActiveLearner`, None takes a seed drawn
        from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the best order found.

    quality_ : float
        Its xi-quality on validation.

    history_ : dict of str to ndarray of shape (n_steps,)
        What happened in each step, from 1: "step"; the mean score of what was tried,
        "proposed"; the score of the best beginning, "current", and its quality if
        nothing more were learned, "best"; "accepted", always true; and "n_trainings" so
        far. `pandas.DataFrame` takes it.

    n_trainings_ : int
        Number of sets that were trained on, in this run or in one that it resumes.

    See Also
    --------
    GreedyOracle : Keep one beginning only.
    AnnealingOracle : Improve on whole orders.

    References
    ----------
    Lowerre, "The Harpy Speech Recognition System", Carnegie Mellon University 1976, for
    beam search.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, BeamOracle
    >>> X, y = load_iris(return_X_y=True)
    >>> oracle = BeamOracle(width=2, n_candidates=5, by="round")
    >>> learner = ActiveLearner(GaussianNB(), oracle, batch_size=2, n_rounds=4,
    ...                         warm_size=6, random_state=0).fit(X, y)
    >>> learner.strategy_.n_trainings_  # 5 of the warm start, then 10 in each round
    35
    """

    _parameter_constraints: dict = {
        **SearchOracle._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "by": [StrOptions({"point", "round"})],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        *,
        width=5,
        n_candidates=20,
        by="point",
        max_time=None,
        n_jobs=None,
        journal=None,
        random_state=None,
    ):
        self.width = width
        self.n_candidates = n_candidates
        self.by = by
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.journal = journal
        self.random_state = random_state

    def _parameters(self, problem: Problem) -> dict[str, str]:
        names = "width", "n_candidates", "by"
        return {name: describe(getattr(self, name)) for name in names}

    def _forecast(self, problem: Problem) -> tuple[int, int]:
        n_added = 1 if self.by == "point" else problem.batch_size
        n_steps = -(-problem.n_acquired // n_added)
        return 0, self.n_candidates * (1 + self.width * (n_steps - 1))

    def _begin(
        self, problem: Problem, objective: Objective, journal: Journal | None
    ) -> Any:
        return Beam(
            problem,
            objective,
            self.seed_,
            self.width,
            self.n_candidates,
            self.by,
            journal,
        )


class GreedyOracle(BeamOracle):
    """Search for the optimal labelling order greedily.

    An oracle: it knows the labels of the pool, and searches for the order with the
    highest xi-quality on the validation set. At each step, random candidates are tried
    out as what is labelled next: trained on, and scored on validation. The best is
    labelled.

    Parameters
    ----------
    n_candidates : int, default=20
        How many candidates are tried at each step.

    by : {"point", "round"}, default="point"
        What is tried: single points, each batch being put together from the best; or
        random batches as a whole, which takes B times fewer trainings.

    max_time : float or None, default=None
        Seconds after which the search ends, as in `AnnealingOracle`. The order is
        completed at random then, and scored.

    n_jobs : int or None, default=None
        Trainings that run side by side. It does not change the result.

    journal : str, path-like or None, default=None
        A file to keep the search in, as in `AnnealingOracle`.

    random_state : int, RandomState instance or None, default=None
        Determines the candidates. Inside an `ActiveLearner`, None takes a seed drawn
        from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the order found.

    quality_ : float
        Its xi-quality on validation.

    history_ : dict of str to ndarray of shape (n_steps,)
        As in `BeamOracle`.

    n_trainings_ : int
        Number of sets that were trained on, in this run or in one that it resumes.

    See Also
    --------
    BeamOracle : Keep more than one beginning.
    AnnealingOracle : Improve on whole orders.

    References
    ----------
    Koshorek, Stanovsky, Zhou, Srikumar and Berant, "On the Limits of Learning to
    Actively Learn Semantic Representations", CoNLL 2019; Werner et al., "A
    Cross-Domain Benchmark for Active Learning", NeurIPS 2024, with 20 candidates. Both
    search on the test set.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, GreedyOracle
    >>> X, y = load_iris(return_X_y=True)
    >>> oracle = GreedyOracle(n_candidates=5)
    >>> learner = ActiveLearner(GaussianNB(), oracle, batch_size=2, n_rounds=4,
    ...                         warm_size=6, random_state=0).fit(X, y)
    >>> learner.strategy_.n_trainings_  # 5 for each of 8 points
    40
    """

    width = 1
    _parameter_constraints: dict = {
        name: allowed
        for name, allowed in BeamOracle._parameter_constraints.items()
        if name != "width"
    }

    def __init__(
        self,
        *,
        n_candidates=20,
        by="point",
        max_time=None,
        n_jobs=None,
        journal=None,
        random_state=None,
    ):
        self.n_candidates = n_candidates
        self.by = by
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.journal = journal
        self.random_state = random_state
