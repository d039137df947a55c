"""A linear datamodel: predicts how exchanges of points change validation margins.

Nothing is trained here. The margins of a model on validation are modelled as a sum of
effects, one per training point: exchanging one point for another adds the difference
of their effects. This is a linear datamodel (Ilyas et al., "Datamodels: Predicting
Predictions from Training Data", ICML 2022), fitted online from the exchanges that the
search tries anyway, by a Kalman filter with one variance per point.
"""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

# Decay of the running mean squared prediction error, per update: it averages over
# about the latest 100 exchanges.
ERROR_DECAY = 0.99
# Number of latest changed sets in the calibration fit, so that it follows the search
# as the predictions get better.
N_RECENT_OUTCOMES = 400
# Number of changed sets below which the calibration line is not fitted: a slope from
# fewer is mostly noise.
MIN_OUTCOMES = 30


class LinearDatamodel:
    """The effect of each point of the pool on each margin, with its uncertainty.

    Parameters
    ----------
    n_points : int
        Number of points in the pool.
    n_answers : int
        Number of answers on validation that have a margin.

    Attributes
    ----------
    variances : ndarray of shape (n_points,)
        Variance of the effects, relative to the prior variance.
    error_scale : float
        Root mean squared prediction error, divided by the standard deviation that
        `variances` and `noise` imply. It turns their relative units into margins.
    """

    # Variance of the part of an exchange that a sum of effects cannot explain, relative
    # to the prior variance of an effect: the two are taken to be equal.
    noise = 1.0

    def __init__(self, n_points: int, n_answers: int) -> None:
        # Points that were exchanged have a row of effects, and all others share row 0,
        # which stays zero: a table with a row for each point may not fit into memory.
        self._row_of = np.zeros(n_points, dtype=np.int32)
        self._rows = np.zeros((1, n_answers), dtype=np.float32)
        self._n_used = 1
        self.variances = np.ones(n_points)
        self.error_scale = 1.0

    def effects(self, points: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the effects of points.

        Parameters
        ----------
        points : ndarray of shape (n,)
            Points of the pool.

        Returns
        -------
        ndarray of shape (n, n_answers)
            The amount that each point adds to the margins of a model that is trained
            on the mean number of labels; 0 for a point that was never exchanged.
        """
        return self._rows[self._row_of[points]]

    def _own_row(self, point: int) -> int:
        """Return the row of a point in the table of effects, which grows if needed."""
        if self._row_of[point] == 0:
            if self._n_used == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._row_of[point] = self._n_used
            self._n_used += 1
        return int(self._row_of[point])

    def predict(
        self, added: NDArray[np.int64], removed: NDArray[np.int64]
    ) -> tuple[NDArray, NDArray]:
        """Predict how exchanges shift the margins.

        Parameters
        ----------
        added : ndarray of shape (n_moves,)
            The point that each exchange adds to the labelled set.
        removed : ndarray of shape (n_moves,)
            The point that each exchange removes from it.

        Returns
        -------
        shifts : ndarray of shape (n_moves, n_answers)
            Expected changes of the margins.
        stds : ndarray of shape (n_moves,)
            Standard deviation of each shift, noise included.
        """
        variances = self.variances[added] + self.variances[removed] + self.noise
        stds = (self.error_scale * np.sqrt(variances)).astype(np.float32)
        return self.effects(added) - self.effects(removed), stds

    def update(self, added: int, removed: int, observed: NDArray) -> None:
        """Update the effects with the outcome of an exchange.

        Parameters
        ----------
        added : int
            The point that was added to the labelled set.
        removed : int
            The point that was removed from it.
        observed : ndarray of shape (n_answers,)
            By how much the margins changed.
        """
        # Compare the outcome with the prediction.
        rows = self._own_row(added), self._own_row(removed)
        error = observed - (self._rows[rows[0]] - self._rows[rows[1]])
        total = self.variances[added] + self.variances[removed] + self.noise
        mean_square = float(np.mean(error**2)) / total
        self.error_scale = np.sqrt(
            ERROR_DECAY * self.error_scale**2 + (1 - ERROR_DECAY) * mean_square
        )
        # Split the error between the two points, in proportion to their variances.
        for point, row, sign in zip((added, removed), rows, (1, -1), strict=True):
            share = self.variances[point] / total
            self._rows[row] += sign * np.float32(share) * error
            self.variances[point] *= 1 - share


class CalibrationLine(NamedTuple):
    """The expected gain of a changed set: `intercept + slope * predicted`.

    Parameters
    ----------
    intercept : float
        Expected gain where none is predicted.
    slope : float
        How far predicted gains can be trusted: 1 fully, 0 not at all.
    std : float
        Standard deviation of actual gains around the line.
    """

    intercept: float
    slope: float
    std: float


class Calibration:
    """Calibrates predicted gains against the actual gains of the latest changed sets.

    The line is fitted by least squares, with its slope clipped. Where the
    predictions are worthless, the slope is zero, and the intercept is the mean gain of
    any change. That is a loss, since the sets that a search keeps were partly lucky.

    Parameters
    ----------
    max_slope : float
        Largest slope; the smallest one is zero.
    """

    def __init__(self, max_slope: float) -> None:
        self._max_slope = max_slope
        self._pairs: deque[tuple[float, float]] = deque(maxlen=N_RECENT_OUTCOMES)

    def add(self, predicted: float, gain: float) -> None:
        """Add the predicted and the actual gain of one changed set."""
        self._pairs.append((predicted, gain))

    def line(self) -> CalibrationLine:
        """Return the fitted line; with few outcomes, trust the predictions as is."""
        if len(self._pairs) < MIN_OUTCOMES:
            return CalibrationLine(0.0, 1.0, 0.01)
        predicted, gain = np.array(self._pairs).T
        centred = predicted - predicted.mean()
        variance = float(np.mean(centred**2))
        slope = float(np.mean(centred * gain)) / variance if variance > 0 else 0.0
        slope = min(max(slope, 0.0), self._max_slope)
        intercept = float(gain.mean() - slope * predicted.mean())
        std = float(np.std(gain - intercept - slope * predicted))
        return CalibrationLine(intercept, slope, max(std, 1e-9))


def expected_improvement(
    predicted: NDArray, n_sets: NDArray[np.int64], line: CalibrationLine
) -> NDArray:
    """Return the expected improvement by moves, relative to what they cost.

    Parameters
    ----------
    predicted : ndarray of shape (n_moves,)
        Predicted gains, summed over the sets that a move changes.
    n_sets : ndarray of shape (n_moves,)
        Number of sets that each move changes.
    line : CalibrationLine
        Turns predicted gains into expected ones.

    Returns
    -------
    ndarray of shape (n_moves,)
        Expected improvement, divided by the square root of `n_sets`.

    References
    ----------
    Expected improvement: Jones, Schonlau and Welch, "Efficient Global Optimization of
    Expensive Black-Box Functions", Journal of Global Optimization 13, 1998.
    """
    std = line.std * np.sqrt(n_sets)
    mean = line.intercept * n_sets + line.slope * predicted
    z = mean / std
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    # The root, and not the number of trainings itself: moves that bring in a point
    # early change many sets, and would never be chosen.
    return std * (density + z * ndtr(z)) / np.sqrt(n_sets)
