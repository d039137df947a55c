"""Logistic regression, and the exchange of one of its rows by a Newton step.

Its margins are log-odds, in which one row moves a rare class much farther than a common
one; with a ridge regression it does not. The Newton step takes the curvature of the
mean class for all coefficients but the intercepts, which have one of their own: so an
exchange costs about as little as with a ridge regression.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax

from skal.oracle.annealing._ridge import Changes

# Weight of the squared intercepts, relative to the other coefficients: hardly any,
# so that only the intercept of a class without rows is held back.
INTERCEPT_SHARE = 0.01
# Maximum number of iterations of a fit, and the largest derivative at its end, since
# forecasts need no more than two digits.
MAX_ITERATIONS, TOLERANCE = 100, 1e-3
# Smallest part of a row's influence on its own class that is left if it is removed.
MIN_LEFT = 0.1


class Logistic(NamedTuple):
    """A logistic regression on the classes of rows.

    Parameters
    ----------
    coefs : ndarray of shape (n_columns, n_classes)
        The coefficients; the last row holds the intercepts.
    inverse : ndarray of shape (n_columns, n_columns)
        Inverse of the curvature by the coefficients of the mean class, with the best
        intercept for each of them.
    variances : ndarray of shape (n_classes,)
        Inverse of the curvature by each intercept.
    """

    coefs: NDArray
    inverse: NDArray
    variances: NDArray


def fit_logistic(
    X: NDArray,
    targets: NDArray,
    penalty: float,
    start: NDArray | None = None,
) -> Logistic:
    """Fit a logistic regression.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The labelled rows. The last column is 1.
    targets : ndarray of shape (n_rows, n_classes)
        1 for the class of each row, and 0 for the others.
    penalty : float
        Weight of the squared coefficients; positive.
    start : ndarray of shape (n_columns, n_classes) or None, default=None
        Coefficients to start from.

    Returns
    -------
    Logistic
    """
    shape = X.shape[1], targets.shape[1]
    penalties = np.full((shape[0], 1), float(penalty))
    penalties[-1] *= INTERCEPT_SHARE

    def loss(flat: NDArray) -> tuple[float, NDArray]:
        coefs = flat.reshape(shape)
        scores = X @ coefs
        scores -= scores.max(axis=1, keepdims=True)
        probs = np.exp(scores)
        totals = probs.sum(axis=1, keepdims=True)
        probs /= totals
        pull = penalties * coefs
        value = np.log(totals).sum() - np.sum(scores * targets)
        slope = X.T @ (probs - targets) + pull
        return float(value + np.sum(pull * coefs) / 2), slope.ravel()

    begin = np.zeros(shape) if start is None else np.asarray(start, dtype=np.float64)
    options = {"maxiter": MAX_ITERATIONS, "gtol": TOLERANCE}
    found = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
    coefs = found.x.reshape(shape)
    return Logistic(coefs, *_curvature(X, softmax(X @ coefs, axis=1), penalties[:, 0]))


def _curvature(X: NDArray, probs: NDArray, penalties: NDArray) -> tuple[NDArray, ...]:
    """Return the fields `inverse` and `variances` of `Logistic`."""
    weights = probs * (1 - probs)
    weight = weights.mean(axis=1)
    # An intercept that is always the best one is the same as centred columns.
    centre = weight @ X[:, :-1] / weight.sum()
    centring = np.column_stack([np.eye(len(centre)), -centre])
    centred = X @ centring.T
    curvature = (centred.T * weight) @ centred + np.diag(penalties[:-1])
    inverse = centring.T @ np.linalg.solve(curvature, centring)
    return inverse, 1 / (weights.sum(axis=0) + penalties[-1])


def logistic_changes(model: Logistic, X: NDArray, targets: NDArray) -> Changes:
    """Return how each of several exchanges would change a logistic regression.

    Parameters
    ----------
    model : Logistic
        The regression before the exchange.
    X : ndarray of shape (2, n_exchanges, n_columns)
        The rows to add, and the rows to remove.
    targets : ndarray of shape (2, n_exchanges, n_classes)
        1 for their classes, and 0 for the others.

    Returns
    -------
    Changes
        To first order, with a third direction, the intercepts.
    """
    directions = X @ model.inverse
    probs = softmax(X @ model.coefs, axis=2)
    # How far a row determines its own prediction, for each class.
    reach = np.einsum("rij,rij->ri", directions, X)[..., None] + model.variances
    own = probs * (1 - probs) * reach
    left = np.stack([1 + own[0], -np.maximum(1 - own[1], MIN_LEFT)])
    amounts = (targets - probs) / left
    intercept = np.zeros_like(directions[:1])
    intercept[..., -1] = 1
    return Changes(
        np.concatenate([directions, intercept]),
        np.concatenate([amounts, [amounts.sum(axis=0) * model.variances]]),
    )
