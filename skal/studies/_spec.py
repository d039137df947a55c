"""The specification of a study: data, estimators, strategies and seeds."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from skal.answers._needs import strategy_needs
from skal.inputs._containers import n_rows
from skal.problem import Problem


class Splits:
    """The problem of each seed: the same for all, or one with a split of its own.

    Parameters
    ----------
    source : Problem or callable
        `source(seed)` returns the problem of a seed.
    first : int
        A seed of the study. Its problem stands for all others, which have the same
        sizes and other rows.
    """

    def __init__(self, source: Problem | Callable[[int], Problem], first: int) -> None:
        self.source = source
        self.example = source if isinstance(source, Problem) else _call(source, first)
        # Cells run seed by seed, so the latest problem is the one asked for next.
        self._latest = lru_cache(maxsize=1)(self._make)

    @property
    def vary(self) -> bool:
        """Return whether each seed has a split of its own."""
        return not isinstance(self.source, Problem)

    @property
    def overlap(self) -> float:
        """Number of test rows per other row; 0 where the split does not vary.

        Random splits of the same rows share some of their test rows. Nadeau and Bengio
        (2003) correct for that by this ratio.
        """
        sets = self.example.sets
        rows = {key: sets[key] for key in sets if key[0] == "X"}
        n = {key: n_rows(X) for key, X in rows.items() if X is not None}
        return n["X_test"] / (sum(n.values()) - n["X_test"]) if self.vary else 0.0

    def problem_of(self, seed: int) -> Problem:
        """Return the problem of a seed.

        Raises
        ------
        ValueError
            If it is no `Problem`, or differs in sizes from that of the first seed.
        """
        return self._latest(seed) if self.vary else self.example

    def _make(self, seed: int) -> Problem:
        with warnings.catch_warnings():
            # Said for the first seed, and true of all.
            warnings.filterwarnings("ignore", r"\d+ rounds of batch_size=")
            problem = _call(self.source, seed)
        for name, expected in _sizes(self.example).items():
            if (found := _sizes(problem)[name]) != expected:
                raise ValueError(
                    f"The problems of all seeds must have the same {name}, got "
                    f"{expected} and, for seed {seed}, {found}: pose them alike."
                )
        return problem


def _call(source: Any, seed: int) -> Problem:
    problem = source(seed)
    if not isinstance(problem, Problem):
        raise ValueError(
            f"The function that poses a problem for each seed must return a Problem, "
            f"got {problem!r}: return what Problem.from_sets returns."
        )
    return problem


def _sizes(problem: Problem) -> dict[str, int]:
    return {
        "batch_size": problem.batch_size,
        "n_rounds": problem.n_rounds,
        "number of rows in the warm start": n_rows(problem.X_warm),
        "number of rows in the pool": problem.n_pool,
    }


@dataclass(frozen=True, eq=False, kw_only=True)
class StudySpec:
    """All that determines a study of strategies.

    Parameters
    ----------
    splits : Splits
        The problem of each seed.
    estimators, strategies : mapping of str to estimator
        Their names give the order of the axes of all results.
    seeds : tuple of int
    baseline, oracle : str or None, default=None
        Names of the random baseline and of the oracle among the strategies.
    posterior_estimators : mapping of str to estimator, default={}
        Trained and scored in the place of the estimator of the same name under a
        strategy that samples a posterior.
    include_warm_start : bool, default=False
        Whether qualities are means over k = 0..K, as in the published tables, and not
        over k = 1..K. `dataclasses.replace` changes it.

    Raises
    ------
    ValueError
        If qualities are to include a warm start that is empty.
    """

    splits: Splits = field(repr=False)
    estimators: Mapping[str, Any] = field(repr=False)
    strategies: Mapping[str, Any] = field(repr=False)
    seeds: tuple[int, ...]
    baseline: str | None = None
    oracle: str | None = None
    posterior_estimators: Mapping[str, Any] = field(default_factory=dict, repr=False)
    include_warm_start: bool = False

    def __post_init__(self) -> None:
        if self.include_warm_start and n_rows(self.splits.example.X_warm) == 0:
            raise ValueError(
                "include_warm_start=True averages from k = 0, and the warm start is "
                "empty: give X_warm, or average over k = 1..K."
            )

    @property
    def problem(self) -> Problem:
        """The problem that all seeds share.

        Raises
        ------
        ValueError
            If each seed has a split of its own.
        """
        if self.splits.vary:
            raise ValueError(
                "This needs one pool for all seeds, and each seed has a split of its "
                "own: compare on one Problem, as Problem.from_sets returns it."
            )
        return self.splits.example

    def model_of(self, estimator: str, strategy: str) -> Any:
        """Return the estimator that is trained and scored under a strategy."""
        plain = self.estimators[estimator]
        if not samples_posterior(self.strategies[strategy]):
            return plain
        return self.posterior_estimators.get(estimator, plain)


def samples_posterior(strategy: Any) -> bool:
    """Return whether a strategy is given the posterior estimator, if there is one."""
    return "posterior" in strategy_needs(strategy)
