"""The loop: train on what is labelled, choose a batch, label it, and again."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.answers._needs import strategy_searches
from skal.inputs._containers import n_rows, take
from skal.problem import Problem
from skal.strategies import Labelled, check_pairing
from skal.training import Trainer


class Round(NamedTuple):
    """One turn of the loop.

    Parameters
    ----------
    k : int
        Number of batches acquired so far; 0 is the warm start.
    model : estimator or None
        Trained on all that is labelled; None if nothing is.
    order : ndarray of shape (n_acquired,)
        Positions in the pool, in the order in which they were labelled.
    """

    k: int
    model: Any
    order: NDArray[np.int64]


def check_runnable(problem: Problem, strategy: Any) -> None:
    """Refuse a pairing of sets, strategy and estimator that cannot work.

    Parameters
    ----------
    problem : Problem
    strategy : strategy

    Raises
    ------
    TypeError
        If the estimator is a regressor, or lacks a method that the strategy needs.
    ValueError
        If a set is missing, or the estimator takes pairs of rows.
    """
    check_pairing(strategy, problem.estimator, n_rows(problem.X_warm))
    if strategy_searches(strategy):
        check_validation(problem, strategy)
    if problem.X_test is None:
        raise ValueError(
            "There is no test set to score the rounds on: give X_test, or a positive "
            "test_size."
        )


def check_validation(problem: Problem, strategy: Any) -> None:
    """Refuse a problem without the set that an oracle searches on.

    Parameters
    ----------
    problem : Problem
    strategy : oracle

    Raises
    ------
    ValueError
        If there is no validation set.
    """
    if problem.X_val is None:
        raise ValueError(
            f"{type(strategy).__name__} searches on the validation set, and there is "
            "none: give X_val, or a positive val_size."
        )


def run_rounds(
    problem: Problem,
    strategy: Any,
    trainer: Trainer,
    train: Callable[[NDArray[np.int64]], Any] | None = None,
) -> Iterator[Round]:
    """Follow a strategy through the rounds of a problem, k = 0..K.

    Parameters
    ----------
    problem : Problem
    strategy : fitted strategy
    trainer : Trainer
    train : callable, default=None
        Returns the model of an array of positions; `trainer.train` by default.

    Yields
    ------
    Round

    References
    ----------
    Zhou et al., AISTATS 2021, section 3.1.
    """
    train = trainer.train if train is None else train
    order = np.empty(0, dtype=np.int64)
    for k in range(problem.n_rounds + 1):
        model = train(order)
        yield Round(k, model, order)
        if k < problem.n_rounds:
            batch = _next_batch(problem, strategy, trainer, model, order)
            order = np.concatenate([order, batch])


def _next_batch(
    problem: Problem,
    strategy: Any,
    trainer: Trainer,
    model: Any,
    order: NDArray[np.int64],
) -> NDArray[np.int64]:
    is_open = np.ones(problem.n_pool, dtype=bool)
    is_open[order] = False
    n = min(problem.batch_size, problem.n_pool - len(order))
    batch = strategy.select(
        model,
        problem.X_pool,
        n,
        candidates=np.flatnonzero(is_open),
        labelled=labelled_by(trainer, order),
    )
    check_batch(batch, n, is_open, strategy)
    return batch


def labelled_by(trainer: Trainer, order: NDArray[np.int64]) -> Labelled:
    """Return what is labelled after following an order: the warm start first.

    Parameters
    ----------
    trainer : Trainer
    order : ndarray of shape (n_acquired,)
        Positions in the pool.

    Returns
    -------
    Labelled
    """
    rows = trainer.labelled_rows(order)
    positions = np.concatenate([np.full(trainer.n_warm, -1), order])
    return Labelled(take(trainer.X, rows), take(trainer.y, rows), positions)


def check_batch(batch: Any, n: int, is_open: NDArray[np.bool_], strategy: Any) -> None:
    """Refuse a batch that is not what `select` promises.

    Parameters
    ----------
    batch : object
        As `strategy.select` returned it.
    n : int
        How many rows it was asked for.
    is_open : ndarray of bool, shape (n_pool,)
        Which rows were candidates.
    strategy : strategy

    Raises
    ------
    ValueError
        If it is anything but `n` distinct int64 positions of candidates.
    """
    is_sound = (
        isinstance(batch, np.ndarray)
        and batch.shape == (n,)
        and batch.dtype == np.int64
        and len(set(batch.tolist())) == n
        and bool(is_open[batch].all())
    )
    if not is_sound:
        raise ValueError(
            f"{type(strategy).__name__}.select was asked for {n} distinct int64 "
            f"positions out of the candidates, and returned {batch!r}: run it through "
            "skal.utils.estimator_checks.check_strategy."
        )
