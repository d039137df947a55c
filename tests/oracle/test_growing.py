"""A ridge regression that grows row by row, against regressions anew."""

import numpy as np
import pytest

from skal.oracle.annealing._growing import Growing
from skal.oracle.annealing._ridge import fit_ridge

# (rows at first, columns, targets, penalty): more rows than columns, and fewer
SHAPES = [(30, 6, 3, 0.5), (4, 40, 2, 0.1), (0, 5, 1, 1.0)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_forecast_is_that_of_a_regression_anew(shape):
    n, n_columns, n_targets, penalty = shape
    rng = np.random.default_rng(n)
    X, X_val = rng.normal(size=(n + 25, n_columns)), rng.normal(size=(9, n_columns))
    targets = rng.normal(size=(n + 25, n_targets))
    rows, new = list(range(n)), np.arange(n, n + 25)

    def fit(rows):
        return fit_ridge(X[rows], targets[rows], penalty)

    growing = Growing.of(fit(rows), X[new], X_val.astype(np.float32))
    for j in rng.permutation(25)[:20]:
        amounts = growing.amounts(X[new], targets[new])
        before = X_val @ fit(rows).coefs
        for i, row in enumerate(new):
            if row not in rows:
                after = X_val @ fit([*rows, row]).coefs
                shift = np.outer(growing.reach[:, i], amounts[i])
                np.testing.assert_allclose(shift, after - before, atol=1e-4)
        growing = growing.with_row(j, X[new], targets[new])
        rows.append(new[j])
        np.testing.assert_allclose(growing.ridge.coefs, fit(rows).coefs, atol=1e-8)
