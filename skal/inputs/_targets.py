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
from skal.inputs._several import as_table, columns_of, holds_labels, n_columns
from skal.inputs._tags import is_tags


class Target(Enum):
    """The kind of target of a run.

    CLASS is one class for each row, TAGS one class for each token of a row, and NUMBER
    one number for each row. The other kinds have several columns: LABELS are 0 or 1 in
    each column, CLASSES one class and NUMBERS one number in each. The value says what a
    row has, for error messages.
    """

    CLASS = "a class"
    TAGS = "a list of tags"
    NUMBER = "a number"
    LABELS = "several labels"
    CLASSES = "several classes"
    NUMBERS = "several numbers"

    @property
    def has_classes(self) -> bool:
        """Return whether a run has a class list, of one class per row or token."""
        return self in (Target.CLASS, Target.TAGS)

    @property
    def is_numeric(self) -> bool:
        """Return whether targets are numbers, which regressors predict."""
        return self in (Target.NUMBER, Target.NUMBERS)

    @property
    def has_columns(self) -> bool:
        """Return whether a row has several targets, one in each column of `y`."""
        return self in (Target.LABELS, Target.CLASSES, Target.NUMBERS)

    @property
    def constant(self) -> str:
        """Return the name of the best constant prediction."""
        name = "mean number" if self.is_numeric else "most frequent class"
        return f"{name} of each column" if self.has_columns else name


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
    y : array-like of shape (n_rows,) or (n_rows, n_columns), sparse matrix, or list \
            of n_rows lists of tags

    Returns
    -------
    Target
        For a table, as `sklearn.utils.multiclass.type_of_target` decides, except that
        two values other than 0 and 1 are classes.
    """
    if n_columns(y) > 1:
        if is_regressor(estimator):
            return Target.NUMBERS
        return Target.LABELS if holds_labels(y) else Target.CLASSES
    if is_regressor(estimator):
        return Target.NUMBER
    return Target.TAGS if is_tags(y) else Target.CLASS


def check_targets(y: Any, name: str, target: Target) -> Any:
    """Check that `y` holds a known target of the right kind for each row.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_columns), sparse matrix, or list \
            of n_rows lists of tags
        The targets to check.
    name : str
        Their name in error messages.
    target : Target

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_columns), or list of n_rows lists of tags
        Numbers as float64, and several labels as int64.

    Raises
    ------
    ValueError
        If a target is missing, or of another kind.
    """
    if target.has_columns:
        return _check_columns(y, name, target)
    return check_labels(y, name) if target.has_classes else _check_numbers(y, name)


def _check_columns(y: Any, name: str, target: Target) -> NDArray:
    """Check that `y` holds a known target in each column of each row."""
    table = as_table([] if is_tags(y) else y)
    if table.ndim != 2:
        raise ValueError(
            f"{name} must have {target.value} per row, as y has, got one or lists of "
            "them: give an array with a column for each."
        )
    one = Target.NUMBER if target.is_numeric else Target.CLASS
    columns = [
        check_targets(column, f"column {j} of {name}", one)
        for j, column in enumerate(columns_of(y))
    ]
    if len({column.dtype.kind in "biuf" for column in columns}) > 1:
        raise ValueError(
            f"{name} has numbers in some columns and texts in others, and estimators "
            "take tables of one type: number the classes of each column."
        )
    found = np.column_stack(columns)
    if target is not Target.LABELS:
        return found
    other = np.flatnonzero(~np.isin(found, (0, 1)))
    if len(other):
        raise ValueError(
            f"{name} must hold 0 and 1, since y does, got {found.ravel()[other[0]]}: "
            "write 1 where a row has a label, and 0 elsewhere."
        )
    return found.astype(np.int64)


def _check_numbers(y: Any, name: str) -> NDArray[np.float64]:
    """Check that `y` holds one finite number per row, and return them as float64."""
    shape: tuple = () if is_tags(y) else getattr(y, "shape", ())
    if is_tags(y) or (len(shape) > 1 and shape[1] != 1):
        raise ValueError(
            f"{name} must have one number per row, got several: give as many targets "
            "in all sets, several of them as an array with a column for each."
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
        if choice.get(name) and target.is_numeric:
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
        If they have tags, numbers or several targets.
    """
    if target is not Target.CLASS:
        raise ValueError(
            f"{why}, and each row has {target.value} here: choose another strategy, "
            f"such as {other}."
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
    if is_regressor(estimator) != target.is_numeric:
        kind, other, what = (
            ("regressor", "classifier", "numbers")
            if target.is_numeric
            else ("classifier", "regressor", "classes")
        )
        raise TypeError(
            f"estimator must be a {kind}, and {type(estimator).__name__} is a {other}: "
            f"the targets of this run are {what}, so choose a {kind}."
        )
