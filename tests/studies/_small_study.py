"""A small study, which dies where a test wants it to."""

import os
import signal
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skal import (
    AnnealingOracle,
    Margin,
    Problem,
    Random,
    compare,
    model_transfer,
    seed_transfer,
    split,
)

# Forked from a clean process in which the imports are done: in milliseconds.
processes = get_context("forkserver")
processes.set_forkserver_preload(["skal.studies", "sklearn.naive_bayes", "pandas"])

ESTIMATORS = {"tree": DecisionTreeClassifier(max_features=1), "bayes": GaussianNB()}
# For `pytestmark`: two seeds are enough of a study to be killed.
TWO_SEEDS_ARE_ENOUGH = [
    pytest.mark.filterwarnings("ignore:A comparison over 2 seeds"),
    pytest.mark.filterwarnings("ignore:Seeds do not differ"),
]
SEEDS = (0, 1)
STRATEGIES = {
    "random": Random(),
    "margin": Margin(),
    "oracle": AnnealingOracle(n_steps=30, n_greedy=6),
}
# A study scores some 600 models; the process dies at one of them.
scored = {"n": 0, "last": None}


def accuracy(model, X, y):
    """Score a model, and die where it is said."""
    scored["n"] += 1
    if scored["n"] == scored["last"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return float(np.mean(model.predict(X) == y))


def half_accuracy(model, X, y):
    return accuracy(model, X, y) / 2


def pose(seed=3, **params):
    X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=seed)
    sets = split(X, y, warm_size=10, val_size=25, test_size=25, random_state=0)
    params = {"batch_size": 4, "n_rounds": 3, "scoring": accuracy} | params
    return Problem.from_sets(sets, GaussianNB(), **params)


def study(path, problem=None, strategies=STRATEGIES, **params):
    """Return the tables of a comparison and of its replays, and the comparison."""
    problem = pose() if problem is None else problem
    params = {"seeds": SEEDS, "estimators": ESTIMATORS, "n_orders": 2} | params
    found = compare(problem, strategies, path=path, **params)
    transfers = (f(found, path=path) for f in (seed_transfer, model_transfer))
    return [one.table() for one in (found, *transfers)], found


def assert_same(tables, others):
    for table, other in zip(tables, others, strict=True):
        assert list(table) == list(other)
        for name in table:
            np.testing.assert_array_equal(table[name], other[name])
