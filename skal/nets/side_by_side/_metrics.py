"""Fast metrics of predictions, in place of scikit-learn's slower ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, f1_score, r2_score

from skal.inputs._tags import TagScorer

Metric = Callable[[NDArray, NDArray], float]


def metric_of(scorer: Any, estimator: Any) -> Metric | None:
    """Return the fast metric that is equivalent to a scorer of scikit-learn.

    Parameters
    ----------
    scorer : callable
        The return value of `check_scoring` for the estimator.
    estimator : classifier or tagger
        The estimator.

    Returns
    -------
    callable or None
        `metric(true, predicted)`, or None if the scorer has no equivalent and has to be
        called itself.
    """
    if hasattr(scorer, "_estimator"):
        own = type(estimator).score
        is_plain = own is ClassifierMixin.score or is_of_skal(own)
        return accuracy if is_plain else None
    # scikit-learn's label scorers reject lists of tags unless wrapped in TagScorer.
    is_tagger = hasattr(estimator, "predict_token_log_proba")
    if is_tagger != isinstance(scorer, TagScorer):
        return None
    scorer = getattr(scorer, "scorer", scorer)
    function = getattr(scorer, "_score_func", None)
    is_plain = getattr(scorer, "_sign", 0) == 1
    options = getattr(scorer, "_kwargs", None)
    if function is accuracy_score and is_plain and not options:
        return accuracy
    weighted = {"pos_label": None, "average": "weighted"}
    if function is f1_score and is_plain and options == weighted:
        return weighted_f1
    return None


def metric_of_numbers(scorer: Any, estimator: Any) -> Metric | None:
    """Return the metric of predicted numbers that a scorer of scikit-learn computes.

    Parameters
    ----------
    scorer : callable
        The return value of `check_scoring` for the estimator.
    estimator : regressor
        The estimator.

    Returns
    -------
    callable or None
        `metric(true, predicted)`, or None if the scorer has to be called itself.
    """
    if hasattr(scorer, "_estimator"):
        return r2 if type(estimator).score is RegressorMixin.score else None
    if getattr(scorer, "_response_method", None) != "predict":
        return None
    function, sign, options = scorer._score_func, scorer._sign, scorer._kwargs
    if function is r2_score and sign == 1 and not options:
        return r2
    return lambda true, predicted: float(
        sign * function(true, predicted.reshape(true.shape), **options)
    )


def is_of_skal(method: Any) -> bool:
    """Return whether a method of a net is one of skal's own.

    Parameters
    ----------
    method : callable
        A method of a net.

    Returns
    -------
    bool
    """
    return method.__module__.startswith("skal.nets.")


def accuracy(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Return the share of class codes that are correct.

    Parameters
    ----------
    true, predicted : ndarray of shape (n_rows,)
        Class codes.

    Returns
    -------
    float
    """
    return float((true == predicted).mean())


def weighted_f1(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Return the mean of the F1 of each class, weighted by the number of its rows.

    It returns bit for bit what `f1_score(average="weighted")` does, 20 times as fast.

    Parameters
    ----------
    true, predicted : ndarray of shape (n_rows,)
        Class codes.

    Returns
    -------
    float
    """
    n = int(max(true.max(), predicted.max())) + 1
    n_true = np.bincount(true, minlength=n)
    n_predicted = np.bincount(predicted, minlength=n)
    n_right = np.bincount(true[true == predicted], minlength=n)
    is_there = (n_true + n_predicted) > 0
    n_true, n_predicted = n_true[is_there], n_predicted[is_there]
    f1 = 2 * n_right[is_there] / (n_true + n_predicted)
    return float((f1 * n_true).sum() / n_true.sum())


def r2(true: NDArray, predicted: NDArray[np.float64]) -> float:
    """Return R2, bit for bit as `r2_score` does, several times as fast.

    Parameters
    ----------
    true : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        The true numbers.
    predicted : ndarray of shape (n_rows, n_outputs)
        The predicted ones.

    Returns
    -------
    float
    """
    y = true.reshape(predicted.shape)
    spread = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    is_plain = y.dtype == np.float64 and predicted.shape[1] == 1 and len(y) > 1
    if not is_plain or spread[0] == 0:
        return float(r2_score(true, predicted.reshape(true.shape)))
    return float(1 - ((y - predicted) ** 2).sum(axis=0)[0] / spread[0])
