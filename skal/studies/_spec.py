"""The specification of a study: data, estimators, strategies and seeds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from skal._choices import suggest
from skal._threads import without_warnings
from skal.answers._needs import strategy_needs
from skal.inputs._containers import n_rows
from skal.problem import Problem


class Splits:
    """The problem of each seed: one for all seeds, or one split per seed.

    Parameters
    ----------
    source : Problem or callable
        The problem of all seeds, or a function such that `source(seed)` returns the
        problem of a seed.
    first : int
        A seed of the study. Its problem is the example for all others, which have sets
        of the same sizes but other rows.
    """

    def __init__(self, source: Problem | Callable[[int], Problem], first: int) -> None:
        self.source = source
        self.example = source if isinstance(source, Problem) else _call(source, first)
        # Cells run seed by seed, so it is enough to cache the latest problem.
        self._latest = first, self.example

    @property
    def vary(self) -> bool:
        """Return whether each seed has a split of its own."""
        return not isinstance(self.source, Problem)

    @property
    def overlap(self) -> float:
        """Ratio of test rows to all other rows; 0 if all seeds share one split.

        Random splits of the same rows share some of their test rows. The correction of
        Nadeau and Bengio (2003) uses this ratio.
        """
        sets = self.example.sets
        rows = {key: sets[key] for key in sets if key[0] == "X"}
        n = {key: n_rows(X) for key, X in rows.items() if X is not None}
        return n["X_test"] / (sum(n.values()) - n["X_test"]) if self.vary else 0.0

    def problem_of(self, seed: int) -> Problem:
        """Return the problem of a seed.

        Parameters
        ----------
        seed : int
            A seed of the study.

        Returns
        -------
        Problem

        Raises
        ------
        ValueError
            If the source does not return a `Problem`, or its sets have other sizes than
            the sets of the first seed.
        """
        if not self.vary:
            return self.example
        cached, problem = self._latest
        if seed != cached:
            problem = self._make(seed)
            self._latest = seed, problem
        return problem

    def _make(self, seed: int) -> Problem:
        # The first seed has already warned, and the sizes are the same.
        with without_warnings(r"\d+ rounds of batch_size="):
            problem = _call(self.source, seed)
        for name, expected in _sizes(self.example).items():
            if (found := _sizes(problem)[name]) != expected:
                raise ValueError(
                    f"The problems of all seeds must have the same {name}, got "
                    f"{expected} and, for seed {seed}, {found}: return problems of the "
                    "same sizes."
                )
        return problem


def _call(source: Any, seed: int) -> Problem:
    problem = source(seed)
    if not isinstance(problem, Problem):
        raise ValueError(
            f"A callable problem must return a Problem, got {problem!r}: build one "
            "with Problem.from_sets."
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
    """The specification of a study of strategies.

    Parameters
    ----------
    splits : Splits
        The problem of each seed.
    estimators, strategies : mapping of str to estimator
        Estimators and strategies by name. All results follow their order along the
        axes.
    seeds : tuple of int
        The seeds, in the order of the axis of seeds.
    baseline, oracle : str or None, default=None
        Names of the random baseline and of the oracle in `strategies`.
    posterior_estimators : mapping of str to estimator, default={}
        Trained and scored instead of the estimator of the same name, under strategies
        that sample a posterior.
    include_warm_start : bool, default=False
        Whether qualities are means over k = 0..K, as in the published tables, instead
        of over k = 1..K. Use `dataclasses.replace` to change it.

    Raises
    ------
    ValueError
        If `include_warm_start` is True and the warm start is empty.
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
                "include_warm_start=True averages from k = 0, but the warm start is "
                "empty: give X_warm, or set include_warm_start=False."
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
                "This needs one pool for all seeds, but each seed has a split of its "
                "own: compare on one Problem (see Problem.from_sets)."
            )
        return self.splits.example

    def model_of(self, estimator: str, strategy: str) -> Any:
        """Return the estimator that is trained and scored under a strategy.

        Parameters
        ----------
        estimator, strategy : str
            Their names.

        Returns
        -------
        estimator
            The posterior estimator if the strategy samples a posterior and there is
            one, otherwise the plain estimator.
        """
        plain = self.estimators[estimator]
        if not samples_posterior(self.strategies[strategy]):
            return plain
        return self.posterior_estimators.get(estimator, plain)

    def _need(self, role: str) -> str:
        name = getattr(self, role)
        if name is None:
            raise ValueError(
                f"The comparison has no {role} among {', '.join(self.strategies)}: "
                f"name it with `{role}=`, or add one to the strategies."
            )
        return name

    def choose(self, names: Iterable[str] | None) -> tuple[str, ...]:
        """Return names of strategies: those given, or all but the baseline.

        Parameters
        ----------
        names : iterable of str, str or None
            None takes all strategies but the baseline.

        Returns
        -------
        tuple of str

        Raises
        ------
        ValueError
            If a name is unknown or given twice, or no strategy is left.
        """
        if isinstance(names, str):
            names = [names]
        others = (name for name in self.strategies if name != self.baseline)
        chosen = tuple(others if names is None else names)
        for name in chosen:
            check_known(name, self.strategies, "strategy")
        if not chosen:
            raise ValueError(
                "The baseline is the only strategy: give at least one name."
                if names is None
                else "strategies must not be empty: give at least one name."
            )
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"strategies must be distinct, got {', '.join(chosen)}.")
        return chosen


def samples_posterior(strategy: Any) -> bool:
    """Return whether a strategy samples the posterior of its estimator."""
    return "posterior" in strategy_needs(strategy)


def check_known(name: str, known: Iterable[str], what: str) -> None:
    """Refuse a name that is not one of `known`.

    Parameters
    ----------
    name : str
        The name to check.
    known : iterable of str
        All valid names.
    what : str
        The kind of object, for the message.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if name not in known:
        known = list(known)
        raise ValueError(
            f"Unknown {what} {name!r}: choose one of {', '.join(known)}."
            f"{suggest(name, known)}"
        )
