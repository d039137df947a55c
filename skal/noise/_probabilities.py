"""Probabilities of wrong labels: pure functions of arrays."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

# The flip probability grows with the rank of a row's difficulty to this power.
POWER_OF_RANK = 2
# Rounding errors of sums of probabilities.
TOLERANCE = 1e-9


def scaled_to(weights: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Return probabilities proportional to weights, at most 1, with a given mean.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        At least 0.
    rate : float
        Their mean, below 1.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If too few weights are positive.
    """
    total, largest = rate * len(weights), np.sort(weights[weights > 0])[::-1]
    n = len(largest)
    if n < total - TOLERANCE:
        raise ValueError(
            f"rate={rate} needs {total:.0f} wrong labels, and by `confusion` only {n} "
            f"of {len(weights)} rows have a class that is ever mistaken: choose a "
            "lower rate, or give more classes mistakes."
        )
    # With the k largest at 1, the others share the rest in proportion.
    others = np.cumsum(largest[::-1])[::-1]
    factors = (total - np.arange(n)) / others
    k = np.argmax(factors * largest <= 1 + TOLERANCE)
    return np.minimum(1, weights * factors[k])


def rank_of_difficulty(
    probs: NDArray[np.float64], codes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the rank of each row among all, the easiest first, to a power.

    Parameters
    ----------
    probs : ndarray of shape (n, n_classes)
        Probabilities of the classes.
    codes : ndarray of shape (n,)
        The true class. The lower its probability, the more difficult is the row.

    Returns
    -------
    ndarray of shape (n,)
        Rows of the same difficulty share the mean of their ranks.
    """
    of_truth = probs[np.arange(len(codes)), codes]
    return (rankdata(-of_truth) / len(codes)) ** POWER_OF_RANK


def most_probable_other(
    probs: NDArray[np.float64], codes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the most probable class of each row except the true one.

    Parameters
    ----------
    probs : ndarray of shape (n, n_classes)
    codes : ndarray of shape (n,)
        The true class.

    Returns
    -------
    ndarray of shape (n,)
    """
    others = probs.copy()
    others[np.arange(len(codes)), codes] = -1
    return others.argmax(axis=1)


def choose_by(
    weights: NDArray[np.float64], numbers: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return one class for each row, with probabilities proportional to weights.

    Parameters
    ----------
    weights : ndarray of shape (n, n_classes)
        At least 0, with a positive one in each row.
    numbers : ndarray of shape (n,)
        Random numbers from [0, 1).

    Returns
    -------
    ndarray of shape (n,)
    """
    sums = np.cumsum(weights, axis=1)
    return (sums <= numbers[:, None] * sums[:, -1:]).sum(axis=1)
