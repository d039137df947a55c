"""Whether successive models agree on rows that are not chosen by any of them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.inputs._tags import flatten
from skal.inputs._targets import Target
from skal.seeding import Stream, stream

# Rows on which models are compared, and resamples of them behind an interval.
N_ROWS, N_RESAMPLED = 1000, 500


class Agreement(NamedTuple):
    """How far the latest models agree.

    Parameters
    ----------
    kappa : float
        Agreement beyond chance: Cohen's kappa of the answers of each model and the one
        before, the lowest of them; of numbers, Lin's concordance. 1 if all are equal.
    low, high : float
        Bounds with 95 %.
    n_models, n_rows : int
        Numbers of models and of rows that they answered about.

    See Also
    --------
    LabelingSession.agreement : Returns it.
    Stop : Stops by it.

    Examples
    --------
    >>> from skal.labeling import Agreement
    >>> print(Agreement(kappa=0.97, low=0.94, high=0.99, n_models=4, n_rows=1000))
    the last 4 models agree by 0.970 (0.940 to 0.990)
    """

    kappa: float
    low: float
    high: float
    n_models: int
    n_rows: int

    def __str__(self) -> str:
        return (
            f"the last {self.n_models} models agree by {self.kappa:z.3f} "
            f"({self.low:z.3f} to {self.high:z.3f})"
        )


def agreement(answers: list[Any], target: Target, seed: int) -> Agreement:
    """Compare the answers of successive models.

    Parameters
    ----------
    answers : list of n_models answers
        The predictions of each model for the same rows.
    target : Target
    seed : int

    Returns
    -------
    Agreement

    References
    ----------
    Bloodgood and Vijay-Shanker, "A Method for Stopping Active Learning Based on
    Stabilizing Predictions", CoNLL 2009.
    """
    columns = [_codes(answers[i : i + 2], target) for i in range(len(answers) - 1)]
    agree = concordance if target.is_numeric else kappa
    found = [agree(*pair) for pair in columns]
    worst = int(np.argmin(found))
    first, second = columns[worst]
    rng = stream(seed, Stream.BOOTSTRAP, 2)
    rows = rng.integers(len(first), size=(N_RESAMPLED, len(first)))
    values = [agree(first[i], second[i]) for i in rows]
    low, high = np.quantile(values, [0.025, 0.975])
    return Agreement(
        found[worst], float(low), float(high), len(answers), len(answers[0])
    )


def _codes(pair: list[Any], target: Target) -> list[NDArray]:
    """Return the answers of two models as numbers, one for each row or token."""
    flat = [
        flatten(one) if target is Target.TAGS else np.asarray(one).ravel()
        for one in pair
    ]
    if target.is_numeric:
        return flat
    codes = np.unique(np.concatenate(flat), return_inverse=True)[1]
    return np.split(codes, 2)


def kappa(first: NDArray, second: NDArray) -> float:
    """Return Cohen's kappa of two columns of classes, numbered from 0.

    Parameters
    ----------
    first, second : ndarray of int, shape (n,)

    Returns
    -------
    float
        1 if they are equal, 0 if they agree no more than by chance.
    """
    n = max(first.max(), second.max()) + 1
    shares = [np.bincount(one, minlength=n) / len(one) for one in (first, second)]
    chance, seen = float(shares[0] @ shares[1]), float((first == second).mean())
    return 1.0 if chance == 1 else (seen - chance) / (1 - chance)


def concordance(first: NDArray, second: NDArray) -> float:
    """Return Lin's concordance of two columns of numbers.

    Parameters
    ----------
    first, second : ndarray of float, shape (n,)

    Returns
    -------
    float
        1 if they are equal.
    """
    shift = (first.mean() - second.mean()) ** 2
    total = first.var() + second.var() + shift
    shared = ((first - first.mean()) * (second - second.mean())).mean()
    return 1.0 if total == 0 else float(2 * shared / total)
