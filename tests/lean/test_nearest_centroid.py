"""Nearest centroid without the envelope is the same as with it."""

import numpy as np
import pytest
from _both_ways import differences, differences_by_seed
from sklearn.neighbors import NearestCentroid

from skal.lean._nearest_centroid import LeanNearestCentroid

FORM = LeanNearestCentroid()


def random_estimator(rng, y):
    """Return nearest centroid with parameters at random, wrong priors included."""
    n_classes = len(np.unique(y))
    priors = ["uniform", "empirical", list(rng.dirichlet(np.ones(n_classes)))]
    priors += [list(rng.random(n_classes) + 0.1)]
    return NearestCentroid(
        priors=priors[rng.choice(4, p=[0.4, 0.3, 0.25, 0.05])],
        shrink_threshold=[None, 0.1, 1.0][rng.choice(3, p=[0.6, 0.2, 0.2])],
    )


def test_the_same_model_and_answers():
    assert differences_by_seed(FORM, random_estimator) == {}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-15, 1e-8, 1.0, 1e8, 1e15])
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e5])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_rows_of_any_size(dtype, scale, offset, n_classes):
    rng = np.random.default_rng(0)
    X = ((rng.normal(size=(60, 5)) + offset) * scale).astype(dtype)
    y = rng.integers(n_classes, size=60)
    X_new = ((rng.normal(size=(80, 5)) + offset) * scale).astype(dtype)
    assert differences(FORM, NearestCentroid(), X, y, X_new) == []


def test_exact_ties_go_to_the_same_class():
    X = np.array([[-1.0], [-3.0], [1.0], [3.0], [-1.0], [-3.0]])
    y = np.array([2, 2, 1, 1, 0, 0])
    X_new = np.array([[0.0], [-2.0], [1e-17], [-1e-17], [0.1]])
    assert differences(FORM, NearestCentroid(), X, y, X_new) == []


def test_columns_that_are_almost_constant():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4))
    X[:, 0] = 0.1  # The mean of a class is not 0.1 to the bit.
    y = np.arange(30) % 3
    assert differences(FORM, NearestCentroid(), X, y, X + 0.1) == []


def test_negative_priors_and_equal_rows_are_refused_in_the_same_words():
    X, y = np.arange(6.0)[:, None], np.arange(6) % 2
    assert differences(FORM, NearestCentroid(priors=[1.5, -0.5]), X, y, X) == []
    assert differences(FORM, NearestCentroid(), 0 * X, y, X) == []


def test_one_row_for_each_class_gives_labels_alone():
    X, codes = np.arange(6.0).reshape(3, 2), np.arange(3)
    model = NearestCentroid()
    with np.errstate(invalid="ignore"):
        FORM.fit(model, X, codes, codes)
    seen = FORM.look(model, X + 0.1)
    np.testing.assert_array_equal(FORM.answer(model, seen, "predict"), codes)
    for method in ("predict_proba", "decision_function"):
        with pytest.raises(ValueError, match="contains NaN"):
            FORM.answer(model, seen, method)


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "manhattan"},
        {"shrink_threshold": -1.0},
        {"priors": "even"},
        {"priors": np.array([0.5, 0.5])},
    ],
)
def test_other_parameters_are_left_to_fit(params):
    assert not FORM.suits(NearestCentroid(**params))
