"""Order overlap: whether two orders label the same rows, and in the same rounds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skal._sklearn import StrOptions, validate_params
from skal.studies._comparison import Comparison, Key
from skal.studies._exports import Exports, Part
from skal.studies._kinds import check_result

# Index into the key of an order, (estimator, strategy, seed), by value of `between`.
KEY_INDEX = {"estimators": 0, "strategies": 1, "seeds": 2}
AXES = "estimator", "strategy", "seed"


@dataclass(frozen=True, eq=False)
class OrderOverlap(Exports):
    """Rows that pairs of orders have in common, and their ranks in both.

    Parameters
    ----------
    between : {"estimators", "strategies", "seeds"}
        Whether the two orders of a pair differ in estimator, strategy or seed.
    first, second : tuple of (estimator, strategy, seed)
        The two orders of each pair.
    shared_ranks : tuple of ndarray of shape (n_shared, 2)
        For each pair, the ranks of the shared rows in the first and in the second
        order, from 0.
    sizes : ndarray of shape (n_pairs, 2)
        Numbers of rows in the first and in the second order, which may differ if rows
        have costs.
    n_pool : int
        Number of rows in the pool.

    See Also
    --------
    order_overlap : Returns it.
    skal.plotting.OverlapDisplay : Draws it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, Problem, Random, compare, order_overlap, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=10, random_state=0)
    >>> problem = Problem.from_sets(sets, GaussianNB(), batch_size=5, n_rounds=3)
    >>> strategies = {"random": Random(), "margin": Margin()}
    >>> study = compare(problem, strategies, n_orders=2)
    >>> overlap = order_overlap(study, between="strategies",
    ...                         strategies=["random", "margin"])
    >>> overlap.shares.shape  # one for each seed
    (5,)
    """

    between: str
    first: tuple[Key, ...]
    second: tuple[Key, ...]
    shared_ranks: tuple[NDArray[np.int64], ...]
    sizes: NDArray[np.int64]
    n_pool: int

    @property
    def shared(self) -> NDArray[np.int64]:
        """Number of rows that both orders label, shape (n_pairs,)."""
        return np.array([len(ranks) for ranks in self.shared_ranks])

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of an order's rows that the other one labels, too, shape (n_pairs,).

        If the two label different numbers of rows, it is out of their mean.
        """
        return self.shared / self.sizes.mean(axis=1)

    @property
    def rank_correlations(self) -> NDArray[np.float64]:
        """Spearman's correlation of the ranks of shared rows, shape (n_pairs,).

        1 if both orders label the shared rows in the same order, 0 on average for
        random orders, NaN with fewer than three shared rows.
        """
        return np.array([_spearman(ranks) for ranks in self.shared_ranks])

    @property
    def chance(self) -> float:
        """Expected share of rows that random orders of the same sizes have in common.

        With costs, rows are drawn as if all of them cost the same.
        """
        n_shared = self.sizes.prod(axis=1).sum() / self.sizes.mean(axis=1).sum()
        return float(n_shared / self.n_pool)

    @property
    def chance_range(self) -> tuple[float, float]:
        """Interval that contains the shares of 95 % of pairs of random orders.

        They label as many rows as the orders do on average.
        """
        n = round(float(self.sizes.mean()))
        low, high = stats.hypergeom(self.n_pool, n, n).ppf([0.025, 0.975]) / n
        return float(low), float(high)

    def table(self) -> dict[str, NDArray]:
        """Return one row per pair, as columns.

        Returns
        -------
        dict of str to ndarray of shape (n_pairs,)
            "estimator", "strategy" and "seed" of the first order; the one that differs
            for the second order, such as "other_estimator"; "n_shared", "share",
            "chance" and "rank_correlation". Pass it to `pandas.DataFrame`.
        """
        differs = AXES[KEY_INDEX[self.between]]
        columns = {
            name: np.array([key[i] for key in self.first])
            for i, name in enumerate(AXES)
        }
        other = [key[KEY_INDEX[self.between]] for key in self.second]
        return columns | {
            f"other_{differs}": np.array(other),
            "n_shared": self.shared,
            "share": self.shares,
            "chance": np.full(len(other), self.chance),
            "rank_correlation": self.rank_correlations,
        }

    def _parts(self) -> list[Part]:
        return [Part("", self._notes(), self._main())]

    def _notes(self) -> str:
        low, high = self.chance_range
        return (
            f"Random orders share {self.chance:.4f} on average, and 95 % of pairs "
            f"{low:.4f} to {high:.4f}."
        )

    def _main(self) -> dict[str, list]:
        """Average over the seeds of pairs that are otherwise the same."""
        table = self.table()
        names = [n for n in table if n.removeprefix("other_") in AXES[:2]]
        rows = list(zip(*(table[name].tolist() for name in names), strict=True))
        groups = list(dict.fromkeys(rows))
        columns = {name: [group[i] for group in groups] for i, name in enumerate(names)}
        for name in ("share", "rank_correlation"):
            columns[name] = [
                _mean(table[name][[row == group for row in rows]]) for group in groups
            ]
        return columns


