"""Replays of the orders of a comparison, under other seeds or with other estimators.

Nothing is searched: each replay trains once per round. It always trains the plain
estimator, even if a strategy sampled the posterior of another one, so that orders are
compared and not models.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.learner import ActiveLearner
from skal.strategies import FixedOrder
from skal.studies._comparison import Comparison
from skal.studies._spec import samples_posterior
from skal.studies.running._cells import Job, learner_of, run_cells
from skal.studies.running._store import Run, Store, describe_study


class Replay(NamedTuple):
    """Key of a replay: the source of an order, and the target that replays it."""

    strategy: str
    source_estimator: str
    source_seed: int
    estimator: str
    seed: int

    def __str__(self) -> str:
        source = f"{self.source_estimator} {self.source_seed}"
        return f"{self.strategy}, {source} to {self.estimator} {self.seed}"

    @property
    def source(self) -> tuple[str, str, int]:
        """The key of the order in a comparison."""
        return self.source_estimator, self.strategy, self.source_seed


def replay(
    comparison: Comparison,
    replays: list[Replay],
    *,
    n_jobs: int | None,
    path: Any,
    callbacks: Iterable[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Replay orders, unless the comparison itself already made the same run.

    Parameters
    ----------
    comparison : Comparison
        The comparison that the orders come from.
    replays : list of Replay
        The replays to make.
    n_jobs, path, callbacks
        As in `compare`. A comparison and its replays may share a folder.

    Returns
    -------
    curves, validation_curves : ndarray of shape (len(replays), n_rounds + 1)

    Raises
    ------
    ValueError
        If the folder holds replays of other orders.
    """
    own = {
        one: _own_run(comparison, one) for one in replays if _is_own(comparison, one)
    }
    jobs = {one: Job(_learner(comparison, one)) for one in replays if one not in own}
    store = None if path is None else _open(comparison, path, list(jobs))
    runs = own | run_cells(
        jobs, comparison.splits, n_jobs=n_jobs, store=store, callbacks=callbacks
    )
    found = [runs[one] for one in replays]
    curves, validation_curves, *_ = zip(*found, strict=True)
    return np.array(curves), np.array(validation_curves)


def _learner(comparison: Comparison, one: Replay) -> ActiveLearner:
    problem = comparison.splits.problem_of(one.seed)
    order = problem.positions(comparison.orders[one.source][0])
    estimator = comparison.estimators[one.estimator]
    return learner_of(problem, estimator, FixedOrder(order), one.seed)


def _is_own(comparison: Comparison, one: Replay) -> bool:
    """Return whether the comparison itself already made this run."""
    sampled = samples_posterior(comparison.strategies[one.strategy])
    return (
        (one.source_estimator, one.source_seed) == (one.estimator, one.seed)
        and len(comparison.orders[one.source]) == 1
        and not (sampled and one.estimator in comparison.posterior_estimators)
    )


def _own_run(comparison: Comparison, one: Replay) -> Run:
    index = (
        list(comparison.estimators).index(one.estimator),
        list(comparison.strategies).index(one.strategy),
        comparison.seeds.index(one.seed),
    )
    curves = comparison.curves[index], comparison.validation_curves[index]
    return Run(*curves, comparison.orders[one.source][0])


def _open(comparison: Comparison, path: Any, replays: list[Replay]) -> Store:
    store = Store(path, "replays", Replay, describe_study(comparison))
    for one in replays:
        order = comparison.orders[one.source][0]
        if one in store.runs and not np.array_equal(store.runs[one].order, order):
            raise ValueError(
                f"{store.path} holds a replay of another order of {one.strategy!r}: "
                "give the path that this comparison was made with, or a new path."
            )
    return store
