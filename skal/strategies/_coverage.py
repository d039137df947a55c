"""Greedy coverage: choose the points that a kernel brings closest to reference points.

The points S maximize sum_j w_j max_{i in S} k(x_i, r_j) over references r_j. Each step
takes the point that adds most. A point never adds more later than it did before, so an
old gain is a bound of the new one, and few gains are computed anew in each step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import row_norms, safe_sparse_dot

Floats = NDArray[np.float32]

# Numbers of a block of kernel rows: 8 MiB, since products of few rows take longer for
# each of them. Larger blocks are no faster.
BLOCK = 2**21
# Rows of a block at least, for as many references as there are.
MIN_ROWS = 16
# Distance of points of length 1 which single precision cannot tell from zero.
RESOLUTION = 1e-3


def unit_rows(points: Any) -> Any:
    """Return points scaled to length 1; zeros stay zeros."""
    return normalize(points, copy=True)


class Distances:
    """Squared Euclidean distances to reference points, in single precision.

    Parameters
    ----------
    references : array or csr matrix of shape (n_references, n_columns), dtype float32

    Attributes
    ----------
    block : int
        Number of points whose distances should be computed at once.
    """

    def __init__(self, references: Any) -> None:
        columns = references.T
        self._columns = columns.tocsr() if sparse.issparse(columns) else columns
        self._norms = row_norms(references, squared=True)
        self.block = max(MIN_ROWS, BLOCK // max(1, len(self._norms)))

    def of(self, points: Any) -> Floats:
        """Return the squared distances of points to all references.

        Parameters
        ----------
        points : array or csr matrix of shape (n_points, n_columns), dtype float32

        Returns
        -------
        ndarray of shape (n_points, n_references), dtype float32
            Rounding may make one slightly negative.
        """
        found = safe_sparse_dot(points, self._columns, dense_output=True)
        found *= -2
        found += self._norms
        found += row_norms(points, squared=True)[:, None]
        return found


def least_distance(points: Any) -> float | None:
    """Return the least distance between two points of length 1 that differ.

    Parameters
    ----------
    points : array or csr matrix of shape (n_points, n_columns)

    Returns
    -------
    float or None
        None if no two of them differ.
    """
    distances, least = Distances(points), np.inf
    for start in range(0, points.shape[0], distances.block):
        found = distances.of(points[start : start + distances.block])
        found[found < RESOLUTION**2] = np.inf
        least = min(least, float(found.min()))
    return None if np.isinf(least) else float(np.sqrt(least))


def nearest_of_others(
    points: Any, groups: NDArray[np.integer], rows: NDArray[np.int64]
) -> Floats:
    """Return the distance of some points to the nearest one of another group.

    Parameters
    ----------
    points : array or csr matrix of shape (n_points, n_columns)
    groups : ndarray of shape (n_points,)
        The group of each point.
    rows : ndarray of shape (n_rows,)
        The points to look at.

    Returns
    -------
    ndarray of shape (n_rows,), dtype float32
        Infinite if there is one group.
    """
    distances, found = Distances(points), np.empty(len(rows), np.float32)
    for start in range(0, len(rows), distances.block):
        part = rows[start : start + distances.block]
        squared = distances.of(points[part])
        squared[groups[part][:, None] == groups] = np.inf
        found[start : start + len(part)] = squared.min(axis=1)
    return np.sqrt(np.maximum(found, 0))


def gaussian(radius: float) -> Callable[[Floats], None]:
    """Return the kernel exp(-d^2 / radius^2), which replaces squared distances."""

    def kernel(squared: Floats) -> None:
        np.multiply(squared, np.float32(-1 / radius**2), out=squared)
        np.exp(squared, out=squared)

    return kernel


def ball(radius: float) -> Callable[[Floats], None]:
    """Return the kernel 1[d < radius], which replaces squared distances."""

    def kernel(squared: Floats) -> None:
        np.less(squared, np.float32(radius**2), out=squared, casting="unsafe")

    return kernel


class Coverage:
    """How well the points that were added cover reference points.

    Parameters
    ----------
    points : array or csr matrix of shape (n_points, n_columns), dtype float32
        The points that can be added.
    references : array or csr matrix of shape (n_references, n_columns), dtype float32
        The points to cover.
    kernel : callable
        Replaces an array of squared distances by values of at least 0.
    weights : ndarray of shape (n_references,), default=None
        The weight of each reference, at least 0. By default they are equal.

    Attributes
    ----------
    covered : ndarray of shape (n_references,), dtype float32
        The highest value of the kernel between each reference and an added point.
    block : int
        Number of points whose kernel values are computed at once.
    """

    def __init__(
        self,
        points: Any,
        references: Any,
        kernel: Callable[[Floats], None],
        weights: NDArray[np.floating] | None = None,
    ) -> None:
        n = references.shape[0]
        self.points, self.kernel = points, kernel
        self.weights = np.asarray(np.ones(n) if weights is None else weights, "f4")
        self._distances = Distances(references)
        self.covered = np.zeros(n, dtype=np.float32)
        self.block = self._distances.block

    def add(self, points: Any) -> None:
        """Let points cover the references.

        Parameters
        ----------
        points : array or csr matrix of shape (n_added, n_columns), dtype float32
            Any points.
        """
        for start in range(0, points.shape[0], self.block):
            values = self._values(points[start : start + self.block])
            np.maximum(self.covered, values.max(axis=0), out=self.covered)

    def gains(self, rows: NDArray[np.int64]) -> Floats:
        """Return by how much each of some points would raise the covered sum.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,)
            Positions in `points`.

        Returns
        -------
        ndarray of shape (n_rows,), dtype float32
        """
        found = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), self.block):
            part = slice(start, start + self.block)
            values = self._values(self.points[rows[part]])
            values -= self.covered
            np.maximum(values, 0, out=values)
            found[part] = values @ self.weights
        return found

    def choose(self, n: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add the points that raise the covered sum most, one after the other.

        Parameters
        ----------
        n : int
            Number of points to add, at most `len(rows)`.
        rows : ndarray of shape (n_rows,)
            Positions in `points` to choose from, the preferred one of equals first.

        Returns
        -------
        ndarray of shape (n,)
            The positions, in the order in which they were added.
        """
        bounds, step_of = self.gains(rows), np.zeros(len(rows), dtype=np.int64)
        chosen = np.empty(n, dtype=np.int64)
        for step in range(n):
            best = int(bounds.argmax())
            # A bound of 0 is exact, since no point adds less.
            while step_of[best] < step and bounds[best] > 0:
                old = self._highest_old(bounds, step_of < step, best)
                bounds[old] = self.gains(rows[old])
                step_of[old] = step
                best = int(bounds.argmax())
            chosen[step] = rows[best]
            bounds[best] = -1
            self.add(self.points[rows[best : best + 1]])
        return chosen

    def _highest_old(
        self, bounds: Floats, is_old: NDArray[np.bool_], best: int
    ) -> NDArray[np.int64]:
        """Return the best position, and others of high bounds that are old."""
        n = min(self.block, len(bounds))
        high = np.argpartition(bounds, len(bounds) - n)[len(bounds) - n :]
        high = high[is_old[high] & (bounds[high] > 0)]
        # Among many equal ones, the best may have been left out.
        return np.union1d(high, [best])

    def _values(self, points: Any) -> Floats:
        """Return the kernel of points and references."""
        values = self._distances.of(points)
        self.kernel(values)
        return values
