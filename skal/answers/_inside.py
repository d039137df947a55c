"""The model inside an estimator: in a Pipeline, a search, or behind a view."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from skal.answers._constant import ConstantModel
from skal.answers._wrapper import Wrapper


def inside(estimator):
    """Return the model that an estimator hands its rows to.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    estimator or None
        The last step of a Pipeline, the best estimator of a search, or the estimator
        behind a view of it. None for any other estimator.
    """
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    if isinstance(estimator, GridSearchCV | RandomizedSearchCV):
        return getattr(estimator, "best_estimator_", estimator.estimator)
    if isinstance(estimator, Wrapper) and not isinstance(estimator, ConstantModel):
        return estimator.estimator
    return None


def rows_inside(estimator, X):
    """Return rows as the model inside a fitted estimator is given them.

    Parameters
    ----------
    estimator : fitted estimator
    X : rows
        The rows that the estimator is given.

    Returns
    -------
    rows
        Transformed by the first steps of a Pipeline. Steps that sample rows, as those
        of imbalanced-learn, do so in training only.
    """
    if not isinstance(estimator, Pipeline):
        return X
    for _, step in estimator.steps[:-1]:
        if hasattr(step, "transform") and not hasattr(step, "fit_resample"):
            X = step.transform(X)
    return X


def members_and_rows(ensemble: Any, X: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the members of a fitted ensemble, each with the rows as it is given them.

    Parameters
    ----------
    ensemble : fitted ensemble
        A forest, bagging or voting.
    X : rows
        The rows that the ensemble is given.

    Yields
    ------
    member : fitted estimator
    rows : rows
        With the features that the member was trained on.
    """
    is_voting = isinstance(ensemble, VotingClassifier | VotingRegressor)
    if not is_voting and not sparse.issparse(X):
        X = np.asarray(X)  # members were trained on arrays, without column names
    features = getattr(ensemble, "estimators_features_", None)
    for i, member in enumerate(ensemble.estimators_):
        yield member, X if features is None else X[:, features[i]]
