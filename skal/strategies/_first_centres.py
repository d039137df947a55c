"""The first centres of k-means, by k-means++, for the clusters of few rows.

scikit-learn draws the same ones. It prepares the rows anew for each centre, which takes
longer than the distances if there are few rows and many clusters.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Rows with more numbers are left to scikit-learn: in double precision, these are 32 MB.
_FEW = 2**22


def first_centres(
    X: Any, n_clusters: int, random_state: np.random.RandomState
) -> NDArray[np.floating]:
    """Return the centres that k-means begins with, as scikit-learn's k-means++ does.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), dtype float32
    n_clusters : int
        Number of centres, at most n_rows.
    random_state : RandomState

    Returns
    -------
    ndarray of shape (n_clusters, n_columns), dtype float32
        The first one is any row. Each of the others is the best of some rows, drawn
        with probabilities proportional to the squared distances from the nearest
        centre: the one after which the sum of these distances is lowest.
    """
    weights = np.ones(len(X), X.dtype)
    n_tried = 2 + int(np.log(n_clusters))
    distances = _Distances(X, n_tried * n_clusters)
    picked = [random_state.choice(len(X), p=weights / weights.sum())]
    nearest = distances.of(picked)[0]
    total = nearest @ weights
    while len(picked) < n_clusters:
        draws = random_state.uniform(size=n_tried) * total
        tried = np.minimum(np.searchsorted(nearest.cumsum(), draws), len(X) - 1)
        left = np.minimum(distances.of(tried), nearest)
        totals = left @ weights
        best = totals.argmin()
        total, nearest = totals[best], left[best]
        picked.append(tried[best])
    return X[picked]


def has_few_numbers(rows: Any) -> bool:
    """Return whether `first_centres` takes rows: arrays that are not large."""
    is_single = isinstance(rows, np.ndarray) and rows.dtype == np.float32
    return is_single and rows.size <= _FEW


class _Distances:
    """Squared distances of some rows from all, in single precision.

    They are computed in double precision, and once for each row if many are asked for.
    """

    def __init__(self, X: NDArray[np.floating], n_asked: int) -> None:
        self.rows, self.table = X.astype(np.float64), None
        self.norms = np.einsum("ij,ij->i", self.rows, self.rows)
        if len(X) <= n_asked and len(X) ** 2 <= _FEW:
            self.table = self._between(slice(None))

    def of(self, rows: Any) -> NDArray[np.float32]:
        """Return the distances of rows, shape (len(rows), n_rows)."""
        return self._between(rows) if self.table is None else self.table[rows]

    def _between(self, rows: Any) -> NDArray[np.float32]:
        found = -2 * (self.rows[rows] @ self.rows.T)
        found += self.norms[rows, None]
        found += self.norms
        return np.maximum(found.astype(np.float32), 0)
