"""Results of a comparison of strategies: curves, orders, and who is better."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.answers._needs import strategy_peeks
from skal.curves import optimism
from skal.inputs._containers import n_rows
from skal.studies._paired import PairedTests
from skal.studies._spec import StudySpec
from skal.studies._statistics import share_of_gap, win_table
from skal.studies._summary import summarize

Key = tuple[str, str, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison(StudySpec):
    """Strategies compared on one problem, with several estimators and seeds.

    Other studies take it: `seed_transfer`, `model_transfer`, `order_overlap`,
    `input_distribution`, `label_distribution` and `regularization_gain`.

    Parameters
    ----------
    splits, estimators, strategies, seeds, baseline, oracle, posterior_estimators, \
            include_warm_start
        As in `StudySpec`.
    curves, validation_curves : ndarray of shape \
            (n_estimators, n_strategies, n_seeds, n_rounds + 1)
        Scores on test and validation, index 0 being the warm start. The baseline's are
        the mean over its orders. NaN where there is no validation set.
    orders : mapping of (str, str, int) to ndarray of shape (n_orders, n_acquired)
        Rows in the order in which they were labelled, by estimator, strategy and seed:
        rows of the pool, or of the whole `X` where each seed has its own split. Only a
        baseline has more than one order.
    baseline_curves : ndarray of shape \
            (n_estimators, n_seeds, n_orders, n_rounds + 1), or None
        Scores on test of each order of the baseline.
    other_seeds : mapping of (str, str, int) to ndarray of shape \
            (n_replays, n_rounds + 1), default={}
        Scores on test of an oracle's order, followed again under other seeds of
        training; for oracles whose estimator draws random numbers.
    """

    curves: NDArray[np.float64] = field(repr=False)
    validation_curves: NDArray[np.float64] = field(repr=False)
    orders: Mapping[Key, NDArray[np.int64]] = field(repr=False)
    baseline_curves: NDArray[np.float64] | None = field(default=None, repr=False)
    other_seeds: Mapping[Key, NDArray[np.float64]] = field(
        default_factory=dict, repr=False
    )

    @property
    def n_labelled(self) -> NDArray[np.int64]:
        """Number of rows labelled after each round, shape (n_rounds + 1,)."""
        problem = self.splits.example
        acquired = problem.batch_size * np.arange(problem.n_rounds + 1)
        return n_rows(problem.X_warm) + np.minimum(acquired, problem.n_pool)

    @property
    def qualities(self) -> NDArray[np.float64]:
        """xi-quality on test, shape (n_estimators, n_strategies, n_seeds)."""
        return self.quality_of(self.curves)

    @property
    def validation_qualities(self) -> NDArray[np.float64]:
        """xi-quality on validation, shape (n_estimators, n_strategies, n_seeds)."""
        return self.quality_of(self.validation_curves)

    def quality_of(self, curves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Average curves over their rounds, as all qualities here are averaged.

        Parameters
        ----------
        curves : ndarray of shape (..., n_rounds + 1)

        Returns
        -------
        ndarray of shape (...)
        """
        return curves[..., 0 if self.include_warm_start else 1 :].mean(axis=-1)

    @property
    def heuristics(self) -> tuple[str, ...]:
        """The strategies that are neither the baseline nor look at unseen labels."""
        return tuple(
            name
            for name, strategy in self.strategies.items()
            if name not in (self.baseline, self.oracle) and not strategy_peeks(strategy)
        )

    def of(self, name: str) -> NDArray[np.float64]:
        """Return the qualities of one strategy, shape (n_estimators, n_seeds)."""
        return self.qualities[:, self._place(name)]

    def single_curves(self, name: str) -> NDArray[np.float64]:
        """Return the test curves of the single runs of a strategy.

        Parameters
        ----------
        name : str
            One of `strategies`.

        Returns
        -------
        ndarray of shape (n_estimators, n_runs, n_rounds + 1)
            One run per seed; of the baseline, one per seed and order.

        Raises
        ------
        ValueError
            If there is no such strategy.
        """
        place = self._place(name)
        if name == self.baseline and self.baseline_curves is not None:
            n_estimators, *_, n_scores = self.baseline_curves.shape
            return self.baseline_curves.reshape(n_estimators, -1, n_scores)
        return self.curves[:, place]

    def _place(self, name: str) -> int:
        check_known(name, self.strategies, "strategy")
        return list(self.strategies).index(name)

    def choose(self, names: Iterable[str] | None) -> tuple[str, ...]:
        """Return names of strategies: those given, or all but the baseline.

        Raises
        ------
        ValueError
            If there is no strategy of that name, one is named twice, or none at all.
        """
        if isinstance(names, str):
            names = [names]
        others = (name for name in self.strategies if name != self.baseline)
        chosen = tuple(others if names is None else names)
        for name in chosen:
            check_known(name, self.strategies, "strategy")
        if not chosen:
            raise ValueError(
                "There is no strategy but the baseline: name one at least."
                if names is None
                else "No strategy is chosen: name one at least."
            )
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"strategies must be distinct; got {', '.join(chosen)}.")
        return chosen

    def repeats(self, name: str) -> NDArray[np.bool_]:
        """Return whether all seeds of a strategy gave one and the same run.

        They do where all seeds share a split and neither the estimator nor the strategy
        draws random numbers. Such seeds are no sample of anything.

        Parameters
        ----------
        name : str
            One of `strategies`.

        Returns
        -------
        ndarray of bool, shape (n_estimators,)
        """
        curves = self.curves[:, self._place(name)]
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
            One of `strategies`; the baseline by default.

        Returns
        -------
        PairedTests

        Raises
        ------
        ValueError
            If there is no such strategy, or no other one.
        """
        reference = self._need("baseline") if reference is None else reference
        check_known(reference, self.strategies, "strategy")
        pairs = [(name, reference) for name in self.strategies if name != reference]
        if not pairs:
            raise ValueError(f"There is no strategy but {reference!r} to compare with.")
        return self.test_pairs(pairs)

    def oracle_gains(self, *, other_seeds: bool = False) -> PairedTests:
        """Test the oracle against the baseline, and against the best heuristic.

        The best heuristic is chosen for each estimator by its mean quality on test,
        over these same seeds: that favours it.

        Parameters
        ----------
        other_seeds : bool, default=False
            Test the oracle's orders as they do under other seeds of training than the
            seed that they were searched with. An order may suit its own seed alone.

        Returns
        -------
        PairedTests

        Raises
        ------
        ValueError
            If there is no oracle, or nothing to compare it with; or `other_seeds` is
            asked for, and no order was followed again under other seeds.

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
        return self._elsewhere(tests) if other_seeds else tests

    def _elsewhere(self, tests: PairedTests) -> PairedTests:
        """Return tests of the oracle, with its orders followed under other seeds."""
        qualities = self.other_seed_qualities(self._need("oracle"))
        if np.isnan(qualities).all():
            raise ValueError(
                f"The orders of {self.oracle!r} were not followed under other seeds of "
                "training: no estimator draws random numbers, so they would make no "
                "difference."
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
        """Return the qualities of an oracle's orders under other seeds of training.

        Parameters
        ----------
        name : str
            One of `strategies`.

        Returns
        -------
        ndarray of shape (n_estimators, n_seeds)
            Means over the other seeds; NaN where an order was not followed again.
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
        """Test strategies, each against a reference of its own.

        Parameters
        ----------
        pairs : iterable of (str, str)
            A strategy, and what to compare it with.

        Returns
        -------
        PairedTests

        Raises
        ------
        ValueError
            If there is no pair, or no strategy of such a name.
        """
        pairs = list(pairs)
        if not pairs:
            raise ValueError("No pair of strategies is given: give at least one.")
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
        """Return which share of the gap from baseline to oracle each strategy closes.

        Returns
        -------
        ndarray of shape (n_estimators, n_strategies, n_seeds)
            NaN where the oracle is not better than the baseline.

        Raises
        ------
        ValueError
            If there is no baseline or no oracle.
        """
        ends = (self.of(self._need(role))[:, None] for role in ("baseline", "oracle"))
        return share_of_gap(self.qualities, *ends)

    def optimism(self) -> NDArray[np.float64]:
        """Return how much more each strategy gains on validation than on test.

        A search fits what is particular to its validation set. How much is the gain
        over the baseline on validation minus the gain over the baseline on test: the
        two sets may differ in hardness, and the baseline tells by how much.

        Returns
        -------
        ndarray of shape (n_estimators, n_strategies, n_seeds)
            NaN where there is no validation set.

        Raises
        ------
        ValueError
            If there is no baseline.
        """
        place = self._place(self._need("baseline"))
        validation, test = self.validation_qualities, self.qualities
        baseline = validation[:, place, None], test[:, place, None]
        return optimism(validation, test, *baseline)

    def wins(self) -> NDArray[np.int64]:
        """Count the seeds in which one strategy is better than another.

        Returns
        -------
        ndarray of shape (n_estimators, n_strategies, n_strategies)
            Wins of the strategy of the row over that of the column.
        """
        return np.array([win_table(qualities) for qualities in self.qualities])

    def _need(self, role: str) -> str:
        name = getattr(self, role)
        if name is None:
            raise ValueError(
                f"There is no {role} among {', '.join(self.strategies)}: name it with "
                f"`{role}=`, or add one to the comparison."
            )
        return name

    def table(self) -> dict[str, NDArray]:
        """Return one row per estimator, strategy, seed and round, as columns.

        Returns
        -------
        dict of str to ndarray of shape \
                (n_estimators * n_strategies * n_seeds * (n_rounds + 1),)
            "estimator", "strategy", "seed", "round", "n_labelled", "score" (on test)
            and "validation_score". `pandas.DataFrame` and `polars.DataFrame` take it.
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

    def __str__(self) -> str:
        return summarize(self)


def name_axes(**axes: Iterable[Any]) -> dict[str, NDArray]:
    """Return the columns that name each element of an array, in its own order.

    Parameters
    ----------
    **axes : iterable
        The names along each axis.

    Returns
    -------
    dict of str to ndarray
    """
    rows = product(*axes.values())
    return {
        name: np.array(column)
        for name, column in zip(axes, zip(*rows, strict=True), strict=True)
    }


def check_known(name: str, known: Iterable[str], what: str) -> None:
    """Refuse the name of what was not compared.

    Raises
    ------
    ValueError
        If it is none of `known`.
    """
    if name not in known:
        raise ValueError(f"There is no {what} {name!r}: choose of {', '.join(known)}.")
