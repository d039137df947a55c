"""Stochastic batches: noise on the utilities of a strategy that ranks."""

from numbers import Real

import numpy as np

from skal._sklearn import HasMethods, Interval, StrOptions
from skal.answers._needs import strategy_needs, strategy_peeks, works_from_nothing
from skal.answers._reading import predictions
from skal.inputs._containers import by_chunks
from skal.inputs._tags import is_tags
from skal.seeding import Stream, stream
from skal.strategies._base import fit_inner
from skal.strategies._ranking import RankingStrategy
from skal.strategies._utilities import (
    bounded_needs,
    gives_utilities,
    has_bound,
    log_utilities,
    ranks_of,
)


class Stochastic(RankingStrategy):
    """Add noise to the utilities of another strategy, so that a batch is diverse.

    The rows with the highest utilities are often alike. With Gumbel noise on the
    utilities, the batch is a sample without replacement instead, in which rows of high
    utility are likely. It costs no more than the ranking, and each round draws anew.

    Parameters
    ----------
    strategy : RankingStrategy
        Gives each candidate its utility, such as `Margin`, `MaxEntropy` or `BALD`.

    kind : {"power", "softmax", "softrank"}, default="power"
        Which quantity the noise is added to:

        - "power": log(s_i), with s_i the difference of the utility to the lowest one
          there can be; for `Margin` this is 1 - margin, for other strategies of skal
          the utility itself. The probability of a row is proportional to s_i to the
          power of `beta`, and rows with s_i = 0 come last.
        - "softmax": the utility.
        - "softrank": -log(r_i), with r_i = 1 for the row of the highest utility, 2 for
          the next one, and so on.

    beta : float, default=1
        The noise is divided by it: large values approach the ranking without noise,
        small ones random selection.

    strata : {"class"} or None, default=None
        With "class", the picks are dealt over the predicted classes in turn, so that
        each has its share in the batch until none of its rows is left.

    random_state : int, RandomState instance or None, default=None
        Determines the noise, and seeds the inner strategy. Inside an `ActiveLearner`,
        None takes a seed drawn from the learner's.

    Attributes
    ----------
    strategy_ : strategy
        The fitted inner strategy.

    See Also
    --------
    BatchBALD : Select a batch as a whole.
    RankingStrategy : The base class of strategies that give each row a utility.

    Notes
    -----
    The noise of a round depends on the seed and the number of labelled rows, so
    `select` repeats itself. "power" asks for class probabilities where the inner
    strategy would also take decision values, whose utilities have no bound.

    References
    ----------
    Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal, "Stochastic Batch
    Acquisition: A Simple Baseline for Deep Active Learning", TMLR 2023, section 3;
    strata: after the class-stratified queries of Lüth et al., "Finally Outshining the
    Random Baseline: A Simple and Effective Solution for Active Learning in 3D
    Biomedical Imaging", TMLR 2026, where patches of images are queried.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ActiveLearner, Margin, Stochastic
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), Stochastic(Margin()),
    ...                         batch_size=5, n_rounds=4, random_state=0).fit(X, y)
    >>> learner.order_.shape
    (20,)
    """

    _parameter_constraints: dict = {
        "strategy": [HasMethods(["fit", "select"])],
        "kind": [StrOptions({"power", "softmax", "softrank"})],
        "beta": [Interval(Real, 0, None, closed="neither")],
        "strata": [StrOptions({"class"}), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self, strategy, kind="power", beta=1, *, strata=None, random_state=None
    ):
        self.strategy = strategy
        self.kind = kind
        self.beta = beta
        self.strata = strata
        self.random_state = random_state

    @property
    def needs(self):
        """Methods that the inner strategy calls on the model, and `predict`."""
        is_power = self.kind == "power"
        needs = (bounded_needs if is_power else strategy_needs)(self.strategy)
        strata = () if self.strata is None else ("classes", "predict")
        return tuple(dict.fromkeys((*needs, *strata)))

    @property
    def needs_labelled(self):
        """Return whether the inner strategy must see the labelled rows."""
        return getattr(self.strategy, "needs_labelled", False)

    @property
    def from_nothing(self):
        """Return whether the inner strategy can select while nothing is labelled."""
        return self.strata is None and works_from_nothing(self.strategy)

    @property
    def peeks(self):
        """Return whether the inner strategy uses labels that were not acquired."""
        return strategy_peeks(self.strategy)

    def _fit(self, X, y, problem):
        name = type(self.strategy).__name__
        if not gives_utilities(self.strategy):
            raise TypeError(
                f"Stochastic adds noise to the utility of each row, and {name} gives "
                "none: choose a strategy that "
                "gives each row a number, such as Margin or BALD, or another one that "
                "derives from RankingStrategy and writes `_utility`."
            )
        if self.kind == "power" and not has_bound(self.strategy):
            raise ValueError(
                f'kind="power" takes the logarithm of utilities, and {name} names no '
                'lower bound in `least_utility`: set kind="softrank" or kind="softmax".'
            )
        if self.strata is not None and problem is not None and is_tags(problem.y_warm):
            raise ValueError(
                'strata="class" sorts rows by their predicted class, but a row with '
                "tags has several: leave `strata` out."
            )
        rng = stream(self.seed_, Stream.STRATEGY)
        self.strategy_ = fit_inner(self.strategy, X, problem, rng)

    def _utility_given(self, estimator, X, candidates, labelled):
        inner = self.strategy_
        utility = inner._checked_utility(estimator, X, candidates, labelled)
        if self.kind == "power":
            remedy = 'set kind="softrank" or kind="softmax"'
            scale = log_utilities(inner, utility, 'kind="power"', remedy)
        elif self.kind == "softrank":
            scale = -np.log(ranks_of(utility, self._priority[candidates]))
        else:
            scale = utility
        return scale + self._noise(candidates, labelled) / self.beta

    def _noise(self, candidates, labelled):
        """Return noise for each candidate that is drawn anew once more are labelled."""
        n_labelled = self.n_pool_ - len(candidates)
        if labelled is not None:
            n_labelled = len(labelled.positions)
        rng = stream(self.seed_, Stream.STRATEGY, n_labelled)
        # A row has the same noise whatever other candidates there are.
        return rng.gumbel(size=self.n_pool_)[candidates]

    def _select(self, estimator, X, n, candidates, labelled):
        if self.strata is None:
            return super()._select(estimator, X, n, candidates, labelled)
        utility = self._checked_utility(estimator, X, candidates, labelled)
        classes = by_chunks(lambda rows: predictions(estimator, rows), X, candidates)
        priority = self._priority[candidates]
        turn = _ranks_within(classes, utility, priority)
        return candidates[np.lexsort((priority, -utility, turn))[:n]]


def _ranks_within(classes, utility, priority):
    """Return the rank of each utility within its class, from 0."""
    _, codes = np.unique(classes, return_inverse=True)
    order = np.lexsort((priority, -utility, codes))
    starts = np.searchsorted(codes[order], codes[order])
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - starts
    return ranks
