"""Estimates of how many trainings a run takes, by which progress bars advance."""

from collections.abc import Mapping
from typing import Any


def search_cost(strategy: Any, problem: Any) -> int:
    """Estimate how many trainings the search of a strategy takes.

    Parameters
    ----------
    strategy : strategy
        It has a method `expected_trainings(problem)` if it searches. A search may be
        a parameter of another strategy.
    problem : Problem
        The problem to search on.

    Returns
    -------
    int
        Zero without a search.
    """
    inner: Any = getattr(strategy, "get_params", dict)().values()
    searches = [s for s in (strategy, *inner) if hasattr(s, "expected_trainings")]
    return sum(search.expected_trainings(problem) for search in searches)


def cell_costs(learners: Mapping[Any, Any], problem: Any) -> dict[str, int]:
    """Estimate how many trainings each cell of a study takes.

    Parameters
    ----------
    learners : mapping of object to ActiveLearner
        The learner of each cell.
    problem : Problem
        The problem that all cells share.

    Returns
    -------
    dict of str to int
        The number of trainings by the name of the cell.
    """
    return {
        str(cell): search_cost(learner.strategy, problem) + problem.n_rounds + 1
        for cell, learner in learners.items()
    }
