"""The defaults of a verdict: sizes, strategies and a search, by the kind of data."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from skal.inputs._checks import Predicts
from skal.inputs._containers import n_rows
from skal.inputs._matrix import can_be_matrix
from skal.inputs._targets import Target
from skal.oracle import AnnealingOracle
from skal.oracle._base import BaseOracle
from skal.oracle._best_of import usual_strategies
from skal.problem import Problem
from skal.strategies import CoreSet, Margin, Random, TypiClust
from skal.studies._compare import resplit
from skal.studies._tasks import Task

# Fewest rows that a verdict is made with: with fewer, the test set has some ten rows.
FEWEST_ROWS = 60
# By default, the rounds label a quarter of the pool, and at most so many rows each.
N_ROUNDS, SHARE, MOST_PER_ROUND = 10, 4, 50
# Fewest rows to start with, by default.
WARM_ROWS = 10
# Trainings of a default search.
N_SEARCH_TRAININGS = 1000
# Names of the parts of the study.
RANDOM, ORACLE = "random", "oracle"


def source_of(
    X: Any, y: Any, estimator: Any, has_search: bool, sizes: dict[str, Any]
) -> tuple[Any, Any]:
    """Return the problem of each seed, and the estimator by name (None: its own)."""
    if isinstance(X, Task):
        X = X.problem
    if isinstance(X, Problem) or callable(X):
        given = [*sizes, *["estimator"] * (estimator is not None)]
        if given:
            raise ValueError(
                f"{given[0]} is part of a problem: set it when you make the problem, "
                "or pass X and y."
            )
        return X, None
    if y is None or estimator is None:
        raise ValueError(
            "worth_it needs X, y and an estimator: give all labelled rows, their "
            "labels, and the model to train."
        )
    estimators = named_after_class(estimator)
    return resplit(X, y, estimators, _sizes(X, y, has_search, sizes)), estimators


def named_after_class(estimator: Any) -> dict[str, Any]:
    if not Predicts().is_satisfied_by(estimator) or isinstance(estimator, type):
        raise ValueError(f"estimator must be {Predicts()}, got {estimator!r}.")
    return {type(estimator).__name__: estimator}


def _sizes(X: Any, y: Any, has_search: bool, sizes: dict[str, Any]) -> dict[str, Any]:
    """Return all sizes of the study, after checks that the data are enough."""
    n = n_rows(X)
    if n < FEWEST_ROWS:
        raise ValueError(
            f"A verdict needs at least {FEWEST_ROWS} labelled rows, got {n}: label "
            "more rows at random first."
        )
    _check_classes(y)
    found = {"n_rounds": N_ROUNDS, **sizes}
    if not has_search:
        # Only a search uses a validation set: its rows are better in the pool.
        found.setdefault("val_size", 0)
    if "batch_size" not in found:
        if found.get("cost") is not None:
            raise ValueError(
                "With cost=, a round spends batch_size: give batch_size, the cost of a "
                "round."
            )
        found["batch_size"] = _batch_size(n, found)
    # By default, a start has the rows of two rounds. A few would lack most classes.
    few = min(WARM_ROWS, n // 8)
    if found.get("warm_size") is None and 2 * found["batch_size"] < few:
        found["warm_size"] = few
    return found


def _batch_size(n: int, sizes: dict[str, Any]) -> int:
    """Return the rows of a round, such that all rounds label a quarter of the pool."""
    left = float(n)
    for name, default in (("test_size", 0.25), ("val_size", 0.25)):
        size = sizes.get(name, default)
        left -= size * n if isinstance(size, float) else size
    n_rounds = sizes["n_rounds"]
    if not isinstance(n_rounds, int | np.integer) or n_rounds < 1:
        return 1  # the number of rounds is refused later
    return int(np.clip(left // (SHARE * n_rounds), 1, MOST_PER_ROUND))


def _check_classes(y: Any) -> None:
    """Refuse labels that are all the same: nothing can be learnt from them."""
    labels = np.asarray(y, dtype=object)
    if labels.ndim != 1 or not len(labels) or isinstance(labels[0], list | tuple):
        return
    first = labels[0]
    if all(type(label) is type(first) and label == first for label in labels):
        raise ValueError(
            f"All rows of y have the same label, {first!r}: there is nothing to learn. "
            "Give rows of at least two classes."
        )


def with_random(
    problem: Problem, strategies: Mapping[str, Any] | None, y: Any
) -> dict[str, Any]:
    """Return random choice and the strategies to try, by name."""
    if strategies is None and isinstance(y, Mapping):
        strategies = y
    if strategies is None:
        strategies = _default_strategies(problem)
    if not isinstance(strategies, Mapping):
        raise ValueError(
            f"strategies must be a dict of strategies by name, got {strategies!r}."
        )
    others = {
        name: one
        for name, one in strategies.items()
        if not isinstance(one, Random | BaseOracle)
    }
    if not others:
        raise ValueError(
            "strategies has none that could be better than random choice: give at "
            "least one, such as {'margin': Margin()}."
        )
    taken = [name for name in others if name in (RANDOM, ORACLE)]
    if taken:
        raise ValueError(f"strategies must not be named {taken[0]!r}: rename it.")
    return {RANDOM: Random(), **others}


def _default_strategies(problem: Problem) -> dict[str, Any]:
    """Return the strategies that suit the target and the estimator, by name."""
    found = [one for one in usual_strategies(problem) if not isinstance(one, Random)]
    if not found:
        found = _without_probabilities(problem)
    if not found:
        raise ValueError(
            f"No default strategy suits {type(problem.estimator).__name__} on these "
            "rows: give strategies=, such as {'typiclust': TypiClust()}."
        )
    names = [type(one).__name__ for one in found]
    return {
        name if names.count(name) == 1 else repr(one): clone(one)
        for name, one in zip(names, found, strict=True)
    }


def _without_probabilities(problem: Problem) -> list[Any]:
    """Return strategies for models that offer no probabilities."""
    if hasattr(problem.estimator, "decision_function"):
        if problem.target is Target.CLASS:
            return [Margin()]
        if problem.target is Target.LABELS:
            return [Margin(over_labels="mean")]
    return [TypiClust(), CoreSet()] if can_be_matrix(problem.X_pool) else []


def search_of(oracle: Any) -> Any:
    if isinstance(oracle, str) and oracle == "auto":
        return AnnealingOracle(max_trainings=N_SEARCH_TRAININGS)
    if not isinstance(oracle, BaseOracle):
        raise ValueError(
            f"oracle must be 'auto', an oracle or None, got {oracle!r}: give one such "
            "as AnnealingOracle(max_trainings=1000)."
        )
    return oracle
