"""Ridge regression, and the exchange of one of its rows for another in closed form.

A labelled set enters the normal equations of a ridge regression as a sum over its rows.
Exchanging one row for another changes this sum by a matrix of rank two, so that the
Sherman-Morrison-Woodbury formula gives the new coefficients exactly, at a small part of
the cost of another regression. Targets have one or more columns.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Ridge(NamedTuple):
    """A ridge regression.

    Parameters
    ----------
    inverse : ndarray of shape (n_columns, n_columns)
        Inverse of the matrix of the normal equations, penalty included.
    coefs : ndarray of shape (n_columns, n_targets)
        The coefficients.
    """

    inverse: NDArray
    coefs: NDArray


class Changes(NamedTuple):
    """How exchanges of two rows change the coefficients of a ridge regression.

    The change by exchange i is `directions[:, i].T @ amounts[:, i]`, of rank two, or of
    rank one if a row is only added.

    Parameters
    ----------
    directions : ndarray of shape (2, n_exchanges, n_columns) or (1, ...)
        One for the row that is added, and one for the row that is removed.
    amounts : ndarray of shape (2, n_exchanges, n_targets) or (1, ...)
        How far to go in each direction, for each target.
    """

    directions: NDArray
    amounts: NDArray


def fit_ridge(X: NDArray, targets: NDArray, penalty: float) -> Ridge:
    """Fit a ridge regression without an intercept.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The labelled rows.
    targets : ndarray of shape (n_rows, n_targets)
        Their targets.
    penalty : float
        Weight of the squared coefficients; positive.

    Returns
    -------
    Ridge
    """
    inverse = np.linalg.inv(X.T @ X + penalty * np.eye(X.shape[1]))
    return Ridge(inverse, inverse @ (X.T @ targets))


def changes_by(ridge: Ridge, X: NDArray, targets: NDArray) -> Changes:
    """Return how each of several exchanges would change a ridge regression.

    Parameters
    ----------
    ridge : Ridge
        The regression before the exchange.
    X : ndarray of shape (2, n_exchanges, n_columns)
        The rows to add, and the rows to remove.
    targets : ndarray of shape (2, n_exchanges, n_targets)
        Their targets.

    Returns
    -------
    Changes

    References
    ----------
    Sherman-Morrison-Woodbury formula: Golub and Van Loan, "Matrix Computations",
    section 2.1.4.
    """
    directions = X @ ridge.inverse
    # The errors of the regression on the two rows, one column for each target.
    errors = targets - X @ ridge.coefs
    # Solve two equations with a symmetric matrix for each exchange.
    added = 1 + np.einsum("ij,ij->i", directions[0], X[0])
    removed = np.einsum("ij,ij->i", directions[1], X[1]) - 1
    both = np.einsum("ij,ij->i", directions[0], X[1])
    determinant = (added * removed - both**2)[:, None]
    amounts = np.stack(
        [
            removed[:, None] * errors[0] - both[:, None] * errors[1],
            added[:, None] * errors[1] - both[:, None] * errors[0],
        ]
    )
    return Changes(directions, amounts / determinant)


def exchanged(ridge: Ridge, X: NDArray, targets: NDArray) -> Ridge:
    """Return the ridge regression after one exchange.

    Parameters
    ----------
    ridge : Ridge
        The regression before the exchange.
    X : ndarray of shape (2, n_columns)
        The row to add, and the row to remove.
    targets : ndarray of shape (2, n_targets)
        Their targets.

    Returns
    -------
    Ridge
    """
    directions, amounts = changes_by(ridge, X[:, None], targets[:, None])
    U = directions[:, 0]
    capacitance = np.diag([1.0, -1.0]) + U @ X.T
    inverse = ridge.inverse - U.T @ np.linalg.solve(capacitance, U)
    return Ridge(inverse, ridge.coefs + U.T @ amounts[:, 0])


def margin_shifts(
    gaps: NDArray,
    true: NDArray[np.int64],
    rivals: NDArray[np.int64],
    X: NDArray,
    changes: Changes,
) -> NDArray:
    """Return how exchanges shift the margins of a ridge regression on classes.

    Parameters
    ----------
    gaps : ndarray of shape (n_rivals, n_answers)
        The prediction for the true class minus that for each rival, before the
        exchange.
    true : ndarray of shape (n_answers,)
        The true class of each answer.
    rivals : ndarray of shape (n_rivals, n_answers)
        The other classes to compare it with. The margin is the prediction for the true
        class minus the highest prediction for one of these.
    X : ndarray of shape (n_answers, n_columns)
        The rows to predict.
    changes : Changes
        The exchanges.

    Returns
    -------
    ndarray of shape (n_answers, n_exchanges)
    """
    reach = [X @ direction.T for direction in changes.directions]
    return shifts_along(gaps, true, rivals, reach, changes.amounts)


def shifts_along(
    gaps: NDArray,
    true: NDArray[np.int64],
    rivals: NDArray[np.int64],
    reach: Sequence[NDArray],
    amounts: NDArray,
) -> NDArray:
    """Return how exchanges shift the margins, by their directions in the predictions.

    Parameters
    ----------
    gaps, true, rivals : ndarray
        As for `margin_shifts`.
    reach : sequence of ndarray of shape (n_answers, n_exchanges)
        How far each direction of the coefficients moves a prediction.
    amounts : ndarray of shape (n_directions, n_exchanges, n_targets)
        How far to go in each direction, for each target.

    Returns
    -------
    ndarray of shape (n_answers, n_exchanges)
    """
    # shape (n_classes, n_exchanges): to take rows is much faster than columns
    by_class = [np.ascontiguousarray(amount.T) for amount in amounts]
    of_true = [amount[true] for amount in by_class]
    lowest: NDArray | None = None
    for rival, gap in zip(rivals, gaps, strict=True):
        margins = gap[:, None] + sum(
            along * (own - amount[rival])
            for along, own, amount in zip(reach, of_true, by_class, strict=True)
        )
        lowest = margins if lowest is None else np.minimum(lowest, margins, out=lowest)
    assert lowest is not None
    return lowest - gaps.min(axis=0)[:, None]
