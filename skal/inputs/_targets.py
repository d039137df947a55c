"""Kinds of target: what `y` holds for each row.

This module decides which kind a run has, and checks `y` for it. Everywhere else, code
that depends on the kind asks a `Target`.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.utils import column_or_1d

from skal.inputs._checks import check_labels
from skal.inputs._tags import is_tags


class Target(Enum):
    """The kind of target of a run.

    CLASS is one class for each row, TAGS one class for each token of a row, and NUMBER
    one number for each row.
    """

    CLASS = "class"
    TAGS = "tags"
    NUMBER = "number"

    @property
    def has_classes(self) -> bool:
        """Return whether targets are classes, so that a run has a class list."""
        return self is not Target.NUMBER

    @property
    def constant(self) -> str:
        """Return the name of the best constant prediction."""
        return "most frequent class" if self.has_classes else "mean number"


def predicts_numbers(estimator: Any) -> bool:
    """Return whether an estimator is a regressor, also if it may have no tags.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    bool
    """
    return hasattr(estimator, "__sklearn_tags__") and is_regressor(estimator)


def target_of(estimator: Any, y: Any) -> Target:
    """Return the kind of target of an estimator that is trained on `y`.

    Parameters
    ----------
    estimator : estimator
        If it is a regressor, such as a Pipeline or a search that ends in one, targets
        are numbers, whole ones as well.
    y : array-like of shape (n_rows,), or list of n_rows lists of tags

    Returns
    -------
    Target
    """
    if is_regressor(estimator):
        return Target.NUMBER
    return Target.TAGS if is_tags(y) else Target.CLASS


def check_targets(y: Any, name: str, target: Target) -> Any:
    """Check that `y` holds a known target of the right kind for each row.

    Parameters
    ----------
    y : array-like of shape (n_rows,), or list of n_rows lists of tags
        The targets to check.
    name : str
        Their name in error messages.
    target : Target

    Returns
    -------
    ndarray of shape (n_rows,), or list of n_rows lists of tags
        Numbers as float64.

    Raises
    ------
    ValueError
        If a target is missing, or of another kind.
    """
    return check_labels(y, name) if target.has_classes else _check_numbers(y, name)


def _check_numbers(y: Any, name: str) -> NDArray[np.float64]:
    """Check that `y` holds one finite number per row, and return them as float64."""
    shape: tuple = () if is_tags(y) else getattr(y, "shape", ())
    if is_tags(y) or (len(shape) > 1 and shape[1] != 1):
        raise ValueError(
            f"{name} must have one number per row, since the estimator is a regressor, "
            "got several: skal does not take several targets per row, so choose one."
        )
    mask = np.ma.getmaskarray(y) if np.ma.isMaskedArray(y) else False
    given = column_or_1d(y, warn=True)
    numbers = _as_floats(given, name)
    wrong = np.flatnonzero(~np.isfinite(numbers) | np.ravel(mask))
    if len(wrong):
        raise ValueError(
            f"{name} has missing targets (None, NaN or infinity) in {len(wrong)} rows, "
            f"the first in row {wrong[0]}: the simulation must be able to look up "
            "every target, so fill them in or leave these rows out."
        )
    return numbers


def _as_floats(given: NDArray, name: str) -> NDArray[np.float64]:
    try:
        if given.dtype.kind not in "biufO" or any(isinstance(v, str) for v in given):
            raise TypeError
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must hold numbers, since the estimator is a regressor, got "
            f"{given[0]!r} in row 0 ({given.dtype}): convert y to numbers, or choose a "
            "classifier."
        ) from None


def check_choice(choice: Mapping[str, Any], target: Target) -> None:
    """Check that rows are not chosen by class where there are no classes.

    Parameters
    ----------
    choice : mapping of str to object
        The arguments `warm_per_class` and `stratify` of `split`, as far as given.
    target : Target

    Raises
    ------
    ValueError
        If one of them is set and targets are numbers.
    """
    for name in ("warm_per_class", "stratify"):
        if choice.get(name) and not target.has_classes:
            raise ValueError(
                f"{name} chooses rows by class, and the targets are numbers: leave it "
                "at its default."
            )


def check_classes(target: Target, why: str, other: str) -> None:
    """Check that rows have one class each.

    Parameters
    ----------
    target : Target
        The kind of target of the run.
    why : str
        Why a strategy needs classes, for the error message.
    other : str
        A strategy that does not.

    Raises
    ------
    ValueError
        If they have tags or numbers.
    """
    if target is not Target.CLASS:
        has = "a list of tags" if target is Target.TAGS else "a number"
        raise ValueError(
            f"{why}, and each row has {has} here: choose another strategy, such as "
            f"{other}."
        )


def check_same_target(estimator: Any, target: Target) -> None:
    """Check that an estimator can be trained on targets of a run.

    Parameters
    ----------
    estimator : estimator
        The unfitted estimator that is to be trained.
    target : Target
        The kind of target of the run.

    Raises
    ------
    TypeError
        If it is a classifier and targets are numbers, or the other way round.
    """
    if is_regressor(estimator) == target.has_classes:
        kind, other, what = (
            ("classifier", "regressor", "classes")
            if target.has_classes
            else ("regressor", "classifier", "numbers")
        )
        raise TypeError(
            f"estimator must be a {kind}, and {type(estimator).__name__} is a {other}: "
            f"the targets of this run are {what}, so choose a {kind}."
        )
