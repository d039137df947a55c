"""The base class of both transfers."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skal.studies._comparison import Comparison
from skal.studies._exports import Exports
from skal.studies._tables import name_axes


@dataclass(frozen=True, eq=False)
class Transfer(Exports):
    """Replays of the orders of a comparison; base class of both transfers.

    Subclasses define the leading axes of `curves`. The last axis is rounds.

    Parameters
    ----------
    comparison : Comparison
        The comparison that the orders come from.
    strategies : tuple of str
        Strategies whose orders were replayed.
    curves, validation_curves : ndarray of shape (..., n_rounds + 1)
        Scores on the test and validation set.
    """

    comparison: Comparison
    strategies: tuple[str, ...]
    curves: NDArray[np.float64]
    validation_curves: NDArray[np.float64]

    @property
    def qualities(self) -> NDArray[np.float64]:
        """xi-quality on the test set, of the shape of `curves` without rounds."""
        return self.comparison.quality_of(self.curves)

    @property
    def baseline_qualities(self) -> NDArray[np.float64] | None:
        """Qualities of the baseline, shape (n_estimators, n_seeds), or None."""
        baseline = self.comparison.baseline
        return None if baseline is None else self.comparison.of(baseline)

    def _need_baseline(self) -> NDArray[np.float64]:
        if self.baseline_qualities is None:
            raise ValueError("The comparison has no baseline: add Random() to it.")
        return self.baseline_qualities

    def _table(self, **axes: Iterable) -> dict[str, NDArray]:
        """Return one row per score, as columns: its axes, then its round and values."""
        n_labelled = self.comparison.n_labelled
        columns = name_axes(**axes, round=range(len(n_labelled)))
        return columns | {
            "n_labelled": n_labelled[columns["round"]],
            "score": self.curves.ravel(),
            "validation_score": self.validation_curves.ravel(),
        }
