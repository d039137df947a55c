"""Rows as the arrays that compiled code takes."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_numbers(X: Any, *, known_finite: bool = False) -> NDArray | None:
    """Return rows as an array of finite floats, as scikit-learn would convert them.

    Parameters
    ----------
    X : rows
    known_finite : bool, default=False
        Whether the numbers need not be looked through for NaN and infinity.

    Returns
    -------
    ndarray of shape (n_rows, n_features), dtype float64 or float32, or None
        In the memory order of `X`. None if the rows are no array of numbers, or have
        NaN or infinity.
    """
    if type(X) is np.memmap:
        X = np.asarray(X)
    if type(X) is not np.ndarray or X.ndim != 2 or not X.size:
        return None
    if X.dtype.kind in "iub":
        return X.astype(np.float64)
    if X.dtype not in (np.float64, np.float32):
        return None
    return X if known_finite or is_finite(X) else None


def names_of(X: Any) -> NDArray | None:
    """Return the column names of a data frame that scikit-learn reads as an array.

    Parameters
    ----------
    X : rows

    Returns
    -------
    ndarray of shape (n_features,), dtype object, or None
        None if it is no frame of pandas, or has a column that is not of numbers.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None or type(X) is not pandas.DataFrame:
        return None
    is_plain = all(isinstance(kind, np.dtype) for kind in X.dtypes)
    if not is_plain or np.asarray(X[:1]).dtype.kind not in "iuf":
        return None
    names = np.asarray(X.columns, dtype=object)
    return names if all(isinstance(name, str) for name in names) else None


def is_finite(X: NDArray) -> bool:
    """Return whether all numbers are finite."""
    flat = X.ravel(order="K")
    # The sum of squares shows either in one pass, unless it overflows.
    return bool(np.isfinite(np.dot(flat, flat)) or np.isfinite(X).all())
