"""Rows in any container: arrays, sparse matrices, data frames and lists."""

from typing import Any

import numpy as np
from scipy import sparse

from skal._sklearn import _num_features, _num_samples, _safe_indexing

n_rows = _num_samples


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
    # Convert sparse formats that cannot be indexed by rows.
    return _safe_indexing(X.tocsr() if sparse.issparse(X) else X, rows)


def is_frame(X: Any) -> bool:
    """Return whether `X` is a data frame of pandas, polars or a similar library."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def is_text(X: Any) -> bool:
    """Return whether the rows are sentences, or lists of tokens."""
    is_column = isinstance(X, list | tuple) or hasattr(X, "dtype")
    if not is_column or getattr(X, "ndim", 1) != 1:
        return False
    # An empty sentence does not show its type, so look at the first non-empty one.
    first = next((row for row in X if np.size(row)), None)
    if isinstance(first, list | tuple | np.ndarray):
        return isinstance(first[0], str)
    return isinstance(first, str)


def width(X: Any) -> int | None:
    """Return the number of columns; None if rows have no columns, as sentences."""
    if is_text(X):
        return None
    try:
        return _num_features(X)
    except TypeError:
        return None


def concat(first: Any, second: Any) -> Any:
    """Append the rows of `second` to the rows of `first`, in the same container.

    Parameters
    ----------
    first, second : rows
        Two sets in the same kind of container. Either may be without rows, and is then
        ignored.

    Returns
    -------
    rows
    """
    if n_rows(first) == 0:
        return second
    if n_rows(second) == 0:
        return first
    if is_frame(first):
        import narwhals as nw

        frames = [nw.from_native(first), nw.from_native(second)]
        return nw.to_native(nw.concat(frames))
    if sparse.issparse(first):
        return sparse.vstack([first, second], format="csr")
    if isinstance(first, list):
        return first + list(second)
    if hasattr(first, "iloc"):  # a Series, such as a column of sentences
        import pandas as pd

        return pd.concat([first, pd.Series(second)])
    return np.concatenate([first, second])


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


def row_keys(tables: list) -> list[list]:
    """Return a hashable value for each row of each table, equal if rows are equal.

    Rows are compared across types: 1 equals 1.0, and missing values are equal.

    Parameters
    ----------
    tables : list of rows
        Several sets of one problem.

    Returns
    -------
    list of lists of hashable values
        One list for each table.
    """
    tables = [X.to_numpy() if is_frame(X) else X for X in tables]
    typed = [X for X in tables if isinstance(X, np.ndarray) or sparse.issparse(X)]
    dtype = np.result_type(*(X.dtype for X in typed)) if typed else None
    return [_keys(X, dtype) for X in tables]


def _keys(X: Any, dtype: Any) -> list:
    """Return a hashable value for each row; numbers are compared as `dtype`."""
    if sparse.issparse(X):
        X = X.tocsr().astype(dtype).sorted_indices()
        columns = X.indices.astype(np.int64)
        bounds = zip(X.indptr[:-1], X.indptr[1:], strict=True)
        return [(columns[a:b].tobytes(), X.data[a:b].tobytes()) for a, b in bounds]
    if isinstance(X, np.ndarray) and X.ndim > 1 and dtype.kind != "O":
        return [row.tobytes() for row in np.ascontiguousarray(X, dtype=dtype)]
    return [_hashable(row) for row in X]


def _hashable(value: Any) -> Any:
    """Return a hashable form of a value: a tuple for a list, None for NaN."""
    if isinstance(value, dict):
        return tuple((name, _hashable(value[name])) for name in sorted(value))
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(map(_hashable, value))
    return None if isinstance(value, float) and np.isnan(value) else value


def lengths(X: Any) -> np.ndarray:
    """Return the number of words of each row: a sentence, or a list of tokens."""
    words = (row.split() if isinstance(row, str) else row for row in X)
    return np.array([len(row) for row in words], dtype=np.int64)
