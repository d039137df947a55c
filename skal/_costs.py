"""About how many trainings a run takes, so that a progress bar can weigh it."""

from collections.abc import Mapping
from typing import Any


def search_cost(strategy: Any, problem: Any) -> int:
    """Return about how many trainings a strategy's search takes; 0 without a search.

    Parameters
    ----------
    strategy : strategy
        One that searches has a method `expected_trainings(problem)`. It may be wrapped
        in another one.
    problem : Problem

    Returns
    -------
    int
    """
    inner: Any = getattr(strategy, "get_params", dict)().values()
    searches = [s for s in (strategy, *inner) if hasattr(s, "expected_trainings")]
    return sum(search.expected_trainings(problem) for search in searches)


def cell_costs(learners: Mapping[Any, Any], problem: Any) -> dict[str, int]:
    """Return about how many trainings each cell of a study takes.

    Parameters
    ----------
    learners : mapping of object to ActiveLearner
    problem : Problem

    Returns
    -------
    dict of str to int
        By the names of the cells.
    """
    return {
        str(cell): search_cost(learner.strategy, problem) + problem.n_rounds + 1
        for cell, learner in learners.items()
    }
