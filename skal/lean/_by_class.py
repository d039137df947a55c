"""Sums over the rows of each class, and small things that several forms need."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_valid(estimator: Any) -> bool:
    """Return whether `fit` would accept the parameters of an estimator."""
    try:
        estimator._validate_params()
    except (TypeError, ValueError):
        return False
    return True


def sorted_by_class(
    X: NDArray, codes: NDArray[np.int64], n_classes: int
) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the rows, class by class, and the size of each class.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    codes : ndarray of shape (n_rows,)
        The class of each row.
    n_classes : int

    Returns
    -------
    rows : ndarray of shape (n_rows, n_features)
        A copy. Rows of one class keep their order.
    sizes : ndarray of shape (n_classes,)
    """
    order = np.argsort(codes, kind="stable")
    return X[order], np.bincount(codes, minlength=n_classes)


def class_means(rows: NDArray, sizes: NDArray[np.int64]) -> NDArray:
    """Return the mean of each class, with the bits of `numpy.mean`.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Rows of one class after the other.
    sizes : ndarray of shape (n_classes,)
        Number of rows of each class, not 0.

    Returns
    -------
    ndarray of shape (n_classes, n_features)
    """
    means = np.empty((len(sizes), rows.shape[1]), dtype=rows.dtype)
    start = 0
    for k, size in enumerate(sizes.tolist()):
        np.add.reduce(rows[start : start + size], axis=0, out=means[k])
        start += size
    return np.true_divide(means, sizes[:, None], out=means, casting="unsafe")
