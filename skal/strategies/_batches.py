"""Checks of the candidates that a strategy is given, and of the batch it returns."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_candidates(candidates: Any, n_given: int, n_pool: int) -> NDArray[np.int64]:
    """Return the candidates as ascending positions in the pool.

    Parameters
    ----------
    candidates : array-like of int, or None
        Positions to choose from; None for all rows.
    n_given : int
        Number of rows that were given to `select`.
    n_pool : int
        Number of rows that were given to `fit`.

    Returns
    -------
    ndarray of shape (n_candidates,), dtype int64

    Raises
    ------
    ValueError
        If the numbers of rows differ, or candidates are repeated, outside the pool or
        no integers.
    """
    if n_given != n_pool:
        raise ValueError(
            f"X must have the {n_pool} rows of the pool that the strategy was fitted "
            f"on, got {n_given}: give the whole pool, and name the rows to choose from "
            "in `candidates`."
        )
    if candidates is None:
        return np.arange(n_pool)
    candidates = np.asarray(candidates)
    if candidates.ndim != 1 or (candidates.size and candidates.dtype.kind not in "iu"):
        raise ValueError(
            "candidates must be a one-dimensional array of positions in the pool, got "
            f"shape {candidates.shape} and dtype {candidates.dtype}."
        )
    ordered = np.sort(candidates).astype(np.int64)
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError("candidates are repeated: name each position once.")
    if len(ordered) and not 0 <= ordered[0] <= ordered[-1] < n_pool:
        raise ValueError(
            f"candidates must be between 0 and {n_pool - 1}, the rows of the pool, got "
            f"{ordered[0]} to {ordered[-1]}."
        )
    return ordered


def check_number(n: Any, n_candidates: int) -> int:
    """Return the number of rows to choose as an int.

    Parameters
    ----------
    n : int
        The number of rows to choose.
    n_candidates : int
        The number of rows to choose from.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is no whole number, negative, or exceeds the number of candidates.
    """
    is_whole = isinstance(n, Real) and float(n).is_integer()
    if not is_whole or not 0 <= n <= n_candidates:
        raise ValueError(
            "n must be a whole number between 0 and the number of candidates, "
            f"{n_candidates}, got {n!r}: ask for at most as many rows as there are "
            "candidates."
        )
    return int(n)


def ask(
    strategy: Any,
    model: Any,
    X: Any,
    n: int,
    candidates: NDArray[np.int64],
    labelled: Any,
) -> NDArray[np.int64]:
    """Return the batch that a strategy selects, after checking it.

    Parameters
    ----------
    strategy : fitted strategy
        Named in the error message if the batch is not valid.
    model : estimator or None
        The current model.
    X : rows of the pool, n_pool of them
    n : int
        The number of rows to select.
    candidates : ndarray of int64, shape (n_candidates,)
        The positions to choose from.
    labelled : Labelled or None
        The rows labelled so far.

    Returns
    -------
    ndarray of shape (n,), dtype int64

    Raises
    ------
    ValueError
        If the batch is not an array of `n` distinct int64 positions of candidates.
    """
    batch = strategy.select(model, X, n, candidates=candidates, labelled=labelled)
    return check_batch(batch, n, candidates, strategy)


def check_batch(
    batch: Any, n: int, candidates: NDArray[np.int64], strategy: Any
) -> NDArray[np.int64]:
    """Return a batch, after a check that `select` returned a valid one.

    Parameters
    ----------
    batch : object
        The value that `strategy.select` returned.
    n : int
        The number of rows to select.
    candidates : ndarray of int64, shape (n_candidates,)
        The positions to choose from.
    strategy : strategy
        Named in the error message.

    Returns
    -------
    ndarray of shape (n,), dtype int64

    Raises
    ------
    ValueError
        If the batch is not an array of `n` distinct int64 positions of candidates.
    """
    is_sound = (
        isinstance(batch, np.ndarray)
        # The masked rows of a masked array would be labelled like the others.
        and not isinstance(batch, np.ma.MaskedArray)
        and batch.shape == (n,)
        and batch.dtype == np.int64
        and len(set(batch.tolist())) == n
        and bool(np.isin(batch, candidates).all())
    )
    if not is_sound:
        raise ValueError(
            f"{type(strategy).__name__}.select must return {n} distinct int64 "
            f"positions out of the candidates, got {_shown(batch)}: check the strategy "
            "with skal.utils.estimator_checks.check_strategy."
        )
    return batch


def _shown(batch: Any) -> str:
    """Return a short text of what a strategy returned, with its dtype and shape."""
    text = " ".join(repr(batch).split())
    kind = type(batch).__name__
    if isinstance(batch, np.ndarray):
        kind += f" of shape {batch.shape} and dtype {batch.dtype}"
    return f"{text[:80]}{'...' if len(text) > 80 else ''} ({kind})"
