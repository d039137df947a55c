"""Responses of a regression that stands for an estimator: classes, or one number.

A classifier is compared with a regression on the classes, one column for each, by the
margins of its answers. A regressor is compared with a regression on the numbers
themselves, by the residuals of its predictions. Both are named margins in a search.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skal.answers._margins import margins as margins_of
from skal.answers._margins import residuals, scale_of
from skal.answers._reading import codes_of
from skal.inputs._containers import take
from skal.oracle.annealing._ridge import Changes, margin_shifts, shifts_along
from skal.problem import Problem

# Number of classes that the true class of an answer is compared with: those with the
# highest predictions before the exchange.
N_RIVALS = 3


class Outlook(Protocol):
    """The predictions of one regression, and how they would change."""

    @property
    def margins(self) -> NDArray[np.float32]:
        """Return the margins of the predictions, shape (n_answers,)."""

    def shifts(self, X: NDArray[np.float32], changes: Changes) -> NDArray[np.float32]:
        """Return how exchanges shift the margins, shape (n_exchanges, n_answers)."""

    def shifts_along(
        self, reach: NDArray[np.float32], amounts: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return how further rows shift the margins, shape (n_rows, n_answers).

        See `Growing` for `reach` and `amounts`.
        """

    def pull(self, slopes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return slopes by margins as slopes by scores, (n_answers, n_columns)."""


class Responses(Protocol):
    """The targets of a regression, and the true answers on validation.

    Attributes
    ----------
    unfitted : ndarray of shape (n_answers,)
        The margins of a model that was trained on nothing.
    """

    unfitted: NDArray[np.float32]

    def columns(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the targets of rows, one column each, shape (..., n_columns)."""

    def margins(self, scores: NDArray) -> NDArray[np.float16]:
        """Return the margins of scores of shape (n_answers, n_columns)."""

    def outlook(self, scores: NDArray[np.float32]) -> Outlook:
        """Return the outlook for scores of shape (n_answers, n_columns)."""


class ClassResponses:
    """Classes, one column for each: 1 in the rows of the class and 0 in the others.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        The classes of the warm start and the pool, from 0 to n_classes - 1.
    true : ndarray of shape (n_answers,)
        The classes on validation.
    n_classes : int
        Number of classes.
    """

    def __init__(
        self, codes: NDArray[np.int64], true: NDArray[np.int64], n_classes: int
    ) -> None:
        self.codes, self.true, self._eye = codes, true, np.eye(n_classes)
        self.is_true = self._eye.astype(bool)[true]
        self.unfitted = np.zeros(len(true), dtype=np.float32)

    def columns(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the targets of rows, shape (..., n_classes)."""
        return self._eye[self.codes[rows]]

    def margins(self, scores: NDArray) -> NDArray[np.float16]:
        """Return the score of the true class minus the highest of the others."""
        return margins_of(scores, self.true)

    def outlook(self, scores: NDArray[np.float32]) -> "ClassOutlook":
        """Return the scores, compared with the scores of rivals of the true classes."""
        others = np.where(self.is_true, np.inf, -scores)
        rivals = _smallest(others, min(N_RIVALS, scores.shape[1] - 1)).T
        gaps = scores[self.is_true] - np.take_along_axis(scores.T, rivals, axis=0)
        return ClassOutlook(self, rivals, gaps)


class ClassOutlook(NamedTuple):
    """Predictions for the true classes, compared with those for their rivals.

    Parameters
    ----------
    responses : ClassResponses
        The classes.
    rivals : ndarray of shape (n_rivals, n_answers)
        The classes that the true class of each answer is compared with.
    gaps : ndarray of shape (n_rivals, n_answers)
        The prediction for the true class minus that for each of them.
    """

    responses: ClassResponses
    rivals: NDArray[np.int64]
    gaps: NDArray[np.float32]

    @property
    def margins(self) -> NDArray[np.float32]:
        """Return the margins of the predictions, shape (n_answers,)."""
        return self.gaps.min(axis=0)

    def shifts(self, X: NDArray[np.float32], changes: Changes) -> NDArray[np.float32]:
        """Return how exchanges shift the margins, shape (n_exchanges, n_answers)."""
        return margin_shifts(self.gaps, self.responses.true, self.rivals, X, changes).T

    def shifts_along(
        self, reach: NDArray[np.float32], amounts: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return how further rows shift the margins, shape (n_rows, n_answers)."""
        true, rivals = self.responses.true, self.rivals
        return shifts_along(self.gaps, true, rivals, [reach], amounts[None]).T

    def pull(self, slopes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return slopes by margins as slopes by scores, (n_answers, n_classes).

        A margin rises with the prediction for the true class, and falls with that for
        its nearest rival.
        """
        pull = self.responses.is_true * slopes[:, None]
        pull[np.arange(len(pull)), self.rivals[0]] = -slopes
        return pull.astype(np.float32)


class NumberResponses:
    """Numbers, in one column, in the units of the residuals of a regressor.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        The targets of the warm start and the pool.
    true : ndarray of shape (n_answers,)
        The targets on validation.
    """

    def __init__(self, y: NDArray[np.float64], true: NDArray[np.float64]) -> None:
        scale, mean = scale_of(true), y.mean()
        self._y, self._true = (y - mean) / scale, (true - mean) / scale
        self.unfitted = self.margins(np.zeros((len(true), 1))).astype(np.float32)

    def columns(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the targets of rows, shape (..., 1)."""
        return self._y[rows][..., None]

    def margins(self, scores: NDArray) -> NDArray[np.float16]:
        """Return the residuals of predictions."""
        return residuals(scores[:, 0], self._true, 1.0)

    def outlook(self, scores: NDArray[np.float32]) -> "NumberOutlook":
        """Return the residuals of predictions."""
        return NumberOutlook(scores[:, 0] - self._true.astype(np.float32))


class NumberOutlook(NamedTuple):
    """Residuals of predictions, which are linear in the coefficients.

    Parameters
    ----------
    margins : ndarray of shape (n_answers,)
        The residuals.
    """

    margins: NDArray[np.float32]

    def shifts(self, X: NDArray[np.float32], changes: Changes) -> NDArray[np.float32]:
        """Return how exchanges shift the residuals, shape (n_exchanges, n_answers)."""
        coefs = np.einsum("dij,dik->ij", changes.directions, changes.amounts)
        return coefs @ X.T

    def shifts_along(
        self, reach: NDArray[np.float32], amounts: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return how further rows shift the residuals, shape (n_rows, n_answers)."""
        return reach.T * amounts

    def pull(self, slopes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return slopes by residuals as slopes by predictions, (n_answers, 1)."""
        return slopes[:, None]


def responses_of(problem: Problem, sample: NDArray[np.int64], y: Any) -> Responses:
    """Return the responses of the regression for a problem.

    Parameters
    ----------
    problem : Problem
        With a validation set.
    sample : ndarray of int
        The rows of validation whose margins are compared.
    y : labels
        The labels of the warm start, followed by the pool's.

    Returns
    -------
    Responses
    """
    true, y = np.asarray(take(problem.y_val, sample)), np.asarray(y)
    if not problem.target.has_classes:
        return NumberResponses(y, true)
    codes, of_val = (codes_of(part, problem.classes) for part in (y, true))
    return ClassResponses(codes, of_val, len(problem.classes))


def _smallest(values: NDArray, n: int) -> NDArray[np.int64]:
    """Return the columns of the n smallest values in each row, ascending."""
    some = np.argpartition(values, n - 1, axis=1)[:, :n]
    order = np.argsort(np.take_along_axis(values, some, axis=1), axis=1)
    return np.take_along_axis(some, order, axis=1)
