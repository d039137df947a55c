"""The answers of linear classifiers, from their decision values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.utils.class_weight import compute_class_weight

from skal.lean._form import LeanForm


class LeanLinearForm(LeanForm):
    """The answers of a linear classifier. A subclass trains it."""

    def look(self, model: Any, X: NDArray) -> NDArray:
        """Return the decision values."""
        return decision_values(model, X)

    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return labels, probabilities or the decision values themselves."""
        if method == "predict":
            return labels(model, seen)
        if method == "predict_proba":
            return two_probabilities(seen) if seen.ndim == 1 else softmax(seen)
        return seen


def decision_values(model: Any, X: NDArray) -> NDArray:
    """Return what `decision_function` returns.

    Parameters
    ----------
    model : fitted linear classifier
        With `intercept_`, and `coef_` of shape (n_classes, n_features); for two
        classes, of shape (1, n_features) or (n_features,).
    X : ndarray of shape (n_rows, n_features)

    Returns
    -------
    ndarray of shape (n_rows, n_classes), or (n_rows,) for two classes
    """
    values = X @ model.coef_.T
    values += model.intercept_
    return values.reshape(-1) if values.shape[1:] == (1,) else values


def labels(model: Any, values: NDArray) -> NDArray:
    """Return the class with the highest decision value for each row.

    Parameters
    ----------
    model : fitted classifier
        With `classes_`.
    values : ndarray of shape (n_rows, n_classes), or (n_rows,) for two classes

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    columns = (values > 0).astype(np.intp) if values.ndim == 1 else values.argmax(1)
    return model.classes_.take(columns, axis=0)


def softmax(values: NDArray) -> NDArray:
    """Return the class probabilities of a multinomial model.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_classes)
        Log-probabilities, up to a constant per row.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
    """
    found = values - values.max(axis=1, keepdims=True)
    np.exp(found, out=found)
    found /= found.sum(axis=1, keepdims=True)
    return found


def two_probabilities(values: NDArray) -> NDArray:
    """Return the probabilities of two classes.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Log-odds of the second class.

    Returns
    -------
    ndarray of shape (n_rows, 2)
    """
    second = expit(values)
    return np.stack([1 - second, second], axis=1)


def row_weights(
    model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
) -> NDArray | None:
    """Return the weight of each row by its class; None without class weights.

    Parameters
    ----------
    model : classifier
        With the parameter `class_weight`.
    X : ndarray of shape (n_rows, n_features)
        The weights have its type.
    codes : ndarray of shape (n_rows,)
        The labels, as positions in `classes`.
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_rows,) or None
    """
    if model.class_weight is None:
        return None
    per_class = compute_class_weight(
        model.class_weight, classes=classes, y=classes[codes]
    )
    return per_class[codes].astype(X.dtype)
