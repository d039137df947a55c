"""The answers of linear classifiers, from their decision values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit


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
