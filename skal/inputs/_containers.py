"""Rows of whatever a data set comes in: arrays, sparse matrices, data frames, lists."""

from typing import Any

import numpy as np
from scipy import sparse

from skal._sklearn import _num_features, _num_samples, _safe_indexing

n_rows = _num_samples


def take(X: Any, rows: np.ndarray) -> Any:
    """Return the given rows of `X`, in the same kind of container."""
    # scikit-learn's helper takes longer to recognise an array than to index it.
    if isinstance(X, np.ndarray):
        return X[rows]
    # Not every sparse format has rows to take.
    return _safe_indexing(X.tocsr() if sparse.issparse(X) else X, rows)


def is_frame(X: Any) -> bool:
    """Whether `X` is a data frame: pandas, polars, or anything with named columns."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def is_text(X: Any) -> bool:
    """Whether the rows are sentences, or lists of tokens."""
    is_column = isinstance(X, list | tuple) or hasattr(X, "dtype")
    if not is_column or getattr(X, "ndim", 1) != 1:
        return False
    # An empty sentence tells nothing: the first that is not decides.
    first = next((row for row in X if np.size(row)), None)
    if isinstance(first, list | tuple | np.ndarray):
        return isinstance(first[0], str)
    return isinstance(first, str)


def width(X: Any) -> int | None:
    """Return the number of columns; None where rows have none, such as sentences."""
    if is_text(X):
        return None
    try:
        return _num_features(X)
    except TypeError:
        return None


def concat(first: Any, second: Any) -> Any:
    """Put the rows of `second` below those of `first`, in the same container."""
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
    if hasattr(first, "iloc"):  # a Series, as of sentences
        import pandas as pd

        return pd.concat([first, pd.Series(second)])
    return np.concatenate([first, second])


def row_labels(X: Any, rows: np.ndarray) -> np.ndarray:
    """Return a data frame's own labels of `rows`; for anything else, `rows`."""
    index = getattr(X, "index", None)
    if is_frame(X) and index is not None:
        return np.asarray(index)[rows]
    return rows


def row_keys(tables: list) -> list[list]:
    """Return one hashable value per row of each table, equal where rows are equal.

    That holds across types: 1 is 1.0, and missing values are equal.
    """
    tables = [X.to_numpy() if is_frame(X) else X for X in tables]
    typed = [X for X in tables if isinstance(X, np.ndarray) or sparse.issparse(X)]
    dtype = np.result_type(*(X.dtype for X in typed)) if typed else None
    return [_keys(X, dtype) for X in tables]


def _keys(X: Any, dtype: Any) -> list:
    if sparse.issparse(X):
        X = X.tocsr().astype(dtype).sorted_indices()
        columns = X.indices.astype(np.int64)
        bounds = zip(X.indptr[:-1], X.indptr[1:], strict=True)
        return [(columns[a:b].tobytes(), X.data[a:b].tobytes()) for a, b in bounds]
    if isinstance(X, np.ndarray) and X.ndim > 1 and dtype.kind != "O":
        return [row.tobytes() for row in np.ascontiguousarray(X, dtype=dtype)]
    return [_hashable(row) for row in X]


def _hashable(value: Any) -> Any:
    """Return a value to compare by: of a list a tuple, of NaN None."""
    if isinstance(value, dict):
        return tuple((name, _hashable(value[name])) for name in sorted(value))
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(map(_hashable, value))
    return None if isinstance(value, float) and np.isnan(value) else value


def lengths(X: Any) -> np.ndarray:
    """Return the number of words of each row: a sentence, or a list of tokens."""
    words = (row.split() if isinstance(row, str) else row for row in X)
    return np.array([len(row) for row in words], dtype=np.int64)
