"""Margins: how far each answer of a model is from being wrong, or from being right."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skal.answers._decisions import decision_values
from skal.answers._reading import (
    check_columns,
    codes_of,
    predictions,
    probabilities,
    token_log_probabilities,
)
from skal.inputs._tags import all_labels, is_tags
from skal.inputs._targets import Target, predicts_numbers

# Margins are clipped to this size: at e^16 to 1 an answer is as good as certain.
LARGEST = 16.0


def margins(scores: ArrayLike, codes: NDArray[np.int64]) -> NDArray[np.float16]:
    """Return the score of the true class minus the highest score of the others.

    Parameters
    ----------
    scores : array-like of shape (n_answers, n_classes)
        Log-probabilities, up to a constant per row.
    codes : ndarray of shape (n_answers,)
        The column of the true class; -1 if it has no column.

    Returns
    -------
    ndarray of shape (n_answers,), dtype float16
        Positive where the answer is right; clipped to [-16, 16]. NaN counts as -16.
    """
    scores = np.array(scores, dtype=np.float64)
    rows = np.arange(len(scores))
    true = np.where(codes < 0, -np.inf, scores[rows, codes])
    scores[rows[codes >= 0], codes[codes >= 0]] = -np.inf
    found = np.clip(true - scores.max(axis=1), -LARGEST, LARGEST)
    return np.nan_to_num(found, nan=-LARGEST).astype(np.float16)


def residuals(predicted: NDArray, true: NDArray, scale: float) -> NDArray[np.float16]:
    """Return predictions minus the truth, in units of a scale.

    Parameters
    ----------
    predicted, true : ndarray of shape (n_answers,)
        Numbers.
    scale : float
        The unit.

    Returns
    -------
    ndarray of shape (n_answers,), dtype float16
        Clipped to [-16, 16]. NaN counts as 16.
    """
    found = np.clip((np.asarray(predicted) - true) / scale, -LARGEST, LARGEST)
    return np.nan_to_num(found, nan=LARGEST).astype(np.float16)


def scale_of(true: NDArray) -> float:
    """Return the standard deviation of numbers, or 1 if they are all the same."""
    return float(np.std(true)) or 1.0


def margins_without_model(y: Any, target: Target) -> NDArray[np.float16]:
    """Return the margins that stand for a model which could not be trained.

    Parameters
    ----------
    y : labels, or lists of tags
        The true labels.
    target : Target
        Their kind.

    Returns
    -------
    ndarray of shape (n_answers,), dtype float16
        Zero for classes, neither right nor wrong; the residuals of the mean of numbers.
    """
    true = all_labels(y)
    if target.has_classes:
        return np.zeros(len(true), np.float16)
    return residuals(true.mean(), true, scale_of(true))


def margins_of(model: Any, X: Any, y: Any) -> NDArray[np.float16]:
    """Return the margins of a model's answers.

    Margins are differences of log-probabilities; for a model without probabilities,
    differences of decision values; and for one without these, 1 (right) or -1 (wrong).
    For a regressor, they are its residuals in standard deviations of the truth.

    Parameters
    ----------
    model : fitted classifier, tagger or regressor
        The model to evaluate.
    X : rows
        Rows to predict.
    y : labels, or lists of tags
        Their true labels.

    Returns
    -------
    ndarray of shape (n_answers,), dtype float16
        One per row, or per tag.
    """
    true = all_labels(y)
    if predicts_numbers(model):
        return residuals(predictions(model, X), true, scale_of(true))
    if hasattr(model, "predict_token_log_proba"):
        found = np.concatenate(token_log_probabilities(model, X))
        return margins(found, codes_of(true, model.classes_))
    if is_tags(y) or not hasattr(model, "classes_"):
        return _signs(
            all_labels(model.predict(X)) if is_tags(y) else predictions(model, X), true
        )
    scores = _log_scores(model, X)
    if scores is None:
        return _signs(predictions(model, X), true)
    return margins(scores, codes_of(true, model.classes_))


def _log_scores(model: Any, X: Any) -> NDArray | None:
    """Return log-probabilities, or else decision values; None without either."""
    if hasattr(model, "predict_proba"):
        probs = probabilities(model, X)
        check_columns(probs.shape[1], model)
        return np.log(np.clip(probs, np.exp(-LARGEST), None))
    return decision_values(model, X)


def _signs(answers: Any, true: NDArray) -> NDArray[np.float16]:
    """Return 1 for each right answer and -1 for each wrong one."""
    return np.where(np.asarray(answers) == true, 1, -1).astype(np.float16)
