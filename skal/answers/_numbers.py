"""The answers of a fitted regressor: predicted numbers, and how uncertain they are."""

from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    RandomForestRegressor,
    VotingRegressor,
)

from skal.answers._inside import inside, members_and_rows, rows_inside
from skal.answers._wrapper import name_of
from skal.inputs._containers import n_rows

ENSEMBLES = (
    BaggingRegressor,
    ExtraTreesRegressor,
    RandomForestRegressor,
    VotingRegressor,
)


def predicted_numbers(model: Any, X: Any) -> NDArray[np.float64]:
    """Return a regressor's predictions, after a check.

    Parameters
    ----------
    model : fitted regressor
    X : rows, n_rows of them
        Rows to predict.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)

    Raises
    ------
    ValueError
        If they are not finite numbers, or not one for each row.
    """
    name = f"the predictions of {name_of(model)}"
    found = as_numbers(model.predict(X), name)
    if len(found) != n_rows(X):
        raise ValueError(
            f"{name_of(model)}.predict must return a number for each of the "
            f"{n_rows(X)} rows, got {len(found)}: return one for each row."
        )
    return found


def as_numbers(values: Any, name: str) -> NDArray[np.float64]:
    """Return targets or predictions as a table of finite numbers.

    Parameters
    ----------
    values : array-like of shape (n_rows,) or (n_rows, n_outputs)
    name : str
        Where they come from, for the error message.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)

    Raises
    ------
    ValueError
        If they are not numbers, or one of them is missing or infinite.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be numbers ({error}): choose a regressor, with numbers as y."
        ) from error
    if found.ndim not in (1, 2) or not np.isfinite(found).all():
        raise ValueError(
            f"{name} must be one finite number for each row and output, got shape "
            f"{found.shape}: scale the rows, or change the parameters of the regressor."
        )
    return found.reshape(len(found), -1)


def has_variance(estimator: Any) -> bool:
    """Return whether an estimator shows how uncertain its predicted numbers are.

    It does if its `predict` takes `return_std`, if it is an ensemble of regressors, or
    if it holds one of these, as a Pipeline does that ends in one.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    bool
    """
    if _returns_std(estimator) or isinstance(estimator, ENSEMBLES):
        return True
    inner = inside(estimator)
    return inner is not None and has_variance(inner)


def _returns_std(estimator: Any) -> bool:
    """Return whether `predict` itself takes `return_std`."""
    predict = getattr(estimator, "predict", None)
    return predict is not None and "return_std" in signature(predict).parameters


def predictive_variance(model: Any, X: Any) -> NDArray[np.float64]:
    """Return the variance of the prediction for each row.

    Parameters
    ----------
    model : fitted regressor
        One for which `has_variance` returns True.
    X : rows, n_rows of them
        Rows to predict.

    Returns
    -------
    ndarray of shape (n_rows,)
        The squared standard deviation that `predict` returns, or the variance of the
        predictions of an ensemble's members. It is summed over outputs.
    """
    if _returns_std(model):
        _, std = model.predict(X, return_std=True)
        variance = as_numbers(std, f"the std of {name_of(model)}") ** 2
    elif isinstance(model, ENSEMBLES):
        variance = _of_members(model, X)
    else:
        return predictive_variance(inside(model), rows_inside(model, X))
    return variance.sum(axis=1)


def _of_members(ensemble: Any, X: Any) -> NDArray[np.float64]:
    """Return the variance over members, shape (n_rows, n_outputs)."""
    pairs = members_and_rows(ensemble, X)
    return np.var([predicted_numbers(*pair) for pair in pairs], axis=0)
