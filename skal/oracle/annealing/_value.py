"""The value of a model to a search: its score, and what its margins add to it.

A score such as accuracy has plateaus, on which only the margins still have a slope. A
score of numbers has none, so that the score alone is the value; the squared error of
the residuals foretells it, up to a factor that is calibrated.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skal.inputs._targets import Target

# Slope of the logistic function that stands for a normal distribution function: with
# 1.7, the two differ by less than 0.01 everywhere.
LOGISTIC_SLOPE = 1.7
# Weight of the smooth accuracy in the objective, where the score has weight 1: a score
# such as accuracy has plateaus, on which only the smooth accuracy still has a slope.
SMOOTH_WEIGHT = 2.0
# Weight of the shortfall, likewise. On a split of Wdbc and one of Breast, orders that
# grew row by row had 0.977 and 0.982 with the smooth accuracy, which goes on rewarding
# right answers for larger margins, and 0.989 and 0.991 with the shortfall.
SHORTFALL_WEIGHT = 0.3


class Value(Protocol):
    """Turns scores and margins into the objective of a search.

    Attributes
    ----------
    max_slope : float
        Largest slope of the calibration of predicted gains.
    curvature : float
        The gain by a shift grows by so much times its mean square, beyond the slopes;
        0 for no constant.
    """

    max_slope: float
    curvature: float

    def of(self, scores: NDArray, margins: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the objective of models.

        Parameters
        ----------
        scores : ndarray of shape (n_models,)
            Validation scores.
        margins : ndarray of shape (n_models, n_answers)
            Margins of the same models.

        Returns
        -------
        ndarray of shape (n_models,)
        """

    def gains(
        self, margins: NDArray[np.float32], shifts: NDArray, stds: NDArray
    ) -> NDArray:
        """Return how much the objective is expected to gain from shifts of the margins.

        Parameters
        ----------
        margins : ndarray of shape (n_answers,)
            Margins of the current model.
        shifts : ndarray of shape (n_moves, n_answers)
            Predicted changes of the margins.
        stds : ndarray of shape (n_moves,)
            Standard deviation of each shift.

        Returns
        -------
        ndarray of shape (n_moves,)
        """

    def slopes(self, margins: NDArray[np.float32], width: float) -> NDArray[np.float32]:
        """Return the derivative of `gains` by the shifts, where these are zero.

        Parameters
        ----------
        margins : ndarray of shape (n_answers,)
            The margins of a model.
        width : float
            Standard deviation of a shift of a margin.

        Returns
        -------
        ndarray of shape (n_answers,)
        """


