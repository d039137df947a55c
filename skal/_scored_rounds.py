"""The rounds of an `ActiveLearner`: followed, scored and reported to callbacks."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.answers._needs import strategy_peeks, strategy_searches
from skal.inputs._scoring import unchanged_by
from skal.judging import SETS, Evaluation
from skal.loop import Round, run_rounds
from skal.problem import Problem
from skal.strategies._base import fit_strategy
from skal.training import Trainer


@dataclass
class ScoredRounds:
    """The scores of the rounds so far, and the last one.

    Parameters
    ----------
    curve, validation_curve : ndarray of shape (n_rounds + 1,)
        Score after each round, on test and on validation; NaN for rounds to come.
    n_trainings : int
        Number of models trained in the rounds.
    last : Round or None
        The latest round, which holds the model and the order so far.
    """

    curve: NDArray[np.float64]
    validation_curve: NDArray[np.float64]
    n_trainings: int = 0
    last: Round | None = None

    @classmethod
    def of(cls, problem: Problem) -> "ScoredRounds":
        """Return the scores of a problem before its first round.

        Parameters
        ----------
        problem : Problem

        Returns
        -------
        ScoredRounds
        """
        return cls(*np.full((2, problem.n_rounds + 1), np.nan))


def score_rounds(
    learner: Any, strategy: Any, problem: Problem, context: Any, scored: ScoredRounds
) -> None:
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
    scored : ScoredRounds
        Updated in place, so that it holds what was done if a round fails.
    """
    # A strategy that peeks may search for days, so it is fitted only after the first
    # model was trained and scored without an error.
    is_fitted_late = strategy_peeks(strategy)
    if not is_fitted_late:
        _fit(strategy, problem, context, learner)

    test, val = (Evaluation.on(problem, name) for name in ("test", "val"))
    for current in _rounds(problem, strategy):
        task = context.subcontext(task_name="round")
        task.call_on_fit_task_begin(estimator=learner)
        scored.last = current
        scored.n_trainings += current.model is not None
        scored.curve[current.k] = score = _score(test, current)
        scored.validation_curve[current.k] = _score(val, current)
        task.call_on_fit_task_end(estimator=learner, metadata={"score": score})
        if is_fitted_late and current.k == 0:
            _fit(strategy, problem, context, learner)


def _fit(strategy: Any, problem: Problem, context: Any, learner: Any) -> None:
    """Fit the strategy as a task of its own, which a progress bar shows."""
    task = context.subcontext(task_name="search")
    with ExitStack() as stack:
        if hasattr(strategy, "set_callbacks"):
            stack.enter_context(task.propagate_callback_context(strategy))
        task.call_on_fit_task_begin(estimator=learner)
        fit_strategy(strategy, problem.X_pool, problem)
    task.call_on_fit_task_end(estimator=learner)


def _score(evaluation: Evaluation, current: Round) -> float:
    """Return the score of a round; in the first, check what the scorer does to data."""
    if current.k:
        return _score_or_fail(evaluation, current)
    name = evaluation.name
    data = {f"X_{name}": evaluation.X, f"y_{name}": evaluation.y}
    with unchanged_by(evaluation.scorer, **data):
        return _score_or_fail(evaluation, current)


def _score_or_fail(evaluation: Evaluation, current: Round) -> float:
    """Score the model of a round; if it failed, return `error_score`."""
    if current.has_failed and evaluation.X is not None:
        assert evaluation.error_score is not None
        return evaluation.error_score
    try:
        return evaluation.score(current.model)
    except Exception as error:
        name = SETS[evaluation.name]
        error.add_note(f"The scorer was given the {name}, in round {current.k}.")
        if evaluation.error_score is None:
            raise
        return evaluation.failed(error).score


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
            stacklevel=6,  # the caller of ActiveLearner.fit, which has three decorators
        )
