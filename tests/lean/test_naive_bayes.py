"""Gaussian naive Bayes without the envelope is the same as with it."""

import numpy as np
import pytest
from _both_ways import differences, differences_by_seed
from sklearn.naive_bayes import GaussianNB

from skal.lean._naive_bayes import LeanGaussianNB

FORM = LeanGaussianNB()


def random_estimator(rng, y):
    """Return naive Bayes with parameters at random, priors of wrong length included."""
    n_classes = len(np.unique(y))
    n_priors = n_classes + int(rng.random() < 0.1)
    priors = [None, rng.dirichlet(np.ones(n_priors)), [1 / n_classes] * n_classes]
    return GaussianNB(
        priors=priors[rng.integers(3)],
        var_smoothing=rng.choice([1e-9, 1e-9, 1e-3, 0.0]),
    )


def test_the_same_model_and_answers():
    assert differences_by_seed(FORM, random_estimator) == {}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-20, 1e-8, 1.0, 1e8, 1e15])
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e5])
def test_rows_of_any_size(dtype, scale, offset):
    rng = np.random.default_rng(0)
    X = ((rng.normal(size=(60, 5)) + offset) * scale).astype(dtype)
    y = rng.integers(4, size=60)
    X_new = ((rng.normal(size=(80, 5)) + offset) * scale).astype(dtype)
    assert differences(FORM, GaussianNB(), X, y, X_new) == []


def test_exact_ties_go_to_the_same_class():
    X = np.array([[-1.0], [-3.0], [1.0], [3.0], [-1.0], [-3.0]])
    y = np.array([2, 2, 1, 1, 0, 0])
    X_new = np.array([[0.0], [-2.0], [1e-17], [-1e-17], [0.1]])
    estimator = GaussianNB(priors=[1 / 3] * 3)
    assert differences(FORM, estimator, X, y, X_new) == []


@pytest.mark.parametrize("priors", [[0.5, 0.6], [1.5, -0.5], [1.0], [[0.5, 0.5]]])
def test_wrong_priors_are_refused_in_the_same_words(priors):
    X = np.array([[0.0], [1.0], [2.0]])
    model = GaussianNB(priors=priors)
    assert differences(FORM, model, X, np.array([0, 1, 1]), X) == []


def test_a_class_without_prior_is_never_foretold():
    X = np.random.default_rng(0).normal(size=(30, 3))
    y = np.arange(30) % 3
    estimator = GaussianNB(priors=[0.0, 0.5, 0.5])
    assert differences(FORM, estimator, X, y, X) == []


def test_rows_of_another_precision_than_those_of_the_training():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(40, 6)).astype(np.float32), np.arange(40) % 4
    X_new = rng.normal(size=(100, 6))
    model = GaussianNB()
    FORM.fit(model, X, codes, np.arange(4))
    seen = FORM.look(model, X_new)
    own = GaussianNB().fit(X, codes)
    np.testing.assert_array_equal(
        FORM.answer(model, seen, "predict"), own.predict(X_new)
    )
    probabilities = FORM.answer(model, seen, "predict_proba")
    expected = own.predict_proba(X_new)
    assert probabilities.dtype == expected.dtype
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


@pytest.mark.parametrize("params", [{"var_smoothing": -1.0}, {"priors": "even"}])
def test_parameters_that_fit_refuses_are_left_to_it(params):
    assert not FORM.suits(GaussianNB(**params))
