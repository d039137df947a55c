"""What transfers of orders share, to other seeds or other estimators."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skal.studies._comparison import Comparison, name_axes


@dataclass(frozen=True, eq=False)
class Transfer:
    """Orders of a comparison that were followed again.

    A subclass says what the axes of `curves` are, of which the last is that of rounds.

    Parameters
    ----------
    comparison : Comparison
        Where the orders come from.
    strategies : tuple of str
        Whose orders were followed.
    curves, validation_curves : ndarray of shape (..., n_rounds + 1)
        Scores on test and validation.
    """

    comparison: Comparison
    strategies: tuple[str, ...]
    curves: NDArray[np.float64]
    validation_curves: NDArray[np.float64]

    @property
    def qualities(self) -> NDArray[np.float64]:
        """xi-quality on test: the shape of `curves` without rounds."""
        return self.comparison.quality_of(self.curves)

    @property
    def baseline_qualities(self) -> NDArray[np.float64] | None:
        """Of the baseline with each target, shape (n_estimators, n_seeds)."""
        baseline = self.comparison.baseline
        return None if baseline is None else self.comparison.of(baseline)

    def _need_baseline(self) -> NDArray[np.float64]:
        if self.baseline_qualities is None:
            raise ValueError("The comparison has no baseline: add Random() to it.")
        return self.baseline_qualities

    def _table(self, **axes: Iterable) -> dict[str, NDArray]:
        """Return one row for each score, as columns, after what its axes name."""
        n_labelled = self.comparison.n_labelled
        columns = name_axes(**axes, round=range(len(n_labelled)))
        return columns | {
            "n_labelled": n_labelled[columns["round"]],
            "score": self.curves.ravel(),
            "validation_score": self.validation_curves.ravel(),
        }
