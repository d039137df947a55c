"""Greedy search among batches that strategies propose."""

from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal._sklearn import Interval
from skal.answers._needs import strategy_needs
from skal.identity._fingerprint import describe
from skal.inputs._containers import n_rows
from skal.loop import labelled_by
from skal.oracle._base import SearchOracle
from skal.oracle._beam import Beam, Partial
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._journal import Journal
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies import (
    IDMR,
    LeastConfidence,
    Longest,
    Margin,
    MaxEntropy,
    MinConfidence,
    OrderStrategy,
    Random,
    fit_inner,
)

OF_CLASSES = Random(), MaxEntropy(), LeastConfidence(), Margin()
OF_TAGS = (
    *(Random(), Longest(), MinConfidence(), MinConfidence(normalize=True)),
    # A few long sentences teach a tagger nothing; some of each length may.
    IDMR(MinConfidence(), bins="length"),
)


class BestOf(Beam):
    """A search that labels, in each round, the best of proposed batches.

    Parameters
    ----------
    problem : Problem
    objective : Objective
    seed : int
        Determines which points are offered to the strategies.
    strategies : list of strategy
        Fitted.
    n_candidates : int
        How many batches are tried in a round.
    journal : Journal or None, default=None
        Where steps are written down.
    """

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        seed: int,
        strategies: list[Any],
        n_candidates: int,
        journal: Journal | None = None,
    ) -> None:
        super().__init__(problem, objective, seed, 1, n_candidates, "round", journal)
        self.strategies, self.needs_model = strategies, bool(needs_of(strategies))

    def _extensions(self, t: int) -> Iterator[tuple[NDArray[np.int64], Partial]]:
        """Ask the strategies in turn: of the whole pool, then of other parts of it."""
        (before,) = self.kept
        order, left = before.order, self._left(before.order)
        n = min(self.n_added, len(left))
        model = self.objective.train(order) if self.needs_model else None
        labelled = labelled_by(self.objective.trainer, order)
        for number in range(self.n_candidates):
            turn, whose = divmod(number, len(self.strategies))
            strategy, offered = self.strategies[whose], left
            if turn > 0:
                rng = stream(self.seed, Stream.CANDIDATES, t, number)
                offered = rng.choice(left, _size(n, len(left), rng), replace=False)
            batch = strategy.select(
                model, self.problem.X_pool, n, candidates=offered, labelled=labelled
            )
            yield np.concatenate([order, batch]), before


def needs_of(strategies: Iterable[Any]) -> tuple[str, ...]:
    """Return what strategies call on a model, each once."""
    needs = (need for one in strategies for need in strategy_needs(one))
    return tuple(dict.fromkeys(needs))


def _size(least: int, most: int, rng: np.random.Generator) -> int:
    """Draw a size whose logarithm is uniform: as many that are small as are large."""
    return min(most, int(least * ((most + 1) / least) ** rng.random()))


def usual_strategies(problem: Problem) -> list[Any]:
    """Return the strategies that suit a problem's estimator."""
    if n_rows(problem.X_warm) == 0:
        return [Random()]  # there is no model to ask in the first round
    if hasattr(problem.estimator, "predict_token_log_proba"):
        return list(OF_TAGS)
    has_proba = hasattr(problem.estimator, "predict_proba")
    return list(OF_CLASSES if has_proba else OF_CLASSES[:1])


def begin_best_of(
    problem: Problem,
    objective: Objective,
    seed: int,
    strategies: list[Any],
    n_candidates: int,
    journal: Journal | None = None,
) -> BestOf:
    """Fit the strategies, and return the search among what they propose."""
    rng = stream(seed, Stream.START)
    fitted = [
        fit_inner(strategy, problem.X_pool, problem, rng) for strategy in strategies
    ]
    return BestOf(problem, objective, seed, fitted, n_candidates, journal)


