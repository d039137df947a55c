"""Paired tests of strategies over seeds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skal.studies._exports import Exports, Part
from skal.studies._statistics import (
    gain_interval,
    holm,
    paired_t,
    sign_flip_test,
    wilcoxon,
)

# Smallest number of seeds for which Wilcoxon's p-values are printed: with five, they
# are at least 0.0625.
ENOUGH_FOR_WILCOXON = 6


@dataclass(frozen=True, eq=False)
class PairedTests(Exports):
    """Tests of strategies against their references, paired by seed.

    Parameters
    ----------
    estimators : tuple of str
        Names of the estimators.
    strategies : tuple of str
        Names of the strategies.
    references : ndarray of str, shape (n_estimators, n_strategies)
        Name of the reference of each strategy.
    seeds : tuple of int
        The seeds that form the pairs.
    qualities, reference_qualities : ndarray of shape \
            (n_estimators, n_strategies, n_seeds)
        xi-quality on the test set, of the strategies and of their references.
    overlap : float, default=0.0
        Ratio of test rows to all other rows if each seed has a random split of the same
        rows; 0 if all seeds share one split.
    repeats : ndarray of bool, shape (n_estimators, n_strategies), default=None
        True if all seeds of a strategy, or of its reference, gave the same run. Its
        p-values are then NaN. By default, no seeds repeat.

    See Also
    --------
    Comparison.against : Tests strategies against one.
    Comparison.oracle_gains : Tests the oracle.
    skal.plotting.GainDisplay : Draws the gains.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, Random, compare
    >>> strategies = {"random": Random(), "margin": Margin()}
    >>> study = compare(*load_iris(return_X_y=True), GaussianNB(), strategies,
    ...                 n_orders=2, batch_size=5, n_rounds=3)
    >>> tests = study.against("random")
    >>> tests.gains.shape, tests.t_pvalues.shape
    ((1, 1, 5), (1, 1))
    >>> tests.strategies
    ('margin',)
    """

    estimators: tuple[str, ...]
    strategies: tuple[str, ...]
    references: NDArray[np.str_]
    seeds: tuple[int, ...]
    qualities: NDArray[np.float64]
    reference_qualities: NDArray[np.float64]
    overlap: float = 0.0
    repeats: NDArray[np.bool_] | None = None

    @property
    def gains(self) -> NDArray[np.float64]:
        """Qualities minus references, shape (n_estimators, n_strategies, n_seeds)."""
        return self.qualities - self.reference_qualities

    @property
    def t_pvalues(self) -> NDArray[np.float64]:
        """Two-sided p-values of paired t-tests, shape (n_estimators, n_strategies).

        If each seed has a split of its own, the tests are corrected resampled t-tests.
        """
        return self._test(partial(paired_t, overlap=self.overlap))

    @property
    def wilcoxon_pvalues(self) -> NDArray[np.float64]:
        """Two-sided p-values of Wilcoxon's tests, shape (n_estimators, n_strategies).

        With fewer than six seeds, they cannot be below 0.05. NaN if each seed has a
        split of its own: the test assumes independent seeds, but the splits overlap.
        """
        if self.overlap > 0:
            return np.full(self.qualities.shape[:-1], np.nan)
        return self._test(wilcoxon)

    @property
    def sign_flip_pvalues(self) -> NDArray[np.float64]:
        """Two-sided p-values of sign-flip tests, shape (n_estimators, n_strategies).

        NaN if each seed has a split of its own: the test assumes independent seeds, but
        the splits overlap.
        """
        if self.overlap > 0:
            return np.full(self.qualities.shape[:-1], np.nan)
        return self._test(sign_flip_test)

    def intervals(self, level: float = 0.95) -> NDArray[np.float64]:
        """Return confidence intervals of the mean gains.

        Parameters
        ----------
        level : float, default=0.95
            The level of each interval, between 0 and 1.

        Returns
        -------
        ndarray of shape (n_estimators, n_strategies, 2)
            Lower and upper ends, as in `gain_interval`. NaN if all seeds gave the same
            run.
        """
        found = np.array(
            [
                [gain_interval(g, overlap=self.overlap, level=level) for g in row]
                for row in self.gains
            ]
        )
        if self.repeats is None:
            return found
        return np.where(self.repeats[..., None], np.nan, found)

    @property
    def t_holm(self) -> NDArray[np.float64]:
        """`t_pvalues` with Holm's correction over the strategies of each estimator."""
        return np.array([holm(row) for row in self.t_pvalues])

    @property
    def wilcoxon_holm(self) -> NDArray[np.float64]:
        """`wilcoxon_pvalues` with Holm's correction over strategies, per estimator."""
        return np.array([holm(row) for row in self.wilcoxon_pvalues])

    def _test(self, test: Callable[..., float]) -> NDArray[np.float64]:
        """Return the p-value of each strategy with each estimator."""
        shape = self.qualities.shape
        pairs = zip(
            self.qualities.reshape(-1, shape[-1]),
            self.reference_qualities.reshape(-1, shape[-1]),
            strict=True,
        )
        found = np.array([test(*pair) for pair in pairs]).reshape(shape[:-1])
        return found if self.repeats is None else np.where(self.repeats, np.nan, found)

    def table(self) -> dict[str, NDArray]:
        """Return one row per estimator and strategy, as columns.

        Returns
        -------
        dict of str to ndarray of shape (n_estimators * n_strategies,)
            "estimator", "strategy", "reference", "quality" and "gain" (means over
            seeds), "relative_gain" (the gain divided by the absolute mean of the
            reference; NaN if that is 0), "gain_low" and "gain_high" (an interval of
            95 %), the p-values "p_t" and "p_wilcoxon", both with Holm's correction,
            "p_t_holm" and "p_wilcoxon_holm", and "p_sign_flip". Pass it to
            `pandas.DataFrame`.
        """
        n = len(self.strategies)
        quality, reference = (
            q.mean(axis=-1).ravel() for q in (self.qualities, self.reference_qualities)
        )
        gain, ends = quality - reference, self.intervals()
        return {
            "estimator": np.repeat(self.estimators, n),
            "strategy": np.tile(self.strategies, len(self.estimators)),
            "reference": self.references.ravel(),
            "quality": quality,
            "gain": gain,
            "relative_gain": gain / np.where(reference == 0, np.nan, np.abs(reference)),
            "gain_low": ends[..., 0].ravel(),
            "gain_high": ends[..., 1].ravel(),
            "p_t": self.t_pvalues.ravel(),
            "p_t_holm": self.t_holm.ravel(),
            "p_wilcoxon": self.wilcoxon_pvalues.ravel(),
            "p_wilcoxon_holm": self.wilcoxon_holm.ravel(),
            "p_sign_flip": self.sign_flip_pvalues.ravel(),
        }

    def _main(self) -> dict[str, NDArray]:
        table = self.table()
        names = ["estimator", "strategy", "reference", "quality", "gain"]
        columns = {name: table[name] for name in [*names, "relative_gain"]}
        columns |= {"p": table["p_t"], "Holm": stars(table["p_t_holm"])}
        if len(self.seeds) >= ENOUGH_FOR_WILCOXON:
            columns["p (Wilcoxon)"] = table["p_wilcoxon"]
        return columns

    def _notes(self) -> str:
        return describe_tests(len(self.seeds), self.overlap)

    def _parts(self) -> list[Part]:
        return [Part("", self._notes(), self._main())]


def stars(corrected: NDArray[np.float64]) -> NDArray[np.str_]:
    """Return "*" for each corrected p-value below 0.05, and "" for all others."""
    return np.where(corrected < 0.05, "*", "")


def describe_tests(n_seeds: int, overlap: float = 0.0) -> str:
    """Return the note below a table: the number of seeds, and how p is computed.

    Parameters
    ----------
    n_seeds : int
        Number of seeds that the means are over.
    overlap : float, default=0.0
        As in `PairedTests`.

    Returns
    -------
    str
        One to four lines.
    """
    of_what = "random splits" if overlap > 0 else "seeds on one split"
    if n_seeds == 1:
        return "One seed: no difference can be tested."
    means = f"Means over {n_seeds} {of_what}."
    if n_seeds < 5:
        means += f" {n_seeds} seeds are too few to test for differences."
    about = (
        "p: paired t-test over splits, corrected for their overlap (Nadeau and Bengio,"
        " 2003)."
        if overlap > 0
        else "p: paired t-test over training seeds on this split. It says nothing about"
        " other\nsplits or data: pass X and y to compare for that."
    )
    return f"{means}\n{about}\n*: p below 0.05 after Holm's correction over the table."
