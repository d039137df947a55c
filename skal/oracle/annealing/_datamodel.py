"""What a search believes of each point: how it moves the answers on validation.

Nothing here trains. A model's margins on validation are taken to be sums over what it
was trained on: to exchange one point for another adds the difference of what the two
do. This is a linear datamodel (Ilyas et al., "Datamodels: Predicting Predictions from
Training Data", ICML 2022), learned online, as by a Kalman filter with one variance per
point, from the exchanges that the search tries anyway.
"""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

# A normal distribution function is nearly expit(1.7 z).
STEEPNESS = 1.7
# How much the smooth share of right answers counts beside the score.
SMOOTH = 2.0
# So slowly the size of errors is forgotten, and so many outcomes are compared.
MEMORY, RECENT = 0.99, 400
# Fewer outcomes say nothing of how good forecasts are.
ENOUGH = 30


def smooth_share(margins: NDArray, axis: int = -1) -> NDArray:
    """Return the share of right answers, of which one that is nearly right is half.

    Parameters
    ----------
    margins : ndarray of shape (..., n_answers)

    Returns
    -------
    ndarray of shape (...)
    """
    # expit(x) is (1 + tanh(x / 2)) / 2, and numpy's tanh is several times as fast.
    return (1 + np.tanh(STEEPNESS / 2 * margins).mean(axis=axis)) / 2


class Belief:
    """What each point of the pool does to each answer, and how sure that is.

    Parameters
    ----------
    n_points, n_answers : int

    Attributes
    ----------
    effects : ndarray of shape (n_points, n_answers)
        What a point adds to the margins of a model with labels of a mean number.
    variances : ndarray of shape (n_points,)
        How unsure that is, in units of the variance before anything was seen.
    size : float
        The typical error of a forecast, divided by what `variances` say it is.
    """

    # In the same units, what an exchange does that no sum over points explains.
    noise = 1.0

    def __init__(self, n_points: int, n_answers: int) -> None:
        self.effects = np.zeros((n_points, n_answers), dtype=np.float32)
        self.variances = np.ones(n_points)
        self.size = 1.0

    def change(
        self, added: NDArray[np.int64], removed: NDArray[np.int64]
    ) -> tuple[NDArray, NDArray]:
        """Foretell what exchanges do.

        Parameters
        ----------
        added, removed : ndarray of shape (n_moves,)

        Returns
        -------
        change : ndarray of shape (n_moves, n_answers)
            What is added to the margins.
        spread : ndarray of shape (n_moves,)
            The standard deviation of what will be seen.
        """
        variances = self.variances[added] + self.variances[removed] + self.noise
        spread = (self.size * np.sqrt(variances)).astype(np.float32)
        return self.effects[added] - self.effects[removed], spread

    def learn(self, added: int, removed: int, seen: NDArray) -> None:
        """Learn from an exchange.

        Parameters
        ----------
        added, removed : int
        seen : ndarray of shape (n_answers,)
            What was added to the margins.
        """
        error = seen - (self.effects[added] - self.effects[removed])
        total = self.variances[added] + self.variances[removed] + self.noise
        mean_square = float(np.mean(error**2)) / total
        self.size = np.sqrt(MEMORY * self.size**2 + (1 - MEMORY) * mean_square)
        for point, sign in ((added, 1), (removed, -1)):
            share = self.variances[point] / total
            self.effects[point] += sign * np.float32(share) * error
            self.variances[point] *= 1 - share


def foretold_gain(
    margins: NDArray[np.float32], change: NDArray, spread: NDArray
) -> NDArray:
    """Return what changes of the margins gain, as the objective counts it.

    Parameters
    ----------
    margins : ndarray of shape (n_answers,)
        Those of the model now.
    change : ndarray of shape (n_moves, n_answers)
    spread : ndarray of shape (n_moves,)
        Standard deviation of each change.

    Returns
    -------
    ndarray of shape (n_moves,)
        Of the expected share of right answers, and of the smooth one.
    """
    moved, width = margins + change, spread[:, None]
    of_score = smooth_share(moved / width) - smooth_share(margins / width)
    return of_score + SMOOTH * (smooth_share(moved) - smooth_share(margins))


class Outcomes:
    """How far forecasts came true: the gain to expect, and how unsure it is.

    A line through the latest outcomes. Where forecasts are worth nothing, its slope is
    zero, and its height what any change loses: what a search keeps was lucky.
    """

    def __init__(self) -> None:
        self._pairs: deque[tuple[float, float]] = deque(maxlen=RECENT)

    def add(self, foretold: float, gain: float) -> None:
        """Note the outcome of one changed set."""
        self._pairs.append((foretold, gain))

    def line(self) -> "Line":
        """Return the line; before much was seen, forecasts are taken at their word."""
        if len(self._pairs) < ENOUGH:
            return Line(0.0, 1.0, 0.01)
        foretold, gain = np.array(self._pairs).T
        centred = foretold - foretold.mean()
        variance = float(np.mean(centred**2))
        slope = float(np.mean(centred * gain)) / variance if variance > 0 else 0.0
        slope = min(max(slope, 0.0), 2.0)
        height = float(gain.mean() - slope * foretold.mean())
        spread = float(np.std(gain - height - slope * foretold))
        return Line(height, slope, max(spread, 1e-9))


class Line(NamedTuple):
    """The expected gain of a changed set is `height + slope * foretold`."""

    height: float
    slope: float
    spread: float


def rank(foretold: NDArray, n_sets: NDArray[np.int64], line: Line) -> NDArray:
    """Return how promising moves are: the expected improvement, for what it costs.

    Parameters
    ----------
    foretold : ndarray of shape (n_moves,)
        Gains, summed over the sets that a move changes.
    n_sets : ndarray of shape (n_moves,)
        How many these are.
    line : Line

    Returns
    -------
    ndarray of shape (n_moves,)

    References
    ----------
    Expected improvement: Jones, Schonlau and Welch, "Efficient Global Optimization of
    Expensive Black-Box Functions", Journal of Global Optimization 13, 1998.
    """
    spread = line.spread * np.sqrt(n_sets)
    mean = line.height * n_sets + line.slope * foretold
    z = mean / spread
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    # Divided by the number of trainings, no point would ever come in early.
    return spread * (density + z * ndtr(z)) / np.sqrt(n_sets)
