"""Rows in any container: arrays, sparse matrices, data frames, lists and mappings."""

from collections.abc import Callable
from math import ceil
from typing import Any, TypeGuard

import numpy as np
from scipy import sparse

from skal._sklearn import _num_features, _num_samples, _safe_indexing

n_rows = _num_samples

# Number of rows that a model is asked about at once: a copy of more of them would take
# much memory. A product may differ in its last bit from that of all rows at once, so
# only large pools are asked about in chunks.
AT_ONCE = 2**16


class Joined:
    """The rows of two arrays of one type, one after the other, and not copied.

    Parameters
    ----------
    first, second : ndarray
        Arrays whose rows have the same shape and type.
    """

    def __init__(self, first: np.ndarray, second: np.ndarray) -> None:
        self.first, self.second = first, second
        self.shape = (len(first) + len(second), *first.shape[1:])
        self.dtype, self.ndim = first.dtype, first.ndim

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.concatenate([self.first, self.second], dtype=dtype)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return some rows, which are numbers from 0, as an array."""
        in_second = rows >= len(self.first)
        found = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        found[~in_second] = self.first[rows[~in_second]]
        found[in_second] = self.second[rows[in_second] - len(self.first)]
        return found


def take(X: Any, rows: np.ndarray) -> Any:
    """Return some rows of `X`, in the same kind of container.

    Parameters
    ----------
    X : rows
        Any container of rows, or of labels.
    rows : ndarray of int
        The indices of the rows to return.

    Returns
    -------
    rows
        A sparse matrix is returned in CSR format.
    """
    # scikit-learn's helper takes longer to recognise an array than to index it.
    if isinstance(X, np.ndarray):
        return X[rows]
    if isinstance(X, Joined):
        return X.take(rows)
    # Convert sparse formats that cannot be indexed by rows.
    return _safe_indexing(X.tocsr() if sparse.issparse(X) else X, rows)


def whole_or_part(X: Any, rows: np.ndarray) -> Any:
    """Return some rows of `X`; an array itself, not a copy, if they are all its rows.

    Parameters
    ----------
    X : rows
        Any container of rows.
    rows : ndarray of int
        The indices of the rows to return: distinct and ascending.

    Returns
    -------
    rows
    """
    is_array = isinstance(X, np.ndarray) or getattr(X, "format", None) == "csr"
    return X if is_array and len(rows) == n_rows(X) else take(X, rows)


def by_chunks(
    answer: Callable[[Any], np.ndarray],
    X: Any,
    rows: np.ndarray,
    at_once: int | None = None,
) -> np.ndarray:
    """Return the answers to some rows of `X`, which are asked in chunks if many.

    Parameters
    ----------
    answer : callable
        `answer(part)` returns an array with one entry for each of some rows, which does
        not depend on the rows beside it.
    X : rows
        Any container of rows.
    rows : ndarray of int
        The indices of the rows to ask about.
    at_once : int or None, default=None
        Maximum number of rows of a chunk, at least 64; None for `AT_ONCE`.

    Returns
    -------
    ndarray of shape (len(rows), ...)
    """
    at_once = AT_ONCE if at_once is None else at_once
    if len(rows) <= at_once:
        return answer(take(X, rows))
    # About equal chunks, of a round number of rows: products of few rows, and those of
    # the last rows of a product, are computed in another way.
    n_chunks, step = ceil(len(rows) / at_once), at_once // 64
    size = step * ceil(len(rows) / (n_chunks * step))
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    return np.concatenate([answer(take(X, part)) for part in parts])


def whole(X: Any) -> Any:
    """Return rows in a container that any estimator takes.

    Parameters
    ----------
    X : rows
        Any container of rows, or a `Joined`.

    Returns
    -------
    rows
        An array in place of a `Joined`, else `X` itself.
    """
    return np.asarray(X) if isinstance(X, Joined) else X


def other_rows(rows: np.ndarray, n: int) -> np.ndarray:
    """Return the rows that are not among some of `n` rows.

    Parameters
    ----------
    rows : ndarray of int
        Row numbers below `n`.
    n : int
        Number of all rows.

    Returns
    -------
    ndarray of int64
        The other row numbers, ascending.
    """
    # A mask, since `np.setdiff1d` takes hundreds of times as long.
    is_other = np.ones(n, dtype=bool)
    is_other[rows] = False
    return np.flatnonzero(is_other)


def is_frame(X: Any) -> bool:
    """Return whether `X` is a data frame of pandas, polars or a similar library."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def is_series(X: Any) -> bool:
    """Return whether `X` is one column of pandas, polars or a similar library."""
    return hasattr(X, "dtype") and hasattr(X, "to_frame") and not is_frame(X)


def is_list(X: Any) -> TypeGuard[list | tuple]:
    """Return whether the rows are a plain list, so that any object may be a row."""
    return isinstance(X, list | tuple)


def is_table(X: Any) -> bool:
    """Return whether the rows have columns: a frame, or an array that is not flat."""
    return is_frame(X) or (hasattr(X, "dtype") and getattr(X, "ndim", 0) > 1)


def is_text(X: Any) -> bool:
    """Return whether the rows are sentences, or lists of tokens."""
    is_column = is_list(X) or hasattr(X, "dtype")
    if not is_column or getattr(X, "ndim", 1) != 1:
        return False
    # An empty sentence does not show its type, so look at the first non-empty one.
    first: Any = next((row for row in X if not _is_empty(row)), None)
    if is_list(first) or getattr(first, "ndim", 0) == 1:
        return isinstance(first[0], str)
    return isinstance(first, str)


def _is_empty(row: Any) -> bool:
    """Return whether a row is a sentence or a list without words."""
    is_sequence = isinstance(row, str | list | tuple) or getattr(row, "ndim", 0) > 0
    return is_sequence and len(row) == 0


def width(X: Any) -> int | None:
    """Return the number of columns; None if rows have no columns, as sentences."""
    if is_text(X):
        return None
    if is_list(X):
        return _common_length(X)
    try:
        return _num_features(X)
    except (TypeError, KeyError, IndexError):
        return None


def _common_length(rows: list | tuple) -> int | None:
    """Return the length of all rows; None if they differ, or are no sequences."""
    if not all(is_list(row) or getattr(row, "ndim", 0) > 0 for row in rows):
        return None
    sizes = {len(row) for row in rows}
    return sizes.pop() if len(sizes) == 1 else None


def row_labels(X: Any, rows: np.ndarray) -> np.ndarray:
    """Return the index labels of some rows of a data frame.

    Parameters
    ----------
    X : rows
        Any container of rows.
    rows : ndarray of int
        The indices of the rows.

    Returns
    -------
    ndarray
        `rows` itself if `X` is not a data frame with an index.
    """
    index = getattr(X, "index", None)
    if is_frame(X) and index is not None:
        return np.asarray(index)[rows]
    return rows


def lengths(X: Any) -> np.ndarray:
    """Return the number of words of each row: a sentence, or a list of tokens."""
    words = (row.split() if isinstance(row, str) else row for row in X)
    return np.array([len(row) for row in words], dtype=np.int64)
