"""Rows in the form in which they can be clustered."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from skal.inputs._containers import Joined, is_text, whole
from skal.seeding import set_random_states, stream


def as_points(X: Any, estimator: Any, seed: int) -> Any:
    """Return rows as points, that is, as a table of finite numbers.

    Parameters
    ----------
    X : rows, n_rows of them
        In any container.
    estimator : estimator or None
        The estimator of the run. If it is a Pipeline, and the rows are not a table of
        finite numbers themselves, all its steps but the last are fitted to the rows,
        without labels, and transform them.
    seed : int
        Determines the result of steps that draw random numbers.

    Returns
    -------
    array or sparse matrix of shape (n_rows, n_features), or `X` itself
        Numbers that are missing are replaced by the mean of their column.

    Raises
    ------
    ValueError
        If the rows are not numbers, and no steps make them so.
    """
    if _is_finite(X):
        return X
    steps = _preparation(estimator)
    try:
        X = whole(X)
        if steps is not None:
            X = set_random_states(steps, stream(seed)).fit_transform(X)
        if _is_finite(X):
            return X
        if is_text(X):
            raise ValueError("they are words")
        X = X if sparse.issparse(X) else np.asarray(X, dtype=np.float64)
        return SimpleImputer(keep_empty_features=True).fit_transform(X)
    # A step may raise anything for rows or labels that it lacks.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            "IDMR needs rows of numbers to cluster, or a Pipeline whose first steps "
            f"make them so without labels, and failed with: {reason}. Set `bins` to a "
            "function of rows that returns one bin per row, or sort them by "
            '"length" if they are sentences.'
        ) from error


def _preparation(estimator: Any) -> Any:
    """Return a clone of the steps before the last one, or None without such steps."""
    if not isinstance(estimator, Pipeline):
        return None
    # Without resamplers, which a Pipeline of imbalanced-learn may have.
    steps = [
        step
        for _, step in estimator.steps[:-1]
        if hasattr(step, "transform") or step == "passthrough"
    ]
    return clone(make_pipeline(*steps)) if steps else None


def _is_finite(X: Any) -> bool:
    """Return whether rows are numbers, none of which is missing or infinite."""
    if isinstance(X, Joined):
        return _is_finite(X.first) and _is_finite(X.second)
    if is_text(X):
        return False
    try:
        values = X.tocsr().data if sparse.issparse(X) else np.asarray(X)
        if values.dtype.kind != "f":
            values = values.astype(np.float64)
        return bool(np.isfinite(values).all())
    except (TypeError, ValueError):
        return False