def _mean(values: NDArray[np.float64]) -> float:
    """Return the mean of the values that are not NaN; NaN if all are."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _spearman(ranks: NDArray[np.int64]) -> float:
    if len(ranks) < 3:
        return float("nan")
    # The ranks in an order are distinct, so there are no ties.
    return float(np.corrcoef(stats.rankdata(ranks, axis=0).T)[0, 1])


@validate_params(
    {"between": [StrOptions(set(KEY_INDEX))]}, prefer_skip_nested_validation=True
)
def order_overlap(
    comparison: Comparison,
    *,
    between: str = "estimators",
    strategies: Iterable[str] | None = None,
) -> OrderOverlap:
    """Count the rows that two orders have in common, and correlate their ranks.

    Parameters
    ----------
    comparison : Comparison
        The orders, on one problem for all seeds.
    between : {"estimators", "strategies", "seeds"}, default="estimators"
        Whether to pair orders that differ in their estimator, strategy or seed only.
    strategies : iterable of str, default=None
        Strategies whose orders are paired; by default, all but the baseline. For the
        baseline, the first order of each seed is used, which is the same for all
        estimators.

    Returns
    -------
    OrderOverlap
        Shared rows of each pair.

    Raises
    ------
    ValueError
        If there are no two orders to pair, a strategy is unknown, or each seed has a
        split of its own.

    See Also
    --------
    seed_transfer : Replay orders under other seeds.
    skal.plotting.OverlapDisplay : Draws the result.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.3 and Fig. 6: for different estimators,
    optimal orders share fewer rows than the orders of a heuristic do.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import Margin, MaxEntropy, Problem, compare, order_overlap, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"margin": Margin(), "entropy": MaxEntropy()})
    >>> overlap = order_overlap(comparison, between="strategies")
    >>> bool(overlap.shares.mean() > overlap.chance)
    True
    """
    check_result(comparison, "comparison", "Comparison")
    chosen = comparison.choose(strategies)
    pairs = list(_pairs(comparison, chosen, KEY_INDEX[between]))
    if not pairs:
        raise ValueError(
            f"between={between!r} needs at least two {between}: compare more of them."
        )
    orders = {key: _rows(comparison.orders[key][0]) for pair in pairs for key in pair}
    first, second = zip(*pairs, strict=True)
    return OrderOverlap(
        between,
        first,
        second,
        tuple(_shared_ranks(orders[a], orders[b]) for a, b in pairs),
        np.array([[len(orders[key]) for key in pair] for pair in pairs]),
        comparison.problem.n_pool,
    )


def _pairs(
    comparison: Comparison, strategies: tuple[str, ...], key_index: int
) -> Iterator[tuple[Key, Key]]:
    keys = [
        (estimator, strategy, seed)
        for strategy in strategies
        for seed in comparison.seeds
        for estimator in comparison.estimators
    ]
    for first, second in combinations(keys, 2):
        differing = [i for i in range(3) if first[i] != second[i]]
        if differing == [key_index]:
            yield first, second


def _rows(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of an order; shorter orders end with -1."""
    return order[order >= 0]


def _shared_ranks(
    first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the ranks of shared rows in both orders, sorted by the first."""
    _, in_first, in_second = np.intersect1d(first, second, return_indices=True)
    ranking = np.argsort(in_first)
    return np.column_stack([in_first[ranking], in_second[ranking]])
