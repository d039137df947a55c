"""Posterior samples of class probabilities: from a net, or an ensemble's members."""

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
    """Whether class probabilities of `estimator`, fitted or not, can be sampled.

    They can where it has a method `sample_proba`, where it is an ensemble of
    classifiers, and where one of these is the last step of a Pipeline.
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
        One that `has_posterior`.
    X : rows, n_rows of them
    n_samples : int
        How many samples to draw from a net. An ensemble gives one per member; that of
        a member without probabilities is its vote.
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
    """Ask each member. Ensembles number the classes before they train members."""
    if not isinstance(ensemble, VotingClassifier) and not sparse.issparse(X):
        X = np.asarray(X)  # what members were trained on
    numbers = np.arange(len(ensemble.classes_))
    features = getattr(ensemble, "estimators_features_", None)
    samples = []
    for i, member in enumerate(ensemble.estimators_):
        seen = X if features is None else X[:, features[i]]
        probs = _probabilities(member, seen)[:, None, :]
        samples.append(_spread(probs, member.classes_.astype(int), numbers))
    return np.concatenate(samples, axis=1)


def _probabilities(member, X):
    """Return class probabilities: ones and zeros where a member can but vote."""
    if hasattr(member, "predict_proba"):
        return member.predict_proba(X)
    return (member.predict(X)[:, None] == member.classes_).astype(np.float64)


def _spread(probs_N_T_C, known, classes):
    """Give each class of `classes` a column, of zeros where it is not `known`."""
    if len(known) == len(classes):
        return probs_N_T_C
    spread = np.zeros((*probs_N_T_C.shape[:2], len(classes)), probs_N_T_C.dtype)
    spread[:, :, np.searchsorted(classes, known)] = probs_N_T_C
    return spread
