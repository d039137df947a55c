"""Distributions of the labelled rows, compared with the whole data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skal._sklearn import Interval, StrOptions, validate_params
from skal._threads import single_threaded
from skal.inputs._targets import Target
from skal.noise._annotated import true_labels_of
from skal.problem import Problem
from skal.seeding import isolated
from skal.studies._bins import SETS, cut, set_sizes, sort_into_bins, values_of
from skal.studies._comparison import Comparison, Key
from skal.studies._exports import Exports, Part
from skal.studies._kinds import check_result
from skal.studies._label_counts import count, count_columns, count_several
from skal.studies._statistics import total_variation
from skal.studies._tables import name_axes


@dataclass(frozen=True, eq=False)
class Distribution(Exports):
    """Shares of bins, or of labels, among the labelled rows after each round.

    Parameters
    ----------
    kind : {"input", "label"}
        Whether inputs or labels are counted.
    estimators, strategies : tuple of str
        Names of the estimators and strategies.
    seeds : tuple of int
        The seeds of the comparison.
    bins : tuple of str
        Names of the bins, or of the labels.
    reference : ndarray of shape (n_bins,)
        Share of each bin in the reference data.
    frequencies : ndarray of shape \
            (n_estimators, n_strategies, n_seeds, n_rounds + 1, n_bins)
        Share of each bin in the labelled rows after k = 0..K rounds, including the
        warm start. For the baseline, means over its orders. NaN before any row is
        labelled.
    distances : ndarray of shape (n_estimators, n_strategies, n_seeds, n_rounds + 1)
        Total variation distance between the frequencies and the reference. For the
        baseline, means over its orders.
    n_labelled : ndarray of shape (n_rounds + 1,)
        Number of labelled rows after each round, or the amount that may be spent.
    points : dict of str to ndarray of shape (n, 2), default=None
        If inputs were embedded, the points of "pool", "warm", "select" and "test", as
        far as these sets were used.
    has_costs : bool, default=False
        Whether rounds spend an amount.

    See Also
    --------
    input_distribution : Returns it.
    label_distribution : Returns it.
    skal.plotting.DistributionDisplay : Draws it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, Problem, Random, compare, label_distribution, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=10, random_state=0)
    >>> problem = Problem.from_sets(sets, GaussianNB(), batch_size=5, n_rounds=3)
    >>> strategies = {"random": Random(), "margin": Margin()}
    >>> study = compare(problem, strategies, n_orders=2)
    >>> shares = label_distribution(study)
    >>> shares.bins
    ('0', '1', '2')
    >>> shares.frequencies.shape  # estimators, strategies, seeds, k = 0..K, bins
    (1, 2, 5, 4, 3)
    """

    kind: str
    estimators: tuple[str, ...]
    strategies: tuple[str, ...]
    seeds: tuple[int, ...]
    bins: tuple[str, ...]
    reference: NDArray[np.float64]
    frequencies: NDArray[np.float64]
    distances: NDArray[np.float64]
    n_labelled: NDArray[np.int64]
    points: dict[str, NDArray[np.float64]] | None = None
    has_costs: bool = False

    def table(self) -> dict[str, NDArray]:
        """Return one row per estimator, strategy, seed, round and bin, as columns.

        Returns
        -------
        dict of str to ndarray of shape (n_rows,)
            "estimator", "strategy", "seed", "round", "bin", "n_labelled", "frequency",
            "reference", and the "distance" of the round. Pass it to
            `pandas.DataFrame`.
        """
        columns = name_axes(
            estimator=self.estimators,
            strategy=self.strategies,
            seed=self.seeds,
            round=range(len(self.n_labelled)),
            bin=self.bins,
        )
        n_bins = len(self.bins)
        return columns | {
            "n_labelled": self.n_labelled[columns["round"]],
            "frequency": self.frequencies.ravel(),
            "reference": np.tile(self.reference, len(columns["bin"]) // n_bins),
            "distance": np.repeat(self.distances.ravel(), n_bins),
        }

    def _parts(self) -> list[Part]:
        return [Part(self._title(), "", self._main())]

    def _title(self) -> str:
        return f"Total variation between labelled and all {self.kind}s"

    def _main(self) -> dict[str, Any]:
        """Return mean distances after the first, a middle and the last round."""
        rounds = len(self.n_labelled) - 1
        shown = sorted({1, (rounds + 1) // 2, rounds})
        names = name_axes(estimator=self.estimators, strategy=self.strategies)
        means = self.distances.mean(axis=2).reshape(-1, rounds + 1)
        after = {f"{self.n_labelled[k]} labelled": means[:, k] for k in shown}
        return names | after


@validate_params(
    {
        "feature": [StrOptions({"length", "tsne"}), callable, "array-like"],
        "n_bins": [Interval(Integral, 1, None, closed="left"), None],
        "reference": [StrOptions({"all", "test"})],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def input_distribution(
    comparison: Comparison,
    feature: str | Callable[[Any], ArrayLike] | ArrayLike = "length",
    *,
    n_bins: int | None = None,
    strategies: Iterable[str] | None = None,
    reference: str = "all",
    random_state: int = 0,
) -> Distribution:
    """Compute the distribution of labelled inputs after each round.

    Parameters
    ----------
    comparison : Comparison
        The orders, on one problem for all seeds.
    feature : {"length", "tsne"}, callable or array-like, default="length"
        The feature by which inputs are sorted into bins: "length", the number of words
        of a sentence; "tsne", the t-SNE embedding of up to 100 principal components; or
        a function of rows. It has one number, text or two-dimensional point per row.
        An array has the values of the pool, the warm start and the selection set, in
        this order, followed by the test set if that is the reference.
    n_bins : int, default=None
        Number of bins: quantiles of numbers, or k-means clusters of points. By default,
        one bin per distinct integer or text, 10 quantiles or 5 clusters.
    strategies : iterable of str, default=None
        Strategies whose orders are counted; by default, all.
    reference : {"all", "test"}, default="all"
        The inputs to compare with: "all" takes the pool, the warm start and the
        selection set, as in `IDMR`; "test" takes the test set.
    random_state : int, default=0
        Seed of the embedding and of the clustering.

    Returns
    -------
    Distribution
        Shares of the bins after each round.

    Raises
    ------
    ValueError
        If a parameter is invalid, a value is not finite, a strategy is unknown, or each
        seed has a split of its own.

    See Also
    --------
    label_distribution : The same for labels.
    IDMR : A strategy that matches the distribution of inputs.
    skal.plotting.DistributionDisplay : Draws the result.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.4 and Figs. 7 to 9.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import MaxEntropy, Problem, Random, compare, input_distribution, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"random": Random(), "entropy": MaxEntropy()})
    >>> inputs = input_distribution(comparison, lambda X: X[:, 2], n_bins=3)
    >>> inputs.bins  # quantiles of the length of a petal
    ('1.2 to 1.7', '1.9 to 4.9', '5 to 6.9')
    >>> inputs.frequencies.shape  # estimators, strategies, seeds, k = 0..K, bins
    (1, 2, 5, 5, 3)
    """
    check_result(comparison, "comparison", "Comparison")
    problem = comparison.problem
    sizes = set_sizes(problem, SETS[: 3 + (reference == "test")])
    with isolated(random_state), single_threaded():
        values = values_of(problem, feature, sizes, random_state)
        which, bins = sort_into_bins(values, n_bins, random_state)
    one_hot = np.eye(len(bins))[which]
    counts = cut(one_hot, sizes)
    sums = {name: part.sum(axis=0) for name, part in counts.items()}
    whole = sums["test"] if reference == "test" else sum(sums.values())
    points = None
    if values.ndim == 2:
        points = {name: part for name, part in cut(values, sizes).items() if len(part)}
    return _follow(
        comparison,
        "input",
        strategies,
        bins,
        counts["pool"],
        sums["warm"],
        whole,
        points,
    )


@validate_params(
    {
        "group": [callable, None],
        "n_bins": [Interval(Integral, 1, None, closed="left"), None],
        "bins": [StrOptions({"quantiles", "widths"})],
        "reference": [StrOptions({"all", "test"})],
    },
    prefer_skip_nested_validation=True,
)
def label_distribution(
    comparison: Comparison,
    *,
    group: Callable[[Any], Any] | None = None,
    n_bins: int | None = None,
    bins: str = "quantiles",
    strategies: Iterable[str] | None = None,
    reference: str = "test",
) -> Distribution:
    """Compute the distribution of acquired labels after each round.

    Parameters
    ----------
    comparison : Comparison
        The orders, on one problem for all seeds.
    group : callable, default=None
        Function that maps a label to the name it is counted under. For example,
        `lambda tag: tag.split("-")[-1]` counts "B-hours" and "I-hours" together. By
        default, each class is counted under its own name, and numbers are sorted into
        bins.
    n_bins : int, default=None
        Number of bins for the numbers that a regressor predicts; by default, 10.
    bins : {"quantiles", "widths"}, default="quantiles"
        Whether each of these bins has the same number of rows, or the same width.
    strategies : iterable of str, default=None
        Strategies whose orders are counted; by default, all.
    reference : {"test", "all"}, default="test"
        The labels to compare with: "test" takes the test set; "all" takes the pool, the
        warm start and the selection set.

    Returns
    -------
    Distribution
        Shares of the labels after each round. If labels are lists of tags, each token
        is counted. If rows have several labels, named by their column, each of them is
        counted: shares are out of all labels that were given. Several classes or
        numbers are counted column by column, under names such as "column 0: low". If
        the problem has `noise`, true labels are counted.

    Raises
    ------
    ValueError
        If a parameter is invalid, a strategy is unknown, each seed has a split of its
        own, or `n_bins` is given and labels are classes.

    See Also
    --------
    input_distribution : The same for inputs.
    ODMR : A strategy that matches the distribution of labels.
    skal.plotting.DistributionDisplay : Draws the result.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.4 and Figs. 7 to 9.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import MaxEntropy, Problem, Random, compare, label_distribution, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"random": Random(), "entropy": MaxEntropy()})
    >>> labels = label_distribution(comparison)
    >>> labels.bins, labels.distances.shape
    (('0', '1', '2'), (1, 2, 5, 5))
    """
    check_result(comparison, "comparison", "Comparison")
    problem = comparison.problem
    sizes = set_sizes(problem, SETS[: 3 + (reference == "test")])
    # With noise, the true labels: each seed has noisy ones of its own.
    y = {name: true_labels_of(problem, name) for name in sizes}
    y = {name: part for name, part in y.items() if part is not None}
    widths = bins == "widths"
    options: dict[str, Any] = dict(group=group, n_bins=n_bins, of_equal_width=widths)
    if problem.target is Target.LABELS:
        names, counts = count_several(y, group, n_bins)
    elif problem.target.has_columns:
        names, counts = count_columns(y, problem.column_classes, options)
    else:
        classes = problem.classes if problem.target.has_classes else None
        names, counts = count(y, classes, **options)
    sums = {name: part.sum(axis=0) for name, part in counts.items()}
    whole = sums["test"] if reference == "test" else sum(sums.values())
    return _follow(
        comparison, "label", strategies, names, counts["pool"], sums["warm"], whole
    )


def _follow(
    comparison: Comparison,
    kind: str,
    strategies: Iterable[str] | None,
    bins: tuple[str, ...],
    pool_counts: NDArray[np.float64],
    warm_counts: NDArray[np.float64],
    whole: Any,
    points: dict[str, NDArray] | None = None,
) -> Distribution:
    """Compute the distribution of the labelled rows after each round of each order.

    Parameters
    ----------
    comparison : Comparison
    kind : {"input", "label"}
    strategies : iterable of str or None
    bins : tuple of str
    pool_counts : ndarray of shape (n_pool, n_bins)
        How often each row of the pool counts in each bin.
    warm_counts, whole : ndarray of shape (n_bins,)
        Sums over the warm start and over the reference.
    points : dict of str to ndarray of shape (n, 2), default=None

    Returns
    -------
    Distribution
    """
    chosen = comparison.choose(
        comparison.strategies if strategies is None else strategies
    )
    reference = whole / whole.sum()
    keys: list[Key] = [
        (estimator, strategy, seed)
        for estimator in comparison.estimators
        for strategy in chosen
        for seed in comparison.seeds
    ]
    frequencies = [
        _frequencies(
            comparison.problem, comparison.orders[key], pool_counts, warm_counts
        )
        for key in keys
    ]
    shape = len(comparison.estimators), len(chosen), len(comparison.seeds)
    distances = [total_variation(f, reference).mean(axis=0) for f in frequencies]
    return Distribution(
        kind,
        tuple(comparison.estimators),
        chosen,
        comparison.seeds,
        bins,
        reference,
        np.array([f.mean(axis=0) for f in frequencies]).reshape(*shape, -1, len(bins)),
        np.array(distances).reshape(*shape, -1),
        comparison.n_labelled,
        points,
        comparison.problem.costs is not None,
    )


def _frequencies(
    problem: Problem, orders: NDArray, pool_counts: NDArray, warm_counts: NDArray
) -> NDArray[np.float64]:
    """Return shares after each round, shape (n_orders, n_rounds + 1, n_bins)."""
    # Counts after 0, 1, 2, ... rows: (n_orders, n_acquired + 1, n_bins).
    positions = np.full(orders.shape, -1)  # shorter orders end with -1
    for i, order in enumerate(orders):
        rows = order[order >= 0]
        positions[i, : len(rows)] = problem.positions(rows)
    is_row = (positions >= 0)[..., None]
    acquired = np.cumsum(pool_counts[positions] * is_row, axis=1)
    acquired = np.concatenate([np.zeros_like(acquired[:, :1]), acquired], axis=1)
    ends = np.array([problem.ends(order[order >= 0]) for order in positions])
    counts = warm_counts + acquired[np.arange(len(orders))[:, None], ends]
    sums = counts.sum(axis=-1, keepdims=True)
    return np.where(sums > 0, counts / np.maximum(sums, 1), np.nan)
