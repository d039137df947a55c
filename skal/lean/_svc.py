"""`SVC` whose labels and decision values come from one look at the rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.svm import SVC

from skal.lean._by_class import is_valid
from skal.lean._form import LeanForm


class LeanSVC(LeanForm):
    """A support vector classifier, trained by its own `fit`, the same bits.

    Most of its time goes into answers: kernels between rows and support vectors, once
    for `predict` and again for `decision_function`. Both follow from the decision
    values of all pairs of classes.
    """

    kind = SVC
    methods = ("predict", "decision_function")
    any_order = True

    def suits(self, estimator: Any) -> bool:
        """Return whether the kernel is known by name, without probabilities."""
        return (
            isinstance(estimator.kernel, str)
            and estimator.kernel != "precomputed"
            and estimator.probability in (False, "deprecated")
            and not estimator.verbose
            and (estimator.decision_function_shape == "ovr" or not estimator.break_ties)
            and is_valid(estimator)
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Train by `fit`, without the checks of numbers and parameters."""
        with config_context(assume_finite=True, skip_parameter_validation=True):
            model.fit(X, classes[codes])

    def look(self, model: Any, X: NDArray) -> NDArray:
        """Return the decision values of all pairs of classes."""
        pairs = object.__new__(SVC)
        vars(pairs).update(vars(model), decision_function_shape="ovo", break_ties=False)
        with config_context(assume_finite=True):
            return pairs.decision_function(X)

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
