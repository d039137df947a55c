"""Checks of rows, labels and orders, before anything is trained."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import (
    LabelPropagation,
    LabelSpreading,
    SelfTrainingClassifier,
)
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, has_fit_parameter

from skal._sklearn import HasMethods
from skal.inputs._cells import is_missing, kind_of_cell
from skal.inputs._containers import is_frame, is_list, is_text, n_rows
from skal.inputs._tags import all_labels, check_as_many, is_tags


def final_step(estimator: Any) -> Any:
    """Return the last step of a Pipeline; any other estimator itself.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    estimator
    """
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def takes_selection_set(estimator: Any) -> bool:
    """Return whether `fit` takes `X_val` and `y_val`, for model selection.

    Parameters
    ----------
    estimator : estimator
        If it is a Pipeline, its last step counts.

    Returns
    -------
    bool
    """
    return has_fit_parameter(final_step(estimator), "X_val")


def uses_unlabelled(estimator: Any) -> bool:
    """Return whether an estimator also learns from rows without a label.

    Parameters
    ----------
    estimator : estimator
        If it is a Pipeline, its last step counts.

    Returns
    -------
    bool
        True for the semi-supervised classifiers of scikit-learn, and for an estimator
        with an attribute `uses_unlabelled` that is True.
    """
    last = final_step(estimator)
    known = (LabelPropagation, LabelSpreading, SelfTrainingClassifier)
    return isinstance(last, known) or getattr(last, "uses_unlabelled", False) is True


class Predicts(HasMethods):
    """Constraint on a parameter: an estimator that can predict after `fit`.

    Some meta-estimators, such as `StackingClassifier`, have `predict` only once they
    are fitted, so any classifier or regressor satisfies it.
    """

    def __init__(self) -> None:
        super().__init__(["fit", "predict"])

    def is_satisfied_by(self, val: Any) -> bool:
        """Return whether `val` is an estimator that can predict after `fit`.

        Parameters
        ----------
        val : object

        Returns
        -------
        bool
        """
        if super().is_satisfied_by(val):
            return True
        is_estimator = hasattr(val, "fit") and hasattr(val, "__sklearn_tags__")
        return is_estimator and (is_classifier(val) or is_regressor(val))


def check_labels(y: Any, name: str) -> Any:
    """Check that `y` holds one known class label per row, or one tag per token.

    Parameters
    ----------
    y : array-like of shape (n_rows,), or list of n_rows lists of tags
        The labels to check.
    name : str
        Their name in error messages.

    Returns
    -------
    ndarray of shape (n_rows,), or list of n_rows lists of tags

    Raises
    ------
    ValueError
        If a label is missing, or the labels are not classes.
    """
    if is_tags(y):
        y = [list(row) for row in y]
        missing = [i for i, row in enumerate(y) if any(map(_is_unknown, row))]
    else:
        mask = np.ma.getmaskarray(y) if np.ma.isMaskedArray(y) else False
        shape: tuple = getattr(y, "shape", ())
        if len(shape) > 1 and shape[1] != 1:
            raise ValueError(
                f"{name} must have one label per row, got shape {tuple(shape)}: give "
                "as many labels per row in all sets."
            )
        y = column_or_1d(y, warn=True)
        missing = np.flatnonzero(_unknown(y) | np.ravel(mask)).tolist()
    if missing:
        raise ValueError(
            f"{name} has missing labels (None, NaN or infinity) in {len(missing)} "
            f"rows, the first in row {missing[0]}: the simulation must be able to look "
            "up every label, so label these rows or leave them out."
        )
    labels = all_labels(y)
    if len(labels):
        _check_one_type(labels, name)
        check_classification_targets(labels)
    return y


def _unknown(y: NDArray) -> NDArray[np.bool_]:
    """Return which labels are missing."""
    if y.dtype.kind in "mM":
        return np.isnat(y)
    labels = y.tolist() if y.dtype.kind in "fO" else []
    return np.array([_is_unknown(label) for label in labels] or [False] * len(y), bool)


def _is_unknown(label: Any) -> bool:
    """Return whether a label is None, NaN, NaT, pandas' NA or infinite."""
    return is_missing(label) or (isinstance(label, float) and math.isinf(label))


def _check_one_type(labels: NDArray, name: str) -> None:
    """Check that labels are all texts, or none of them is."""
    if labels.dtype.kind != "O":
        return
    is_text = [isinstance(label, str) for label in labels]
    if any(is_text) and not all(is_text):
        row = is_text.index(not is_text[0])
        raise ValueError(
            f"{name} has labels of different types, such as {labels[0]!r} and "
            f"{labels[row]!r}: give all labels as str, or all as numbers."
        )


def check_matching(X: Any, y: Any, name: str) -> None:
    """Check that there is a label for each row, or a tag for each token.

    Parameters
    ----------
    X, y : rows and labels
        The set to check.
    name : str
        The name of the labels in error messages.

    Raises
    ------
    ValueError
        If the numbers differ.
    """
    if is_tags(y):
        check_as_many(X, y, name)
    else:
        check_consistent_length(X, y)


