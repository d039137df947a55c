"""Linear discriminant analysis without the envelope is the same as with it."""

import numpy as np
import pytest
from _both_ways import differences, differences_by_seed
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from skal.lean._discriminant import LeanDiscriminant

FORM = LeanDiscriminant()


def random_estimator(rng, y):
    """Return the analysis with parameters at random, wrong ones included."""
    n_classes = len(np.unique(y))
    priors = [
        None,
        None,
        rng.dirichlet(np.ones(n_classes)),
        [1 / n_classes] * n_classes,
    ]
    priors += [list(rng.random(n_classes) + 0.1), [1.0, *[0.0] * n_classes]]
    return LinearDiscriminantAnalysis(
        priors=priors[rng.choice(6, p=[0.3, 0.3, 0.1, 0.2, 0.05, 0.05])],
        n_components=[None, 1, 2][rng.choice(3, p=[0.6, 0.3, 0.1])],
        tol=[1e-4, 1e-8, 0.1, 0.0][rng.choice(4, p=[0.7, 0.1, 0.1, 0.1])],
    )


def test_the_same_model_and_answers():
    assert differences_by_seed(FORM, random_estimator) == {}


def test_as_many_rows_as_classes_are_refused_in_the_same_words():
    X, y = np.arange(6.0).reshape(3, 2), np.arange(3)
    assert differences(FORM, LinearDiscriminantAnalysis(), X, y, X) == []


def test_transform_works_as_after_fit():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(40, 5)), np.arange(40) % 3
    model = LinearDiscriminantAnalysis(n_components=1)
    FORM.fit(model, X, codes, np.arange(3))
    own = LinearDiscriminantAnalysis(n_components=1).fit(X, codes)
    np.testing.assert_array_equal(model.transform(X), own.transform(X))


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "lsqr"},
        {"solver": "eigen", "shrinkage": "auto"},
        {"shrinkage": 0.5},
        {"store_covariance": True},
        {"tol": -1.0},
        {"n_components": 0},
    ],
)
def test_other_parameters_are_left_to_fit(params):
    assert not FORM.suits(LinearDiscriminantAnalysis(**params))
