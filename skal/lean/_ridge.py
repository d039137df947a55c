"""`RidgeClassifier` by the solver that its `fit` calls."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import LabelBinarizer

from skal.lean._linear import LeanLinearForm, row_weights


class LeanRidgeClassifier(LeanLinearForm):
    """Ridge classifier with the Cholesky solver, the same bits as by `fit`."""

    kind = RidgeClassifier
    methods = ("predict", "decision_function")
    any_order = True

    def suits(self, estimator: Any) -> bool:
        """Return whether the parameters lead to the Cholesky solver."""
        return (
            estimator.solver in ("auto", "cholesky")
            and not estimator.positive
            and np.ndim(estimator.alpha) == 0
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Solve the normal equations, and set the attributes of `fit`."""
        rows, targets = X, _targets(codes, len(classes)).astype(X.dtype)
        weights = row_weights(model, X, codes, classes)
        if model.fit_intercept:
            centre, offset = _means(X, weights), _means(targets, weights)
            rows, targets = rows - centre, targets - offset
        if weights is not None:
            roots = np.sqrt(weights)[:, None]
            rows, targets = rows * roots, targets * roots
        try:
            coef = _solve(rows, targets, model.alpha)
        except linalg.LinAlgError:
            # `fit` turns to singular values.
            model.fit(X, classes[codes])
            return
        if classes.dtype == object:
            classes = np.array(classes.tolist())  # as LabelBinarizer names them
        model.n_features_in_ = X.shape[1]
        model._label_binarizer = _binarizer(classes)
        model.classes_, model.n_iter_, model.solver_ = classes, None, "cholesky"
        coef = coef.ravel() if len(coef) == 1 else coef
        model.coef_, model.intercept_ = coef, 0.0
        if model.fit_intercept:
            # Dividing by a scale of ones, as `fit` does, gives the same memory order.
            model.coef_ = coef / np.ones(X.shape[1], X.dtype)
            model.intercept_ = offset - centre @ model.coef_.T


def _means(columns: NDArray, weights: NDArray | None) -> NDArray:
    """Return the weighted mean of each column, in the type of the columns."""
    if weights is None:
        # The bits of `numpy.average` with weights of one.
        return columns.sum(axis=0) / columns.dtype.type(len(columns))
    return np.average(columns, axis=0, weights=weights).astype(columns.dtype)


def _targets(codes: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Return 1 for the class of each row and -1 for the others."""
    if n_classes == 2:
        return 2 * codes[:, None] - 1
    targets = np.full((len(codes), n_classes), -1)
    targets[np.arange(len(codes)), codes] = 1
    return targets


def _solve(X: NDArray, targets: NDArray, alpha: float) -> NDArray:
    """Return the coefficients, shape (n_targets, n_features).

    The smaller of two systems is solved: one equation per row, or per feature.
    """
    penalty = float(np.asarray(alpha, dtype=X.dtype))
    if X.shape[1] > len(X):
        products = X @ X.T
        products.flat[:: len(X) + 1] += penalty
        return (X.T @ linalg.solve(products, targets, assume_a="pos")).T
    products, moments = X.T @ X, X.T @ targets
    products.flat[:: len(products) + 1] += penalty
    return linalg.solve(products, moments, assume_a="pos", overwrite_a=True).T


def _binarizer(classes: NDArray) -> LabelBinarizer:
    """Return a fitted binarizer, without its checks."""
    binarizer = LabelBinarizer(pos_label=1, neg_label=-1)
    binarizer.y_type_ = "binary" if len(classes) == 2 else "multiclass"
    binarizer.sparse_input_, binarizer.classes_ = False, classes
    return binarizer
