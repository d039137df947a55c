"""Logistic regression and exchanges of two of its rows, against regressions anew."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skal.oracle.annealing._logistic import (
    INTERCEPT_SHARE,
    fit_logistic,
    logistic_changes,
)

# (labelled rows, columns, classes, penalty)
SHAPES = [(60, 6, 3, 3.0), (40, 30, 4, 5.0), (50, 9, 2, 2.0)]


class Case:
    """A labelled set with classes of different sizes, and exchanges of its rows."""

    def __init__(self, n, n_columns, n_classes, penalty):
        rng = np.random.default_rng(n)
        self.codes = np.minimum(rng.geometric(0.5, size=n + 20) - 1, n_classes - 1)
        self.X = rng.normal(size=(n + 20, n_columns))
        self.X[:, 0] += self.codes
        self.X[:, -1] = 1
        self.n, self.n_classes, self.penalty = n, n_classes, penalty
        self.targets = np.eye(n_classes)[self.codes]
        self.pairs = np.stack([rng.integers(n, n + 20, 30), rng.integers(n, size=30)])
        self.model = self.fit(np.arange(n))

    def fit(self, rows, start=None):
        return fit_logistic(self.X[rows], self.targets[rows], self.penalty, start)

    def coefs_after(self, i):
        """Return the coefficients of a regression anew after exchange i."""
        added, removed = self.pairs[:, i]
        return self.fit([added, *np.delete(np.arange(self.n), removed)]).coefs


@pytest.fixture(params=SHAPES, ids=str)
def case(request):
    return Case(*request.param)


def centred(coefs):
    """Return coefficients without a part that all classes share."""
    return coefs - coefs.mean(axis=1, keepdims=True)


def test_the_coefficients_are_those_of_scikit_learn(case):
    n_classes, penalty = case.n_classes, case.penalty
    X, codes = case.X[: case.n].copy(), case.codes[: case.n]
    # A longer column of ones has a smaller coefficient, which is penalised less.
    X[:, -1] /= np.sqrt(INTERCEPT_SHARE)
    model = LogisticRegression(
        C=1 / penalty, fit_intercept=False, tol=1e-8, max_iter=1000
    )
    if n_classes == 2:  # scikit-learn has one vector for both, of twice the length
        model.set_params(C=2 / penalty)
        expected = np.array([-0.5, 0.5])[:, None] * model.fit(X, codes).coef_
    else:
        expected = model.fit(X, codes).coef_.copy()
    expected[:, -1] /= np.sqrt(INTERCEPT_SHARE)
    np.testing.assert_allclose(centred(case.model.coefs), expected.T, atol=2e-3)


def test_a_start_does_not_change_the_coefficients(case):
    rows, start = np.arange(case.n), np.ones_like(case.model.coefs)
    found = centred(case.fit(rows, start).coefs)
    np.testing.assert_allclose(found, centred(case.model.coefs), atol=2e-3)


def test_the_curvature_of_two_classes():
    """It is the same for both, and so for their mean."""
    case = Case(*SHAPES[-1])
    X, model = case.X[: case.n], case.model
    probs = 1 / (1 + np.exp(-X @ (model.coefs[:, 0] - model.coefs[:, 1])))
    penalties = np.full(X.shape[1], case.penalty)
    penalties[-1] = 0
    weights = probs * (1 - probs)
    expected = np.linalg.inv((X.T * weights) @ X + np.diag(penalties))
    for variance in model.variances:
        found = model.inverse.copy()
        found[-1, -1] += variance
        np.testing.assert_allclose(found, expected, rtol=0.01, atol=1e-3)


def test_an_exchange_is_nearly_a_regression_anew(case):
    X, targets = case.X[case.pairs], case.targets[case.pairs]
    directions, amounts = logistic_changes(case.model, X, targets)
    cosines, ratios = [], []
    for i in range(case.pairs.shape[1]):
        foretold = centred(directions[:, i].T @ amounts[:, i])
        actual = centred(case.coefs_after(i) - case.model.coefs)
        sizes = np.linalg.norm(foretold), np.linalg.norm(actual)
        cosines.append(np.sum(foretold * actual) / np.prod(sizes))
        ratios.append(sizes[0] / sizes[1])
    assert np.median(cosines) > 0.95
    assert np.min(cosines) > 0.6
    # twice as far with two classes, which are taken to change independently
    assert 0.7 < np.median(ratios) < 2.3


def test_a_class_without_rows():
    case = Case(*SHAPES[0])
    rows = np.flatnonzero(case.codes != 2)[:20]
    model = case.fit(rows)
    assert all(np.isfinite(part).all() for part in model)
    # A first row of the class raises its intercept most.
    pair = np.array([[np.flatnonzero(case.codes == 2)[0]], [rows[0]]])
    _, amounts = logistic_changes(model, case.X[pair], case.targets[pair])
    assert np.isfinite(amounts).all()
    assert np.argmax(amounts[2, 0]) == 2
