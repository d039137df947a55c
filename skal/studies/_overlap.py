"""Order overlap: whether two orders label the same points, and at the same time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skal._sklearn import StrOptions, validate_params
from skal.studies._comparison import Comparison, Key
from skal.studies._tables import lay_out

# What tells two orders apart, and where it stands in the key of an order.
PLACES = {"estimators": 0, "strategies": 1, "seeds": 2}
AXES = "estimator", "strategy", "seed"


@dataclass(frozen=True, eq=False)
class OrderOverlap:
    """Pairs of orders: what they share.

    Parameters
    ----------
    between : {"estimators", "strategies", "seeds"}
        What the two orders of a pair differ in.
    first, second : tuple of (estimator, strategy, seed)
        The two of each pair.
    shared_ranks : tuple of ndarray of shape (n_shared, 2)
        For each pair, the places, from 0, of the points that both orders label, in the
        first and in the second.
    n_acquired, n_pool : int
        Points in an order, and in the pool.
    """

    between: str
    first: tuple[Key, ...]
    second: tuple[Key, ...]
    shared_ranks: tuple[NDArray[np.int64], ...]
    n_acquired: int
    n_pool: int

    @property
    def shared(self) -> NDArray[np.int64]:
        """Number of points that both orders label, shape (n_pairs,)."""
        return np.array([len(ranks) for ranks in self.shared_ranks])

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of an order's points that the other labels too, shape (n_pairs,)."""
        return self.shared / self.n_acquired

    @property
    def rank_correlations(self) -> NDArray[np.float64]:
        """Spearman's, of the places of shared points, shape (n_pairs,).

        1 where both label them in the same order, 0 by chance; NaN below three points.
        """
        return np.array([_spearman(ranks) for ranks in self.shared_ranks])

    @property
    def chance(self) -> float:
        """The share that two random orders have in common, on average."""
        return self.n_acquired / self.n_pool

    @property
    def chance_range(self) -> tuple[float, float]:
        """The shares between which 95 of 100 pairs of random orders lie."""
        law = stats.hypergeom(self.n_pool, self.n_acquired, self.n_acquired)
        low, high = law.ppf([0.025, 0.975]) / self.n_acquired
        return float(low), float(high)

    def table(self) -> dict[str, NDArray]:
        """Return one row per pair, as columns.

        Returns
        -------
        dict of str to ndarray of shape (n_pairs,)
            "estimator", "strategy" and "seed" of the first order; of the second, what
            differs, such as "other_estimator"; "n_shared", "share", "chance" and
            "rank_correlation". `pandas.DataFrame` takes it.
        """
        differs = AXES[PLACES[self.between]]
        columns = {
            name: np.array([key[i] for key in self.first])
            for i, name in enumerate(AXES)
        }
        other = [key[PLACES[self.between]] for key in self.second]
        return columns | {
            f"other_{differs}": np.array(other),
            "n_shared": self.shared,
            "share": self.shares,
            "chance": np.full(len(other), self.chance),
            "rank_correlation": self.rank_correlations,
        }

    def __str__(self) -> str:
        low, high = self.chance_range
        return (
            f"{lay_out(self._means())}\nRandom orders share {self.chance:.4f}, 95 of "
            f"100 pairs of them {low:.4f} to {high:.4f}."
        )

    def _means(self) -> dict[str, list]:
        """Average over all pairs that are alike but for the seed."""
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
    """Average what is defined; NaN if nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _spearman(ranks: NDArray[np.int64]) -> float:
    if len(ranks) < 3:
        return float("nan")
    # Places are distinct, so that no ranks are tied.
    return float(np.corrcoef(stats.rankdata(ranks, axis=0).T)[0, 1])


@validate_params(
    {"between": [StrOptions(set(PLACES))]}, prefer_skip_nested_validation=True
)
def order_overlap(
    comparison: Comparison,
    *,
    between: str = "estimators",
    strategies: Iterable[str] | None = None,
) -> OrderOverlap:
    """Count the points that two orders have in common, and relate their places.

    Parameters
    ----------
    comparison : Comparison
    between : {"estimators", "strategies", "seeds"}, default="estimators"
        Which orders to pair: those that differ in this alone.
    strategies : iterable of str, default=None
        Whose orders; all but the baseline by default. Of a baseline, it is the first
        order of each seed, which is the same for all estimators.

    Returns
    -------
    OrderOverlap

    Raises
    ------
    ValueError
        If there is nothing to pair, or no strategy of a name.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.3 and Fig. 6: optimal orders of different
    estimators share fewer points than those of a heuristic.

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
    chosen = comparison.choose(strategies)
    pairs = list(_pairs(comparison, chosen, PLACES[between]))
    if not pairs:
        raise ValueError(
            f"There is nothing to pair between {between}: compare two of them or more."
        )
    orders = {key: comparison.orders[key][0] for pair in pairs for key in pair}
    first, second = zip(*pairs, strict=True)
    return OrderOverlap(
        between,
        first,
        second,
        tuple(_shared_ranks(orders[a], orders[b]) for a, b in pairs),
        comparison.problem.n_acquired,
        comparison.problem.n_pool,
    )


def _pairs(
    comparison: Comparison, strategies: tuple[str, ...], place: int
) -> Iterator[tuple[Key, Key]]:
    keys = [
        (estimator, strategy, seed)
        for strategy in strategies
        for seed in comparison.seeds
        for estimator in comparison.estimators
    ]
    for first, second in combinations(keys, 2):
        differing = [i for i in range(3) if first[i] != second[i]]
        if differing == [place]:
            yield first, second


def _shared_ranks(
    first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the places of the points in both orders, by their place in the first."""
    _, in_first, in_second = np.intersect1d(first, second, return_indices=True)
    ranking = np.argsort(in_first)
    return np.column_stack([in_first[ranking], in_second[ranking]])
