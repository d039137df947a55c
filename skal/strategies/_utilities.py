"""Utilities of a strategy inside another one: on a scale of their own, or as ranks."""

import numpy as np

from skal.answers._needs import strategy_needs
from skal.strategies._ranking import RankingStrategy

# Probabilities in place of decision values, which strategies take as well.
PROBABILITIES = {
    "class_scores": "predict_proba",
    "label_scores": "label_probabilities",
}
# Errors of probabilities in half precision may bring a utility this share of the
# highest one, or this much, below its bound.
_ROUNDING, _SMALL = 1e-3, 1e-9


def gives_utilities(strategy):
    """Return whether a strategy selects the rows with the highest `_utility`.

    Parameters
    ----------
    strategy : strategy

    Returns
    -------
    bool
    """
    is_ranking = isinstance(strategy, RankingStrategy)
    return is_ranking and type(strategy)._select is RankingStrategy._select


def has_bound(strategy):
    """Return whether a strategy names the lowest utility that there can be.

    Parameters
    ----------
    strategy : RankingStrategy

    Returns
    -------
    bool
    """
    return bool(np.isfinite(strategy.least_utility))


def bounded_needs(strategy):
    """Return what a strategy needs of a model so that its utilities have a bound.

    Parameters
    ----------
    strategy : strategy

    Returns
    -------
    list of str
    """
    return [PROBABILITIES.get(need, need) for need in strategy_needs(strategy)]


def log_utilities(strategy, utility, subject, remedy):
    """Return the logarithm of utilities, counted from the lowest one there can be.

    Parameters
    ----------
    strategy : RankingStrategy
        The strategy that gives them, with a bound.
    utility : ndarray of shape (n_candidates,)
        The utilities.
    subject, remedy : str
        Which parameter takes logarithms, and what to change, for the error message.

    Returns
    -------
    ndarray of shape (n_candidates,)

    Raises
    ------
    ValueError
        If a utility is below the bound.
    """
    score = utility.astype(np.float64) - strategy.least_utility
    highest = score[np.isfinite(score)].max(initial=0.0)
    if score.min() < -_SMALL - _ROUNDING * highest:
        raise ValueError(
            f"{subject} takes the logarithm of utilities, and "
            f"{type(strategy).__name__} returns {utility.min():.4g}, which is below "
            f"{strategy.least_utility:.4g}, its `least_utility`: {remedy}, or the "
            "class attribute `least_utility` to a bound of its utilities."
        )
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(score, 0))


def ranks_of(utility, priority):
    """Return the rank of each utility.

    Parameters
    ----------
    utility, priority : ndarray of shape (n_candidates,)
        The priority breaks ties.

    Returns
    -------
    ndarray of shape (n_candidates,), dtype int64
        1 for the highest, 2 for the next one, and so on.
    """
    ranks = np.empty(len(utility), dtype=np.int64)
    ranks[np.lexsort((priority, -utility))] = np.arange(1, len(utility) + 1)
    return ranks
