"""Random acquisition, the baseline of all strategies."""

import numpy as np

from skal.strategies._ranking import RankingStrategy


class Random(RankingStrategy):
    """Label rows in a random order.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Determines the order. Inside an `ActiveLearner`, None takes a seed drawn
        from the learner's.

    See Also
    --------
    FixedOrder : Label rows in a given order.

    Examples
    --------
    >>> from skal import Random
    >>> X = [[0], [1], [2], [3]]
    >>> Random(random_state=0).fit(X).select(None, X, 2).shape
    (2,)
    """

    _parameter_constraints: dict = {"random_state": ["random_state"]}

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return np.zeros(len(candidates))