class BestOfStrategiesOracle(SearchOracle):
    """Search for the optimal labelling order among what strategies propose.

    An oracle: it knows the labels of the pool, and searches for the order with the
    highest xi-quality on the validation set. In each round several strategies propose
    batches, first out of the whole pool, then each time out of a random part of it. All
    are tried out: trained on, and scored on validation. The best is labelled.

    Parameters
    ----------
    strategies : list of strategy, default=None
        What proposes batches. None takes `Random`, `MaxEntropy`, `LeastConfidence` and
        `Margin`; for a tagger `Random`, `Longest`, `MinConfidence`, plain, normalized
        and led by `IDMR` to match lengths; and `Random` alone where the estimator has
        no probabilities.

    n_candidates : int, default=100
        How many batches are tried in each round; the strategies take turns.

    max_time : float or None, default=None
        Seconds after which the search ends, as in `AnnealingOracle`. The order is
        completed at random then, and scored.

    n_jobs : int or None, default=None
        Trainings that run side by side. It does not change the result.

    journal : str, path-like or None, default=None
        A file to keep the search in, as in `AnnealingOracle`.

    random_state : int, RandomState instance or None, default=None
        Determines what the strategies choose from. Inside an `ActiveLearner`, None
        takes a seed drawn from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the order found.

    quality_ : float
        Its xi-quality on validation.

    history_ : dict of str to ndarray of shape (n_rounds,)
        What happened in each round, from 1: "step"; the mean score of what was tried,
        "proposed"; the score of the best, "current", and the quality if nothing more
        were learned, "best"; "accepted", always true; and "n_trainings" so far.
        `pandas.DataFrame` takes it.

    n_trainings_ : int
        Number of sets that were trained on, in this run or in one that it resumes.

    See Also
    --------
    GreedyOracle : Put batches together point by point.
    AnnealingOracle : Improve on whole orders.

    Notes
    -----
    A strategy chooses from between a batch and all that are left; the logarithm of that
    number is uniform, since from nearly all it would propose the same again and again.

    Models that were tried are not kept, so that the one of each round which strategies
    are asked about is fitted once more. That is no other set, and does not count.

    References
    ----------
    Huseljic, Hahn, Herde, Sandrock and Sick, "BoSS: A Best-of-Strategies Selector as an
    Oracle for Deep Active Learning", arXiv:2603.13109, 2026, which retrains the last
    layer alone and searches on the test set.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, BestOfStrategiesOracle
    >>> X, y = load_iris(return_X_y=True)
    >>> oracle = BestOfStrategiesOracle(n_candidates=8)
    >>> learner = ActiveLearner(GaussianNB(), oracle, batch_size=2, n_rounds=4,
    ...                         warm_size=6, random_state=0).fit(X, y)
    >>> len(learner.strategy_.history_["step"])
    4
    """

    _parameter_constraints: dict = {
        **SearchOracle._parameter_constraints,
        "strategies": [list, None],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        *,
        strategies=None,
        n_candidates=100,
        max_time=None,
        n_jobs=None,
        journal=None,
        random_state=None,
    ):
        self.strategies = strategies
        self.n_candidates = n_candidates
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.journal = journal
        self.random_state = random_state

    @property
    def needs(self):
        """What the given strategies call on a model."""
        return needs_of(self.strategies or ())

    def _parameters(self, problem):
        return {
            "strategies": describe(self._chosen(problem)),
            "n_candidates": describe(self.n_candidates),
        }

    def _forecast(self, problem):
        n_asked = bool(needs_of(self._chosen(problem)))
        return 0, self.n_candidates * problem.n_rounds + n_asked

    def _begin(self, problem, objective, journal):
        chosen, n = self._chosen(problem), self.n_candidates
        return begin_best_of(problem, objective, self.seed_, chosen, n, journal)

    def _chosen(self, problem):
        if self.strategies is None:
            return usual_strategies(problem)
        if not self.strategies:
            raise ValueError(
                "strategies=[] propose nothing: name one at least, or leave it out."
            )
        for strategy in self.strategies:
            if isinstance(strategy, OrderStrategy):
                raise ValueError(
                    f"{type(strategy).__name__} does not choose among candidates, "
                    "since its order is fixed: leave it out of strategies."
                )
        return list(self.strategies)
