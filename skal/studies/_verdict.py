"""Whether choosing rows is better than random here: what a comparison says."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from skal.studies._exports import Exports, Part
from skal.studies._kinds import check_result
from skal.studies._labels_saved import LabelsSaved, labels_saved
from skal.studies._power import detectable_gain
from skal.studies._spec import check_known
from skal.studies._statistics import check_share, gain_interval, paired_t
from skal.studies._summary import share_of_gap
from skal.studies._verdict_text import headline, sentences

# How often a gain is found that a verdict calls detectable.
POWER = 0.8


class Bound(NamedTuple):
    """A bound by a search: how good the best orders that it finds are.

    Parameters
    ----------
    oracle : str
        Name of the search.
    n_seeds : int
        Number of seeds with a search.
    score : float
        Its mean test score at the end.
    gain : float
        Its gain over random choice on test. If its orders were replayed under other
        training seeds, with these.
    closed : float
        The strategy's share of this gain; NaN if the search gains nothing.
    left, left_low, left_high : float
        By how much the search is better than the strategy, with an interval.
    validation_gain, optimism : float
        Its gain on the validation set that it searched on, and by how much this is more
        than the gain on test under the same seeds.

    See Also
    --------
    Verdict : Has it as its attribute `bound`.

    Examples
    --------
    >>> from skal.studies import Bound
    >>> bound = Bound("AnnealingOracle", 3, score=0.96, gain=0.04, closed=0.75,
    ...               left=0.01, left_low=0.0, left_high=0.02, validation_gain=0.08,
    ...               optimism=0.04)
    >>> bound.closed
    0.75
    """

    oracle: str
    n_seeds: int
    score: float
    gain: float
    closed: float
    left: float
    left_low: float
    left_high: float
    validation_gain: float
    optimism: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Verdict(Exports):
    """Whether choosing rows is better than random choice, by how much and how surely.

    `worth_it` and the method `verdict` of a `Comparison` and of a `LabelingSession`
    return it. It prints as sentences.

    Parameters
    ----------
    estimator, strategy : str
        Names of the estimator, and of the strategy that it is about: the best one.
    n_tested : int
        Number of strategies that it was chosen from. Intervals and p-values are
        corrected for the choice, by Bonferroni's method.
    level : float
        The level of the intervals.
    gain, low, high : float
        By how much the mean score over all rounds is higher than with random choice,
        with an interval: of a corrected resampled t-test if each seed has a split of
        its own.
    p_value : float
        The two-sided one of that test, times `n_tested`. NaN if there is one seed, or
        all seeds gave the same run.
    p_same_rows : float
        The same without the correction for the overlap of splits: it is about new
        splits of these rows, and not about other rows of the same kind.
    detectable : float
        The gain that such a study finds four times out of five.
    n_labels : int
        Number of labels, or the cost, at the end.
    score, random : float
        Mean scores at the end, of the strategy and of random choice.
    saved : LabelsSaved
        Labels saved to reach a score.
    bound : Bound or None
        The orders that a search found; None without one.
    n_trainings : int
        Number of trainings that it took.
    seconds : float
        Seconds of all runs together.
    comparison : Comparison
        All runs.
    oracle_comparison : Comparison or None
        The runs with the search, possibly with fewer seeds.
    notes : tuple of str, default=()
        Further sentences.

    See Also
    --------
    worth_it : Run a comparison and return its verdict.
    skal.plotting.VerdictDisplay : Draw it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, Random, compare
    >>> X, y = load_iris(return_X_y=True)
    >>> strategies = {"random": Random(), "margin": Margin()}
    >>> comparison = compare(X, y, GaussianNB(), strategies, n_orders=2, n_rounds=4,
    ...                      batch_size=4)
    >>> print(comparison.verdict(target=0.9))
    Not shown: margin is not clearly better than random rows here...
    """

    estimator: str
    strategy: str
    n_tested: int
    level: float
    gain: float
    low: float
    high: float
    p_value: float
    p_same_rows: float
    detectable: float
    n_labels: int
    score: float
    random: float
    saved: LabelsSaved
    bound: Bound | None
    n_trainings: int
    seconds: float
    comparison: Any = field(repr=False)
    oracle_comparison: Any = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def is_significant(self) -> bool:
        """Return whether the gain differs from zero, at the level of the intervals."""
        return bool(self.p_value < 1 - self.level)

    @property
    def answer(self) -> str:
        """The answer: "better" than random, "worse", or "unclear"."""
        if not self.is_significant:
            return "unclear"
        return "better" if self.gain > 0 else "worse"

    @property
    def searched(self) -> Any:
        """The comparison whose runs include the search; None without a search."""
        return _searched(self.comparison, self.oracle_comparison)

    def table(self) -> dict[str, list[Any]]:
        """Return the figures as columns with one row.

        Returns
        -------
        dict of str to list of one value
            "answer", "strategy", "gain" with "low", "high" and "p", the scores "score"
            and "random" at the end, and "labels_saved" with its interval; with a
            search, "oracle_gain", "closed", "left" and "optimism". Pass it to
            `pandas.DataFrame`.
        """
        row = {
            "estimator": self.estimator,
            "strategy": self.strategy,
            "answer": self.answer,
            "gain": self.gain,
            "low": self.low,
            "high": self.high,
            "p": self.p_value,
            "score": self.score,
            "random": self.random,
            "labels_saved": self.saved.saved,
            "labels_saved_low": self.saved.low,
            "labels_saved_high": self.saved.high,
        }
        if self.bound is not None:
            row |= {
                "oracle_gain": self.bound.gain,
                "closed": self.bound.closed,
                "left": self.bound.left,
                "optimism": self.bound.optimism,
            }
        return {name: [value] for name, value in row.items()}

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the curves, and the labels saved between them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        VerdictDisplay
        """
        # By name, as in `skal.__init__`: plots are a layer above studies.
        display = import_module("skal.plotting").VerdictDisplay
        return display.from_verdict(self, ax=ax)

    def _parts(self) -> list[Part]:
        shown = self.searched or self.comparison
        return [
            Part(headline(self), "\n".join(sentences(self)), {}),
            *(shown._parts() if len(self.comparison.strategies) > 2 else []),
        ]

    def __str__(self) -> str:
        return "\n".join([headline(self), *sentences(self)])


