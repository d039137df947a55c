import itertools
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skal import (
    IDMR,
    AnnealingOracle,
    Margin,
    MaxEntropy,
    Problem,
    Random,
    compare,
    split,
)

# Read when pyplot is imported, here and in the processes that tests start.
os.environ.setdefault("MPLBACKEND", "agg")


@pytest.fixture(autouse=True)
def same_seeds(monkeypatch):
    """Tests without a `random_state` draw the same seeds, so none fails by chance."""
    monkeypatch.setattr("skal.seeding.fresh_seed", itertools.count(1).__next__)
    np.random.seed(0)  # noqa: NPY002, for estimators of scikit-learn


@pytest.fixture(autouse=True)
def close_figures():
    """Figures that a test leaves open would make matplotlib warn in a later test."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(scope="session")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture
def blobs():
    """Three overlapping classes, 120 rows: enough to learn from, quick to train on."""
    return make_blobs(120, centers=3, cluster_std=3.0, random_state=3)


@pytest.fixture
def tiny_sets():
    """A function that makes the sets of a problem with a pool of `n_pool` rows."""

    def make(n_pool, seed, kind="classes"):
        X, y = make_blobs(n_pool + 64, centers=3, cluster_std=3.0, random_state=seed)
        if kind == "labels":
            y = np.column_stack([y == 0, y == 1, X[:, 0] > X[:, 1]]).astype(int)
        elif kind == "numbers":
            y = y + np.sin(X[:, 0])
        return split(X, y, warm_size=4, val_size=40, test_size=20, random_state=seed)

    return make


@pytest.fixture
def make_problem(blobs):
    """A function that poses a problem of 60 rows: batches of 4, three rounds."""

    def make(estimator=None, **params):
        sets = split(*blobs, warm_size=10, val_size=25, test_size=25, random_state=0)
        params = {"batch_size": 4, "n_rounds": 3} | params
        estimator = DecisionTreeClassifier() if estimator is None else estimator
        return Problem.from_sets(sets, estimator, **params)

    return make


@pytest.fixture(scope="session")
def comparison():
    """Five strategies, two estimators, five seeds, three random orders for each."""
    X, y = make_blobs(370, centers=3, cluster_std=3.0, random_state=3)
    sets = split(X, y, warm_size=10, val_size=150, test_size=150, random_state=0)
    tree = DecisionTreeClassifier(max_features=1)
    strategies = {
        "random": Random(),
        "margin": Margin(),
        "idmr-margin": IDMR(Margin(), n_bins=3),
        "entropy": MaxEntropy(),
        "oracle": AnnealingOracle(n_steps=60, n_greedy=8),
    }
    with pytest.warns(UserWarning, match="Seeds do not differ for margin with bayes"):
        return compare(
            Problem.from_sets(sets, tree, batch_size=4, n_rounds=3),
            strategies,
            estimators={"tree": tree, "bayes": GaussianNB()},
            n_orders=3,
        )


@pytest.fixture
def data_home():
    """The folder with the real data sets; a test that needs it is skipped without."""
    home = os.environ.get("SKAL_DATA_HOME")
    if not home or not Path(home).is_dir():
        pytest.skip("needs the real data sets: set SKAL_DATA_HOME to their folder")
    return Path(home)


@pytest.fixture
def global_state():
    """A function that tells the state of numpy's global generator."""

    def state():
        _, keys, *others = np.random.get_state()  # noqa: NPY002
        return keys.tolist(), *others

    return state
