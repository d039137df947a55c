"""Ranks of strategies over several data sets: tests of Friedman and Nemenyi."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skal.answers._needs import strategy_peeks
from skal.studies._exports import Exports, Part
from skal.studies._kinds import check_result
from skal.studies._statistics import DIGITS, check_share
from skal.studies._tables import spell


@dataclass(frozen=True, eq=False)
class StrategyRanks(Exports):
    """Ranks of strategies on several data sets, with tests of their differences.

    Differences of scores on different data sets cannot be averaged, since one point of
    accuracy means little on one and much on another. Their ranks can.

    Parameters
    ----------
    data_sets : tuple of str
        Names of the data sets.
    strategies : tuple of str
        Names of the strategies.
    qualities : ndarray of shape (n_data_sets, n_strategies)
        Mean quality of each strategy on each data set; higher is better.

    See Also
    --------
    rank_strategies : Rank the strategies of several comparisons.

    References
    ----------
    Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of
    Machine Learning Research 7, 2006, section 3.2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skal.studies import StrategyRanks
    >>> qualities = np.array([[0.7, 0.8, 0.9], [0.5, 0.6, 0.8], [0.8, 0.7, 0.9]])
    >>> ranks = StrategyRanks(("a", "b", "c"), ("random", "margin", "bald"), qualities)
    >>> ranks.mean_ranks.round(2)
    array([2.67, 2.33, 1.  ])
    """

    data_sets: tuple[str, ...]
    strategies: tuple[str, ...]
    qualities: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = np.shape(self.qualities)
        expected = len(self.data_sets), len(self.strategies)
        if shape != expected or not np.isfinite(self.qualities).all():
            raise ValueError(
                f"qualities must be finite and of shape {expected}, got {shape}: give "
                "one number for each data set and strategy."
            )
        if min(expected) < 2:
            raise ValueError(
                f"Ranks need at least two data sets and two strategies, got {expected}."
            )

    @property
    def ranks(self) -> NDArray[np.float64]:
        """Ranks on each data set, of shape (n_data_sets, n_strategies); 1 is best."""
        rounded = np.round(self.qualities, DIGITS)
        return stats.rankdata(-rounded, axis=1)

    @property
    def mean_ranks(self) -> NDArray[np.float64]:
        """Mean ranks over data sets, of shape (n_strategies,)."""
        return self.ranks.mean(axis=0)

    @property
    def friedman_pvalue(self) -> float:
        """p-value of Friedman's test that all strategies are equally good.

        NaN for two strategies, or if all strategies are tied everywhere.
        """
        if len(self.strategies) < 3 or np.ptp(self.ranks) == 0:
            return float("nan")
        return float(stats.friedmanchisquare(*self.ranks.T).pvalue)

    @property
    def nemenyi_pvalues(self) -> NDArray[np.float64]:
        """p-values of Nemenyi's test, of shape (n_strategies, n_strategies).

        They are corrected for all pairs.
        """
        gaps = np.abs(self.mean_ranks[:, None] - self.mean_ranks)
        k = len(self.strategies)
        return stats.studentized_range.sf(np.sqrt(2) * gaps / self._error, k, np.inf)

    def critical_difference(self, alpha: float = 0.05) -> float:
        """Return by how much mean ranks must differ to differ significantly.

        Parameters
        ----------
        alpha : float, default=0.05
            The level of Nemenyi's test.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If `alpha` is not between 0 and 1.
        """
        check_share(alpha, "alpha")
        k = len(self.strategies)
        quantile = stats.studentized_range.isf(alpha, k, np.inf) / np.sqrt(2)
        return float(quantile * self._error)

    @property
    def _error(self) -> float:
        """Standard error of a difference of mean ranks, if all are equally good."""
        k = len(self.strategies)
        return float(np.sqrt(k * (k + 1) / (6 * len(self.data_sets))))

    def groups(self, alpha: float = 0.05) -> list[tuple[str, ...]]:
        """Return the largest groups of strategies that do not differ significantly.

        Parameters
        ----------
        alpha : float, default=0.05
            The level of Nemenyi's test.

        Returns
        -------
        list of tuple of str
            Strategies by rank, best first. A group of one is left out.
        """
        ranking = np.argsort(self.mean_ranks, kind="stable")
        means, limit = self.mean_ranks[ranking], self.critical_difference(alpha)
        found: list[tuple[int, int]] = []
        for first in range(len(ranking)):
            last = int(np.searchsorted(means, means[first] + limit, side="right")) - 1
            if last > first and (not found or last > found[-1][1]):
                found.append((first, last))
        return [
            tuple(self.strategies[i] for i in ranking[first : last + 1])
            for first, last in found
        ]

    def table(self) -> dict[str, list[Any]]:
        """Return one row per strategy, best first, as columns.

        Returns
        -------
        dict of str to list of length n_strategies
            "strategy", "mean_rank", "wins" (data sets where it is best, ties counted
            for each) and its quality on each data set. Pass it to `pandas.DataFrame`.
        """
        ranking = np.argsort(self.mean_ranks, kind="stable")
        wins = (self.ranks == self.ranks.min(axis=1, keepdims=True)).sum(axis=0)
        return {
            "strategy": [self.strategies[i] for i in ranking],
            "mean_rank": self.mean_ranks[ranking].tolist(),
            "wins": wins[ranking].tolist(),
            **{
                name: row[ranking].tolist()
                for name, row in zip(self.data_sets, self.qualities, strict=True)
            },
        }

    def plot(self, *, alpha: float = 0.05, ax: Any = None) -> Any:
        """Draw the critical-difference diagram.

        Parameters
        ----------
        alpha : float, default=0.05
            The level of Nemenyi's test.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        CriticalDifferenceDisplay
        """
        # By name, as in `skal.__init__`: plots are a layer above studies.
        display = import_module("skal.plotting").CriticalDifferenceDisplay
        return display.from_ranks(self, alpha=alpha, ax=ax)

    def _notes(self) -> str:
        n, p = len(self.data_sets), spell(self.friedman_pvalue)
        text = f"Means over {n} data sets; rank 1 is best."
        if p != "-":
            text += f" Friedman's test that all are equal: p = {p}.".replace(
                "= <", "< "
            )
        return (
            f"{text}\nMean ranks that differ by more than "
            f"{self.critical_difference():.2f} differ significantly (Nemenyi, 0.05)."
        ).replace("p = <", "p < ")

    def _parts(self) -> list[Part]:
        return [Part("", self._notes(), self.table())]


def rank_strategies(
    comparisons: Mapping[str, Any],
    *,
    strategies: Iterable[str] | None = None,
    estimator: str | None = None,
) -> StrategyRanks:
    """Rank strategies over the comparisons of several data sets.

    Parameters
    ----------
    comparisons : dict of str to Comparison
        One comparison for each data set, by its name.
    strategies : iterable of str, default=None
        Strategies to rank; by default, all that do not see labels and are in each
        comparison, random choice included.
    estimator : str, default=None
        Estimator whose qualities are ranked. Optional if each comparison has only one.

    Returns
    -------
    StrategyRanks

    Raises
    ------
    ValueError
        If there are fewer than two data sets or common strategies, or a name is unknown
        or missing.
    TypeError
        If one of the values is not a `Comparison`.

    See Also
    --------
    compare : Compare strategies on one data set.
    skal.plotting.CriticalDifferenceDisplay : Draw the ranks.

    References
    ----------
    Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of
    Machine Learning Research 7, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_iris, load_wine
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, MaxEntropy, Random, compare
    >>> from skal.studies import rank_strategies
    >>> strategies = {"random": Random(), "margin": Margin(), "entropy": MaxEntropy()}
    >>> comparisons = {
    ...     load.__name__: compare(*load(return_X_y=True), GaussianNB(), strategies,
    ...                            n_orders=2, n_rounds=4, batch_size=4)
    ...     for load in (load_iris, load_wine)
    ... }
    >>> rank_strategies(comparisons).ranks.shape
    (2, 3)
    """
    if not isinstance(comparisons, Mapping):
        raise ValueError(
            "comparisons must be a dict of comparisons by the name of the data set, "
            f"got {type(comparisons).__name__}."
        )
    for name, found in comparisons.items():
        check_result(found, f"comparisons[{name!r}]", "Comparison")
    chosen = _common(comparisons) if strategies is None else tuple(strategies)
    rows = [_means(found, chosen, estimator) for found in comparisons.values()]
    shape = len(rows), len(chosen)
    return StrategyRanks(tuple(comparisons), chosen, np.array(rows).reshape(shape))


def _common(comparisons: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the strategies of all comparisons that do not see labels."""
    if not comparisons:
        return ()
    first, *rest = comparisons.values()
    return tuple(
        name
        for name, strategy in first.strategies.items()
        if not strategy_peeks(strategy) and all(name in one.strategies for one in rest)
    )


def _means(found: Any, names: tuple[str, ...], estimator: str | None) -> list[float]:
    """Return the mean qualities of some strategies."""
    known = list(found.estimators)
    if estimator is None and len(known) > 1:
        raise ValueError(
            "A comparison has more than one estimator: give estimator= one of "
            f"{', '.join(known)}."
        )
    if estimator is not None and estimator not in known:
        raise ValueError(
            f"Unknown estimator {estimator!r}: choose one of {', '.join(known)}."
        )
    i = 0 if estimator is None else known.index(estimator)
    return [float(found.of(name)[i].mean()) for name in names]
