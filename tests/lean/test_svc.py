"""Answers of a support vector classifier from one look are its own."""

import numpy as np
import pytest
from _both_ways import differences, differences_by_seed
from sklearn.svm import SVC

from skal import _sklearn
from skal.lean._svc import LeanSVC

FORM = LeanSVC()


def random_estimator(rng, y):
    """Return a support vector classifier with parameters at random."""
    shape = ["ovr", "ovo"][rng.integers(2)]
    return SVC(
        C=10.0 ** rng.integers(-2, 3),
        kernel=["rbf", "linear", "poly", "sigmoid"][rng.integers(4)],
        class_weight=[None, "balanced", {np.unique(y)[0]: 2.0}][rng.integers(3)],
        decision_function_shape=shape,
        break_ties=bool(shape == "ovr" and rng.random() < 0.3),
        max_iter=int(rng.choice([500, 5])),
        random_state=0,
    )


def test_the_same_model_and_answers():
    assert differences_by_seed(FORM, random_estimator) == {}


def test_without_compiled_code_fit_serves(monkeypatch):
    assert FORM.suits(SVC())
    monkeypatch.setattr(_sklearn, "libsvm", None)
    assert not FORM.suits(SVC())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_ties_of_votes_go_to_the_same_class(n_classes):
    angles = np.repeat(np.arange(n_classes) * 2 * np.pi / n_classes, 2)
    X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    y = np.repeat(np.arange(n_classes), 2)
    X_new = np.concatenate([np.zeros((1, 2)), -X, X / 2])
    assert differences(FORM, SVC(kernel="linear"), X, y, X_new) == []


@pytest.mark.parametrize(
    "params",
    [
        {"kernel": "precomputed"},
        {"kernel": np.dot},
        {"probability": True},
        {"C": -1.0},
        {"verbose": True},
        {"break_ties": True, "decision_function_shape": "ovo"},
    ],
)
def test_other_parameters_are_left_to_fit(params):
    assert not FORM.suits(SVC(**params))
