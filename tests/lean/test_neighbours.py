"""Nearest neighbours without the envelope are the same as with it."""

import numpy as np
import pytest
from _both_ways import differences_by_seed
from sklearn.neighbors import KNeighborsClassifier

from skal import _sklearn
from skal.lean._neighbours import LeanKNeighbors

FORM = LeanKNeighbors()


def random_estimator(rng, y):
    """Return nearest neighbours with parameters at random, too many ones included."""
    algorithms = ["auto", "brute", "kd_tree", "ball_tree"]
    return KNeighborsClassifier(
        n_neighbors=int(rng.choice([1, 2, 3, 5, 12])),
        weights=["uniform", "distance", None][rng.integers(3)],
        algorithm=algorithms[rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])],
        metric=["minkowski", "euclidean"][rng.integers(2)],
        leaf_size=int(rng.choice([1, 5, 30])),
    )


def test_the_same_model_and_answers():
    assert differences_by_seed(FORM, random_estimator) == {}


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_rows_of_another_precision_than_those_of_the_training(algorithm, weights):
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(40, 6)).astype(np.float32), np.arange(40) % 4
    X_new = rng.normal(size=(100, 6))
    model = KNeighborsClassifier(algorithm=algorithm, weights=weights)
    FORM.fit(model, X, codes, np.arange(4))
    seen = FORM.look(model, X_new)
    for method in FORM.methods:
        expected = getattr(model, method)(X_new)
        np.testing.assert_array_equal(FORM.answer(model, seen, method), expected)


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "manhattan"},
        {"p": 1},
        {"weights": np.sqrt},
        {"metric_params": {"p": 2}},
        {"n_neighbors": 0},
    ],
)
def test_other_parameters_are_left_to_fit(params):
    assert not FORM.suits(KNeighborsClassifier(**params))


def test_without_the_compiled_search_fit_serves(monkeypatch):
    assert FORM.suits(KNeighborsClassifier())
    monkeypatch.setattr(_sklearn, "arg_k_min", None)
    assert not FORM.suits(KNeighborsClassifier())
