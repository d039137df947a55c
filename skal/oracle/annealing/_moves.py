"""Moves from one labelling order to a neighbouring one (Zhou et al., Fig. 2)."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ends = Sequence[int] | NDArray[np.int64]


def propose(
    ends: Ends, n_pool: int, rng: np.random.Generator
) -> tuple[int, int] | None:
    """Draw two places of an order to exchange.

    The order is a permutation of the pool, whose first points are labelled in batches.
    With equal probability, the move swaps two points of different batches, or replaces
    a labelled point by an unused one. If only one of the two is possible, it is always
    drawn.

    Parameters
    ----------
    ends : sequence of int, of length n_rounds + 1
        Number of points that are labelled after k = 0..K rounds.
    n_pool : int
        Number of points in the pool. With costs, of those that can be labelled.
    rng : numpy.random.Generator
        Generator to draw from.

    Returns
    -------
    (int, int) or None
        Two indices into the order, the first of which is less than `ends[-1]`. None
        if the order has no neighbour, since the first batch takes the whole pool.

    References
    ----------
    Zhou et al., AISTATS 2021, section 4.2 and Fig. 2.
    """
    n_acquired = int(ends[-1])
    can_swap, can_replace = _batch_of(0, ends)[1] < n_acquired, n_pool > n_acquired
    if not (can_swap or can_replace):
        return _any_two(ends, rng)
    first = int(rng.integers(n_acquired))
    if can_swap and (not can_replace or rng.random() < 0.5):
        return first, _place_in_another_batch(first, ends, rng)
    return first, int(rng.integers(n_acquired, n_pool))


def propose_many(
    n: int, ends: Ends, n_pool: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the places of several exchanges, as `propose` does, and leave out repeats.

    Parameters
    ----------
    n : int
        Number of exchanges to draw.
    ends, n_pool, rng
        As in `propose`.

    Returns
    -------
    ndarray of shape (n_different, 2)
        The two places of each exchange, ascending; none if the order has no neighbour.
    """
    n_acquired = int(ends[-1])
    can_swap, can_replace = _batch_of(0, ends)[1] < n_acquired, n_pool > n_acquired
    if not (can_swap or can_replace):
        places = _any_two(ends, rng)
        drawn = [] if places is None else [sorted(places)]
        return np.array(drawn, dtype=np.int64).reshape(-1, 2)
    first = rng.integers(n_acquired, size=n)
    swaps = rng.random(n) < 0.5 if can_replace else np.ones(n, dtype=bool)
    swaps &= can_swap
    number = np.searchsorted(ends, first, side="right")
    start, stop = np.asarray(ends)[number - 1], np.asarray(ends)[number]
    size = stop - start
    # A place outside of the batch of `first`, or outside of all batches.
    other = (rng.random(n) * (n_acquired - size)).astype(np.int64)
    other += np.where(other < start, 0, size)
    unused = n_acquired + (rng.random(n) * (n_pool - n_acquired)).astype(np.int64)
    second = np.where(swaps, other, unused)
    return np.unique(np.sort(np.column_stack([first, second]), axis=1), axis=0)


def _any_two(ends: Ends, rng: np.random.Generator) -> tuple[int, int] | None:
    """Draw any two places, if the first batch is late: one may fit into round 1."""
    if ends[1] > 0 or ends[-1] < 2:
        return None
    first, second = rng.choice(int(ends[-1]), 2, replace=False).tolist()
    return first, second


def _batch_of(place: int, ends: Ends) -> tuple[int, int]:
    """Return where the batch of a place begins and ends."""
    number = bisect_right(ends, place)
    return int(ends[number - 1]), int(ends[number])


def _place_in_another_batch(place: int, ends: Ends, rng: np.random.Generator) -> int:
    """Draw a place outside the batch of `place`, uniformly."""
    start, stop = _batch_of(place, ends)
    other = int(rng.integers(int(ends[-1]) - (stop - start)))
    return other if other < start else other + stop - start


def exchange(order: NDArray[np.int64], move: tuple[int, int]) -> NDArray[np.int64]:
    """Return a copy of `order` with the points at two places exchanged."""
    moved = order.copy()
    moved[list(move)] = moved[list(reversed(move))]
    return moved


def changed_rounds(
    move: tuple[int, int], before: NDArray[np.int64], after: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rounds k whose labelled set a move changes.

    A swap between batches a < b changes a <= k < b, a replacement in batch a changes
    k >= a. With costs, a move may also change where other rounds end.

    Parameters
    ----------
    move : (int, int)
        The two places of the order that are exchanged.
    before, after : ndarray of shape (n_rounds + 1,)
        Number of points that are labelled after each round, before and after the move.

    Returns
    -------
    ndarray of shape (n_changed,)
        Within 1..K, ascending.
    """
    first, last = sorted(move)
    is_exchanged = (first < before) & (before <= last)
    return np.flatnonzero(is_exchanged | (before != after))


def bounds_of_exchanges(
    places: NDArray[np.int64], ends: Ends
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return between which rounds the two points of many moves are exchanged.

    Parameters
    ----------
    places : ndarray of shape (n_moves, 2)
        The two places of each move, ascending.
    ends : sequence of int, of length n_rounds + 1
        Number of points that are labelled after k = 0..K rounds.

    Returns
    -------
    begin, end : ndarray of shape (n_moves,)
        The sets of rounds begin <= k < end get the second point for the first one.
    """
    first, last = places.T
    begin, end = (np.searchsorted(ends, place, side="right") for place in (first, last))
    return begin, end


def ends_after(
    places: NDArray[np.int64],
    order: NDArray[np.int64],
    costs: NDArray[np.float64],
    limits: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return how many points are labelled after each round, after each of many moves.

    Parameters
    ----------
    places : ndarray of shape (n_moves, 2)
        The two places of each move, ascending.
    order : ndarray of shape (n_pool,)
        The order before the moves.
    costs : ndarray of shape (n_pool,)
        The cost of each point of the pool.
    limits : ndarray of shape (n_rounds + 1,)
        The amounts that may be spent after k = 0..K rounds.

    Returns
    -------
    ndarray of shape (n_moves, n_rounds + 1)
    """
    spent = np.cumsum(costs[order])
    first, last = places.T[:, :, None]
    # Between the two places, an order has spent this much more than before.
    more = costs[order[last]] - costs[order[first]]
    plain = np.searchsorted(spent, limits, side="right")
    within = np.searchsorted(spent, limits - more, side="right").clip(first, last)
    return np.minimum(plain, first) + (within - first) + np.maximum(plain, last) - last
