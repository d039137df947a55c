"""Linear classifiers without the envelope are the same, to the bit."""

import warnings

import numpy as np
import pytest
from _both_ways import differences, differences_by_seed, random_set
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from skal import _sklearn
from skal.lean import _lbfgs
from skal.lean._logistic import LeanLogisticRegression
from skal.lean._ridge import LeanRidgeClassifier

LOGISTIC, RIDGE = LeanLogisticRegression(), LeanRidgeClassifier()


def random_weights(rng, y):
    """Return class weights of some kind."""
    classes = np.unique(y).tolist()
    weights = {label: rng.choice([0.5, 1.0, 3.0]) for label in classes}
    return [None, "balanced", weights][rng.integers(3)]


def random_logistic(rng, y):
    """Return a logistic regression with random parameters."""
    return LogisticRegression(
        C=rng.choice([0.01, 1.0, 100.0, np.inf]),
        fit_intercept=rng.random() < 0.7,
        class_weight=random_weights(rng, y),
        max_iter=int(rng.choice([1, 20, 100])),
        tol=rng.choice([1e-4, 1e-2]),
    )


def random_ridge(rng, y):
    """Return a ridge classifier with random parameters."""
    return RidgeClassifier(
        alpha=rng.choice([0.0, 0.1, 1.0, 100.0]),
        fit_intercept=rng.random() < 0.7,
        class_weight=random_weights(rng, y),
        solver=str(rng.choice(["auto", "cholesky"])),
    )


def test_the_same_logistic_regression():
    assert differences_by_seed(LOGISTIC, random_logistic, n_seeds=100) == {}


def test_the_same_ridge_classifier():
    assert differences_by_seed(RIDGE, random_ridge, n_seeds=100) == {}


@pytest.mark.parametrize("n_rows", [20, 90])
def test_singular_equations_are_left_to_fit(n_rows):
    X = np.repeat(np.random.default_rng(0).normal(size=(n_rows, 1)), 40, axis=1)
    y = np.arange(n_rows) % 3
    estimator = RidgeClassifier(alpha=0.0, fit_intercept=False)
    assert differences(RIDGE, estimator, X, y, X) == []


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "newton-cg"},
        {"solver": "liblinear"},
        {"l1_ratio": 0.5, "solver": "saga"},
        {"penalty": "l2"},
        {"n_jobs": 2},
        {"warm_start": True},
        {"verbose": 1},
    ],
)
def test_other_logistic_regressions_are_left_to_fit(params):
    assert not LOGISTIC.suits(LogisticRegression(**params))


@pytest.mark.parametrize(
    "params", [{"solver": "svd"}, {"positive": True}, {"alpha": [1.0, 2.0]}]
)
def test_other_ridge_classifiers_are_left_to_fit(params):
    assert not RIDGE.suits(RidgeClassifier(**params))


def test_it_warns_as_fit_does():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), rng.integers(3, size=40)
    estimator = LogisticRegression(max_iter=2)
    with pytest.warns(ConvergenceWarning) as of_fit:
        estimator.fit(X, y)
    model = LogisticRegression(max_iter=2)
    with pytest.warns(ConvergenceWarning) as of_lean:
        LOGISTIC.fit(model, X, y, np.arange(3))
    assert str(of_lean[0].message) == str(of_fit[0].message)


def test_the_public_solver_of_scipy_gives_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    X, y, X_new = random_set(rng)
    monkeypatch.setattr(_lbfgs, "_lbfgsb", None)
    assert differences(LOGISTIC, LogisticRegression(), X, y, X_new) == []


def test_without_the_compiled_loss_fit_does_it(monkeypatch):
    monkeypatch.setattr(_sklearn, "linear", None)
    assert not LOGISTIC.suits(LogisticRegression())


def test_a_limit_on_calls_ends_the_search_as_in_scipy():
    from scipy.optimize import minimize, rosen, rosen_der

    def objective(x):
        return rosen(x), rosen_der(x)

    start = np.zeros(20)
    found = _lbfgs.lbfgs(
        objective, start, max_iter=500, gtol=1e-8, ftol=1e-12, max_calls=30
    )
    options = {"maxiter": 500, "gtol": 1e-8, "ftol": 1e-12, "maxfun": 30, "maxls": 50}
    wanted = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    np.testing.assert_array_equal(found.x, wanted.x)
    assert (found.nit, found.status, found.message) == (
        wanted.nit,
        wanted.status,
        wanted.message,
    )
    assert found.status == 1


def test_no_warning_where_all_is_well():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LOGISTIC.fit(LogisticRegression(), X, np.arange(40) % 3, np.arange(3))
