"""Acquisition by the length of sentences."""

from skal.strategies._base import RankingStrategy
from skal.utils._rows import lengths, take


class Longest(RankingStrategy):
    """Label the longest sentences.

    A heuristic for tagging, where a longer sentence brings more labels.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    References
    ----------
    Zhou et al., AISTATS 2021, section 5.3.

    Examples
    --------
    >>> from skal import Longest
    >>> X = ["a table", "a table for two", "table"]
    >>> Longest().fit(X).select(None, X, 2).tolist()
    [1, 0]
    """

    _parameter_constraints: dict = {"random_state": ["random_state"]}

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return lengths(take(X, candidates))
