"""Batches under a budget: asking a strategy for rows that fit into an amount."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.inputs._row_costs import n_at_mean_cost
from skal.strategies._batches import ask
from skal.strategies._order import OrderStrategy


def ask_within(
    strategy: Any,
    room: float,
    model: Any,
    X: Any,
    costs: NDArray[np.float64],
    candidates: NDArray[np.int64],
    labelled: Any,
) -> NDArray[np.int64]:
    """Return the rows that a strategy selects, as far as they fit into an amount.

    The strategy is asked for as many rows as would fit at their mean cost, out of those
    that fit on their own. Its picks are taken best first, and picks that do not fit any
    more are left out. It is then asked again, until no row fits: a strategy that ranks
    has the same picks however often it is asked. One that composes a batch composes a
    new one each time, and does not know the picks that were already taken. A strategy
    whose order is fixed is followed as far as its next row fits.

    Parameters
    ----------
    strategy : fitted strategy
        Selects the rows.
    room : float
        The amount that may be spent.
    model : estimator or None
        The current model.
    X : rows of the pool, n_pool of them
        All rows.
    costs : ndarray of shape (n_pool,)
        The cost of each row.
    candidates : ndarray of int64, shape (n_candidates,)
        The positions to choose from, ascending.
    labelled : Labelled or None
        The rows labelled so far, without the picks of this call.

    Returns
    -------
    ndarray of shape (n_selected,), dtype int64
        May be empty.

    Raises
    ------
    ValueError
        If the strategy does not select distinct candidates.
    """
    if isinstance(strategy, OrderStrategy):
        ahead = strategy.ahead(candidates)
        return ahead[: np.searchsorted(np.cumsum(costs[ahead]), room, side="right")]
    taken: list[int] = []
    left = candidates[costs[candidates] <= room]
    while len(left):
        n = min(len(left), n_at_mean_cost(room, costs[left]))
        picks, room = fitting(ask(strategy, model, X, n, left, labelled), costs, room)
        taken.extend(picks)
        left = left[(costs[left] <= room) & ~np.isin(left, taken)]
    return np.array(taken, dtype=np.int64)


def fitting(
    order: NDArray[np.int64], costs: NDArray[np.float64], room: float
) -> tuple[list[int], float]:
    """Return the rows that fit into an amount, taken in order.

    Parameters
    ----------
    order : ndarray of shape (n,)
        Positions in the pool.
    costs : ndarray of shape (n_pool,)
        The cost of each row.
    room : float
        The amount. Rows that do not fit any more are left out.

    Returns
    -------
    taken : list of int
        The rows that fit.
    room : float
        The amount that is left.
    """
    taken = []
    for position in order.tolist():
        if costs[position] <= room:
            taken.append(position)
            room -= costs[position]
    return taken, room
