"""Checks of rows, labels and orders, before anything is trained."""

import math
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import (
    LabelPropagation,
    LabelSpreading,
    SelfTrainingClassifier,
)
from sklearn.utils import check_array, column_or_1d, get_tags
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_consistent_length, has_fit_parameter

from skal._sklearn import HasMethods, _BaseComposition, is_pandas_na
from skal.inputs._containers import is_frame, is_text, n_rows, row_keys, width
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


def check_rows(X: Any, name: str, estimator: Any) -> Any:
    """Check a numeric table in the way that the first step of an estimator would.

    The tags of this step decide which tables are allowed. Text, data frames and the
    input of a column transformer are not checked here. Neither is the input of a
    transformer from outside scikit-learn, whose purpose may be to clean it.

    Parameters
    ----------
    X : rows
        The rows to check.
    name : str
        The name of the rows in error messages.
    estimator : estimator
        The estimator that will be trained on the rows.

    Returns
    -------
    rows
        An array or a CSR matrix; `X` itself if it was not checked.

    Raises
    ------
    ValueError, TypeError
        If the estimator cannot be trained on the table.
    """
    chain = _chain(estimator)
    if is_frame(X) or isinstance(chain[-1], _BaseComposition) or _is_own(chain[-1]):
        return X
    tags = get_tags(chain[-1])
    if tags.no_validation or tags.input_tags.string or is_text(X):
        return X
    return check_array(
        X,
        accept_sparse="csr",
        dtype=None if tags.input_tags.categorical else "numeric",
        ensure_2d=tags.input_tags.two_d_array,
        allow_nd=True,
        ensure_all_finite=not any(get_tags(e).input_tags.allow_nan for e in chain),
        ensure_min_samples=0 if name != "X" else 1,
        input_name=name,
    )


def _is_own(step: Any) -> bool:
    """Return whether a step is a transformer from outside scikit-learn."""
    package = type(step).__module__.partition(".")[0]
    return hasattr(step, "transform") and package != "sklearn"


def _chain(estimator: Any) -> list:
    """Return the nested estimators, from `estimator` to the one that gets the rows."""
    chain = [estimator]
    while True:
        last = chain[-1]
        if isinstance(last, Pipeline):
            steps = [step for _, step in last.steps if hasattr(step, "fit")]
            chain += steps[:0:-1] + steps[:1]
        elif hasattr(getattr(last, "estimator", None), "fit"):
            chain.append(last.estimator)
        else:
            return chain


class Predicts(HasMethods):
    """Constraint on a parameter: an estimator that can predict after `fit`.

    Some meta-estimators, such as `StackingClassifier`, have `predict` only once they
    are fitted, so any classifier satisfies it.
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
        return is_estimator and is_classifier(val)


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
        missing = [i for i, row in enumerate(y) if any(map(_is_missing, row))]
    else:
        y = column_or_1d(y, warn=True)
        labels = y.tolist() if y.dtype.kind in "fO" else []
        missing = [i for i, label in enumerate(labels) if _is_missing(label)]
    if missing:
        raise ValueError(
            f"{name} has missing labels (None, NaN or infinity) in {len(missing)} "
            f"rows, the first in row {missing[0]}: the simulation must be able to look "
            "up every label, so label these rows or leave them out."
        )
    if len(all_labels(y)):
        check_classification_targets(all_labels(y))
    return y


def class_list(labels: list[Any]) -> NDArray:
    """Return all classes of several sets, sorted.

    Parameters
    ----------
    labels : list of labels
        The labels of each set, as returned by `check_labels`.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If some sets have tags and others have not, or some labels are strings and
        others are numbers.
    """
    labels = [y for y in labels if len(y)]
    if len({is_tags(y) for y in labels}) > 1:
        raise ValueError(
            "Some sets have one label per row and others a list of tags: give the same "
            "kind of labels for all sets."
        )
    return unique_labels(*map(all_labels, labels))


def _is_missing(label: Any) -> bool:
    """Return whether a label is None, NaN, pandas' NA or infinite."""
    if isinstance(label, float):
        return not math.isfinite(label)
    return label is None or is_pandas_na(label)


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
    if (is_frame(X), sparse.issparse(X)) != (is_frame(like), sparse.issparse(like)):
        raise ValueError(
            f"X_{name} is a {type(X).__name__} and X is a {type(like).__name__}: give "
            "all sets in the same kind of container."
        )
    widths = width(X), width(like)
    if n_rows(X) and widths[0] != widths[1]:
        raise ValueError(
            f"X_{name} has {widths[0]} columns and X has {widths[1]}: all sets must "
            "have the same columns."
        )
    if is_frame(X) and list(X.columns) != list(like.columns):
        raise ValueError(
            f"X_{name} and X must have the same columns in the same order: select the "
            f"columns of X from X_{name}."
        )


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


def check_disjoint(sets: dict[str, Any]) -> None:
    """Check that no row belongs to two sets.

    If rows repeat within a set, equal rows in two sets need not mean an overlap: as
    many are allowed as the repeats within the two sets explain.

    Parameters
    ----------
    sets : dict of str to rows
        The sets by their names.

    Raises
    ------
    ValueError
        If two sets overlap.
    """
    sets = {name: X for name, X in sets.items() if n_rows(X)}
    keys = dict(zip(sets, row_keys(list(sets.values())), strict=True))
    distinct = {name: set(rows) for name, rows in keys.items()}
    for first, second in combinations(keys, 2):
        small, large = sorted((first, second), key=lambda name: len(keys[name]))
        shared = sum(row in distinct[large] for row in keys[small])
        repeats = sum(len(keys[name]) - len(distinct[name]) for name in (small, large))
        if shared > 5 + 2 * repeats or (shared == len(keys[small]) and not repeats):
            raise ValueError(
                f"{first} and {second} overlap: they share {shared} rows. The score on "
                "rows that were trained on says nothing about new data, so give "
                "disjoint sets (skal.split makes them)."
            )
