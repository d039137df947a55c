"""Greedy search among batches that strategies propose."""

from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal._sklearn import Interval, StrOptions
from skal.answers._needs import strategy_needs, works_from_nothing
from skal.identity._fingerprint import describe
from skal.inputs._containers import is_table, n_rows, width
from skal.inputs._matrix import can_be_matrix
from skal.inputs._row_costs import n_at_mean_cost
from skal.loop import labelled_by
from skal.oracle._base import SearchOracle
from skal.oracle._beam_search import Beam, Prefix
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._journal import Journal
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies import (
    BADGE,
    BAIT,
    IDMR,
    ODMR,
    AlfaMix,
    CoreSet,
    DropQuery,
    GreedySampling,
    Labelled,
    LeastConfidence,
    Longest,
    Margin,
    MaxEntropy,
    MinConfidence,
    OrderStrategy,
    Random,
    TypiClust,
)
from skal.strategies._base import fit_inner
from skal.strategies._batches import ask
from skal.strategies._budget import ask_within
from skal.strategies._fisher import MAX_WEIGHTS
from skal.strategies._read_only import read_only

# Default strategies for classifiers and for taggers.
CLASS_STRATEGIES = Random(), MaxEntropy(), LeastConfidence(), Margin()
TAG_STRATEGIES = (
    *(Random(), Longest(), MinConfidence(), MinConfidence(normalize=True)),
    # The others prefer long sentences, and a batch of a few long ones teaches a tagger
    # little: include one that picks sentences of every length.
    IDMR(MinConfidence(), bins="length"),
)

# Default strategies for several labels per row.
LABEL_STRATEGIES = (
    Random(),
    *(one(over_labels="mean") for one in (MaxEntropy, LeastConfidence, Margin)),
)

# Default strategies for regressors, if rows are tables of numbers. With them, guided
# searches of 600 trainings on friedman1 found 0.852 in place of 0.847 (six seeds).
NUMBER_STRATEGIES = Random(), GreedySampling(), TypiClust()

# The ten strategies of BoSS. The last two see the labels of the pool: they fill up the
# rarest class.
BOSS_STRATEGIES = (
    *(Random(), Margin(), CoreSet(), BADGE(), BAIT(embedding="rows")),
    *(TypiClust(), AlfaMix(), DropQuery()),
    ODMR(TypiClust(), reference="uniform", labels="true"),
    ODMR(DropQuery(), reference="uniform", labels="true"),
)


