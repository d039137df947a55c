"""Ridge regression and exchanges of two of its rows, against regressions anew."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference

from skal.oracle.annealing._ridge import (
    changes_by,
    exchanged,
    fit_ridge,
    margin_shifts,
)

# (labelled rows, columns, classes, penalty): more rows than columns, and fewer
SHAPES = [(40, 6, 3, 0.5), (12, 30, 4, 0.1), (25, 25, 2, 3.0), (3, 5, 5, 1e-3)]


class Case:
    """A labelled set, exchanges of one of its rows, and rows to predict."""

    def __init__(self, n, n_columns, n_classes, penalty):
        rng = np.random.default_rng(n)
        self.X = rng.normal(size=(n + 20, n_columns))
        self.targets = np.eye(n_classes)[rng.integers(n_classes, size=n + 20)]
        self.X_val, self.true = rng.normal(size=(50, n_columns)), np.arange(50)
        self.true %= n_classes
        self.n, self.sizes = n, (n_classes, penalty)
        self.pairs = np.stack([rng.integers(n, n + 20, 30), rng.integers(n, size=30)])
        self.ridge = self.fit(np.arange(n))

    def fit(self, rows):
        return fit_ridge(self.X[rows], self.targets[rows], self.sizes[1])

    def after(self, i):
        """Return a regression anew after exchange i."""
        added, removed = self.pairs[:, i]
        return self.fit([added, *np.delete(np.arange(self.n), removed)])

    def margins(self, ridge):
        scores = self.X_val @ ridge.coefs
        others = np.where(np.eye(self.sizes[0])[self.true] > 0, -np.inf, scores)
        return scores[np.arange(50), self.true] - others.max(axis=1)


@pytest.fixture(params=SHAPES, ids=str)
def case(request):
    return Case(*request.param)


def test_the_coefficients_are_those_of_scikit_learn(case):
    _, penalty = case.sizes
    rows = slice(case.n)
    reference = Reference(penalty, fit_intercept=False)
    reference.fit(case.X[rows], case.targets[rows])
    np.testing.assert_allclose(case.ridge.coefs, reference.coef_.T, atol=1e-8)


def test_an_exchange_is_a_regression_anew(case):
    changes = changes_by(case.ridge, case.X[case.pairs], case.targets[case.pairs])
    for i in range(30):
        expected = case.after(i)
        pair = case.pairs[:, i]
        found = exchanged(case.ridge, case.X[pair], case.targets[pair])
        np.testing.assert_allclose(found.inverse, expected.inverse, atol=1e-6)
        np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-6)
        change = changes.directions[:, i].T @ changes.amounts[:, i]
        np.testing.assert_allclose(case.ridge.coefs + change, found.coefs, atol=1e-6)


def test_margins_shift_as_after_a_regression_anew(case):
    n_classes = case.sizes[0]
    rivals = [[c for c in range(n_classes) if c != true] for true in case.true]
    scores, rows = case.X_val @ case.ridge.coefs, np.arange(50)
    gaps = scores[rows, case.true] - scores[rows, np.transpose(rivals)]
    changes = changes_by(case.ridge, case.X[case.pairs], case.targets[case.pairs])
    found = margin_shifts(gaps, case.true, np.transpose(rivals), case.X_val, changes)
    before = case.margins(case.ridge)
    for i in range(30):
        shift = case.margins(case.after(i)) - before
        np.testing.assert_allclose(found[:, i], shift, atol=1e-6)


def test_many_exchanges_one_after_the_other():
    case = Case(40, 6, 3, 0.5)
    rows, ridge, rng = list(range(40)), case.ridge, np.random.default_rng(1)
    for _ in range(1000):
        out = int(rng.integers(40))
        (new,) = rng.choice(np.setdiff1d(np.arange(60), rows), 1)
        pair = np.array([new, rows[out]])
        ridge = exchanged(ridge, case.X[pair], case.targets[pair])
        rows[out] = int(new)
    np.testing.assert_allclose(ridge.coefs, case.fit(rows).coefs, atol=1e-9)
