"""Posterior samples of class probabilities, from a net or an ensemble."""

import numpy as np
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)

from skal.answers._constant import ConstantModel
from skal.answers._fixed_classes import FixedClasses
from skal.answers._inside import inside, members_and_rows, rows_inside
from skal.answers._reading import (
    check_one_output,
    checked_probabilities,
    column_codes,
    predictions,
    probabilities,
)
from skal.inputs._containers import n_rows

ENSEMBLES = (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)


def has_posterior(estimator):
    """Return whether posterior samples of the class probabilities can be drawn.

    They can if the estimator has a method `sample_proba`, is an ensemble of
    classifiers, or holds one of these, as a Pipeline does that ends in one.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    bool
    """
    if hasattr(estimator, "sample_proba") or isinstance(estimator, ENSEMBLES):
        return True
    inner = inside(estimator)
    return isinstance(estimator, ConstantModel) or (
        inner is not None and has_posterior(inner)
    )


def has_members(estimator):
    """Return whether posterior samples are the answers of the members of an ensemble.

    The samples of a row are then the same whatever the rows beside it are.

    Parameters
    ----------
    estimator : fitted estimator
        An estimator for which `has_posterior` returns True.

    Returns
    -------
    bool
    """
    if hasattr(estimator, "sample_proba"):
        return False
    if isinstance(estimator, (*ENSEMBLES, ConstantModel)):
        return True
    inner = inside(estimator)
    return inner is not None and has_members(inner)


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

    Raises
    ------
    ValueError
        If the probabilities have another shape, or do not sum to one.
    """
    if isinstance(estimator, FixedClasses):
        known = sample_posterior(estimator.estimator, X, n_samples, seed)
        return estimator.spread(known, dtype=known.dtype)
    if hasattr(estimator, "sample_proba"):
        found = estimator.sample_proba(X, n_samples=n_samples, random_state=seed)
        return checked_probabilities(found, estimator, n_rows(X), "sample_proba")
    if isinstance(estimator, ENSEMBLES):
        return _members(estimator, X)
    if isinstance(estimator, ConstantModel):
        return probabilities(estimator, X)[:, None, :]
    rows = rows_inside(estimator, X)
    return sample_posterior(inside(estimator), rows, n_samples, seed)


def _members(ensemble, X):
    """Return the class probabilities by each member, shape (n_rows, n_members, ...).

    Members are trained on class numbers, so these are what `member.classes_` holds.
    """
    check_one_output(ensemble)
    numbers = np.arange(len(ensemble.classes_))
    samples = [
        _spread(_probabilities(member, rows), member, numbers)
        for member, rows in members_and_rows(ensemble, X)
    ]
    return np.stack(samples, axis=1)


def _probabilities(member, X):
    """Return class probabilities; ones and zeros for a member that has only votes."""
    if hasattr(member, "predict_proba"):
        return member.predict_proba(X)
    return (predictions(member, X)[:, None] == member.classes_).astype(np.float64)


def _spread(probs, member, numbers):
    """Add a column of zeros for each class number that a member was not trained on."""
    if probs.shape[1] == len(numbers):
        return probs
    spread = np.zeros((len(probs), len(numbers)), probs.dtype)
    spread[:, column_codes(member, probs.shape[1], numbers)] = probs
    return spread