class BestOf(Beam):
    """A search that labels, in each round, the best of the proposed batches.

    Parameters
    ----------
    problem : Problem
        The data, the estimator and the rounds.
    objective : Objective
        Scores labelled sets.
    seed : int
        Determines the points that the strategies choose from.
    strategies : list of strategy
        Fitted strategies.
    n_candidates : int
        Number of batches that are tried in a round.
    journal : Journal or None, default=None
        Where the steps are written.
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
        self.X = read_only(problem.X_pool)

    def _extensions(self, t: int) -> Iterator[tuple[NDArray[np.int64], Prefix]]:
        """Yield the batches that the strategies propose, taking turns.

        Each of them first chooses from all unlabelled points, then from random subsets.
        """
        (prefix,) = self.kept
        order, left = prefix.order, self._unlabelled(prefix.order)
        n = self._batch_size(order, left, t)
        model = self.objective.train(order) if self.needs_model else None
        labelled = labelled_by(self.objective.trainer, order)
        for number in range(self.n_candidates):
            # A strategy may take long to choose from a large pool.
            self.objective.check_time()
            turn, i = divmod(number, len(self.strategies))
            strategy, candidates = self.strategies[i], left
            if turn > 0:
                rng = stream(self.seed, Stream.CANDIDATES, t, number)
                size = _subset_size(n, len(left), rng)
                candidates = rng.choice(left, size, replace=False)
            batch = self._ask(strategy, model, n, candidates, labelled, order, t)
            yield np.concatenate([order, batch]), prefix

    def _batch_size(
        self, order: NDArray[np.int64], left: NDArray[np.int64], t: int
    ) -> int:
        """Return the number of points in batch t; with costs, about that number."""
        n, problem = self.problem.batch_size, self.problem
        if problem.costs is not None and len(left):
            n = n_at_mean_cost(problem.room(order, t), problem.costs[left])
        return min(n, len(left))

    def _ask(
        self,
        strategy: Any,
        model: Any,
        n: int,
        candidates: NDArray[np.int64],
        labelled: Labelled,
        order: NDArray[np.int64],
        t: int,
    ) -> NDArray[np.int64]:
        """Return the batch that a strategy proposes as batch t."""
        costs = self.problem.costs
        if costs is None:
            return ask(strategy, model, self.X, n, candidates, labelled)
        room, candidates = self.problem.room(order, t), np.sort(candidates)
        return ask_within(strategy, room, model, self.X, costs, candidates, labelled)


def needs_of(strategies: Iterable[Any]) -> tuple[str, ...]:
    """Return the methods of a model that strategies call, each once."""
    needs = (need for one in strategies for need in strategy_needs(one))
    return tuple(dict.fromkeys(needs))


def _subset_size(least: int, most: int, rng: np.random.Generator) -> int:
    """Draw the size of a subset, log-uniform between two bounds."""
    return min(most, int(least * ((most + 1) / least) ** rng.random()))


def usual_strategies(problem: Problem) -> list[Any]:
    """Return the default strategies for a problem's estimator."""
    if n_rows(problem.X_warm) == 0:
        return [Random()]  # the first round comes before any model
    if hasattr(problem.estimator, "predict_token_log_proba"):
        return list(TAG_STRATEGIES)
    if problem.target.is_numeric:
        is_plain = not can_be_matrix(problem.X_pool)
        return list(NUMBER_STRATEGIES[:1] if is_plain else NUMBER_STRATEGIES)
    has_proba = hasattr(problem.estimator, "predict_proba")
    several = bool(problem.column_classes)
    chosen = LABEL_STRATEGIES if several else CLASS_STRATEGIES
    return list(chosen if has_proba else chosen[:1])


def boss_strategies(problem: Problem) -> list[Any]:
    """Return the strategies of BoSS; BAIT only for few classes and columns.

    For several labels per row, strategies that need one label are left out, and
    `Margin` takes the mean over labels.
    """
    if problem.target.has_columns:
        return [Random(), Margin(over_labels="mean"), CoreSet(), TypiClust()]
    X = problem.X_pool
    n_columns = width(X) if is_table(X) else None
    fits = n_columns is not None and n_columns * len(problem.classes) <= MAX_WEIGHTS
    return [one for one in BOSS_STRATEGIES if fits or not isinstance(one, BAIT)]


def begin_best_of(
    problem: Problem,
    objective: Objective,
    seed: int,
    strategies: list[Any],
    n_candidates: int,
    journal: Journal | None = None,
) -> BestOf:
    """Return a search among the batches that strategies propose, and fit these.

    Parameters
    ----------
    problem : Problem
        The data, the estimator and the rounds.
    objective : Objective
        Scores labelled sets.
    seed : int
        Determines the points that the strategies choose from.
    strategies : list of strategy
        Strategies, which are cloned before they are fitted.
    n_candidates : int
        Number of batches that are tried in a round.
    journal : Journal or None, default=None
        Where the steps are written.

    Returns
    -------
    BestOf
    """
    rng = stream(seed, Stream.START)
    fitted = [
        fit_inner(strategy, problem.X_pool, problem, rng) for strategy in strategies
    ]
    return BestOf(problem, objective, seed, fitted, n_candidates, journal)


