"""Lean forms: the time of a training with its answers, and differences from `fit`.

Each is measured against `clone`, `fit` and `predict` of scikit-learn on the same rows,
once more with all methods that it answers, and compared with it on 10,000 random sets:
parameters, labels, rows of many kinds.
"""

import copy
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skal._threads import single_threaded
from skal.lean._discriminant import LeanDiscriminant
from skal.lean._forest import LeanDecisionTree, LeanExtraTrees, LeanRandomForest
from skal.lean._logistic import LeanLogisticRegression
from skal.lean._naive_bayes import LeanGaussianNB
from skal.lean._nearest_centroid import LeanNearestCentroid
from skal.lean._neighbours import LeanKNeighbors
from skal.lean._ridge import LeanRidgeClassifier
from skal.lean._svc import LeanSVC

sys.path.append(str(Path(__file__).parents[1] / "lean"))
import test_discriminant
import test_forest
import test_linear
import test_naive_bayes
import test_nearest_centroid
import test_neighbours
import test_svc
from _both_ways import differences, random_set

# Estimator, form, random parameters, number of random sets, largest ratio per problem.
CASES = {
    "LogisticRegression": (
        LogisticRegression(),
        LeanLogisticRegression(),
        test_linear.random_logistic,
        10_000,
        {"digits": 0.5, "embeddings": 0.9},
    ),
    "RidgeClassifier": (
        RidgeClassifier(),
        LeanRidgeClassifier(),
        test_linear.random_ridge,
        10_000,
        {"digits": 0.3, "embeddings": 0.6},
    ),
    "GaussianNB": (
        GaussianNB(),
        LeanGaussianNB(),
        test_naive_bayes.random_estimator,
        10_000,
        {"digits": 0.25, "embeddings": 0.25},
    ),
    "NearestCentroid": (
        NearestCentroid(),
        LeanNearestCentroid(),
        test_nearest_centroid.random_estimator,
        10_000,
        {"digits": 0.4, "embeddings": 0.9},
    ),
    "RandomForestClassifier": (
        RandomForestClassifier(random_state=0),
        LeanRandomForest(),
        partial(test_forest.random_estimator, RandomForestClassifier),
        10_000,
        {"digits": 0.25, "embeddings": 0.9},
    ),
    "ExtraTreesClassifier": (
        ExtraTreesClassifier(random_state=0),
        LeanExtraTrees(),
        partial(test_forest.random_estimator, ExtraTreesClassifier),
        10_000,
        {"digits": 0.25, "embeddings": 0.9},
    ),
    "DecisionTreeClassifier": (
        DecisionTreeClassifier(random_state=0),
        LeanDecisionTree(),
        partial(test_forest.random_estimator, DecisionTreeClassifier),
        10_000,
        {"digits": 0.9, "embeddings": 1.1},
    ),
    "LinearDiscriminantAnalysis": (
        LinearDiscriminantAnalysis(),
        LeanDiscriminant(),
        test_discriminant.random_estimator,
        10_000,
        {"digits": 0.75, "embeddings": 1.0},
    ),
    "KNeighborsClassifier": (
        KNeighborsClassifier(),
        LeanKNeighbors(),
        test_neighbours.random_estimator,
        10_000,
        {"digits": 0.7, "embeddings": 1.0},
    ),
    "SVC": (
        SVC(),
        LeanSVC(),
        test_svc.random_estimator,
        10_000,
        {"digits": 1.2, "embeddings": 1.4},
    ),
}
N_ROWS = {"digits": (60, 120, 200), "embeddings": (125, 300)}
N_REPEATS = 15


def digits():
    """Return digits in random order, and how many are for validation."""
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))
    return X[rows], y[rows], 478


def embeddings():
    """Return 77 classes in 384 columns, the first rows one of each class."""
    rng = np.random.default_rng(0)
    y = np.append(np.arange(77), rng.integers(77, size=1123))
    centres = 0.3 * rng.normal(size=(77, 384))
    return centres[y] + rng.normal(size=(1200, 384)), y, 600


PROBLEMS = {"digits": digits, "embeddings": embeddings}


def seconds(call):
    """Return the CPU time of a call."""
    started = time.process_time()
    call()
    return time.process_time() - started


def by_scikit_learn(estimator, methods, X, y, X_val):
    """Train and answer by scikit-learn."""
    model = clone(estimator).fit(X, y)
    for method in methods:
        getattr(model, method)(X_val)


def by_form(estimator, methods, form, X, codes, classes, X_val):
    """Train and answer by a lean form."""
    model = copy.copy(estimator)
    form.fit(model, X, codes, classes)
    seen = form.look(model, X_val)
    for method in methods:
        form.answer(model, seen, method)


def medians(estimator, methods, form, X, y, X_val):
    """Return the milliseconds of a training with answers, both ways."""
    classes, codes = np.unique(y, return_inverse=True)
    own = partial(by_scikit_learn, estimator, methods, X, y, X_val)
    lean = partial(by_form, estimator, methods, form, X, codes, classes, X_val)
    with single_threaded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = [(seconds(own), seconds(lean)) for _ in range(N_REPEATS)]
    return 1000 * np.median(pairs, axis=0)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", CASES)
def test_time_of_a_training_with_its_answers(name, problem):
    estimator, form, _, _, targets = CASES[name]
    X, y, n_val = PROBLEMS[problem]()
    for n_rows in N_ROWS[problem]:
        for methods in (("predict",), form.methods):
            rows, labels = X[:n_rows], y[:n_rows]
            theirs, ours = medians(estimator, methods, form, rows, labels, X[-n_val:])
            print(
                f"\n{name}, {problem}, {n_rows} rows, {', '.join(methods)}: "
                f"{theirs:.2f} ms by fit, {ours:.2f} lean: {ours / theirs:.2f}"
            )
            assert ours / theirs <= targets[problem]


@pytest.mark.parametrize("name", CASES)
def test_no_difference_on_many_random_sets(name):
    _, form, random_estimator, n_sets, _ = CASES[name]
    unlike = 0
    for seed in range(n_sets):
        rng = np.random.default_rng([1, seed])
        X, y, X_new = random_set(rng)
        estimator = random_estimator(rng, y)
        assert form.suits(estimator)
        unlike += differences(form, estimator, X, y, X_new) != []
    print(f"\n{name}: differences: {unlike} of {n_sets:,} sets")
    assert not unlike