def judge(
    comparison: Any,
    *,
    estimator: str | None = None,
    strategy: str | None = None,
    target: float | None = None,
    level: float = 0.95,
    oracle_comparison: Any = None,
) -> Verdict:
    """Return what a comparison says about choosing against random choice.

    Parameters
    ----------
    comparison : Comparison
        With a random baseline and at least one strategy that does not see labels.
    estimator : str, default=None
        Name of the estimator. Optional if there is only one.
    strategy : str, default=None
        Name of the strategy, chosen before the comparison was run. By default, the best
        one; p-values and intervals are then corrected for this choice.
    target : float, default=None
        The score to reach with fewer labels; by default, the last one of random choice.
    level : float, default=0.95
        The level of the intervals.
    oracle_comparison : Comparison, default=None
        A comparison of the same strategies with a search, if it is another one.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If there is no baseline or no strategy, a name is unknown or missing, or a
        number is out of range.
    """
    check_result(comparison, "comparison", "Comparison")
    check_share(level, "level")
    i = _position(comparison, estimator)
    tested = _tested(comparison, strategy)
    tests = comparison.test_pairs(
        [(name, comparison._need("baseline")) for name in tested]
    )
    best = int(tests.gains[i].mean(axis=-1).argmax())
    names = list(comparison.strategies)
    chosen = comparison.curves[i, names.index(tested[best])]
    random = comparison.curves[i, names.index(comparison.baseline)]
    searched = _searched(comparison, oracle_comparison)
    return Verdict(
        estimator=list(comparison.estimators)[i],
        strategy=tested[best],
        n_tested=len(tested),
        level=level,
        **_significance(tests, i, best, level),
        n_labels=int(comparison.n_labelled[-1]),
        score=float(chosen[:, -1].mean()),
        random=float(random[:, -1].mean()),
        saved=labels_saved(
            comparison.n_labelled,
            chosen,
            random,
            target=target,
            overlap=tests.overlap,
            level=level,
        ),
        bound=None if searched is None else _bound(searched, i, tested[best], level),
        **_spent(comparison, oracle_comparison),
        comparison=comparison,
        oracle_comparison=oracle_comparison,
    )


