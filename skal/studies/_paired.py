"""Paired tests over seeds: whether one strategy is better, or it is luck."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skal.studies._statistics import holm, paired_t, wilcoxon
from skal.studies._text import lay_out


@dataclass(frozen=True, eq=False)
class PairedTests:
    """Strategies against references, paired by seed.

    Parameters
    ----------
    estimators : tuple of str
    strategies : tuple of str
    references : ndarray of str, shape (n_estimators, n_strategies)
        What each strategy is compared with.
    seeds : tuple of int
    qualities, reference_qualities : ndarray of shape \
            (n_estimators, n_strategies, n_seeds)
        xi-quality on test, of strategies and of their references.
    """

    estimators: tuple[str, ...]
    strategies: tuple[str, ...]
    references: NDArray[np.str_]
    seeds: tuple[int, ...]
    qualities: NDArray[np.float64]
    reference_qualities: NDArray[np.float64]

    @property
    def gains(self) -> NDArray[np.float64]:
        """What each is better, shape (n_estimators, n_strategies, n_seeds)."""
        return self.qualities - self.reference_qualities

    @property
    def t_pvalues(self) -> NDArray[np.float64]:
        """Of paired t-tests, two-sided, shape (n_estimators, n_strategies)."""
        return self._test(paired_t)

    @property
    def wilcoxon_pvalues(self) -> NDArray[np.float64]:
        """Of Wilcoxon's signed-rank tests, shape (n_estimators, n_strategies).

        Below six seeds none is smaller than 0.05, whatever the gains are.
        """
        return self._test(wilcoxon)

    @property
    def t_holm(self) -> NDArray[np.float64]:
        """`t_pvalues`, corrected over the strategies of each estimator."""
        return np.array([holm(row) for row in self.t_pvalues])

    @property
    def wilcoxon_holm(self) -> NDArray[np.float64]:
        """`wilcoxon_pvalues`, corrected over the strategies of each estimator."""
        return np.array([holm(row) for row in self.wilcoxon_pvalues])

    def _test(self, test: Callable[..., float]) -> NDArray[np.float64]:
        """Test each strategy with each estimator."""
        shape = self.qualities.shape
        pairs = zip(
            self.qualities.reshape(-1, shape[-1]),
            self.reference_qualities.reshape(-1, shape[-1]),
            strict=True,
        )
        return np.array([test(*pair) for pair in pairs]).reshape(shape[:-1])

    def table(self) -> dict[str, NDArray]:
        """Return one row per estimator and strategy, as columns.

        Returns
        -------
        dict of str to ndarray of shape (n_estimators * n_strategies,)
            "estimator", "strategy", "reference", "quality" and "gain" (means over
            seeds), "relative_gain" (against the absolute value of the reference's mean;
            NaN where that is 0), the p-values "p_t" and "p_wilcoxon", and both as Holm
            corrects them over strategies, "p_t_holm" and "p_wilcoxon_holm".
            `pandas.DataFrame` takes it.
        """
        n = len(self.strategies)
        quality, reference = (
            q.mean(axis=-1).ravel() for q in (self.qualities, self.reference_qualities)
        )
        gain = quality - reference
        return {
            "estimator": np.repeat(self.estimators, n),
            "strategy": np.tile(self.strategies, len(self.estimators)),
            "reference": self.references.ravel(),
            "quality": quality,
            "gain": gain,
            "relative_gain": gain / np.where(reference == 0, np.nan, np.abs(reference)),
            "p_t": self.t_pvalues.ravel(),
            "p_t_holm": self.t_holm.ravel(),
            "p_wilcoxon": self.wilcoxon_pvalues.ravel(),
            "p_wilcoxon_holm": self.wilcoxon_holm.ravel(),
        }

    def __str__(self) -> str:
        return f"{lay_out(self.table())}\n{spell_seeds(self.seeds)}"


def spell_seeds(seeds: Iterable[int]) -> str:
    """Say over how many seeds a table is."""
    n = len(tuple(seeds))
    few = ": too few to test for differences" if n < 5 else ""
    return f"means over {n} seed{'s' * (n > 1)}{few}"
