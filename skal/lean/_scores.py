"""Scores of common scorers, from answers that are found once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    get_scorer,
)

from skal.answers._fixed_classes import FixedClasses
from skal.answers._reading import codes_of
from skal.lean._forms import steps_of

# The base class of scikit-learn's scorers of predictions and probabilities.
SCORER: Any = type(get_scorer("accuracy")).__mro__[1]


def score_of(scorer: Any, model: Any, asked: Any, X: Any, y: Any) -> Any:
    """Return what `scorer(model, X, y)` returns.

    Parameters
    ----------
    scorer : callable
        A scorer of scikit-learn reads the answers of `asked`; any other one is given
        the model itself.
    model : fitted classifier
    asked : fitted classifier
        A view of the model, which answers about `X` once.
    X, y : rows and labels

    Returns
    -------
    float
    """
    if getattr(y, "ndim", 1) == 2:
        return scorer(asked if isinstance(scorer, SCORER) else model, X, y)
    if is_own_accuracy(scorer, model):
        return accuracy(y, asked.predict(X))
    if not isinstance(scorer, SCORER):
        return scorer(model, X, y)
    metric = METRICS.get((getattr(scorer, "_score_func", None), _kwargs(scorer)))
    # Metrics of classes refuse the numbers of a regressor, which has no `classes_`.
    if metric is None or type(y) is not np.ndarray or not hasattr(model, "classes_"):
        return scorer(asked, X, y)
    found = metric(y, asked.predict(X), model.classes_)
    return scorer(asked, X, y) if found is None else found


def is_own_accuracy(scorer: Any, model: Any) -> bool:
    """Return whether a scorer calls the model's `score`, and this is the accuracy."""
    if type(scorer).__name__ != "_PassthroughScorer":
        return False
    while isinstance(model, FixedClasses):
        model = model.estimator
    own = getattr(type(steps_of(model)[-1]), "score", None)
    return own is ClassifierMixin.score


def _kwargs(scorer: Any) -> tuple:
    """Return the arguments of a scorer's metric; they are compared with the usual."""
    kwargs = getattr(scorer, "_kwargs", {})
    is_plain = getattr(scorer, "_sign", 1) == 1
    return (*sorted(kwargs.items()),) if is_plain else ("sign",)


def accuracy(y: NDArray, predicted: NDArray, classes: NDArray | None = None) -> float:
    """Return the share of right predictions, as `accuracy_score`."""
    return float(np.average(np.asarray(y) == predicted))


def balanced_accuracy(y: NDArray, predicted: NDArray, classes: NDArray) -> float | None:
    """Return the mean recall of the classes, as `balanced_accuracy_score`.

    Returns
    -------
    float or None
        None if a class was predicted that is not in `y`, of which the metric warns.
    """
    right, true, _ = _counts(y, predicted, classes)
    return float(np.mean(right / true)) if true.all() else None


def _f1(average: str) -> Any:
    def f1(y: NDArray, predicted: NDArray, classes: NDArray) -> float:
        right, true, found = _counts(y, predicted, classes)
        if average == "micro":
            right, true, found = (part.sum()[None] for part in (right, true, found))
        weights = true if average == "weighted" else None
        return float(np.average(2 * right / (true + found), weights=weights))

    return f1


def _counts(
    y: NDArray, predicted: NDArray, classes: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Count right predictions, labels and predictions of each class that occurs."""
    codes = [codes_of(labels, classes) for labels in (y, predicted)]
    if any((part < 0).any() for part in codes):  # the model has not seen all classes
        classes = np.unique(np.concatenate([y, predicted]))
        codes = [codes_of(labels, classes) for labels in (y, predicted)]
    true, found = codes
    right = true[true == found]
    counts = [
        np.bincount(part, minlength=len(classes)) for part in (right, true, found)
    ]
    occurs = counts[1] + counts[2] > 0
    return counts[0][occurs], counts[1][occurs], counts[2][occurs]


# The metric of a scorer and its arguments, and the same metric here.
METRICS: dict[tuple, Any] = {
    (accuracy_score, ()): accuracy,
    (balanced_accuracy_score, ()): balanced_accuracy,
    **{
        (f1_score, (("average", average), ("pos_label", None))): _f1(average)
        for average in ("macro", "micro", "weighted")
    },
}
