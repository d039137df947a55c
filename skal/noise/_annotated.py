"""Problems whose labels for training are given by annotators.

The noise is drawn once, before the first training, so that the label of a row depends
neither on when nor on where it is asked for.
"""

from dataclasses import replace
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_regressor

from skal.inputs._containers import n_rows, take
from skal.inputs._joining import concat, joined
from skal.inputs._tags import all_labels
from skal.seeding import Stream, set_random_states, stream

# The sets that annotators label; validation and test keep their true labels.
ANNOTATED = ("warm", "pool", "select")


def annotated(problem: Any, noise: Any) -> Any:
    """Return a problem whose labels for training are given by annotators.

    Parameters
    ----------
    problem : Problem
        With true labels. It is not changed.
    noise : NoisyLabels or None
        Or another estimator with a method `corrupt(X, y, classes=)`. Each of its
        `random_state` parameters that is None is drawn from the seed of the problem.

    Returns
    -------
    Problem
        The problem itself without noise. Otherwise the labels of the warm start, the
        pool and the selection set are noisy, and `true_labels` has the true ones.

    Raises
    ------
    TypeError
        If `noise` has no such method, or the estimator is a regressor.
    ValueError
        If the noise does not suit the labels.
    """
    if noise is None:
        return problem
    _check_noise(noise, problem.estimator)
    true = {name: getattr(problem, f"y_{name}") for name in ANNOTATED}
    true = {name: y for name, y in true.items() if y is not None}
    X = reduce(joined, [getattr(problem, f"X_{name}") for name in true])
    rng = stream(problem.seed, Stream.NOISE)
    seeded = set_random_states(clone(noise), rng, only_unset=True)
    noisy = seeded.corrupt(X, reduce(concat, true.values()), classes=problem.classes)
    _check_answer(noisy, n_rows(X), problem.classes)
    ends = np.cumsum([0, *(len(y) for y in true.values())])
    given = {
        f"y_{name}": take(noisy, np.arange(*pair))
        for name, pair in zip(true, pairwise(ends), strict=True)
    }
    return replace(problem, noise=noise, true_labels=true, **given)


def _check_noise(noise: Any, estimator: Any) -> None:
    """Refuse what is not noise, and an estimator that it does not suit."""
    if isinstance(noise, type) or not hasattr(noise, "corrupt"):
        raise TypeError(
            f"noise must be an object with a method `corrupt`, got {noise!r}: give "
            "NoisyLabels(), or None for true labels."
        )
    if is_regressor(estimator):
        raise TypeError(
            f"noise gives rows other classes, and {type(estimator).__name__} is a "
            "regressor: leave noise=None, and add errors to the numbers in y yourself."
        )


def _check_answer(noisy: Any, n: int, classes: NDArray) -> None:
    """Refuse labels that a user's own noise must not give."""
    labels = np.asarray(all_labels(noisy))
    if len(noisy) != n or not np.isin(labels, classes).all():
        raise ValueError(
            f"noise must return a label for each of {n} rows, one of the classes of "
            f"the run; got {len(noisy)} labels, such as {labels[:1].tolist()}."
        )


def true_labels_of(problem: Any, name: str) -> Any:
    """Return the true labels of a set of a problem.

    Parameters
    ----------
    problem : Problem
    name : str
        The set, such as "pool".

    Returns
    -------
    labels
        The labels of the problem itself, unless annotators gave these.
    """
    return problem.true_labels.get(name, getattr(problem, f"y_{name}"))


def mislabelled(problem: Any, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether the labels of rows of the pool are wrong.

    Parameters
    ----------
    problem : Problem
    positions : ndarray of shape (n,)
        Positions in the pool.

    Returns
    -------
    ndarray of shape (n,)
        For rows with tags, whether any tag is wrong.
    """
    true = true_labels_of(problem, "pool")
    return np.array([problem.y_pool[i] != true[i] for i in positions], dtype=bool)
