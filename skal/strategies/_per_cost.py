"""Utility per cost: for rounds that spend an amount."""

from numbers import Real

import numpy as np

from skal._sklearn import HasMethods, Interval, StrOptions
from skal.answers._needs import strategy_needs, strategy_peeks, works_from_nothing
from skal.inputs._row_costs import costs_of
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


class PerCost(RankingStrategy):
    """Divide the utilities of another strategy by what the rows cost.

    For a learner with a `cost`, whose rounds spend an amount: of two rows with the same
    utility, the cheaper one leaves more for others.

    Parameters
    ----------
    strategy : RankingStrategy
        Gives each candidate its utility, such as `Margin`, `BALD` or `TagCount`.

    power : float, default=1
        Utilities are divided by the cost to this power. 0 ranks as the strategy itself
        does, large values prefer cheap rows whatever their utility.

    scale : {"utility", "rank"}, default="utility"
        Which number is divided:

        - "utility": the difference of the utility to the lowest one there can be; for
          `Margin` this is 1 - margin, for other strategies of skal the utility itself;
        - "rank": the share of candidates whose utility is not higher. For utilities
          without a bound, or of which only the ranking means anything.

    cost : "tokens", callable or None, default=None
        The cost of labelling a row, as in `ActiveLearner`. None takes the costs of the
        learner.

    random_state : int, RandomState instance or None, default=None
        Breaks ties, and seeds the inner strategy. Inside an `ActiveLearner`, None takes
        a seed drawn from the learner's.

    Attributes
    ----------
    strategy_ : strategy
        The fitted inner strategy.

    costs_ : ndarray of shape (n_pool,)
        The cost of each row of the pool.

    See Also
    --------
    ActiveLearner : Its parameter `cost` gives rows a price.
    MinConfidence : Per token, this is its normalized form.

    Notes
    -----
    Greedy selection by value per cost is the usual heuristic for knapsack problems. It
    takes the utility for the value of a row in money, which no strategy promises:
    with `power`, one between the two rankings can be chosen.

    References
    ----------
    Settles, Craven and Friedland, "Active Learning with Real Annotation Costs", NIPS
    Workshop on Cost-Sensitive Learning 2008; Haertel, Seppi, Ringger and Carroll,
    "Return on Investment for Active Learning", in the same workshop.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ActiveLearner, Margin, PerCost
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), PerCost(Margin()),
    ...                         cost=lambda X: X[:, 0], batch_size=30, n_rounds=4,
    ...                         random_state=0).fit(X, y)
    >>> bool(X[learner.order_, 0].sum() <= 120)
    True
    """

    _parameter_constraints: dict = {
        "strategy": [HasMethods(["fit", "select"])],
        "power": [Interval(Real, 0, None, closed="left")],
        "scale": [StrOptions({"utility", "rank"})],
        "cost": [StrOptions({"tokens"}), callable, None],
        "random_state": ["random_state"],
    }

    # Logarithms of utilities and costs.
    least_utility = -np.inf

    def __init__(
        self, strategy, power=1, *, scale="utility", cost=None, random_state=None
    ):
        self.strategy = strategy
        self.power = power
        self.scale = scale
        self.cost = cost
        self.random_state = random_state

    @property
    def needs(self):
        """Methods that the inner strategy calls on the model."""
        is_bounded = self.scale == "utility"
        needs = (bounded_needs if is_bounded else strategy_needs)(self.strategy)
        return tuple(dict.fromkeys(needs))

    @property
    def needs_labelled(self):
        """Return whether the inner strategy must see the labelled rows."""
        return getattr(self.strategy, "needs_labelled", False)

    @property
    def from_nothing(self):
        """Return whether the inner strategy can select while nothing is labelled."""
        return works_from_nothing(self.strategy)

    @property
    def peeks(self):
        """Return whether the inner strategy uses labels that were not acquired."""
        return strategy_peeks(self.strategy)

    def _fit(self, X, y, problem):
        self._check_inner()
        self.costs_ = self._costs(X, problem)
        rng = stream(self.seed_, Stream.STRATEGY)
        self.strategy_ = fit_inner(self.strategy, X, problem, rng)

    def _check_inner(self):
        """Check that the inner strategy has utilities that can be divided."""
        name = type(self.strategy).__name__
        if not gives_utilities(self.strategy):
            raise TypeError(
                f"PerCost divides the utility of each row by its cost, and {name} "
                "gives none: choose a strategy that gives each row a number, such as "
                f"Margin or BALD, or use {name} without PerCost, as the rounds of a "
                "learner with a cost spend the same amount under any strategy."
            )
        if self.scale == "utility" and not has_bound(self.strategy):
            raise ValueError(
                f'scale="utility" divides the difference to the lowest utility, and '
                f'{name} names no bound in `least_utility`: set scale="rank".'
            )

    def _costs(self, X, problem):
        """Return what each row of the pool costs."""
        if self.cost is not None:
            return costs_of(self.cost, X)
        if problem is None or problem.costs is None:
            raise ValueError(
                "PerCost divides by what a row costs, and the run has no cost: set "
                "`cost` of the learner or of PerCost."
            )
        return problem.costs

    def _utility_given(self, estimator, X, candidates, labelled):
        inner = self.strategy_
        utility = inner._checked_utility(estimator, X, candidates, labelled)
        if self.scale == "rank":
            ranks = ranks_of(utility, self._priority[candidates])
            value = np.log(len(ranks) + 1 - ranks)
        else:
            remedy = 'set scale="rank"'
            value = log_utilities(inner, utility, 'scale="utility"', remedy)
        return value - self.power * np.log(self.costs_[candidates])
