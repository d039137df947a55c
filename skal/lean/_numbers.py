"""Rows as the arrays that compiled code takes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_numbers(X: Any) -> NDArray | None:
    """Return rows as an array of finite floats, as scikit-learn would convert them.

    Parameters
    ----------
    X : rows

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
    return X if is_finite(X) else None


def is_finite(X: NDArray) -> bool:
    """Return whether there is no NaN and no infinity."""
    flat = X.ravel(order="K")
    # The sum of squares shows either in one pass, unless it overflows.
    return bool(np.isfinite(np.dot(flat, flat)) or np.isfinite(X).all())
