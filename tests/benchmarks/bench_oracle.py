"""The CPU time of a search, per training, over bare trainings by scikit-learn.

The bare trainings are `clone`, `fit` and `predict` of the validation set, on random
sets of the sizes that the search trains on. The search also ranks moves, scores models
and computes their margins.
"""

import time
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, AnnealingOracle, split
from skal._threads import single_threaded

# Estimator, number of trainings of the search, largest ratio.
DIGITS = {
    "scaled logistic regression": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        2000,
        0.5,
    ),
    "ridge": (RidgeClassifier(), 2000, 0.4),
    "naive Bayes": (GaussianNB(), 2000, 0.75),
    "nearest centroid": (NearestCentroid(), 2000, 1.1),
    "forest": (RandomForestClassifier(random_state=0), 600, 0.2),
}
EMBEDDINGS = {
    "logistic regression": (LogisticRegression(), 400, 0.85),
    "ridge": (RidgeClassifier(), 1000, 0.6),
}
N_BARE = 40


def digits():
    """Return the sets of the README, the batch size and the number of rounds."""
    X, y = load_digits(return_X_y=True)
    sizes = {"warm_size": 40, "val_size": 478, "test_size": 479, "random_state": 0}
    return split(X, y, **sizes), 20, 8


def embeddings():
    """Return sets of 77 classes in 384 columns."""
    rng = np.random.default_rng(0)
    y = np.append(np.arange(77), rng.integers(77, size=4000))
    X = 0.3 * rng.normal(size=(77, 384))[y] + rng.normal(size=(len(y), 384))
    sizes = {"warm_size": 100, "val_size": 600, "test_size": 400, "random_state": 0}
    return split(X, y, **sizes), 25, 8


def bare_seconds(estimator, sets, batch_size, n_rounds):
    """Return the mean CPU time of a training by scikit-learn, with predictions."""
    X = np.concatenate([sets["X_warm"], sets["X"]])
    y = np.concatenate([sets["y_warm"], sets["y"]])
    rng, n_warm = np.random.default_rng(0), len(sets["X_warm"])
    started = time.process_time()
    for i in range(N_BARE):
        size = n_warm + batch_size * (1 + i % n_rounds)
        rows = rng.permutation(len(X))[:size]
        clone(estimator).fit(X[rows], y[rows]).predict(sets["X_val"])
    return (time.process_time() - started) / N_BARE


def search_seconds(estimator, n_trainings, sets, batch_size, n_rounds):
    """Return the mean CPU time of a training of a guided search, all included."""
    learner = ActiveLearner(
        estimator,
        AnnealingOracle(max_trainings=n_trainings),
        batch_size=batch_size,
        n_rounds=n_rounds,
        random_state=0,
    )
    started = time.process_time()
    learner.fit(**sets)
    return (time.process_time() - started) / learner.strategy_.n_trainings_


def check(estimator, n_trainings, most, problem, name):
    """Measure a search between two series of bare trainings, and print the ratio."""
    with single_threaded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = bare_seconds(estimator, *problem)
        search = search_seconds(estimator, n_trainings, *problem)
        bare = (before + bare_seconds(estimator, *problem)) / 2
    print(
        f"\n{name}: {1000 * search:.2f} ms a training of a search, {1000 * bare:.2f} "
        f"ms bare: {search / bare:.2f}"
    )
    assert search / bare <= most


@pytest.mark.parametrize("name", DIGITS)
def test_searches_on_digits(name):
    check(*DIGITS[name], digits(), f"digits, {name}")


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_searches_on_embeddings(name):
    check(*EMBEDDINGS[name], embeddings(), f"384 columns, 77 classes, {name}")
