"""The rounds of an `ActiveLearner`: followed, scored and reported to callbacks."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np

from skal.answers._needs import strategy_peeks, strategy_searches
from skal.inputs._scoring import unchanged_by
from skal.loop import Round, run_rounds
from skal.problem import Problem
from skal.strategies._base import fit_strategy
from skal.training import Evaluation, Trainer


class ScoredRounds(NamedTuple):
    """The scores of all rounds, and the last one.

    Parameters
    ----------
    curve, validation_curve : list of n_rounds + 1 floats
        Score after each round, on test and on validation.
    n_trainings : int
        Number of models trained in the rounds.
    last : Round
        The last round, which holds the final model and the whole order.
    """

    curve: list[float]
    validation_curve: list[float]
    n_trainings: int
    last: Round


def score_rounds(
    learner: Any, strategy: Any, problem: Problem, context: Any
) -> ScoredRounds:
    """Fit a strategy, follow it through all rounds, and score the models.

    Parameters
    ----------
    learner : ActiveLearner
        Named as the estimator in calls of callbacks.
    strategy : strategy
        A clone of the learner's strategy. It is fitted here.
    problem : Problem
        The whole problem; the strategy sees the part that it may see.
    context : CallbackContext
        The callback context of the learner's `fit`.

    Returns
    -------
    ScoredRounds
    """
    # A strategy that peeks may search for days, so it is fitted only after the first
    # model was trained and scored without an error.
    is_fitted_late = strategy_peeks(strategy)
    if not is_fitted_late:
        _fit(strategy, problem, context, learner)

    test = Evaluation(problem.X_test, problem.y_test, problem.scorer)
    val = Evaluation(problem.X_val, problem.y_val, problem.scorer)
    curve, validation_curve, n_trainings = [], [], 0
    for current in _rounds(problem, strategy):
        task = context.subcontext(task_name="round")
        task.call_on_fit_task_begin(estimator=learner)
        n_trainings += current.model is not None
        with _note_on_errors(
            f"The scorer was given the test set, in round {current.k}."
        ):
            curve.append(_score(test, current, "test"))
        with _note_on_errors(
            f"The scorer was given the validation set, in round {current.k}."
        ):
            validation_curve.append(_score(val, current, "val"))
        task.call_on_fit_task_end(estimator=learner, metadata={"score": curve[-1]})
        if is_fitted_late and current.k == 0:
            _fit(strategy, problem, context, learner)
            # If Ctrl-C ends the following rounds, the order is not lost.
            learner.strategy_ = strategy
    return ScoredRounds(curve, validation_curve, n_trainings, current)


def _fit(strategy: Any, problem: Problem, context: Any, learner: Any) -> None:
    """Fit the strategy as a task of its own, which a progress bar shows."""
    task = context.subcontext(task_name="search")
    with ExitStack() as stack:
        if hasattr(strategy, "set_callbacks"):
            stack.enter_context(task.propagate_callback_context(strategy))
        task.call_on_fit_task_begin(estimator=learner)
        fit_strategy(strategy, problem.X_pool, problem)
    task.call_on_fit_task_end(estimator=learner)


def _score(evaluation: Evaluation, current: Round, name: str) -> float:
    """Return the score of a round; in the first, check what the scorer does to data."""
    if current.k:
        return evaluation.score(current.model)
    data = {f"X_{name}": evaluation.X, f"y_{name}": evaluation.y}
    with unchanged_by(evaluation.scorer, **data):
        return evaluation.score(current.model)


def _rounds(problem: Problem, strategy: Any) -> Iterator[Round]:
    """Yield all rounds; after Ctrl-C, note where the order of a search is."""
    try:
        yield from run_rounds(problem, strategy, Trainer(problem))
    except KeyboardInterrupt as error:
        if strategy_searches(strategy) and hasattr(strategy, "order_"):
            error.add_note(
                "The search had ended: the order that it found is in the learner's "
                "strategy_.order_, and FixedOrder follows it."
            )
        raise


@contextmanager
def _note_on_errors(text: str) -> Iterator[None]:
    """Add a note to an error that is raised in a block."""
    try:
        yield
    except Exception as error:
        error.add_note(text)
        raise


def warn_if_search_disagrees(learner: Any) -> None:
    """Warn if following the order that a search found gives another quality.

    The search scored the same models on the same rows. If the qualities differ, either
    its journal holds scores of other code or data, or the estimator does not train the
    same model twice.

    Parameters
    ----------
    learner : ActiveLearner
        Fitted.
    """
    strategy, now = learner.strategy_, learner.validation_quality_
    found = getattr(strategy, "quality_", np.nan)
    if not strategy_searches(strategy) or np.isnan([found, now]).any():
        return
    is_same_order = np.array_equal(strategy.order_, learner.order_)
    if is_same_order and not np.isclose(found, now, rtol=0, atol=1e-9):
        remedy = (
            "make sure that the estimator and the scorer give the same for the same "
            "rows"
            if getattr(strategy, "journal", None) is None
            else f"the scores in {strategy.journal} are from other code or data, so "
            "delete it and search again"
        )
        warnings.warn(
            f"The order that {type(strategy).__name__} found has quality {now:.6g} on "
            f"validation, but {found:.6g} by the scores of the search: {remedy}.",
            stacklevel=5,  # the caller of ActiveLearner.fit, which has two decorators
        )
