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
        """Return the decision values, and the number of the class of each row."""
        pairs = object.__new__(SVC)
        vars(pairs).update(vars(model), decision_function_shape="ovo")
        pairs.break_ties = False
        with config_context(assume_finite=True):
            values = pairs.decision_function(X)
        if values.ndim == 1:
            # A tie is a vote for the second class.
            return np.stack([values, ~(values < 0)], axis=1)
        sums, votes = _tally(values)
        wins = votes
        ties = values == 0
        if ties.any():
            # For the second class by `predict`, by `decision_function` for the first.
            wins = _tally(np.where(ties, -1.0, values))[1]
            votes = _tally(np.where(ties, 1.0, values))[1]
        by_class = values
        if model.decision_function_shape == "ovr":
            by_class = votes + sums / (3 * (np.abs(sums) + 1))
        best = (by_class if model.break_ties else wins).argmax(axis=1)
        return np.concatenate([by_class, best[:, None]], axis=1)

    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return labels or decision values."""
        if method == "predict":
            return model.classes_.take(seen[:, -1].astype(np.intp))
        return (seen[:, 0] if seen.shape[1] == 2 else seen[:, :-1]).copy()


def _tally(values: NDArray) -> tuple[NDArray, NDArray]:
    """Return the sum of the values for each class, and how many are positive.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_classes * (n_classes - 1) / 2)
        For the first class of each pair, (0, 1), (0, 2), ..., against the second.

    Returns
    -------
    sums : ndarray of shape (n_rows, n_classes)
        Added pair by pair, in the order of scikit-learn.
    wins : ndarray of shape (n_rows, n_classes)
    """
    n_classes = int((1 + np.sqrt(1 + 8 * values.shape[1])) / 2)
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
    wins = np.zeros((n_classes, len(values)), dtype=np.int16)
    for column, sign in zip(columns, signs, strict=True):
        mine = by_pair[column]
        mine *= sign
        sums += mine
        wins += mine > 0
    return sums.T, wins.T
