"""Checks of a scorer of the user's own: its arguments, its result, its side effects."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def check_signature(scoring: Any) -> None:
    """Check that a scorer takes a model, rows and labels.

    Parameters
    ----------
    scoring : str, callable or None
        As in `ActiveLearner`.

    Raises
    ------
    TypeError
        If it is a callable that takes other arguments.
    """
    if not callable(scoring):
        return
    try:
        signature = inspect.signature(scoring)
    except ValueError:  # a function of an extension need not have one
        return
    try:
        signature.bind(None, None, None)
    except TypeError as error:
        raise TypeError(
            f"scoring must be called as scoring(model, X, y), got {scoring!r} with the "
            f"arguments {signature}: turn a metric of true and predicted labels into a "
            "scorer by sklearn.metrics.make_scorer."
        ) from error


def as_score(scorer: Any, value: Any) -> float:
    """Return a score as a float, after a check that it is a finite number.

    Parameters
    ----------
    scorer : callable
        Named in the error message.
    value : object
        The value that it returned.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is not a finite real number.
    """
    try:
        score = np.nan if isinstance(value, str | bytes) or np.ndim(value) else value
        score = float(score)
    except (TypeError, ValueError):
        score = np.nan
    if not np.isfinite(score):
        raise ValueError(
            f"The scorer {scorer} must return a finite number, got {value!r}: "
            "choose a `scoring` that is finite for every model, also for one that "
            "was not trained on all classes."
        )
    return score


@contextmanager
def unchanged_by(scorer: Any, **data: Any) -> Iterator[None]:
    """Check that a scorer of the user's own does not change data in a block.

    Parameters
    ----------
    scorer : callable
        Those of scikit-learn and skal are not checked, which saves the time.
    **data : rows or labels
        Data that it is given, by name. Only arrays are checked.

    Raises
    ------
    ValueError
        If an array has changed. All later scores would be wrong.
    """
    arrays = {name: part for name, part in data.items() if isinstance(part, np.ndarray)}
    if type(scorer).__module__.partition(".")[0] in ("sklearn", "skal"):
        arrays = {}
    before = {name: part.copy() for name, part in arrays.items()}
    yield
    for name, part in arrays.items():
        if not _is_same(before[name], part):
            raise ValueError(
                f"The scorer {scorer} must not change {name}: let it work on a copy."
            )


def _is_same(first: Any, second: Any) -> bool:
    """Return whether two arrays are equal; NaN equals NaN."""
    is_number = first.dtype.kind in "fc"
    return np.array_equal(first, second, equal_nan=is_number)
