"""Rows as a matrix of numbers of modest size, for a regression."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.metrics.pairwise import rbf_kernel

from skal.inputs._containers import Joined, is_frame, n_rows, take

# Maximum number of columns of rows: with more, a regression costs more than trainings.
MAX_COLUMNS = 2000
# Maximum number of cells of a frame or sparse matrix, which is copied: 128 MB.
MAX_CELLS = 2**25
# Number of rows from which means, scales and principal components are computed.
N_FITTED = 5000
# Maximum number of principal components: the cost of an exchange grows with the square
# of the number of columns.
MAX_COMPONENTS = 100
# Maximum number of rows that a kernel is compared with, to find its components.
N_LANDMARKS = 1000
# Smallest eigenvalue of a kernel that counts, as a part of the largest one.
MIN_EIGENVALUE = 1e-8


def can_be_matrix(X: Any) -> bool:
    """Return whether `as_matrix` takes rows, as far as their types tell.

    Parameters
    ----------
    X : rows
        In any container.

    Returns
    -------
    bool
    """
    if isinstance(X, np.ndarray):
        has_numbers = X.dtype.kind in "biuf"
    elif is_frame(X):
        has_numbers = _is_numeric(X)
    else:
        has_numbers = sparse.issparse(X) and X.dtype.kind in "biuf"
    if not has_numbers or len(X.shape) < 2:
        return False
    n_columns = int(np.prod(X.shape[1:]))
    is_small = isinstance(X, np.ndarray) or n_rows(X) * n_columns <= MAX_CELLS
    return 0 < n_columns <= MAX_COLUMNS and is_small


def as_matrix(X: Any) -> Any:
    """Return rows of numbers as a matrix, without a copy of an array.

    Parameters
    ----------
    X : ndarray, sparse matrix or frame
        Rows for which `can_be_matrix`.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), or a Joined of two
        Rows with further dimensions, such as images, are flattened.
    """
    if isinstance(X, np.ndarray):
        return X.reshape(len(X), -1)
    if isinstance(X, Joined):
        return Joined(as_matrix(X.first), as_matrix(X.second))
    if sparse.issparse(X):
        return X.astype(np.float32).toarray()
    return np.asarray(X).astype(np.float32)


def _is_numeric(frame: Any) -> bool:
    """Return whether all columns of a frame hold numbers."""
    return np.asarray(frame[:1]).dtype.kind in "biuf"


class Scaling:
    """Turns rows into the columns of a regression.

    The columns are centred and, if `is_standard`, divided by their standard deviations.
    Many of them are replaced by their first principal components. All are then divided
    by one number, so that rows have a mean square of one, and penalties a meaning that
    does not depend on the units. A column of ones takes the place of an intercept.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The rows from which means and scales are computed. Only some of them are read if
        there are many.
    is_standard : bool
        Whether to divide each column by its standard deviation.
    """

    def __init__(self, X: NDArray, is_standard: bool) -> None:
        every = np.arange(0, len(X), -(-len(X) // N_FITTED))
        some = take(X, every).astype(np.float64)
        is_finite = np.isfinite(some)
        counts = np.maximum(is_finite.sum(axis=0), 1)
        self._means = np.where(is_finite, some, 0.0).sum(axis=0) / counts
        centred = self._centred(some)
        stds = centred.std(axis=0)
        scales = np.where(stds > 0, stds, 1.0) if is_standard else np.ones(len(stds))
        axes = _principal_axes(centred / scales) / scales[:, None]
        mean_square = np.mean(np.sum((centred @ axes) ** 2, axis=1))
        self._axes = axes / np.sqrt(mean_square) if mean_square > 0 else axes

    def transform(self, X: NDArray) -> NDArray[np.float32]:
        """Return the columns of some rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_columns)
            Rows. A cell that is not finite is taken for the mean of its column.

        Returns
        -------
        ndarray of shape (n_rows, n_components + 1)
        """
        found = np.ones((len(X), self._axes.shape[1] + 1), dtype=np.float32)
        # In blocks, for less memory.
        for begin in range(0, len(X), N_FITTED):
            block = np.arange(begin, min(begin + N_FITTED, len(X)))
            found[block, :-1] = self._centred(take(X, block)) @ self._axes
        return found

    def _centred(self, X: NDArray) -> NDArray[np.float64]:
        return np.nan_to_num(X - self._means, nan=0.0, posinf=0.0, neginf=0.0)


class KernelScaling(Scaling):
    """Turns rows into the principal components of an RBF kernel.

    A regression on them is one on the kernel. They are scaled as by `Scaling`.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The rows from which components are computed. Only some of them are read if there
        are many.
    scaling : Scaling
        Turns rows into the columns whose distances are compared.
    gamma : float
        The kernel of two rows is `exp(-gamma * squared_distance)`.

    References
    ----------
    Schoelkopf, Smola and Mueller, "Nonlinear Component Analysis as a Kernel Eigenvalue
    Problem", Neural Computation 10, 1998.
    """

    def __init__(self, X: NDArray, scaling: Scaling, gamma: float) -> None:
        self._scaling, self._gamma = scaling, gamma
        every = np.arange(0, len(X), -(-len(X) // N_LANDMARKS))
        self._landmarks = scaling.transform(take(X, every)).astype(np.float64)
        kernel = rbf_kernel(self._landmarks, gamma=gamma)
        self._means = kernel.mean(axis=0)
        # Centre the kernel, and divide each axis by its length.
        rows = kernel - self._means
        values, axes = np.linalg.eigh(rows - rows.mean(axis=1)[:, None])
        values, axes = values[-MAX_COMPONENTS:], axes[:, -MAX_COMPONENTS:]
        is_used = values > MIN_EIGENVALUE * values[-1]
        axes = axes[:, is_used] / np.sqrt(values[is_used])
        axes -= axes.mean(axis=0)
        mean_square = np.mean(np.sum((rows @ axes) ** 2, axis=1))
        self._axes = axes / np.sqrt(mean_square) if mean_square > 0 else axes

    def _centred(self, X: NDArray) -> NDArray[np.float64]:
        columns = self._scaling.transform(X).astype(np.float64)
        return rbf_kernel(columns, self._landmarks, gamma=self._gamma) - self._means


def _principal_axes(centred: NDArray) -> NDArray[np.float64]:
    """Return the first principal axes, or the columns themselves if they are few.

    Parameters
    ----------
    centred : ndarray of shape (n_rows, n_columns)
        Rows whose mean is zero.

    Returns
    -------
    ndarray of shape (n_columns, n_components)
    """
    n_columns = centred.shape[1]
    if n_columns <= MAX_COMPONENTS:
        return np.eye(n_columns)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return axes[:, -MAX_COMPONENTS:]
