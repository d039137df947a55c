"""Moves from one labelling order to a neighbouring one (Zhou et al., Fig. 2)."""

import numpy as np
from numpy.typing import NDArray


def propose(
    n_acquired: int, n_pool: int, batch_size: int, rng: np.random.Generator
) -> tuple[int, int] | None:
    """Draw two places of an order to exchange.

    The order is a permutation of the pool, whose first `n_acquired` points are labelled
    in batches. With equal probability, the move swaps two points of different batches,
    or replaces a labelled point by an unused one. If only one of the two is possible,
    it is always drawn.

    Parameters
    ----------
    n_acquired : int
        Number of points that are labelled.
    n_pool : int
        Number of points in the pool.
    batch_size : int
        Number of points that are labelled in a round.
    rng : numpy.random.Generator
        Generator to draw from.

    Returns
    -------
    (int, int) or None
        Two indices into the order, the first of which is less than `n_acquired`. None
        if the order has no neighbour, since one batch takes the whole pool.

    References
    ----------
    Zhou et al., AISTATS 2021, section 4.2 and Fig. 2.
    """
    can_swap, can_replace = n_acquired > batch_size, n_pool > n_acquired
    if not (can_swap or can_replace):
        return None
    first = int(rng.integers(n_acquired))
    if can_swap and (not can_replace or rng.random() < 0.5):
        return first, _place_in_another_batch(first, n_acquired, batch_size, rng)
    return first, int(rng.integers(n_acquired, n_pool))


def propose_many(
    n: int, n_acquired: int, n_pool: int, batch_size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the places of several exchanges, as `propose` does, and leave out repeats.

    Parameters
    ----------
    n : int
        Number of exchanges to draw.
    n_acquired, n_pool, batch_size, rng
        As in `propose`.

    Returns
    -------
    ndarray of shape (n_different, 2)
        The two places of each exchange, ascending; none if the order has no neighbour.
    """
    can_swap, can_replace = n_acquired > batch_size, n_pool > n_acquired
    if not (can_swap or can_replace):
        return np.empty((0, 2), dtype=np.int64)
    first = rng.integers(n_acquired, size=n)
    swaps = rng.random(n) < 0.5 if can_replace else np.ones(n, dtype=bool)
    swaps &= can_swap
    start = first - first % batch_size
    size = np.minimum(batch_size, n_acquired - start)
    # A place outside of the batch of `first`, or outside of all batches.
    other = (rng.random(n) * (n_acquired - size)).astype(np.int64)
    other += np.where(other < start, 0, size)
    unused = n_acquired + (rng.random(n) * (n_pool - n_acquired)).astype(np.int64)
    second = np.where(swaps, other, unused)
    return np.unique(np.sort(np.column_stack([first, second]), axis=1), axis=0)


def _place_in_another_batch(
    place: int, n_acquired: int, batch_size: int, rng: np.random.Generator
) -> int:
    """Draw a place outside the batch of `place`, uniformly."""
    start = place - place % batch_size
    size = min(batch_size, n_acquired - start)
    other = int(rng.integers(n_acquired - size))
    return other if other < start else other + size


def exchange(order: NDArray[np.int64], move: tuple[int, int]) -> NDArray[np.int64]:
    """Return a copy of `order` with the points at two places exchanged."""
    moved = order.copy()
    moved[list(move)] = moved[list(reversed(move))]
    return moved


def changed_rounds(
    move: tuple[int, int], n_acquired: int, batch_size: int, n_rounds: int
) -> range:
    """Return the rounds k whose labelled set a move changes.

    A swap between batches a < b changes a <= k < b, a replacement in batch a changes
    k >= a.

    Parameters
    ----------
    move : (int, int)
        The two places of the order that are exchanged.
    n_acquired : int
        Number of points that are labelled.
    batch_size : int
        Number of points that are labelled in a round.
    n_rounds : int
        Number of rounds, K.

    Returns
    -------
    range
        Within 1..K.
    """
    first, last = sorted(move)
    stop = last // batch_size + 1 if last < n_acquired else n_rounds + 1
    return range(first // batch_size + 1, stop)


def bounds_of_changes(
    places: NDArray[np.int64], n_acquired: int, batch_size: int, n_rounds: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bounds of `changed_rounds` of many moves at once.

    Parameters
    ----------
    places : ndarray of shape (n_moves, 2)
        The two places of each move, ascending.
    n_acquired, batch_size, n_rounds : int
        As in `changed_rounds`.

    Returns
    -------
    begin, end : ndarray of shape (n_moves,)
        The rounds begin <= k < end change.
    """
    first, last = places.T
    end = np.where(last < n_acquired, last // batch_size + 1, n_rounds + 1)
    return first // batch_size + 1, end
