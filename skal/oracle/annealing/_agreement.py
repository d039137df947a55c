"""How far margins that were foretold agree with the actual ones."""

import numpy as np
from numpy.typing import NDArray

from skal.answers._margins import LARGEST
from skal.oracle.annealing._datamodel import ERROR_DECAY


class Agreement:
    """How the shifts of margins that were foretold agree with the actual ones.

    All exchanges count alike, however much they shift, and the latest count most.
    """

    def __init__(self) -> None:
        self._weight = self._slope = self._mean_square = 0.0

    def add(
        self,
        foretold: NDArray[np.float32],
        before: NDArray[np.float32],
        after: NDArray[np.float32],
    ) -> None:
        """Add the shifts by one exchange.

        Parameters
        ----------
        foretold : ndarray of shape (n_answers,)
            The shifts that were foretold, in any units.
        before, after : ndarray of shape (n_answers,)
            The actual margins. Those that were clipped do not tell their shifts.
        """
        is_known = (np.abs(before) < LARGEST) & (np.abs(after) < LARGEST)
        foretold, actual = foretold[is_known], (after - before)[is_known]
        square = float(foretold @ foretold)
        if square == 0:
            return
        self._weight = ERROR_DECAY * self._weight + 1
        product = float(foretold @ actual)
        self._slope = ERROR_DECAY * self._slope + product / square
        mean_square = float(actual @ actual) / square
        self._mean_square = ERROR_DECAY * self._mean_square + mean_square

    @property
    def factor(self) -> float:
        """Return the ratio of actual to foretold shifts; not negative."""
        return max(0.0, self._slope / self._weight) if self._weight else 0.0

    @property
    def correlation(self) -> float:
        """Return the correlation, for shifts whose mean is zero."""
        scale = np.sqrt(self._mean_square * self._weight)
        return float(self._slope / scale) if scale > 0 else 0.0


def likeness(found: NDArray[np.float16], margins: NDArray[np.float32]) -> float:
    """Return the correlation of the margins of two models.

    Parameters
    ----------
    found : ndarray of shape (n_answers,)
        The margins of one model.
    margins : ndarray of shape (n_answers,)
        The margins of the other. Those that are clipped are left out.

    Returns
    -------
    float
        Zero where all margins of a model are the same.
    """
    is_known = np.abs(margins) < LARGEST
    if not is_known.any():
        return 0.0
    centred = [
        (part - part.mean()).astype(np.float64)
        for part in (found[is_known].astype(np.float32), margins[is_known])
    ]
    scale = np.sqrt(np.prod([part @ part for part in centred]))
    return float(centred[0] @ centred[1] / scale) if scale > 0 else 0.0
