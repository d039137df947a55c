"""What a comparison of strategies found: curves, orders, and who is better."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.problem import Problem
from skal.studies._paired import PairedTests, spell_seeds
from skal.studies._statistics import share_of_gap, win_table
from skal.studies._text import lay_out
from skal.utils._rows import n_rows

Key = tuple[str, str, int]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Strategies on one problem, with several estimators and seeds.

    Other studies take it: `seed_transfer`, `model_transfer`, `order_overlap`,
    `input_distribution`, `label_distribution` and `regularization_gain`.

    Parameters
    ----------
    problem : Problem
    estimators, strategies : mapping of str to estimator
        Their names give the order of the axes.
    seeds : tuple of int
    curves, validation_curves : ndarray of shape \
            (n_estimators, n_strategies, n_seeds, n_rounds + 1)
        Scores on test and validation, index 0 being the warm start; of the baseline,
        the mean over its orders. NaN where there is no validation set.
    orders : mapping of (str, str, int) to ndarray of shape (n_orders, n_acquired)
        Rows of the pool in the order in which they were labelled, by estimator,
        strategy and seed. Only a baseline has more than one order.
    baseline, oracle : str or None
        Which strategies these are.
    posterior_estimators : mapping of str to estimator
        What took the place of an estimator under a strategy that samples a posterior.
    include_warm_start : bool
        Whether qualities are means over k = 0..K, as in the published tables, and not
        over k = 1..K. `dataclasses.replace` changes it.
    baseline_curves : ndarray of shape \
            (n_estimators, n_seeds, n_orders, n_rounds + 1), or None
        Scores on test of each order of the baseline. None if there is no baseline.

    Raises
    ------
    ValueError
        If qualities are to include a warm start that is empty.
    """

    problem: Problem = field(repr=False)
    estimators: Mapping[str, Any] = field(repr=False)
    strategies: Mapping[str, Any] = field(repr=False)
    seeds: tuple[int, ...]
    curves: NDArray[np.float64] = field(repr=False)
    validation_curves: NDArray[np.float64] = field(repr=False)
    orders: Mapping[Key, NDArray[np.int64]] = field(repr=False)
    baseline: str | None = None
    oracle: str | None = None
    posterior_estimators: Mapping[str, Any] = field(default_factory=dict, repr=False)
    include_warm_start: bool = False
    baseline_curves: NDArray[np.float64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.include_warm_start and n_rows(self.problem.X_warm) == 0:
            raise ValueError(
                "include_warm_start=True averages from k = 0, and the warm start is "
                "empty: give X_warm, or average over k = 1..K."
            )

    @property
    def n_labelled(self) -> NDArray[np.int64]:
        """Rows labelled after each round, shape (n_rounds + 1,)."""
        acquired = self.problem.batch_size * np.arange(self.problem.n_rounds + 1)
        return n_rows(self.problem.X_warm) + np.minimum(acquired, self.problem.n_pool)

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
            if name not in (self.baseline, self.oracle)
            and not getattr(strategy, "peeks", False)
        )

    def of(self, name: str) -> NDArray[np.float64]:
        """Return the qualities of one strategy, shape (n_estimators, n_seeds)."""
        check_known(name, self.strategies, "strategy")
        return self.qualities[:, list(self.strategies).index(name)]

    def single_curves(self, name: str) -> NDArray[np.float64]:
        """Return the test curve of each run of one strategy.

        Parameters
        ----------
        name : str

        Returns
        -------
        ndarray of shape (n_estimators, n_runs, n_rounds + 1)
            One run per seed; of the baseline, one per seed and order.

        Raises
        ------
        ValueError
            If there is no such strategy.
        """
        check_known(name, self.strategies, "strategy")
        if name != self.baseline or self.baseline_curves is None:
            return self.curves[:, list(self.strategies).index(name)]
        n_estimators, *_, n_scores = self.baseline_curves.shape
        return self.baseline_curves.reshape(n_estimators, -1, n_scores)

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

    def oracle_gains(self) -> PairedTests:
        """Test the oracle against the baseline, and against the best heuristic.

        Which heuristic is best is judged for each estimator by its mean quality on
        test, over these same seeds: that favours it.

        Returns
        -------
        PairedTests

        Raises
        ------
        ValueError
            If there is no oracle, or nothing to compare it with.

        References
        ----------
        Zhou et al., AISTATS 2021, section 6.1 and Table 2.
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
        return self._test((oracle,) * len(references), np.transpose(references))

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
        by_reference = {name: self.of(name) for name in np.unique(references).tolist()}
        against = [
            [by_reference[name][i] for name in row]
            for i, row in enumerate(references.tolist())
        ]
        return PairedTests(
            tuple(self.estimators),
            tuple(strategies),
            references,
            self.seeds,
            np.stack([self.of(name) for name in strategies], axis=1),
            np.array(against),
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
            round=range(self.problem.n_rounds + 1),
        )
        return columns | {
            "n_labelled": self.n_labelled[columns["round"]],
            "score": self.curves.ravel(),
            "validation_score": self.validation_curves.ravel(),
        }

    def __str__(self) -> str:
        parts = [self._summary(i, name) for i, name in enumerate(self.estimators)]
        if self.oracle is not None and (self.baseline is not None or self.heuristics):
            parts.append(
                f"The oracle against the baseline and the best heuristic\n"
                f"{self.oracle_gains()}"
            )
        return "\n\n".join(parts)

    def _summary(self, i: int, estimator: str) -> str:
        """Lay out what each strategy reaches with one estimator, best first."""
        quality = self.qualities[i].mean(axis=1)
        spread = self.qualities[i].std(axis=1, ddof=min(1, len(self.seeds) - 1))
        columns: dict[str, Any] = {
            "strategy": np.array(list(self.strategies)),
            "quality": quality,
            "sd": spread if len(self.seeds) > 1 else np.full(len(quality), np.nan),
            "validation": self.validation_qualities[i].mean(axis=1),
            **self._over_baseline(i),
        }
        ranking = np.argsort(-quality, kind="stable")
        ranked = {name: values[ranking] for name, values in columns.items()}
        note = "; p-values of paired t-tests (t) and Wilcoxon's (W), Holm-corrected"
        notes = spell_seeds(self.seeds) + note * ("p (t)" in columns)
        return f"{estimator}\n{lay_out(ranked)}\n{notes}"

    def _over_baseline(self, i: int) -> dict[str, NDArray]:
        if self.baseline is None or len(self.strategies) < 2:
            return {}
        tests, names = self.against(), list(self.strategies)
        rows = [names.index(name) for name in tests.strategies]
        quality, (low,) = (
            self.qualities[i].mean(axis=1),
            self.of(self.baseline)[i : i + 1],
        )
        columns = {f"over {self.baseline}": quality - low.mean()}
        for name, values in (("p (t)", tests.t_holm), ("p (W)", tests.wilcoxon_holm)):
            columns[name] = np.full(len(names), np.nan)
            columns[name][rows] = values[i]
        if self.oracle is not None:
            high = self.of(self.oracle)[i].mean()
            columns["gap closed"] = share_of_gap(quality, low.mean(), high)
        return columns


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


def samples_posterior(strategy: Any) -> bool:
    """Whether a strategy is given the posterior estimator, where there is one."""
    return "posterior" in getattr(strategy, "needs", ())


def check_known(name: str, known: Iterable[str], what: str) -> None:
    """Refuse the name of what was not compared.

    Raises
    ------
    ValueError
        If it is none of `known`.
    """
    if name not in known:
        raise ValueError(f"There is no {what} {name!r}: choose of {', '.join(known)}.")