class BestOfStrategiesOracle(SearchOracle):
    """Search for the optimal labelling order among batches that strategies propose.

    An oracle uses the labels of the pool: it searches for the order with the highest
    xi-quality on the validation set. In each round, several strategies propose batches,
    first from the whole pool, then from random subsets of it. All batches are trained
    on and scored on validation, and the best one is labelled.

    Parameters
    ----------
    strategies : list of strategy, "boss" or None, default=None
        The strategies that propose batches. "boss" takes the ten strategies of Huseljic
        et al.: `Random`, `Margin`, `CoreSet`, `BADGE`, `BAIT` (for tables with at most
        2,000 classes times columns), `TypiClust`, `AlfaMix`, `DropQuery`, and two that
        look at the labels of the pool, as a part of an oracle may: `TypiClust` and
        `DropQuery` within the rarest class. They need a linear classifier with
        probabilities, alone or at the end of a Pipeline or net. None takes `Random`,
        `MaxEntropy`, `LeastConfidence` and `Margin`; for a tagger `Random`, `Longest`,
        and `MinConfidence` in three variants: plain, normalized, and inside an `IDMR`
        that matches lengths; `Random`, `GreedySampling` and `TypiClust` for a regressor
        on a table of numbers; and `Random` alone for other regressors, and classifiers
        without probabilities. For several labels per row, uncertainties are means over
        labels.

    n_candidates : int, default=100
        Number of batches that are tried in each round; the strategies take turns.

    max_time : float or None, default=None
        Maximum time of the search in seconds, as in `AnnealingOracle`. When it is over,
        the order is completed at random and scored. None means no limit.

    n_jobs : int or None, default=None
        Number of trainings that run in parallel. It does not change the result.

    journal : str, path-like or None, default=None
        Path of a file that stores the search, as in `AnnealingOracle`.

    random_state : int, RandomState instance or None, default=None
        Determines the points that the strategies choose from. Inside an
        `ActiveLearner`, None takes a seed drawn from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the order found.

    quality_ : float
        xi-quality of `order_` on validation.

    history_ : dict of str to ndarray of shape (n_rounds,)
        One row for each round, from 1: "step"; "proposed", the mean score of the
        batches; "current", the score of the best; "best", the quality if the score
        stayed the same in all remaining rounds; "accepted", always True; and
        "n_trainings" so far. The dict can be passed to `pandas.DataFrame`.

    n_trainings_ : int
        Number of sets that were trained on, in this run or in one that it resumes.

    See Also
    --------
    GreedyOracle : Put batches together point by point.
    AnnealingOracle : Improve on whole orders.

    Notes
    -----
    The size of the random subset that a strategy chooses from is log-uniform between
    the batch size and the number of unlabelled points. From nearly all points, a
    strategy would propose the same batch again and again.

    Models are not kept, so the model that the strategies of a round use is fitted once
    more. This does not count as a training, since its set was scored before.

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
        "strategies": [list, StrOptions({"boss"}), None],
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
        """Methods of a model that the given strategies call."""
        return needs_of(self._given())

    @property
    def from_nothing(self):
        """Return whether all of the strategies can select while nothing is labelled."""
        return all(works_from_nothing(one) for one in self._given())

    def _given(self):
        is_boss = isinstance(self.strategies, str)
        return BOSS_STRATEGIES if is_boss else self.strategies or ()

    def check_problem(self, problem):
        """Check that the parameters are valid and suit a problem, without training.

        Parameters
        ----------
        problem : Problem
            The problem to search on.

        Raises
        ------
        ValueError
            If they are not or do not.
        OSError
            If there cannot be a journal at the given path.
        """
        super().check_problem(problem)
        self._chosen(problem)

    def _parameters(self, problem):
        return {
            "strategies": describe(self._chosen(problem)),
            "n_candidates": describe(self.n_candidates),
        }

    def _forecast(self, problem):
        # Strategies that need a model take one of the warm start in the first round.
        n_models = bool(needs_of(self._chosen(problem)))
        return 0, self.n_candidates * problem.n_rounds + n_models

    def _begin(self, problem, objective, journal):
        chosen, n = self._chosen(problem), self.n_candidates
        return begin_best_of(problem, objective, self.seed_, chosen, n, journal)

    def _chosen(self, problem):
        if self.strategies is None:
            return usual_strategies(problem)
        if isinstance(self.strategies, str):
            return boss_strategies(problem)
        if not self.strategies:
            raise ValueError(
                "strategies must not be empty, got []: give at least one strategy, or "
                "None for the default ones."
            )
        for strategy in self.strategies:
            if isinstance(strategy, OrderStrategy):
                raise ValueError(
                    f"{type(strategy).__name__} does not choose among candidates, "
                    "since its order is fixed: remove it from strategies."
                )
        return list(self.strategies)
