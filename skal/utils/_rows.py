"""Rows of whatever a data set comes in: arrays, sparse matrices, data frames, lists."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_features, _num_samples

n_rows = _num_samples


def take(X: Any, rows: np.ndarray) -> Any:
    """Return the given rows of `X`, in the same kind of container."""
    # scikit-learn's helper takes longer to recognise an array than to index it.
    return X[rows] if isinstance(X, np.ndarray) else _safe_indexing(X, rows)


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
    return np.concatenate([first, second])


def row_labels(X: Any, rows: np.ndarray) -> np.ndarray:
    """Return a data frame's own labels of `rows`; for anything else, `rows`."""
    index = getattr(X, "index", None)
    if is_frame(X) and index is not None:
        return np.asarray(index)[rows]
    return rows


def row_keys(X: Any) -> list:
    """Return one hashable value per row, equal where the rows are equal."""
    if sparse.issparse(X):
        X = X.tocsr().sorted_indices()
        bounds = zip(X.indptr[:-1], X.indptr[1:], strict=True)
        return [(X.indices[a:b].tobytes(), X.data[a:b].tobytes()) for a, b in bounds]
    if is_frame(X):
        return [tuple(row) for row in X.to_numpy().tolist()]
    if isinstance(X, np.ndarray) and X.dtype != object:
        return [row.tobytes() for row in np.ascontiguousarray(X)]
    return [row if isinstance(row, str) else tuple(row) for row in X]


def lengths(X: Any) -> np.ndarray:
    """Return the number of words of each row: a sentence, or a list of tokens."""
    words = (row.split() if isinstance(row, str) else row for row in X)
    return np.array([len(row) for row in words], dtype=np.int64)
