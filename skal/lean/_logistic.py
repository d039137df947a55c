"""`LogisticRegression` by its compiled loss and solver."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from skal import _sklearn
from skal.lean._lbfgs import Objective, lbfgs
from skal.lean._linear import LeanLinearForm, row_weights

# Tolerance of the relative change of the loss, as in scikit-learn.
FTOL = 64 * np.finfo(float).eps


class LeanLogisticRegression(LeanLinearForm):
    """Logistic regression with the solver "lbfgs", the same bits as by `fit`."""

    kind = LogisticRegression
    any_order = True

    def suits(self, estimator: Any) -> bool:
        """Return whether the solver is lbfgs and the penalty L2."""
        return (
            _sklearn.linear is not None
            and estimator.solver == "lbfgs"
            and estimator.penalty == "deprecated"
            and estimator.l1_ratio == 0
            and estimator.n_jobs is None
            and not (estimator.dual or estimator.warm_start or estimator.verbose)
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Minimise the loss, and set the attributes of `fit`."""
        n_classes = len(classes)
        n_blocks = 1 if n_classes == 2 else n_classes
        X = np.ascontiguousarray(X)
        weights = row_weights(model, X, codes, classes)
        n_params = X.shape[1] + bool(model.fit_intercept)
        found = lbfgs(
            _loss(model, X, codes.astype(X.dtype), weights, n_blocks),
            np.zeros(n_blocks * n_params, dtype=X.dtype),
            max_iter=model.max_iter,
            gtol=model.tol,
            ftol=FTOL,
        )
        n_iter = _sklearn.linear.check_optimize_result(
            "lbfgs", found, model.max_iter, _sklearn.linear.LOGISTIC_MESSAGE
        )
        coef = found.x.reshape((n_blocks, -1), order="F").copy(order="K")
        coef = coef.astype(X.dtype, copy=False)
        model.n_features_in_ = X.shape[1]
        model.classes_ = classes
        model.n_iter_ = np.array([n_iter], dtype=np.int32)
        model.coef_, model.intercept_ = coef, np.zeros(n_blocks, dtype=X.dtype)
        if model.fit_intercept:
            model.coef_, model.intercept_ = coef[:, :-1], coef[:, -1]


def _loss(
    model: Any,
    X: NDArray,
    target: NDArray,
    weights: NDArray | None,
    n_blocks: int,
) -> Objective:
    """Return the mean loss with its L2 penalty, and the gradient.

    Parameters are in one array, those of all classes for one feature together, so that
    they form an array of shape (n_classes, n_features + 1) in Fortran order.
    """
    kinds = _sklearn.linear
    loss = kinds.multinomial_loss if n_blocks > 1 else kinds.binomial_loss
    total = len(X) if weights is None else np.sum(weights)
    l2 = 1.0 / (model.C * (total if weights is None else float(total)))
    n_features, with_intercept = X.shape[1], bool(model.fit_intercept)
    # Arrays to compute in: making new ones takes longer than filling them.
    row_loss = np.empty_like(target)
    raw = np.empty((len(X), n_blocks), dtype=X.dtype)
    slopes, product = np.empty_like(raw), np.empty((n_blocks, n_features), X.dtype)
    # Parameters may have more bits than the rows: scipy < 1.15 makes them float64.

    def several(x: NDArray) -> tuple[float, NDArray]:
        blocks = x.reshape((n_blocks, -1), order="F")
        coef = blocks[:, :n_features]
        np.matmul(X, coef.astype(X.dtype, copy=False).T, out=raw)
        if with_intercept:
            np.add(raw, blocks[:, -1].astype(X.dtype, copy=False), out=raw)
        loss.loss_gradient(target, raw, weights, row_loss, slopes, 1)
        flat = coef.ravel(order="K")
        value = float(row_loss.sum() / total) + float(0.5 * l2 * flat.dot(flat))
        np.divide(slopes, total, out=slopes)
        np.matmul(slopes.T, X, out=product)
        gradient = np.empty_like(blocks)
        np.add(product, l2 * coef, out=gradient[:, :n_features])
        if with_intercept:
            gradient[:, -1] = slopes.sum(axis=0)
        return value, gradient.ravel(order="F")

    def one(x: NDArray) -> tuple[float, NDArray]:
        coef = x[:n_features]
        raw = X @ coef.astype(X.dtype, copy=False)
        if with_intercept:
            raw += x[-1].astype(X.dtype)
        slopes = np.empty_like(raw)
        loss.loss_gradient(target, raw, weights, row_loss, slopes, 1)
        value = float(row_loss.sum() / total) + float(0.5 * l2 * coef.dot(coef))
        slopes /= total
        gradient = np.empty_like(x)
        gradient[:n_features] = X.T @ slopes + l2 * coef
        if with_intercept:
            gradient[-1] = slopes.sum()
        return value, gradient

    return several if n_blocks > 1 else one
