"""`GaussianNB` by two matrix products in place of a loop over classes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.naive_bayes import GaussianNB

from skal.lean._by_class import class_means, is_valid, sorted_by_class
from skal.lean._form import LeanForm
from skal.lean._linear import labels
from skal.lean._near_ties import blocks, competitors


class LeanGaussianNB(LeanForm):
    """Gaussian naive Bayes: the same bits as by `fit`, and the same labels.

    Log-likelihoods are expanded into products of rows and classes. Where rounding could
    change a label, or a probability by more than the tolerance, they are computed anew
    by scikit-learn's own formula.
    """

    kind = GaussianNB
    methods = ("predict", "predict_proba")
    tolerance = 1e-6

    def suits(self, estimator: Any) -> bool:
        """Return whether the parameters are valid."""
        return is_valid(estimator)

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Set mean and variance of each class, as `fit` does."""
        priors = model.priors
        if priors is not None:
            priors = np.array(priors, dtype=X.dtype)
            if not _are_priors(priors, len(classes)):
                model.fit(X, classes[codes])  # It says what is wrong with them.
                return
        rows, sizes = sorted_by_class(X, codes, len(classes))
        model.classes_ = np.asarray(list(classes))
        model.n_features_in_ = X.shape[1]
        model.epsilon_ = model.var_smoothing * np.max(np.var(X, axis=0))
        model.theta_ = class_means(rows, sizes)
        rows -= np.repeat(model.theta_, sizes, axis=0)
        model.var_ = class_means(np.square(rows, out=rows), sizes)
        model.var_ += model.epsilon_
        model.class_count_ = sizes.astype(X.dtype)
        if priors is None:
            priors = model.class_count_ / np.sum(model.class_count_)
        model.class_prior_ = priors

    def look(self, model: Any, X: NDArray) -> NDArray:
        """Return the joint log-likelihood of each row and class."""
        constant = _constants(model)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found, error = _expanded(model, constant, X)
            dtype = np.result_type(X, model.theta_)
            unsure = competitors(found, error, self.tolerance, dtype)
        found = found.astype(dtype, copy=False)
        pairs = np.nonzero(unsure)
        if len(pairs[0]):
            found[pairs] = _joint_log_likelihood(model, constant, X, *pairs)
        return found

    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return labels or probabilities."""
        if method == "predict":
            return labels(model, seen)
        # In this order `numpy.sum` adds class by class, as in scikit-learn.
        seen = np.asfortranarray(seen)
        return np.exp(seen - _log_sum_exp(seen))


def _are_priors(priors: NDArray, n_classes: int) -> bool:
    """Return whether `fit` would accept these priors."""
    return bool(
        priors.shape == (n_classes,)
        and np.isclose(np.sum(priors), 1.0)
        and not (priors < 0).any()
    )


def _constants(model: Any) -> tuple[NDArray, NDArray]:
    """Return the log-prior of each class, and its log-density at its mean."""
    volume = -0.5 * np.sum(np.log(2.0 * np.pi * model.var_), axis=1)
    return np.log(model.class_prior_), volume


def _expanded(
    model: Any, constant: tuple[NDArray, NDArray], X: NDArray
) -> tuple[NDArray, NDArray]:
    """Return joint log-likelihoods in float64, and bounds on their difference.

    The difference is that from scikit-learn's own. Each column is centred at the class
    whose variance in it is the smallest: elsewhere its large weight would multiply two
    numbers which cancel out.
    """
    theta, var = model.theta_.astype(float), model.var_.astype(float)
    columns = np.arange(theta.shape[1])
    centre = theta[var.argmin(axis=0), columns]
    weights = 1.0 / var
    theta -= centre
    slopes = theta * weights
    offset = np.einsum("ij,ij->i", theta, slopes)
    rows = X - centre
    found = rows @ slopes.T
    squares = np.square(rows, out=rows) @ weights.T
    squares += offset
    found -= 0.5 * squares
    # Each sum of products rounds once for each column and a few times for its terms,
    # which are no larger, together, than `squares`.
    error = squares
    error *= (theta.shape[1] + 8) * np.finfo(float).eps
    limits = np.finfo(np.result_type(X, model.theta_))
    error += _relative_error(model, limits, X.shape[1]) * np.abs(found)
    error += 2 * float(limits.eps) * np.sum(np.abs(constant), axis=0)
    found += np.add(*constant)
    return found, error


def _relative_error(model: Any, limits: np.finfo, n_columns: int) -> float:
    """Return a bound for scikit-learn's log-likelihoods, relative to their sums.

    `numpy.sum` adds at most 26 + log2(n_columns) times to any term, a term is rounded
    four times, and the sum four times more. If numbers may vanish altogether, the bound
    is infinite.
    """
    if not model.var_.min() > limits.tiny / limits.eps**2:
        return np.inf
    return float(min(n_columns, 26 + np.log2(n_columns)) + 8) * float(limits.eps) / 2


def _joint_log_likelihood(
    model: Any,
    constant: tuple[NDArray, NDArray],
    X: NDArray,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> NDArray:
    """Return numbers of `predict_joint_log_proba`, bit for bit.

    Each is for one of the given rows of X and the class of the given number.
    """
    prior, volume = constant
    found = np.empty(len(rows), dtype=np.result_type(X, model.theta_))
    for some in blocks(len(rows), X.shape[1]):
        i, k = rows[some], columns[some]
        terms = ((X[i] - model.theta_[k]) ** 2) / model.var_[k]
        found[some] = prior[k] + (volume[k] - 0.5 * np.sum(terms, axis=1))
    return found


def _log_sum_exp(values: NDArray) -> NDArray:
    """Return the logarithm of the sum of exponentials of each row, shape (n_rows, 1).

    The largest value is left out of the sum, as scikit-learn does it.
    """
    largest = values.max(axis=1, keepdims=True)
    is_largest = values == largest
    count = np.sum(is_largest, axis=1, keepdims=True, dtype=values.dtype)
    shift = np.where(np.isfinite(largest), largest, 0)
    rest = np.exp(np.where(is_largest, -np.inf, values) - shift)
    total = np.sum(rest, axis=1, keepdims=True)
    return np.log1p(total / count) + np.log(count) + largest
