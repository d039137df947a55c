"""A ridge regression that grows row by row, and what each candidate would add to it.

Adding a row changes the inverse of the normal equations by a matrix of rank one. How
far each candidate moves each prediction changes likewise, so that the forecasts for all
candidates follow the regression at the cost of two outer products.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.oracle.annealing._ridge import Ridge


class Growing(NamedTuple):
    """A ridge regression with candidates for its next row.

    Parameters
    ----------
    ridge : Ridge
        The regression on the rows so far.
    leverages : ndarray of shape (n_candidates,)
        `x @ inverse @ x` for each candidate.
    reach : ndarray of shape (n_answers, n_candidates)
        `x_val @ inverse @ x` for each answer and candidate.
    """

    ridge: Ridge
    leverages: NDArray[np.float64]
    reach: NDArray[np.float32]

    @classmethod
    def of(cls, ridge: Ridge, X: NDArray, X_val: NDArray) -> "Growing":
        """Return a regression with candidates.

        Parameters
        ----------
        ridge : Ridge
            The regression on the rows so far.
        X : ndarray of shape (n_candidates, n_columns)
            The candidates.
        X_val : ndarray of shape (n_answers, n_columns)
            The rows to predict.

        Returns
        -------
        Growing
        """
        directions = X @ ridge.inverse
        leverages = np.einsum("ij,ij->i", directions, X)
        return cls(ridge, leverages, X_val @ directions.T.astype(np.float32))

    def amounts(self, X: NDArray, targets: NDArray) -> NDArray[np.float32]:
        """Return how far the regression moves along the reach of each candidate.

        Parameters
        ----------
        X : ndarray of shape (n_candidates, n_columns)
            The candidates.
        targets : ndarray of shape (n_candidates, n_targets)
            Their targets.

        Returns
        -------
        ndarray of shape (n_candidates, n_targets)
            For each target. Adding candidate j changes the predictions by
            `np.outer(reach[:, j], amounts[j])`.
        """
        errors = targets - X @ self.ridge.coefs
        return (errors / (1 + self.leverages[:, None])).astype(np.float32)

    def with_row(self, j: int, X: NDArray, targets: NDArray) -> "Growing":
        """Return the regression with candidate j as a further row.

        Parameters
        ----------
        j : int
            The candidate.
        X : ndarray of shape (n_candidates, n_columns)
            The candidates.
        targets : ndarray of shape (n_candidates, n_targets)
            Their targets.

        Returns
        -------
        Growing
        """
        inverse, coefs = self.ridge
        direction, scale = inverse @ X[j], 1 + self.leverages[j]
        error = targets[j] - X[j] @ coefs
        ridge = Ridge(
            inverse - np.outer(direction, direction / scale),
            coefs + np.outer(direction, error / scale),
        )
        along = X @ direction
        lost = np.outer(self.reach[:, j], (along / scale).astype(np.float32))
        return Growing(ridge, self.leverages - along**2 / scale, self.reach - lost)
