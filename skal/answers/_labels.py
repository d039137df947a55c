"""The answers of a model of several targets per row, read in one form.

A classifier has probabilities in one of two forms: a list with an array of shape
(n_rows, n_classes) for each column of `y`, or one array of shape (n_rows, n_labels)
with the probability of each label on its own, so that a row need not sum to one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skal._sklearn import _ConstantPredictor
from skal.answers._errors import explained
from skal.answers._inside import inside
from skal.answers._margins import LARGEST, margins, residuals, scale_of
from skal.answers._reading import TOLERANCE, codes_of
from skal.answers._wrapper import name_of
from skal.inputs._containers import n_rows, take
from skal.inputs._targets import predicts_numbers

# The classes of a column of labels.
ABSENT_PRESENT = np.array([0, 1])


class Scores(NamedTuple):
    """The scores of the classes of one column of `y`.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes, sorted; 0 and 1 for a label.
    values : ndarray of shape (n_rows, max(2, n_classes))
        Class probabilities, or decision values. A single class has a second column, of
        probability zero.
    """

    classes: NDArray
    values: NDArray


def has_several(model: Any, X: Any) -> bool:
    """Return whether a model predicts several labels or classes for each row.

    Parameters
    ----------
    model : fitted classifier
    X : rows
        If the model has no list of classes for each column, it predicts the first row.

    Returns
    -------
    bool
    """
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list | tuple) and any(np.ndim(part) for part in classes):
        return True
    if not hasattr(model, "predict") or n_rows(X) == 0:
        return False
    with explained(model):
        found = model.predict(take(X, np.arange(1)))
    return np.ndim(found) == 2 and np.shape(found)[1] > 1


def label_scores(model: Any, X: Any) -> list[Scores]:
    """Return the probabilities of each label, or else its decision values.

    Parameters
    ----------
    model : fitted classifier of several labels or classes per row
        Has a method `predict_proba` or `decision_function`.
    X : rows, n_rows of them
        Rows to predict.

    Returns
    -------
    list of Scores
        One for each column of `y`.

    Raises
    ------
    ValueError
        If the answers have another shape, or are not probabilities.
    """
    if not _has_probabilities(model):
        return _by_decision(model, X)
    with explained(model):
        found = model.predict_proba(X)
    if isinstance(found, list):
        classes = getattr(model, "classes_", None) or [None] * len(found)
        pairs = zip(classes, found, strict=True)
        return [_of_column(one, part, model, n_rows(X)) for one, part in pairs]
    found = _in_table(found, model, n_rows(X), "predict_proba")
    if ((found < -TOLERANCE) | (found > 1 + TOLERANCE)).any():
        raise ValueError(
            f"{name_of(model)}.predict_proba must return numbers between 0 and 1, got "
            f"{found.min():.3g} to {found.max():.3g}: return the probability of each "
            "label."
        )
    return [_of_label(1.0 - column, column) for column in found.T]


def _has_probabilities(model: Any) -> bool:
    """Return whether a model has probabilities of all labels.

    A `OneVsRestClassifier` whose first label is constant has a method for them even if
    its classifiers have none.
    """
    return all(hasattr(one, "predict_proba") for one in (model, *_parts(model)))


def _parts(model: Any) -> Sequence[Any]:
    """Return the models of each label, or the members of an ensemble; or none."""
    while (inner := inside(model)) is not None:
        model = inner
    return getattr(model, "estimators_", ())


def _by_decision(model: Any, X: Any) -> list[Scores]:
    """Return decision values: half of the value of a label, with both signs.

    scikit-learn gives 0, as on the boundary, to a label that no labelled row has; it is
    as far from the boundary as can be.
    """
    with explained(model):
        found = model.decision_function(X)
    found = _in_table(found, model, n_rows(X), "decision_function") / 2
    for j, part in enumerate(_parts(model)):
        if isinstance(part, _ConstantPredictor):
            found[:, j] = LARGEST / 2 * np.where(part.y_[0], 1, -1)
    return [_of_label(-column, column) for column in found.T]


def _of_label(absent: NDArray, present: NDArray) -> Scores:
    return Scores(ABSENT_PRESENT, np.column_stack([absent, present]))


def _in_table(found: ArrayLike, model: Any, n: int, method: str) -> NDArray:
    """Return answers with a column for each label, after a check of their shape."""
    found = np.asarray(found)
    if found.ndim != 2 or len(found) != n:
        raise ValueError(
            f"{name_of(model)}.{method} must return an array of shape ({n}, n_labels), "
            f"or a list with an array for each label, got shape {found.shape}."
        )
    return found


def _of_column(classes: Any, part: ArrayLike, model: Any, n: int) -> Scores:
    """Return the probabilities of the classes of a column, after a check."""
    values = np.asarray(part, dtype=np.float64)
    classes = np.arange(values.shape[-1]) if classes is None else np.asarray(classes)
    sums = values.sum(axis=-1)
    if values.shape != (n, len(classes)) or (np.abs(sums - 1) > TOLERANCE).any():
        raise ValueError(
            f"{name_of(model)}.predict_proba must return, for each column of y, an "
            f"array of shape ({n}, {len(classes)}) with rows that sum to one, got "
            f"shape {values.shape}: return a column for each class."
        )
    if len(classes) == 1:
        values = np.column_stack([values, np.zeros(n)])
    return Scores(classes, values)


def label_margins(model: Any, X: Any, y: NDArray) -> NDArray[np.float16]:
    """Return the margin of each answer: one per row and column.

    Parameters
    ----------
    model : fitted estimator of several targets per row
    X : rows
        Rows to predict.
    y : ndarray of shape (n_rows, n_columns)
        Their true labels, classes or numbers.

    Returns
    -------
    ndarray of shape (n_rows * n_columns,), dtype float16
        Log-odds of the true value of a label, clipped to [-16, 16]; for a model without
        probabilities, its decision values; and for one without these, 1 (right) or -1
        (wrong). For a regressor, residuals in standard deviations of the column of `y`.
        Row after row.
    """
    has_proba = _has_probabilities(model)
    if not has_proba and not hasattr(model, "decision_function"):
        with explained(model):
            found = _in_table(model.predict(X), model, len(y), "predict")
        if predicts_numbers(model):
            return residuals(found, y, scale_of(y)).ravel()
        return np.where(found == y, 1, -1).astype(np.float16).ravel()
    found = np.empty(y.shape, np.float16)
    for j, (classes, values) in enumerate(label_scores(model, X)):
        if has_proba:
            values = np.log(np.clip(values, np.exp(-LARGEST), None))
        found[:, j] = margins(values, codes_of(y[:, j], classes))
    return found.ravel()
