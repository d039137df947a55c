"""`SVC` by its compiled code, with labels and decision values from one look at rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC
from sklearn.utils import check_random_state, compute_class_weight

from skal import _sklearn
from skal.lean._by_class import is_valid
from skal.lean._form import LeanForm

# The number of `SVC` among the machines of the compiled code.
C_SVC = 0
# Attributes that hold what its `fit` returns, in this order.
FITTED = (
    *("support_", "support_vectors_", "_n_support", "dual_coef_", "intercept_"),
    *("_probA", "_probB", "fit_status_", "_num_iter"),
)


class LeanSVC(LeanForm):
    """A support vector classifier, trained by the compiled code of its `fit`.

    With a hundred rows, that code takes a quarter of the time of `fit`. Answers take
    kernels between rows and support vectors, once for `predict` and again for
    `decision_function`: both follow from the decision values of all pairs of classes.
    """

    kind = SVC
    methods = ("predict", "decision_function")
    any_order = True

    def suits(self, estimator: Any) -> bool:
        """Return whether the kernel is known by name, without probabilities."""
        return (
            _sklearn.libsvm is not None
            and isinstance(estimator.kernel, str)
            and estimator.kernel != "precomputed"
            and estimator.probability in (False, "deprecated")
            and not estimator.verbose
            and (estimator.decision_function_shape == "ovr" or not estimator.break_ties)
            and is_valid(estimator)
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Train, and set the attributes that `fit` sets."""
        X = np.ascontiguousarray(X, dtype=np.float64)
        labels = classes[codes]
        weights = compute_class_weight(model.class_weight, classes=classes, y=labels)
        rng = check_random_state(model.random_state)
        vars(model).update(
            n_features_in_=X.shape[1],
            _sparse=False,
            class_weight_=weights,
            classes_=classes,
            _effective_probability=False,
            _gamma=_gamma(model, X),
        )
        found = _sklearn.libsvm.fit(
            X,
            codes.astype(np.float64),
            svm_type=C_SVC,
            sample_weight=np.empty(0),
            class_weight=weights,
            C=model.C,
            nu=model.nu,
            probability=False,
            shrinking=model.shrinking,
            tol=model.tol,
            epsilon=model.epsilon,
            max_iter=model.max_iter,
            random_seed=rng.randint(np.iinfo("i").max),
            **_kernel(model),
        )
        vars(model).update(zip(FITTED, found, strict=True))
        model._warn_from_fit_status()
        model.shape_fit_, model.n_iter_ = X.shape, model._num_iter
        # As `fit` does: of two classes, the signs are turned for the public names.
        model._intercept_, model._dual_coef_ = model.intercept_.copy(), model.dual_coef_
        if len(classes) == 2:
            model.intercept_ *= -1
            model.dual_coef_ = -model.dual_coef_

    def look(self, model: Any, X: NDArray) -> NDArray:
        """Return the decision values of all pairs of classes."""
        values = _sklearn.libsvm.decision_function(
            np.ascontiguousarray(X, dtype=np.float64),
            model.support_,
            model.support_vectors_,
            model._n_support,
            model._dual_coef_,
            model._intercept_,
            model._probA,
            model._probB,
            svm_type=C_SVC,
            **_kernel(model),
        )
        return -values.ravel() if len(model.classes_) == 2 else values

    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return labels or decision values."""
        n_classes = len(model.classes_)
        if method == "decision_function":
            by_pair = n_classes == 2 or model.decision_function_shape == "ovo"
            return seen.copy() if by_pair else _by_class(seen, n_classes)
        if n_classes == 2:
            columns = (~(seen < 0)).astype(np.intp)
        elif model.break_ties:
            columns = _by_class(seen, n_classes).argmax(axis=1)
        else:
            columns = _votes(seen > 0, n_classes).argmax(axis=1)
        return model.classes_.take(columns)


def _gamma(model: Any, X: NDArray) -> float:
    """Return the coefficient of the kernel, which may depend on the rows."""
    if model.gamma == "auto":
        return 1.0 / X.shape[1]
    if model.gamma != "scale":
        return model.gamma
    variance = X.var()
    return 1.0 / (X.shape[1] * variance) if variance != 0 else 1.0


def _kernel(model: Any) -> dict[str, Any]:
    """Return the arguments that describe the kernel."""
    return {
        "kernel": model.kernel,
        "degree": model.degree,
        "coef0": model.coef0,
        "gamma": model._gamma,
        "cache_size": model.cache_size,
    }


def _by_class(values: NDArray, n_classes: int) -> NDArray:
    """Return the votes for each class, ties broken by its decision values.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_classes * (n_classes - 1) / 2)
        For the first class of each pair, (0, 1), (0, 2), ..., against the second.
    n_classes : int

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
    """
    sums = _sums(values, n_classes)
    return _votes(~(values < 0), n_classes) + sums / (3 * (np.abs(sums) + 1))


def _votes(first_wins: NDArray[np.bool_], n_classes: int) -> NDArray:
    """Return how many pairs each class wins."""
    first, second = np.triu_indices(n_classes, k=1)
    pairs = np.arange(len(first))
    # Small whole numbers: their sums are exact in any order.
    gains = np.zeros((len(pairs), n_classes), dtype=np.float32)
    gains[pairs, first], gains[pairs, second] = 1, -1
    votes = first_wins.astype(np.float32) @ gains
    votes += np.arange(n_classes, dtype=np.float32)  # Pairs in which it is second.
    return votes.astype(float)


def _sums(values: NDArray, n_classes: int) -> NDArray:
    """Return the sum of the values for each class, less those against it.

    They are added pair by pair, in the order of scikit-learn.
    """
    first, second = np.triu_indices(n_classes, k=1)
    place = np.zeros((n_classes, n_classes), dtype=np.intp)
    place[first, second] = place[second, first] = np.arange(len(first))
    # Turn t has the t-th pair of each class: those in which it is second come first.
    turn, own = np.indices((n_classes - 1, n_classes))
    is_second = turn < own
    columns = place[own, np.where(is_second, turn, turn + 1)]
    signs = np.where(is_second, -1.0, 1.0)[..., None]
    by_pair = np.ascontiguousarray(values.T)
    sums = np.zeros((n_classes, len(values)))
    for column, sign in zip(columns, signs, strict=True):
        mine = by_pair[column]
        mine *= sign
        sums += mine
    return sums.T
