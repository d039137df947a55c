"""The CPU time of a search, per training, over bare trainings by scikit-learn.

The bare trainings are `clone`, `fit` and `predict` of the validation set, on random
sets of the sizes that the search trains on. The search also ranks moves, scores models
and computes their margins. It is measured with screening, which takes time in order to
need fewer trainings, and without.
"""

import time
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, AnnealingOracle, split
from skal._threads import single_threaded
from skal.oracle.annealing import _forecast, _oracle

# Estimator, number of trainings of the search, largest ratio without screening.
DIGITS = {
    "scaled logistic regression": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        2000,
        0.6,
    ),
    "ridge": (RidgeClassifier(), 2000, 0.5),
    "naive Bayes": (GaussianNB(), 2000, 0.75),
    "nearest centroid": (NearestCentroid(), 2000, 1.2),
}
FOREST = RandomForestClassifier(random_state=0), 600, 0.15
EMBEDDINGS = {
    "logistic regression": (LogisticRegression(), 400, 0.85),
    "ridge": (RidgeClassifier(), 1000, 0.9),
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


def table():
    """Return sets of breast cancer, the batch size and the number of rounds."""
    X, y = load_breast_cancer(return_X_y=True)
    sizes = {"warm_size": 30, "val_size": 150, "test_size": 150, "random_state": 0}
    return split(X, y, **sizes), 10, 7


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


@pytest.fixture
def check(monkeypatch):
    """Return a function that measures searches between bare trainings."""

    def check(estimator, n_trainings, most, problem, name):
        bare, searches = [bare_seconds(estimator, *problem)], []
        for screens in (True, False):
            if not screens:
                for module in (_forecast, _oracle):
                    monkeypatch.setattr(module, "can_screen", lambda problem: False)
            searches.append(search_seconds(estimator, n_trainings, *problem))
            bare.append(bare_seconds(estimator, *problem))
        screened, unscreened = searches / np.mean(bare)
        print(
            f"\n{name}: {1000 * np.mean(bare):.2f} ms bare; a training of a search "
            f"{1000 * searches[1]:.2f} ms, {unscreened:.2f} of it; with screening "
            f"{1000 * searches[0]:.2f} ms, {screened:.2f}"
        )
        assert unscreened <= most

    with single_threaded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield check


@pytest.mark.parametrize("name", DIGITS)
def test_searches_on_digits(name, check):
    check(*DIGITS[name], digits(), f"digits, {name}")


def test_a_search_with_a_forest(check):
    check(*FOREST, table(), "breast cancer, forest")


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_searches_on_embeddings(name, check):
    check(*EMBEDDINGS[name], embeddings(), f"384 columns, 77 classes, {name}")