class SmoothAccuracy:
    """The score of a classifier plus its smooth accuracy, for slopes on plateaus."""

    max_slope, curvature = 2.0, 0.0

    def of(self, scores: NDArray, margins: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores plus `SMOOTH_WEIGHT` times the smooth accuracies."""
        return scores + SMOOTH_WEIGHT * smooth_accuracy(margins)

    def gains(
        self, margins: NDArray[np.float32], shifts: NDArray, stds: NDArray
    ) -> NDArray:
        """Return gains in expected accuracy, plus weighted ones in smooth accuracy."""
        # shape (n_moves, n_answers) and (n_moves, 1)
        shifted, widths = margins + shifts, stds[:, None]
        # Large temporary arrays take as long to make as to fill: use two of them only.
        scaled = shifted / widths
        score = _smooth_accuracy_in_place(scaled)
        score_now = _smooth_accuracy_in_place(np.divide(margins, widths, out=scaled))
        smooth_gain = _smooth_accuracy_in_place(shifted) - smooth_accuracy(margins)
        return score - score_now + SMOOTH_WEIGHT * smooth_gain

    def slopes(self, margins: NDArray[np.float32], width: float) -> NDArray[np.float32]:
        """Return the derivative of `gains` by the shifts, where these are zero."""
        both = _slope(margins / width) / width + SMOOTH_WEIGHT * _slope(margins)
        return (both / len(margins)).astype(np.float32)


class Shortfall:
    """The score of a classifier less how wrong its wrong answers are, on average."""

    max_slope, curvature = 2.0, 0.0

    def of(self, scores: NDArray, margins: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores less `SHORTFALL_WEIGHT` times the mean shortfalls."""
        return scores - SHORTFALL_WEIGHT * shortfall(margins)

    def gains(
        self, margins: NDArray[np.float32], shifts: NDArray, stds: NDArray
    ) -> NDArray:
        """Return gains in expected accuracy, plus weighted ones in the shortfall."""
        shifted, widths = margins + shifts, stds[:, None]
        less_short = shortfall(margins) - shortfall(shifted)
        score = _smooth_accuracy_in_place(np.divide(shifted, widths, out=shifted))
        score_now = _smooth_accuracy_in_place(np.divide(margins, widths, out=shifted))
        return score - score_now + SHORTFALL_WEIGHT * less_short

    def slopes(self, margins: NDArray[np.float32], width: float) -> NDArray[np.float32]:
        """Return the derivative of `gains` by the shifts, where these are zero."""
        both = _slope(margins / width) / width + SHORTFALL_WEIGHT * (margins < 0)
        return (both / len(margins)).astype(np.float32)


class SquaredError:
    """The score of a regressor; gains are those in the squared error of residuals."""

    max_slope, curvature = np.inf, -1.0

    def of(self, scores: NDArray, margins: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores."""
        return np.asarray(scores, dtype=np.float64)

    def gains(
        self, margins: NDArray[np.float32], shifts: NDArray, stds: NDArray
    ) -> NDArray:
        """Return by how much the squared error is expected to fall: gains in R2.

        The variance of the shifts is left out: it is nearly the same for all moves, and
        the intercept of the calibration stands for it.
        """
        return -(shifts * (2 * margins + shifts)).mean(axis=1)

    def slopes(self, margins: NDArray[np.float32], width: float) -> NDArray[np.float32]:
        """Return the derivative of `gains` by the shifts, where these are zero."""
        return (-2 / len(margins) * margins).astype(np.float32)


def value_of(target: Target, row_by_row: bool = False) -> Value:
    """Return the objective of a search for a kind of target.

    Parameters
    ----------
    target : Target
        The kind.
    row_by_row : bool, default=False
        Whether many rounds label one row each. Then a plateau of the score is where the
        next row must begin to turn a wrong answer, which several rows do together.

    Returns
    -------
    Value
    """
    if target.is_numeric:
        return SquaredError()
    return Shortfall() if row_by_row else SmoothAccuracy()


def shortfall(margins: NDArray) -> NDArray:
    """Return the mean over answers of how far a margin is below zero.

    Parameters
    ----------
    margins : ndarray of shape (..., n_answers)
        Margins of a model's answers; negative where the answer is wrong.

    Returns
    -------
    ndarray of shape (...)
        Not negative.
    """
    return np.maximum(-margins, 0).mean(axis=-1)


def smooth_accuracy(margins: NDArray, axis: int = -1) -> NDArray:
    """Return the mean of a logistic function of the margins.

    A differentiable version of the share of right answers: an answer with a margin of
    zero counts as half right.

    Parameters
    ----------
    margins : ndarray of shape (..., n_answers)
        Margins of a model's answers; positive where the answer is right.
    axis : int, default=-1
        The axis of the answers.

    Returns
    -------
    ndarray of shape (...)
        Between 0 and 1.
    """
    return _smooth_accuracy_in_place(margins * 1.0, axis)


def _slope(margins: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the derivative of the logistic function of the smooth accuracy."""
    return LOGISTIC_SLOPE / 4 * (1 - np.tanh(LOGISTIC_SLOPE / 2 * margins) ** 2)


def _smooth_accuracy_in_place(margins: NDArray, axis: int = -1) -> NDArray:
    """Return the smooth accuracy of margins, which are overwritten."""
    # expit(x) is (1 + tanh(x / 2)) / 2, and numpy's tanh is several times faster.
    margins *= LOGISTIC_SLOPE / 2
    return (1 + np.tanh(margins, out=margins).mean(axis=axis)) / 2
