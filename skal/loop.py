"""The active learning loop: train, choose a batch, label it, and repeat."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.answers._needs import strategy_searches, works_from_nothing
from skal.answers._pairing import check_pairing
from skal.inputs._checks import uses_unlabelled
from skal.inputs._containers import n_rows, other_rows, take
from skal.judging import warn_of_failure
from skal.problem import Problem
from skal.strategies import Labelled
from skal.strategies._batches import ask
from skal.strategies._budget import ask_within
from skal.strategies._read_only import read_only
from skal.training import UNLABELLED, Trainer


class Round(NamedTuple):
    """The state of the loop after a training.

    Parameters
    ----------
    k : int
        Number of batches acquired so far; 0 is the warm start.
    model : estimator or None
        The model trained on all labelled rows; None if no row is labelled.
    order : ndarray of shape (n_acquired,)
        Positions in the pool, in the order in which they were labelled.
    has_failed : bool
        Whether the training failed, so that `model` is from an earlier round.
    """

    k: int
    model: Any
    order: NDArray[np.int64]
    has_failed: bool


def check_runnable(problem: Problem, strategy: Any) -> None:
    """Check that a strategy can be followed on a problem, before anything is trained.

    Parameters
    ----------
    problem : Problem
        The whole problem.
    strategy : strategy
        The strategy to follow.

    Raises
    ------
    TypeError
        If the estimator takes another kind of target, or lacks what the strategy needs.
    ValueError
        If a set is missing, the estimator takes pairs of rows, a semi-supervised
        estimator takes one of the labels for unlabelled, or a parameter of a search is
        invalid or does not suit the problem.
    """
    check_pairing(strategy, problem.estimator, n_rows(problem.X_warm), problem.target)
    if uses_unlabelled(problem.estimator):
        check_unlabelled(problem)
    if strategy_searches(strategy):
        check_validation(problem, strategy)
    if problem.X_test is None:
        raise ValueError(
            "A run needs a test set to score the rounds on: give X_test, or a positive "
            "test_size."
        )
    # A search may be a parameter of another strategy.
    inner: Any = getattr(strategy, "get_params", dict)().values()
    for one in (strategy, *inner):
        if hasattr(one, "check_problem"):
            one.check_problem(problem)


def check_unlabelled(problem: Problem) -> None:
    """Check that the label of rows without a label is not a label of the problem.

    Parameters
    ----------
    problem : Problem
        The whole problem, with a semi-supervised estimator.

    Raises
    ------
    ValueError
        If it is one of the classes, or could be one of the numbers.
    """
    name = type(problem.estimator).__name__
    if not problem.target.has_classes:
        raise ValueError(
            f"{name} uses rows without a label, which skal offers to classifiers only, "
            "of one label per row: choose an estimator without `uses_unlabelled`."
        )
    if UNLABELLED in problem.classes.tolist():
        raise ValueError(
            f"{name} takes the label {UNLABELLED} for rows without a label, and y has "
            "such a class: give the class another label."
        )


def check_validation(problem: Problem, strategy: Any) -> None:
    """Check that a problem has a validation set for an oracle to search on.

    Parameters
    ----------
    problem : Problem
        The whole problem.
    strategy : oracle
        Named in the error message.

    Raises
    ------
    ValueError
        If the validation set is missing.
    """
    if problem.X_val is None:
        raise ValueError(
            f"{type(strategy).__name__} needs a validation set to search on: give "
            "X_val, or a positive val_size."
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
        The pool, the batch size and the number of rounds.
    strategy : fitted strategy
        Chooses each batch.
    trainer : Trainer
        Trains the models, and holds the labels.
    train : callable, default=None
        `train(positions)` returns the model that is trained on these positions and the
        warm start; `trainer.train` by default.

    Yields
    ------
    Round
        The model and the order after each training.

    References
    ----------
    Zhou et al., AISTATS 2021, section 3.1.
    """
    train = trainer.train if train is None else train
    order, X = np.empty(0, dtype=np.int64), read_only(problem.X_pool)
    model = None
    for k in range(problem.n_rounds + 1):
        model, has_failed = train_or_keep(train, order, model, problem, strategy)
        yield Round(k, model, order, has_failed)
        if k < problem.n_rounds:
            try:
                batch = _next_batch(problem, strategy, X, trainer, model, order, k + 1)
            except Exception as error:
                trainer.explain(error, order)
                raise
            order = np.concatenate([order, batch])


def train_or_keep(
    train: Callable[[NDArray[np.int64]], Any],
    order: NDArray[np.int64],
    latest: Any,
    problem: Problem,
    strategy: Any,
) -> tuple[Any, bool]:
    """Train on labelled rows, or keep the latest model if that fails.

    Parameters
    ----------
    train : callable
        `train(order)` returns a model.
    order : ndarray of shape (n_acquired,)
        Positions in the pool.
    latest : estimator or None
        The model of the latest training that did not fail.
    problem : Problem
        Its `error_score` decides whether an error is raised.
    strategy : strategy
        Needs a model, or not.

    Returns
    -------
    model : estimator or None
        The new model, or the latest one.
    has_failed : bool
        Whether the training failed.

    Warns
    -----
    FitFailedWarning
        If the training failed, and `error_score` is a number.
    """
    try:
        return train(order), False
    except Exception as error:
        is_needed = latest is None and not works_from_nothing(strategy)
        if problem.error_score is None or is_needed:
            raise
        warn_of_failure(error, problem.error_score)
        return latest, True


def _next_batch(
    problem: Problem,
    strategy: Any,
    X: Any,
    trainer: Trainer,
    model: Any,
    order: NDArray[np.int64],
    k: int,
) -> NDArray[np.int64]:
    """Return the batch that the strategy selects for round k, after checking it."""
    candidates = other_rows(order, problem.n_pool)
    labelled = labelled_by(trainer, order)
    if problem.costs is not None:
        candidates = candidates[np.isin(candidates, problem.affordable)]
        given = model, X, problem.costs, candidates, labelled
        return ask_within(strategy, problem.room(order, k), *given)
    n = min(problem.batch_size, len(candidates))
    return ask(strategy, model, X, n, candidates, labelled)


def labelled_by(trainer: Trainer, order: NDArray[np.int64]) -> Labelled:
    """Return the rows that are labelled after following an order.

    Parameters
    ----------
    trainer : Trainer
        Holds the rows and labels of the warm start and the pool.
    order : ndarray of shape (n_acquired,)
        Positions in the pool, in the order in which they were labelled.

    Returns
    -------
    Labelled
        The warm start, followed by the acquired rows.
    """
    rows = trainer.labelled_rows(order)
    positions = np.concatenate([np.full(trainer.n_warm, -1), order])
    return Labelled(take(trainer.X, rows), take(trainer.y, rows), positions)