def _position(comparison: Any, estimator: str | None) -> int:
    names = list(comparison.estimators)
    if estimator is None and len(names) > 1:
        raise ValueError(
            "The comparison has more than one estimator: give estimator= one of "
            f"{', '.join(names)}."
        )
    check_known(names[0] if estimator is None else estimator, names, "estimator")
    return 0 if estimator is None else names.index(estimator)


def _tested(comparison: Any, strategy: str | None) -> tuple[str, ...]:
    """Return the strategies that the best one is chosen from."""
    if strategy is not None:
        check_known(strategy, comparison.heuristics, "strategy")
        return (strategy,)
    if not comparison.heuristics:
        raise ValueError(
            "There is no strategy to judge: compare at least one that does not see the "
            "labels, such as Margin()."
        )
    return comparison.heuristics


def _significance(tests: Any, i: int, best: int, level: float) -> dict[str, Any]:
    """Return the gain of the best strategy, corrected for the choice among all."""
    gains, n_tested = tests.gains[i, best], len(tests.gains[i])
    alpha, p_value = (1 - level) / n_tested, float(tests.t_pvalues[i, best])
    found = {"gain": float(gains.mean())}
    names = "low", "high", "p_value", "p_same_rows", "detectable"
    if not np.isfinite(p_value):
        return found | dict.fromkeys(names, float("nan"))
    low, high = gain_interval(gains, overlap=tests.overlap, level=1 - alpha)
    p_same_rows = paired_t(gains, np.zeros_like(gains))
    detectable = detectable_gain(
        float(gains.std(ddof=1)),
        len(gains),
        power=POWER,
        alpha=alpha,
        overlap=tests.overlap,
    )
    p_values = (min(1.0, n_tested * p) for p in (p_value, p_same_rows))
    return found | dict(zip(names, (low, high, *p_values, detectable), strict=True))


def _searched(comparison: Any, oracle_comparison: Any) -> Any:
    """Return the comparison whose runs include a search; None without a search."""
    if oracle_comparison is None and comparison.oracle is not None:
        return comparison
    return oracle_comparison


def _bound(found: Any, i: int, strategy: str, level: float) -> Bound:
    """Return what the search of a comparison says."""
    names = list(found.strategies)
    rows = [names.index(one) for one in (found.oracle, strategy, found.baseline)]
    searched, chosen, random = found.qualities[i][rows]
    if not np.isnan(elsewhere := found.other_seed_qualities(found.oracle)[i]).all():
        searched = elsewhere
    validation = found.validation_qualities[i][rows]
    low, high = gain_interval(
        searched - chosen, overlap=found.splits.overlap, level=level
    )
    ends = chosen.mean(), random.mean(), searched.mean()
    return Bound(
        oracle=type(found.strategies[found.oracle]).__name__,
        n_seeds=len(found.seeds),
        score=float(found.curves[i, rows[0], :, -1].mean()),
        gain=float(searched.mean() - random.mean()),
        closed=float(share_of_gap(*ends)),
        left=float(searched.mean() - chosen.mean()),
        left_low=low,
        left_high=high,
        validation_gain=float((validation[0] - validation[2]).mean()),
        optimism=float(found.optimism()[i, rows[0]].mean()),
    )


def _spent(comparison: Any, oracle_comparison: Any) -> dict[str, Any]:
    """Return the trainings and the seconds of all runs, each counted once."""
    n_trainings, seconds = 0, 0.0
    if comparison.n_trainings is not None:
        n_trainings = int(comparison.n_trainings.sum())
        seconds = float(np.nansum(comparison.seconds))
    if oracle_comparison is not None and oracle_comparison.n_trainings is not None:
        row = list(oracle_comparison.strategies).index(oracle_comparison.oracle)
        n_trainings += int(oracle_comparison.n_trainings[:, row].sum())
        seconds += float(np.nansum(oracle_comparison.seconds[:, row]))
    return {"n_trainings": n_trainings, "seconds": seconds}
