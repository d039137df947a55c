"""Results of a comparison of strategies: curves, orders and paired tests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skal.answers._needs import strategy_peeks
from skal.curves import optimism
from skal.inputs._containers import n_rows
from skal.studies._judged import Judged
from skal.studies._paired import PairedTests
from skal.studies._spec import StudySpec, check_known
from skal.studies._statistics import win_table
from skal.studies._summary import share_of_gap
from skal.studies._tables import name_axes

Key = tuple[str, str, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison(StudySpec, Judged):
    """Results of comparing strategies, with several estimators and seeds.

    `compare` returns it. Other studies take it as input: `seed_transfer`,
    `model_transfer`, `order_overlap`, `input_distribution`, `label_distribution` and
    `regularization_gain`.

    Parameters
    ----------
    splits, estimators, strategies, seeds, baseline, oracle : object
        As in `StudySpec`.
    posterior_estimators, include_warm_start : object
        As in `StudySpec`.
    curves, validation_curves : ndarray of shape \
            (n_estimators, n_strategies, n_seeds, n_rounds + 1)
        Scores on the test and validation set. Index 0 is the warm start. For the
        baseline, means over its orders. NaN without a validation set.
    orders : mapping of (str, str, int) to ndarray of shape (n_orders, n_acquired)
        Labelled rows in their order, by estimator, strategy and seed. They index the
        pool, or the whole `X` if each seed has its own split. Only the baseline has
        more than one order. With costs, shorter orders are filled up with -1.
    baseline_curves : ndarray of shape \
            (n_estimators, n_seeds, n_orders, n_rounds + 1), or None
        Test scores of each order of the baseline; None without a baseline.
    other_seeds : mapping of (str, str, int) to ndarray of shape \
            (n_replays, n_rounds + 1), default={}
        Test scores of an oracle's order when it is replayed under other training
        seeds. Only for oracles whose estimator draws random numbers.
    n_trainings, seconds : ndarray of shape \
            (n_estimators, n_strategies, n_seeds), default=None
        Number and duration of the trainings, with all orders of the baseline.

    See Also
    --------
    compare : Returns it.
    skal.plotting.PerformanceCurveDisplay : Draws its curves.
    skal.plotting.GainDisplay : Draws gains by seed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, Random, compare
    >>> strategies = {"random": Random(), "margin": Margin()}
    >>> study = compare(*load_iris(return_X_y=True), GaussianNB(), strategies,
    ...                 n_orders=2, batch_size=5, n_rounds=3)
    >>> study.curves.shape  # estimators, strategies, seeds, k = 0..K
    (1, 2, 5, 4)
    >>> study.n_labelled.tolist()
    [10, 15, 20, 25]
    >>> study.heuristics
    ('margin',)
    """

    curves: NDArray[np.float64] = field(repr=False)
    validation_curves: NDArray[np.float64] = field(repr=False)
    orders: Mapping[Key, NDArray[np.int64]] = field(repr=False)
    baseline_curves: NDArray[np.float64] | None = field(default=None, repr=False)
    other_seeds: Mapping[Key, NDArray[np.float64]] = field(
        default_factory=dict, repr=False
    )
    n_trainings: NDArray[np.int64] | None = field(default=None, repr=False)
    seconds: NDArray[np.float64] | None = field(default=None, repr=False)

    @property
    def n_labelled(self) -> NDArray[np.int64]:
        """Number of rows labelled after each round, shape (n_rounds + 1,).

        With costs, the amount that may be spent, which is the same for all strategies.
        """
        problem = self.splits.example
        acquired = problem.batch_size * np.arange(problem.n_rounds + 1)
        if problem.costs is not None:
            return acquired
        return n_rows(problem.X_warm) + np.minimum(acquired, problem.n_pool)

    @property
    def qualities(self) -> NDArray[np.float64]:
        """xi-quality on the test set, shape (n_estimators, n_strategies, n_seeds)."""
        return self.quality_of(self.curves)

    @property
    def validation_qualities(self) -> NDArray[np.float64]:
        """xi-quality on validation, of shape (n_estimators, n_strategies, n_seeds)."""
        return self.quality_of(self.validation_curves)

    def quality_of(self, curves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the xi-quality of curves: their mean over rounds.

        Parameters
        ----------
        curves : ndarray of shape (..., n_rounds + 1)
            The warm start counts only if `include_warm_start` is True.

        Returns
        -------
        ndarray of shape (...)
        """
        return curves[..., 0 if self.include_warm_start else 1 :].mean(axis=-1)

    @property
    def heuristics(self) -> tuple[str, ...]:
        """Names of the strategies that are neither baseline nor peek at labels."""
        return tuple(
            name
            for name, strategy in self.strategies.items()
            if name not in (self.baseline, self.oracle) and not strategy_peeks(strategy)
        )

    def of(self, name: str) -> NDArray[np.float64]:
        """Return the test qualities of one strategy.

        Parameters
        ----------
        name : str
            One of `strategies`.

        Returns
        -------
        ndarray of shape (n_estimators, n_seeds)
        """
        return self.qualities[:, self._index(name)]

    def single_curves(self, name: str) -> NDArray[np.float64]:
        """Return the test curve of every run of a strategy.

        Parameters
        ----------
        name : str
            One of `strategies`.

        Returns
        -------
        ndarray of shape (n_estimators, n_runs, n_rounds + 1)
            One run per seed; for the baseline, one per seed and order.

        Raises
        ------
        ValueError
            If the strategy is unknown.
        """
        index = self._index(name)
        if name == self.baseline and self.baseline_curves is not None:
            n_estimators, *_, n_scores = self.baseline_curves.shape
            return self.baseline_curves.reshape(n_estimators, -1, n_scores)
        return self.curves[:, index]

    def _index(self, name: str) -> int:
        check_known(name, self.strategies, "strategy")
        return list(self.strategies).index(name)

    def repeats(self, name: str) -> NDArray[np.bool_]:
        """Return whether all seeds of a strategy gave the same run.

        This happens if all seeds share a split and neither the estimator nor the
        strategy draws random numbers. Such seeds cannot be used to test anything.

        Parameters
        ----------
        name : str
            One of `strategies`.

        Returns
        -------
        ndarray of bool, shape (n_estimators,)
        """
        curves = self.curves[:, self._index(name)]
        if len(self.seeds) < 2 or self.splits.vary:
            return np.zeros(len(self.estimators), dtype=bool)
        same_curves = np.isclose(curves, curves[:, :1], rtol=1e-9, equal_nan=True)
        same_orders = [
            all(
                np.array_equal(self.orders[estimator, name, seed], first)
                for seed in self.seeds
            )
            for estimator in self.estimators
            for first in [self.orders[estimator, name, self.seeds[0]]]
        ]
        return same_curves.all(axis=(1, 2)) & np.array(same_orders)

    def against(self, reference: str | None = None) -> PairedTests:
        """Test every other strategy against one, paired by seed.

        Parameters
        ----------
        reference : str, default=None
            One of `strategies`; by default, the baseline.

        Returns
        -------
        PairedTests

        Raises
        ------
        ValueError
            If the strategy is unknown, or it is the only one.
        """
        reference = self._need("baseline") if reference is None else reference
        check_known(reference, self.strategies, "strategy")
        pairs = [(name, reference) for name in self.strategies if name != reference]
        if not pairs:
            raise ValueError(
                f"{reference!r} is the only strategy: add another one to test."
            )
        return self.test_pairs(pairs)

    def oracle_gains(self, *, other_seeds: bool = False) -> PairedTests:
        """Test the oracle against the baseline and against the best heuristic.

        The best heuristic of each estimator is the one with the highest mean test
        quality over these same seeds, which is a choice in its favour.

        Parameters
        ----------
        other_seeds : bool, default=False
            Whether to use the qualities of the oracle's orders under other training
            seeds than the one of their search. An order may only suit its own seed.

        Returns
        -------
        PairedTests

        Raises
        ------
        ValueError
            If the comparison lacks an oracle or anything to compare it with, or if
            `other_seeds` is True and no order was replayed under other seeds.

        References
        ----------
        Zhou et al., AISTATS 2021, sections 6.1 and 6.2, and Table 2.
        """
        oracle = self._need("oracle")
        references = []
        if self.baseline is not None:
            references.append(np.repeat(self.baseline, len(self.estimators)))
        if self.heuristics:
            means = np.array([self.of(name).mean(axis=1) for name in self.heuristics])
            references.append(np.array(self.heuristics)[means.argmax(axis=0)])
        if not references:
            raise ValueError(
                "There is nothing to compare the oracle with: add Random()."
            )
        tests = self._test((oracle,) * len(references), np.transpose(references))
        return self._under_other_seeds(tests) if other_seeds else tests

    def _under_other_seeds(self, tests: PairedTests) -> PairedTests:
        """Return tests of the oracle with the qualities of its replays."""
        qualities = self.other_seed_qualities(self._need("oracle"))
        if np.isnan(qualities).all():
            raise ValueError(
                f"The orders of {self.oracle!r} were not replayed under other training "
                "seeds, since no estimator draws random numbers: use other_seeds=False."
            )
        tiled = np.repeat(qualities[:, None], len(tests.strategies), axis=1)
        return PairedTests(
            tests.estimators,
            tuple(f"{name}, other seeds" for name in tests.strategies),
            tests.references,
            tests.seeds,
            tiled,
            tests.reference_qualities,
            tests.overlap,
        )

    def other_seed_qualities(self, name: str) -> NDArray[np.float64]:
        """Return the qualities of an oracle's orders under other training seeds.

        Parameters
        ----------
        name : str
            One of `strategies`.

        Returns
        -------
        ndarray of shape (n_estimators, n_seeds)
            Means over the other seeds; NaN if an order was not replayed.
        """
        check_known(name, self.strategies, "strategy")
        found = np.full((len(self.estimators), len(self.seeds)), np.nan)
        for i, estimator in enumerate(self.estimators):
            for j, seed in enumerate(self.seeds):
                if (
                    curves := self.other_seeds.get((estimator, name, seed))
                ) is not None:
                    found[i, j] = self.quality_of(curves).mean()
        return found

    def test_pairs(self, pairs: Iterable[tuple[str, str]]) -> PairedTests:
        """Test each strategy against a reference of its own.

        Parameters
        ----------
        pairs : iterable of (str, str)
            Strategies and their references.

        Returns
        -------
        PairedTests

        Raises
        ------
        ValueError
            If `pairs` is empty, or a name is unknown.
        """
        pairs = list(pairs)
        if not pairs:
            raise ValueError("pairs must not be empty: give at least one.")
        strategies, references = zip(*pairs, strict=True)
        return self._test(strategies, np.tile(references, (len(self.estimators), 1)))

    def _test(
        self, strategies: tuple[str, ...], references: NDArray[np.str_]
    ) -> PairedTests:
        names = {*strategies, *references.ravel().tolist()}
        qualities = {name: self.of(name) for name in names}
        repeats = {name: self.repeats(name) for name in names}
        shape = references.shape
        against = np.empty((*shape, len(self.seeds)))
        repeated = np.empty(shape, dtype=bool)
        for (i, j), reference in np.ndenumerate(references):
            against[i, j] = qualities[str(reference)][i]
            repeated[i, j] = repeats[str(reference)][i] | repeats[strategies[j]][i]
        return PairedTests(
            tuple(self.estimators),
            tuple(strategies),
            references,
            self.seeds,
            np.stack([qualities[name] for name in strategies], axis=1),
            against,
            self.splits.overlap,
            repeated,
        )

    def gap_closed(self) -> NDArray[np.float64]:
        """Return the share of the gap between baseline and oracle that is closed.

        Returns
        -------
        ndarray of shape (n_estimators, n_strategies, n_seeds)
            For each strategy, 0 at the baseline and 1 at the oracle; NaN if the oracle
            is not better than the baseline.

        Raises
        ------
        ValueError
            If the comparison lacks a baseline or an oracle.
        """
        ends = (self.of(self._need(role))[:, None] for role in ("baseline", "oracle"))
        return share_of_gap(self.qualities, *ends)

    def optimism(self) -> NDArray[np.float64]:
        """Return how much more each strategy gains on validation than on test.

        A search overfits its validation set. The optimism is the gain over the
        baseline on validation minus the gain over the baseline on test. Differences to
        the baseline are used because one set may be harder than the other.

        Returns
        -------
        ndarray of shape (n_estimators, n_strategies, n_seeds)
            NaN without a validation set.

        Raises
        ------
        ValueError
            If the comparison lacks a baseline.
        """
        index = self._index(self._need("baseline"))
        validation, test = self.validation_qualities, self.qualities
        baseline = validation[:, index, None], test[:, index, None]
        return optimism(validation, test, *baseline)

    def wins(self) -> NDArray[np.int64]:
        """Count the seeds in which one strategy is better than another.

        Returns
        -------
        ndarray of shape (n_estimators, n_strategies, n_strategies)
            How often the row's strategy beats the column's strategy.
        """
        return np.array([win_table(qualities) for qualities in self.qualities])

    def table(self) -> dict[str, NDArray]:
        """Return one row per estimator, strategy, seed and round, as columns.

        Returns
        -------
        dict of str to ndarray of shape \
                (n_estimators * n_strategies * n_seeds * (n_rounds + 1),)
            "estimator", "strategy", "seed", "round", "n_labelled", "score" (on test)
            and "validation_score". Pass it to `pandas.DataFrame` or
            `polars.DataFrame`.
        """
        columns = name_axes(
            estimator=list(self.estimators),
            strategy=list(self.strategies),
            seed=self.seeds,
            round=range(len(self.n_labelled)),
        )
        return columns | {
            "n_labelled": self.n_labelled[columns["round"]],
            "score": self.curves.ravel(),
            "validation_score": self.validation_curves.ravel(),
        }
