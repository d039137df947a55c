"""One strategy for the first labels, and another one after them."""

from numbers import Integral

from skal._sklearn import HasMethods, Interval
from skal.answers._needs import (
    strategy_needs,
    strategy_peeks,
    strategy_searches,
    works_from_nothing,
)
from skal.seeding import Stream, stream
from skal.strategies._base import BaseStrategy, fit_inner
from skal.strategies._batches import ask


class Then(BaseStrategy):
    """Follow one strategy until some rows are labelled, and another one after that.

    For a start from nothing: `first` needs no model, and `after` may.

    Parameters
    ----------
    first : strategy
        Selects while fewer than `n_first` rows are labelled, or there is no model.

    after : strategy
        Selects from then on.

    n_first : int, default=1
        Number of labelled rows, the warm start included, from which `after` selects.

    random_state : int, RandomState instance or None, default=None
        Seeds both strategies. Inside an `ActiveLearner`, None takes a seed drawn from
        the learner's.

    Attributes
    ----------
    first_, after_ : strategy
        The fitted strategies.

    See Also
    --------
    Herding, ProbCover, Random : Need no model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ActiveLearner, Herding, Margin, Then
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500),
    ...                         Then(Herding(), Margin()), warm_size=0, batch_size=5,
    ...                         n_rounds=4, random_state=0)
    >>> learner.fit(X, y).order_.shape
    (20,)
    """

    needs_labelled = True
    _parameter_constraints: dict = {
        "first": [HasMethods(["fit", "select"])],
        "after": [HasMethods(["fit", "select"])],
        "n_first": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, first, after, *, n_first=1, random_state=None):
        self.first = first
        self.after = after
        self.n_first = n_first
        self.random_state = random_state

    @property
    def needs(self):
        """Methods that the two strategies call on the model."""
        both = (*strategy_needs(self.first), *strategy_needs(self.after))
        return tuple(dict.fromkeys(both))

    @property
    def from_nothing(self):
        """Return whether the first strategy can select while nothing is labelled."""
        return works_from_nothing(self.first)

    @property
    def peeks(self):
        """Return whether one of them uses labels that were not acquired."""
        return strategy_peeks(self.first) or strategy_peeks(self.after)

    @property
    def searches(self):
        """Return whether one of them searches on the validation set."""
        return strategy_searches(self.first) or strategy_searches(self.after)

    @property
    def n_trainings_(self):
        """Number of trainings by the two strategies."""
        return sum(getattr(s, "n_trainings_", 0) for s in (self.first_, self.after_))

    def _fit(self, X, y, problem):
        rng = stream(self.seed_, Stream.STRATEGY)
        self.first_ = fit_inner(self.first, X, problem, rng)
        self.after_ = fit_inner(self.after, X, problem, rng)

    def _select(self, estimator, X, n, candidates, labelled):
        is_first = estimator is None or len(labelled.positions) < self.n_first
        strategy = self.first_ if is_first else self.after_
        return ask(strategy, estimator, X, n, candidates, labelled)
