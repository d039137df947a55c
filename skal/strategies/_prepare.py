"""Rows in the form in which they can be clustered."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from skal.inputs._containers import Joined, is_text, whole
from skal.seeding import set_random_states, stream


class Preparation:
    """Turns rows into points, that is, into a table of finite numbers.

    Rows that are one already are left as they are. Others are transformed by all steps
    of a Pipeline but the last, which are fitted without labels; numbers that are still
    missing are replaced by the mean of their column.

    Parameters
    ----------
    estimator : estimator or None
        The estimator of the run, which may be a Pipeline.
    seed : int
        Determines the result of steps that draw random numbers.
    advice : str
        The end of the error message: what to do if the rows cannot be prepared.
    """

    def __init__(self, estimator: Any, seed: int, advice: str) -> None:
        self.estimator, self.seed, self.advice = estimator, seed, advice
        self.steps: list[Any] = []

    def fit_transform(self, X: Any) -> Any:
        """Fit the steps that rows need, and return the rows as points.

        Parameters
        ----------
        X : rows, n_rows of them
            In any container.

        Returns
        -------
        array or sparse matrix of shape (n_rows, n_columns), or `X` itself

        Raises
        ------
        ValueError
            If the rows are not numbers, and no steps make them so.
        """
        self.steps = []
        if _is_finite(X):
            return X
        # A step may raise anything for rows or labels that it lacks.
        try:
            X = whole(X)
            steps = _preparation(self.estimator)
            if steps is not None:
                X = self._add(set_random_states(steps, stream(self.seed)), X)
            if _is_finite(X):
                return X
            if is_text(X):
                raise ValueError("they are words")
            return self._add(SimpleImputer(keep_empty_features=True), _as_array(X))
        except Exception as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(
                "Rows must be numbers, or the learner's estimator a Pipeline whose "
                "first steps make them so without labels, and preparing them failed "
                f"with: {reason}. {self.advice}"
            ) from error

    def transform(self, X: Any) -> Any:
        """Return other rows as points, by the steps that were fitted."""
        X = whole(X)
        for step in self.steps:
            is_last = isinstance(step, SimpleImputer)
            X = step.transform(_as_array(X) if is_last else X)
        return X

    def _add(self, step: Any, X: Any) -> Any:
        """Fit one more step, and return the rows that it has transformed."""
        X = step.fit_transform(X)
        self.steps.append(step)
        return X


def _as_array(X: Any) -> Any:
    """Return rows as an array of floats; a sparse matrix as it is."""
    return X if sparse.issparse(X) else np.asarray(X, dtype=np.float64)


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
