"""The cost of labelling each row: counted, computed or given, and checked."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.inputs._checks import check_sentences
from skal.inputs._containers import lengths, n_rows


def costs_of(cost: Any, X: Any) -> NDArray[np.float64] | None:
    """Return what it costs to label each row.

    Parameters
    ----------
    cost : "tokens", callable, array-like of shape (n,) or None
        The number of tokens, a function such that `cost(X)` returns an array, or the
        costs themselves.
    X : rows, n of them
        The rows.

    Returns
    -------
    ndarray of shape (n,), or None
        Finite and positive. None if `cost` is None, and each row counts as one.

    Raises
    ------
    ValueError
        If there is not one positive number for each row, or `X` has no tokens to count.
    """
    if cost is None:
        return None
    if isinstance(cost, str):
        return _tokens(cost, X)
    source = "cost"
    if callable(cost):
        cost, source = cost(X), f"{getattr(cost, '__name__', 'cost')}(X)"
    return _checked(cost, n_rows(X), source)


def n_at_mean_cost(amount: float, costs: NDArray[np.float64]) -> int:
    """Return how many rows an amount is enough for at their mean cost, at least 1.

    Parameters
    ----------
    amount : float
    costs : ndarray of shape (n_rows,), n_rows >= 1

    Returns
    -------
    int
    """
    return max(1, int(amount / costs.mean()))


def _tokens(cost: str, X: Any) -> NDArray[np.float64]:
    """Return the number of tokens; an empty sentence has to be looked at, too."""
    if cost != "tokens":
        raise ValueError(
            f"cost must be 'tokens', a callable, an array or None, got {cost!r}: give "
            "a function of X for any other cost."
        )
    check_sentences(X, 'cost="tokens"')
    return np.maximum(lengths(X), 1).astype(np.float64)


def _checked(costs: Any, n: int, source: str) -> NDArray[np.float64]:
    """Return costs as an array, after a check that each is a positive number."""
    try:
        costs = np.array(costs, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{source} must hold numbers, got {costs!r:.60}: give one positive number "
            "for each row of X."
        ) from None
    if costs.shape != (n,):
        raise ValueError(
            f"{source} must have one value per row of X, shape ({n},), got shape "
            f"{costs.shape}."
        )
    if not (np.isfinite(costs).all() and (costs > 0).all()):
        worst = costs[~(np.isfinite(costs) & (costs > 0))][0]
        raise ValueError(
            f"{source} must be positive and finite, got {worst:g}: give rows that cost "
            "next to nothing a small number, and leave out rows that cannot be "
            "labelled."
        )
    return costs