def check_pair(X: Any, y: Any, name: str, like: Any) -> None:
    """Check that a given set has a label for each row, and the columns of `X`.

    Parameters
    ----------
    X, y : rows and labels, or None
        The set to check.
    name : str
        The name of the set, such as "val".
    like : rows
        The `X` that the set must resemble.

    Raises
    ------
    ValueError
        If labels are missing, or the containers, numbers or names of columns differ.
    """
    if y is None:
        raise ValueError(f"X_{name} is given without y_{name}: give its labels too.")
    check_matching(X, y, f"y_{name}")
    if _container(X) != _container(like):
        raise ValueError(
            f"X_{name} is a {type(X).__name__} and X is a {type(like).__name__}: give "
            "all sets in the same kind of container."
        )
    if n_rows(X):
        _check_same_columns(X, f"X_{name}", like)


def _container(X: Any) -> str:
    """Return the kind of a container; rows of two kinds cannot be joined."""
    if is_frame(X):
        return f"frame of {type(X).__module__.partition('.')[0]}"
    if sparse.issparse(X):
        return "sparse"
    return "mapping" if isinstance(X, Mapping) else "sequence"


def _check_same_columns(X: Any, name: str, like: Any) -> None:
    """Check that a set has the columns of `like`, and the same kind of cells."""
    if is_frame(X) or isinstance(X, Mapping):
        columns = [list(getattr(rows, "columns", rows)) for rows in (X, like)]
        if columns[0] != columns[1]:
            raise ValueError(
                f"{name} and X must have the same columns in the same order: select "
                f"the columns of X from {name}."
            )
    if isinstance(X, Mapping):
        for key in X:
            _check_same_columns(X[key], f"{name}[{key!r}]", like[key])
    if not is_frame(X) and hasattr(X, "dtype") and hasattr(like, "dtype"):
        _check_same_cells(X, name, like)
    for found, expected in zip(_first_cells(X), _first_cells(like), strict=False):
        kinds = kind_of_cell(found), kind_of_cell(expected)
        if None not in kinds and kinds[0] != kinds[1]:
            raise ValueError(
                f"{name} begins with {found!r} and X with {expected!r}: give the same "
                "kind of values in all sets."
            )


def _check_same_cells(X: Any, name: str, like: Any) -> None:
    """Check that the rows of an array have the shape and kind of the rows of `like`."""
    shapes = tuple(X.shape[1:]), tuple(like.shape[1:])
    if shapes[0] != shapes[1]:
        of = ["x".join(map(str, shape)) for shape in shapes]
        raise ValueError(
            f"{name} has {of[0]} columns and X has {of[1]}: all sets must have the "
            "same columns."
        )
    if not isinstance(X, np.ndarray) or not isinstance(like, np.ndarray):
        return
    kinds = [
        "number" if rows.dtype.kind in "biuf" else rows.dtype.kind for rows in (X, like)
    ]
    if kinds[0] != kinds[1] and "O" not in kinds:
        raise ValueError(
            f"{name} is an array of {X.dtype} and X is one of {like.dtype}: convert "
            "them to the same type."
        )


def _first_cells(X: Any) -> list:
    """Return the cells of the first row of a list or an array."""
    if not is_list(X) and not isinstance(X, np.ndarray):
        return []
    return np.ravel(np.array(X[:1], dtype=object)).tolist()


def check_sentences(X: Any, name: str) -> None:
    """Check that rows are sentences, so that their words can be counted.

    Parameters
    ----------
    X : rows
        The rows to check.
    name : str
        The strategy or function that counts the words, for the error message.

    Raises
    ------
    ValueError
        If the rows are neither strings nor lists of tokens.
    """
    if not is_text(X):
        raise ValueError(
            f"{name} counts the words of each row, but X holds neither sentences nor "
            "lists of tokens: give a list of sentences, such as one column of a data "
            "frame."
        )


def check_order(order: Any, name: str = "order") -> NDArray[np.int64]:
    """Check that an order is a sequence of distinct row numbers.

    Parameters
    ----------
    order : array-like of int
        The order to check.
    name : str, default="order"
        Its name in error messages.

    Returns
    -------
    ndarray of shape (n_rows,), dtype int64

    Raises
    ------
    ValueError
        If it is not one-dimensional, not of integers, or repeats a row.
    """
    order = np.asarray(order)
    if order.ndim != 1 or (order.size and order.dtype.kind not in "iu"):
        raise ValueError(
            f"{name} must be a one-dimensional sequence of row numbers, got shape "
            f"{order.shape} and dtype {order.dtype}."
        )
    values, counts = np.unique(order, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"{name} repeats {int((counts > 1).sum())} rows, such as "
            f"{values[counts > 1][0]}: a row can be labelled only once, so give every "
            "row at most once."
        )
    return order.astype(np.int64)
