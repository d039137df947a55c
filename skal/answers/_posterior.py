"""Posterior samples of class probabilities, from a net or an ensemble."""

import numpy as np
from scipy import sparse
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.pipeline import Pipeline

from skal.answers._fixed_classes import FixedClasses

ENSEMBLES = (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)


def has_posterior(estimator):
    """Return whether posterior samples of the class probabilities can be drawn.

    They can if the estimator has a method `sample_proba`, is an ensemble of
    classifiers, or is a Pipeline that ends in one of these.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    bool
    """
    if isinstance(estimator, FixedClasses):
        return True
    if isinstance(estimator, Pipeline):
        return has_posterior(estimator.steps[-1][1])
    return hasattr(estimator, "sample_proba") or isinstance(estimator, ENSEMBLES)


def sample_posterior(estimator, X, n_samples, seed):
    """Sample the class probabilities of each row.

    Parameters
    ----------
    estimator : fitted estimator
        An estimator for which `has_posterior` returns True.
    X : rows, n_rows of them
        Rows to predict.
    n_samples : int
        Number of samples to draw from a net. An ensemble gives one per member; a
        member without probabilities votes: 1 for its prediction, 0 for other classes.
    seed : int
        Determines the samples.

    Returns
    -------
    ndarray of shape (n_rows, n_samples, n_classes)
        Columns in the order of `estimator.classes_`.
    """
    if isinstance(estimator, FixedClasses):
        inner = estimator.estimator
        known = sample_posterior(inner, X, n_samples, seed)
        return _spread(known, inner.classes_, estimator.classes_)
    if isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        return sample_posterior(estimator[-1], X, n_samples, seed)
    if hasattr(estimator, "sample_proba"):
        return estimator.sample_proba(X, n_samples=n_samples, random_state=seed)
    if isinstance(estimator, ENSEMBLES):
        return _members(estimator, X)
    # A constant model, trained while a single class was labelled.
    return estimator.predict_proba(X)[:, None, :]


def _members(ensemble, X):
    """Return the class probabilities by each member, shape (n_rows, n_members, ...).

    Members are trained on class numbers, so these are what `member.classes_` holds.
    """
    if not isinstance(ensemble, VotingClassifier) and not sparse.issparse(X):
        X = np.asarray(X)  # members were trained on arrays, without column names
    numbers = np.arange(len(ensemble.classes_))
    features = getattr(ensemble, "estimators_features_", None)
    samples = []
    for i, member in enumerate(ensemble.estimators_):
        columns = X if features is None else X[:, features[i]]
        probs = _probabilities(member, columns)[:, None, :]
        samples.append(_spread(probs, member.classes_.astype(int), numbers))
    return np.concatenate(samples, axis=1)


def _probabilities(member, X):
    """Return class probabilities; ones and zeros for a member that has only votes."""
    if hasattr(member, "predict_proba"):
        return member.predict_proba(X)
    return (member.predict(X)[:, None] == member.classes_).astype(np.float64)


def _spread(probs_N_T_C, known, classes):
    """Add a column of zeros for each class of `classes` that is not in `known`."""
    if len(known) == len(classes):
        return probs_N_T_C
    spread = np.zeros((*probs_N_T_C.shape[:2], len(classes)), probs_N_T_C.dtype)
    spread[:, :, np.searchsorted(classes, known)] = probs_N_T_C
    return spread
