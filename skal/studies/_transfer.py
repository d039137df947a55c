"""Transfer of orders to other seeds and to other estimators."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.studies._comparison import Comparison
from skal.studies._exports import Part
from skal.studies._kinds import check_result
from skal.studies._paired import PairedTests
from skal.studies._statistics import jackknife_pairs
from skal.studies._transferred import Transfer
from skal.studies.running._replays import Replay, replay


@dataclass(frozen=True, eq=False)
class SeedTransfer(Transfer):
    """Results of replaying the orders of each seed under all other seeds.

    Parameters
    ----------
    comparison : Comparison
        The comparison that the orders come from.
    strategies : tuple of str
        Strategies whose orders were replayed.
    curves, validation_curves : ndarray of shape \
            (n_estimators, n_strategies, n_seeds, n_seeds, n_rounds + 1)
        Scores on the test and validation set. The first axis of seeds is the source,
        the seed of the order; the second is the target, the xi of the replay. In
        Fig. 4, rows are targets.

    See Also
    --------
    seed_transfer : Returns it.
    skal.plotting.TransferDisplay : Draws it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import Margin, Problem, Random, compare, seed_transfer, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=10, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=5,
    ...                             n_rounds=3)
    >>> strategies = {"random": Random(), "margin": Margin()}
    >>> found = seed_transfer(compare(problem, strategies, n_orders=2))
    >>> found.curves.shape  # estimators, strategies, source and target seeds, k
    (1, 1, 5, 5, 4)
    """

    @property
    def own_qualities(self) -> NDArray[np.float64]:
        """Qualities under the source seed, (n_estimators, n_strategies, n_seeds)."""
        return np.diagonal(self.qualities, axis1=2, axis2=3)

    @property
    def foreign_qualities(self) -> NDArray[np.float64]:
        """Mean quality of other seeds' orders under each target.

        The shape is (n_estimators, n_strategies, n_seeds).
        """
        n = len(self.comparison.seeds)
        return (self.qualities.sum(axis=2) - self.own_qualities) / (n - 1)

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Qualities minus the target's own quality, shaped like `qualities`."""
        return self.qualities - self.own_qualities[:, :, None]

    def against_own(self) -> PairedTests:
        """Test orders of other seeds against the orders of each seed itself.

        Returns
        -------
        PairedTests
            Its `qualities` are pseudo-values, one per seed (see Notes).

        Notes
        -----
        Targets share their sources, so means over sources are not independent. The
        tests use the pseudo-values of `jackknife_pairs` instead. With two seeds there
        is a single pair, which gives a gain but no p-value.
        """
        return self._test("own seed", self.own_qualities)

    def against_baseline(self) -> PairedTests:
        """Test orders of other seeds against the baseline.

        Returns
        -------
        PairedTests
            Its `qualities` are pseudo-values, as in `against_own`.

        Raises
        ------
        ValueError
            If the comparison has no baseline.
        """
        low = self._need_baseline()[:, None]
        reference = np.broadcast_to(low, self.own_qualities.shape)
        return self._test(str(self.comparison.baseline), reference)

    def _test(self, name: str, reference: NDArray[np.float64]) -> PairedTests:
        return PairedTests(
            tuple(self.comparison.estimators),
            self.strategies,
            np.full(reference.shape[:2], name),
            self.comparison.seeds,
            self._pseudo_qualities(reference),
            reference,
        )

    def _pseudo_qualities(self, reference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one pseudo-value per seed, with the same mean as all pairs."""
        if len(self.comparison.seeds) > 2:
            return jackknife_pairs(self.qualities)
        gains = self.foreign_qualities - reference
        return reference + gains.mean(axis=-1, keepdims=True)

    def table(self) -> dict[str, NDArray]:
        """Return one row per estimator, strategy, both seeds and round, as columns.

        Returns
        -------
        dict of str to ndarray
            "estimator", "strategy", "source_seed", "seed", "round", "n_labelled",
            "score" (on test) and "validation_score". Pass it to `pandas.DataFrame`.
        """
        return self._table(
            estimator=list(self.comparison.estimators),
            strategy=self.strategies,
            source_seed=self.comparison.seeds,
            seed=self.comparison.seeds,
        )

    def _tests(self) -> dict[str, PairedTests]:
        """Return the tests that are printed, by their titles."""
        tests = {"Orders of other seeds against own orders": self.against_own()}
        if self.baseline_qualities is not None:
            title = "Orders of other seeds against the baseline"
            tests[title] = self.against_baseline()
        return tests

    def _main(self) -> dict[str, Any]:
        tables = [one._main() for one in self._tests().values()]
        return {name: [v for t in tables for v in t[name]] for name in tables[0]}

    def _parts(self) -> list[Part]:
        return [
            one._parts()[0]._replace(title=title)
            for title, one in self._tests().items()
        ]


def seed_transfer(
    comparison: Comparison,
    *,
    strategies: Iterable[str] | None = None,
    n_jobs: int | None = None,
    path: Any = None,
    callbacks: Iterable[Any] = (),
) -> SeedTransfer:
    """Replay the orders found under each seed under all other seeds.

    The drop in quality, compared with the orders found under the target seed itself,
    shows how much of an order's quality depends on the seed. Nothing is searched again.

    Parameters
    ----------
    comparison : Comparison
        A comparison with at least two seeds, on one problem for all seeds.
    strategies : iterable of str, default=None
        Strategies whose orders are replayed; by default, all but the baseline.
    n_jobs : int or None, default=None
        Number of replays in parallel. It does not change the result.
    path : str or path-like, default=None
        Folder in which to keep the study, as in `compare`. It may be the folder of the
        comparison.
    callbacks : iterable of callback, default=()
        Callbacks that show progress, such as `skal.utils.progress.ProgressBar()`.

    Returns
    -------
    SeedTransfer
        The curves of all replays, with tests.

    Raises
    ------
    ValueError
        If there is a single seed, each seed has a split of its own, a strategy is
        unknown, or `path` is the folder of another study.

    See Also
    --------
    model_transfer : Replay orders with other estimators.
    evaluate_order : Replay one order under several seeds.

    Notes
    -----
    Replays train the plain estimators, even if a strategy sampled the posterior of
    another estimator.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.2 and Fig. 4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import AnnealingOracle, Problem, Random, compare, seed_transfer, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"random": Random(),
    ...                                "oracle": AnnealingOracle(n_steps=50)})
    >>> transfer = seed_transfer(comparison)
    >>> transfer.qualities.shape  # estimators, strategies, sources, targets
    (1, 1, 5, 5)
    >>> bool(transfer.against_own().gains.mean() < 0)
    True
    """
    check_result(comparison, "comparison", "Comparison")
    chosen = comparison.choose(strategies)
    if len(comparison.seeds) < 2:
        raise ValueError(
            "seed_transfer needs at least two seeds, got 1: compare more seeds."
        )
    _ = comparison.problem  # raises an error unless all seeds share one pool
    replays = [
        Replay(strategy, estimator, source, estimator, seed)
        for estimator in comparison.estimators
        for strategy in chosen
        for source in comparison.seeds
        for seed in comparison.seeds
    ]
    found = replay(comparison, replays, n_jobs=n_jobs, path=path, callbacks=callbacks)
    n, shape = len(comparison.seeds), (len(comparison.estimators), len(chosen))
    curves = (array.reshape(*shape, n, n, -1) for array in found)
    return SeedTransfer(comparison, chosen, *curves)


@dataclass(frozen=True, eq=False)
class ModelTransfer(Transfer):
    """Results of replaying the orders of each estimator with all estimators.

    Parameters
    ----------
    comparison : Comparison
        The comparison that the orders come from.
    strategies : tuple of str
        Strategies whose orders were replayed.
    curves, validation_curves : ndarray of shape \
            (n_strategies, n_estimators, n_estimators, n_seeds, n_rounds + 1)
        Scores on the test and validation set. The first axis of estimators is the
        source, with which the order was found; the second is the target, which is
        trained in the replay.

    See Also
    --------
    model_transfer : Returns it.
    skal.plotting.TransferDisplay : Draws it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
    >>> from skal import Margin, Problem, Random, compare, model_transfer, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=10, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=5,
    ...                             n_rounds=3)
    >>> study = compare(problem, {"random": Random(), "margin": Margin()}, n_orders=2,
    ...                 estimators={"tree": DecisionTreeClassifier(),
    ...                             "extra": ExtraTreeClassifier()})
    >>> model_transfer(study).curves.shape  # strategies, source and target, seeds, k
    (1, 2, 2, 5, 4)
    """

    @property
    def over_baseline(self) -> NDArray[np.float64]:
        """Qualities minus the target's baseline, shaped like `qualities`.

        NaN if the comparison has no baseline.
        """
        low = self.baseline_qualities
        return self.qualities - (np.nan if low is None else low)

    def against_baseline(self) -> PairedTests:
        """Test each order against the baseline with the same target, paired by seed.

        Returns
        -------
        PairedTests
            Its `estimators` are the targets; its `strategies` name strategy and source.

        Raises
        ------
        ValueError
            If the comparison has no baseline.
        """
        low = self._need_baseline()[:, None]
        targets = tuple(self.comparison.estimators)
        names = [f"{s}, {source} order" for s in self.strategies for source in targets]
        # (strategy, source, target, seed) to (target, strategy and source, seed)
        flat = self.qualities.reshape(len(names), len(targets), -1).swapaxes(0, 1)
        return PairedTests(
            targets,
            tuple(names),
            np.full(flat.shape[:2], str(self.comparison.baseline)),
            self.comparison.seeds,
            flat,
            np.broadcast_to(low, flat.shape),
            self.comparison.splits.overlap,
        )

    def table(self) -> dict[str, NDArray]:
        """Return one row per strategy, both estimators, seed and round, as columns.

        Returns
        -------
        dict of str to ndarray
            "strategy", "source_estimator", "estimator", "seed", "round", "n_labelled",
            "score" (on test) and "validation_score". Pass it to `pandas.DataFrame`.
        """
        estimators = list(self.comparison.estimators)
        return self._table(
            strategy=self.strategies,
            source_estimator=estimators,
            estimator=estimators,
            seed=self.comparison.seeds,
        )

    def _main(self) -> dict[str, Any]:
        tables = [list(self._matrix(i).items()) for i in range(len(self.strategies))]
        columns: dict[str, Any] = {"strategy": [], "order": []}
        for (name, rows), *_ in tables:
            columns["strategy"] += [name] * len(rows)
            columns["order"] += rows
        for j, (target, _) in enumerate(tables[0][1:], start=1):
            columns[target] = [value for one in tables for value in one[j][1]]
        return columns

    def _parts(self) -> list[Part]:
        tables = [Part("", "", self._matrix(i)) for i in range(len(self.strategies))]
        return [*tables, Part("", self._notes(), {})]

    def _notes(self) -> str:
        return f"Means over {len(self.comparison.seeds)} seeds."

    def _matrix(self, i: int) -> dict[str, Any]:
        """Return the table of one strategy: sources and baseline by target."""
        means, names = self.qualities[i].mean(axis=-1), list(self.comparison.estimators)
        rows = [f"{name} order" for name in names]
        if self.baseline_qualities is not None:
            means = np.vstack([means, self.baseline_qualities.mean(axis=-1)])
            rows.append(str(self.comparison.baseline))
        return {self.strategies[i]: rows} | {
            f"with {name}": column for name, column in zip(names, means.T, strict=True)
        }


def model_transfer(
    comparison: Comparison,
    *,
    strategies: Iterable[str] | None = None,
    n_jobs: int | None = None,
    path: Any = None,
    callbacks: Iterable[Any] = (),
) -> ModelTransfer:
    """Replay the orders found with each estimator with all other estimators.

    If an order is also good for other estimators, the rows that it labels are valuable
    in general. Each order is replayed under the seed that it was found with. Nothing is
    searched again.

    Parameters
    ----------
    comparison : Comparison
        A comparison with at least two estimators.
    strategies : iterable of str, default=None
        Strategies whose orders are replayed; by default, all but the baseline.
    n_jobs : int or None, default=None
        Number of replays in parallel. It does not change the result.
    path : str or path-like, default=None
        Folder in which to keep the study, as in `compare`. It may be the folder of the
        comparison.
    callbacks : iterable of callback, default=()
        Callbacks that show progress, such as `skal.utils.progress.ProgressBar()`.

    Returns
    -------
    ModelTransfer
        The curves of all replays, with tests.

    Raises
    ------
    ValueError
        If there is a single estimator, a strategy is unknown, or `path` is the folder
        of another study.

    See Also
    --------
    seed_transfer : Replay orders under other seeds.
    order_overlap : Rows that the orders have in common.

    Notes
    -----
    Replays train the plain estimators, even if a strategy sampled the posterior of
    another estimator.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.3 and Fig. 5.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import Margin, Random, compare, model_transfer
    >>> X, y = load_iris(return_X_y=True)
    >>> estimators = {"bayes": GaussianNB(), "tree": DecisionTreeClassifier()}
    >>> comparison = compare(X, y, estimators, {"random": Random(), "margin": Margin()},
    ...                      batch_size=2, n_rounds=4, warm_size=6)
    >>> transfer = model_transfer(comparison)
    >>> transfer.qualities.shape  # strategies, sources, targets, seeds
    (1, 2, 2, 5)
    """
    check_result(comparison, "comparison", "Comparison")
    chosen = comparison.choose(strategies)
    n_estimators, n_seeds = len(comparison.estimators), len(comparison.seeds)
    if n_estimators < 2:
        raise ValueError(
            "model_transfer needs at least two estimators, got 1: compare more "
            "estimators."
        )
    replays = [
        Replay(strategy, source, seed, target, seed)
        for strategy in chosen
        for source in comparison.estimators
        for target in comparison.estimators
        for seed in comparison.seeds
    ]
    found = replay(comparison, replays, n_jobs=n_jobs, path=path, callbacks=callbacks)
    shape = len(chosen), n_estimators, n_estimators, n_seeds, -1
    return ModelTransfer(comparison, chosen, *(array.reshape(shape) for array in found))
