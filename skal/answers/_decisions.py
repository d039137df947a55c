"""Decision values of a classifier, one for each row and class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.answers._methods import get_method, has_method
from skal.answers._reading import predictions, probabilities
from skal.answers._wrapper import name_of


def decision_values(model: Any, X: Any) -> NDArray | None:
    """Return a decision value for each row and class.

    Parameters
    ----------
    model : fitted classifier
    X : rows, n_rows of them
        Rows to predict.

    Returns
    -------
    ndarray of shape (n_rows, n_classes) or None
        The predicted class has the highest value of a row. In a problem of two classes
        they are half the decision value, with both signs. None if the model lacks such
        values: the decision function of a one-vs-one classifier has a column for each
        pair of classes.
    """
    values = _values(model, X) if hasattr(model, "decision_function") else None
    if values is None:
        return None
    # With three classes there are also three pairs: check which of them these are.
    highest = np.asarray(model.classes_)[values.argmax(axis=1)]
    return values if np.array_equal(highest, predictions(model, X)) else None


def _values(model: Any, X: Any) -> NDArray | None:
    """Return a decision value for each row and class; None if there are other ones."""
    values = np.asarray(model.decision_function(X))
    if values.ndim == 1:
        values = np.column_stack([-values, values]) / 2
    is_by_pair = has_method(model, "decision_function_shape") and (
        get_method(model, "decision_function_shape") == "ovo"
    )
    is_sound = values.shape[1] == len(model.classes_) and not is_by_pair
    return values if is_sound or len(model.classes_) == 2 else None


def class_scores(model: Any, X: Any) -> NDArray:
    """Return the class probabilities of rows, or else their decision values.

    Parameters
    ----------
    model : fitted classifier
        Has a method `predict_proba` or `decision_function`.
    X : rows, n_rows of them
        Rows to predict.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)

    Raises
    ------
    ValueError
        If the model lacks probabilities, and has a decision value for each pair of
        classes in place of one for each class.
    """
    if hasattr(model, "predict_proba"):
        return probabilities(model, X)
    values = _values(model, X)
    if values is None:
        raise ValueError(
            f"{name_of(model)}.decision_function must return a value for each of the "
            f"{len(model.classes_)} classes, not for each pair of them: set "
            'decision_function_shape="ovr", or choose a classifier with '
            "`predict_proba`."
        )
    return values
