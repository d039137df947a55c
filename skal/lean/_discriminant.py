"""`LinearDiscriminantAnalysis` by the singular values that its `fit` computes."""

from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy import linalg
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils.fixes import parse_version

from skal.lean._by_class import is_valid, sorted_by_class
from skal.lean._linear import LeanLinearForm

# Before scikit-learn 1.9.1, covariances were divided by n_rows - n_classes.
IS_BIASED = parse_version(sklearn.__version__) >= parse_version("1.9.1")


class LeanDiscriminant(LeanLinearForm):
    """Linear discriminant analysis with the solver "svd", the same bits as by `fit`."""

    kind = LinearDiscriminantAnalysis

    def suits(self, estimator: Any) -> bool:
        """Return whether the solver is "svd", without what only others use."""
        return (
            estimator.solver == "svd"
            and estimator.shrinkage is None
            and estimator.covariance_estimator is None
            and not estimator.store_covariance
            and is_valid(estimator)
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Find the discriminants, and set the attributes of `fit`."""
        n_classes = len(classes)
        most = min(n_classes - 1, X.shape[1])
        n_components = model.n_components or most
        priors = _priors(model.priors, codes, n_classes, X.dtype)
        if priors is None or n_components > most or len(X) == n_classes:
            model.fit(X, classes[codes])  # It says what is wrong.
            return
        model.n_features_in_, model.classes_ = X.shape[1], np.asarray(list(classes))
        model.priors_, model._max_components = priors, n_components
        model._n_features_out = n_components
        _solve(model, X, codes)
        if n_classes == 2:
            model.coef_ = (model.coef_[1] - model.coef_[0])[None]
            difference = model.intercept_[1] - model.intercept_[0]
            model.intercept_ = np.array([difference], dtype=X.dtype)


def _priors(
    given: Any, codes: NDArray[np.int64], n_classes: int, dtype: np.dtype
) -> NDArray | None:
    """Return the prior probability of each class; None if `fit` has its say on it."""
    if given is None:
        sizes = np.bincount(codes, minlength=n_classes)
        return sizes.astype(dtype) / float(len(codes))
    found = np.array(given, dtype=dtype)
    if found.shape != (n_classes,) or (found < 0).any():
        return None
    return None if np.abs(np.sum(found) - 1.0) > 1e-5 else found


def _means(X: NDArray, codes: NDArray[np.int64], n_classes: int) -> NDArray:
    """Return the mean of each class, its rows added one by one as `fit` adds them."""
    n_features = X.shape[1]
    sums = np.zeros(n_classes * n_features, dtype=X.dtype)
    places = codes[:, None] * n_features + np.arange(n_features)
    np.add.at(sums, places.ravel(), X.ravel())
    sums = sums.reshape(n_classes, n_features)
    sums /= np.bincount(codes)[:, None]
    return sums


def _solve(model: Any, X: NDArray, codes: NDArray[np.int64]) -> None:
    """Set means, scalings and coefficients, by the same operations as `fit`."""
    n_rows, n_classes = len(X), len(model.classes_)
    means = model.means_ = _means(X, codes, n_classes)
    model.xbar_ = model.priors_ @ means
    rows, sizes = sorted_by_class(X, codes, n_classes)
    rows -= np.repeat(means, sizes, axis=0)
    scalings = _within(model.tol, rows, n_rows if IS_BIASED else n_rows - n_classes)
    # Between classes: their centres, weighted, in the scaled space.
    weights = np.sqrt((n_rows * model.priors_) * (1.0 / (n_classes - 1)))
    centres = (weights * (means - model.xbar_).T).T @ scalings
    _, singular, Vt = linalg.svd(centres, full_matrices=False)
    shares = singular**2 / np.sum(singular**2)
    model.explained_variance_ratio_ = shares[: model._max_components]
    rank = np.count_nonzero(singular > model.tol * singular[0])
    model.scalings_ = scalings @ Vt.T[:, :rank]
    coef = (means - model.xbar_) @ model.scalings_
    intercept = -0.5 * np.sum(coef**2, axis=1) + np.log(model.priors_)
    model.coef_ = coef @ model.scalings_.T
    model.intercept_ = intercept - model.xbar_ @ model.coef_.T


def _within(tol: float, rows: NDArray, n: int) -> NDArray:
    """Return what makes the covariance within classes the identity.

    Parameters
    ----------
    tol : float
        Singular values up to it do not count.
    rows : ndarray of shape (n_rows, n_features)
        Centred by class.
    n : int
        The divisor of sums of squares.

    Returns
    -------
    ndarray of shape (n_features, rank)
    """
    std = np.std(rows, axis=0)
    std[std == 0] = 1.0
    share = np.asarray(1.0 / n, dtype=rows.dtype)
    _, singular, Vt = linalg.svd(np.sqrt(share) * (rows / std), full_matrices=False)
    rank = np.count_nonzero(singular > tol)
    return (Vt[:rank, :] / std).T / singular[:rank]
