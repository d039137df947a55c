"""Embeddings as points: squared distances in double precision, by blocks of rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import row_norms, safe_sparse_dot

# A block of so many double-precision numbers fits into a processor's cache.
IN_CACHE = 2**18
# A squared distance below this share of the squared norms is a rounding error.
ROUNDING = 1e-12


class Points:
    """Points whose squared distances are computed from one of them to all.

    Parameters
    ----------
    rows : ndarray or csr matrix of shape (n_points, n_columns), float32 or float64
    """

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        norms = [row_norms(doubles(rows[part]), squared=True) for part in blocks(rows)]
        self.norms: NDArray[np.float64] = np.concatenate(norms)

    def __len__(self) -> int:
        return len(self.norms)

    def products(self, i: int) -> NDArray[np.float64]:
        """Return the inner products of point i with all points."""
        return products(self.rows, one_row(self.rows, i))

    def distances(self, i: int) -> NDArray[np.float64]:
        """Return the squared distances of point i from all points."""
        return _squared(self.norms, self.norms[i], self.products(i))

    def distances_from(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the squared distances from a place, of shape (n_columns,)."""
        return _squared(self.norms, place @ place, products(self.rows, place))

    def from_middle(self) -> NDArray[np.float64]:
        """Return the squared distances of all points from their mean."""
        return self.distances_from(mean_row(self.rows))

    def nearest(self, others: Any) -> NDArray[np.float64]:
        """Return the squared distance of each point from the nearest of other rows.

        Parameters
        ----------
        others : ndarray or csr matrix of shape (n_others, n_columns), n_others >= 1

        Returns
        -------
        ndarray of shape (n_points,)
        """
        found = np.full(len(self), np.inf)
        for rows, _, squared in self.distances_to(others):
            found[rows] = np.minimum(found[rows], squared.min(axis=1))
        return found

    def distances_to(
        self, others: Any
    ) -> Iterator[tuple[slice, slice, NDArray[np.float64]]]:
        """Yield the squared distances of all points from other rows, by blocks.

        Parameters
        ----------
        others : ndarray or csr matrix of shape (n_others, n_columns)

        Yields
        ------
        rows, part : slice
            The points and the other rows of the block.
        squared : ndarray of shape (n_rows, n_part)
        """
        for part in blocks(others):
            some = doubles(others[part])
            for rows in blocks(self.rows, beside=some.shape[0]):
                yield rows, part, self.between(rows, some)

    def between(self, rows: slice, others: Any) -> NDArray[np.float64]:
        """Return the squared distances of some points from some other rows.

        Parameters
        ----------
        rows : slice
            The points.
        others : ndarray or csr matrix of shape (n_others, n_columns), float64

        Returns
        -------
        ndarray of shape (n_rows, n_others)
        """
        product = safe_sparse_dot(doubles(self.rows[rows]), others.T, dense_output=True)
        norms = row_norms(others, squared=True)
        return _squared(self.norms[rows, None], norms, product)


def _squared(norms: Any, norm: Any, product: Any) -> NDArray[np.float64]:
    """Return squared distances from squared norms and inner products."""
    both = norms + norm
    found = both - 2 * product
    # The distance of equal points is exactly zero, so that they are seen to be equal.
    found[found <= ROUNDING * both] = 0
    return found


def blocks(rows: Any, beside: int = 1) -> Iterator[slice]:
    """Yield slices of rows, so small that each block fits into the cache.

    Parameters
    ----------
    rows : ndarray or sparse matrix of shape (n_rows, n_columns)
    beside : int, default=1
        Number of further columns that are computed for each row.
    """
    size = max(256, IN_CACHE // max(1, rows.shape[1], beside))
    for start in range(0, rows.shape[0], size):
        yield slice(start, start + size)


def doubles(rows: Any) -> Any:
    """Return rows in double precision."""
    return rows.astype(np.float64)


def one_row(rows: Any, i: int) -> NDArray[np.float64]:
    """Return row i as an array of shape (n_columns,), in double precision."""
    row = rows[[i]].toarray() if sparse.issparse(rows) else rows[[i]]
    return row.ravel().astype(np.float64)


def products(rows: Any, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inner product of each row with one place, of shape (n_columns,)."""
    return np.concatenate([doubles(rows[part]) @ place for part in blocks(rows)])


def mean_row(rows: Any) -> NDArray[np.float64]:
    """Return the mean of all rows, shape (n_columns,)."""
    total = np.zeros(rows.shape[1])
    for part in blocks(rows):
        total += np.asarray(doubles(rows[part]).sum(axis=0)).ravel()
    return total / rows.shape[0]


def best(values: NDArray, priority: NDArray[np.int64]) -> int:
    """Return the index of the highest value, of equal ones the first by priority."""
    ties = np.flatnonzero(values == values.max())
    return int(ties[np.argmin(priority[ties])])
