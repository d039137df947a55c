"""Whether the seed of a run changes the results of an estimator and a strategy."""

import random
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from skal._threads import single_threaded, without_warnings
from skal.problem import Problem
from skal.seeding import Stream, random_state_names, set_random_states, stream
from skal.strategies import BaseStrategy
from skal.strategies._batches import ask
from skal.training import Trainer


def training_draws(problem: Problem, estimator: Any) -> bool:
    """Return whether training an estimator draws random numbers.

    With noise it does: the labels. Otherwise the estimator is trained once, on as many
    rows as all rounds label. If its random
    generators cannot be observed, as for a net that is trained side by side with
    others, the answer is True.

    Parameters
    ----------
    problem : Problem
    estimator : estimator

    Returns
    -------
    bool
    """
    if hasattr(estimator, "side_by_side") or problem.noise is not None:
        return True
    trainer = _WatchedTrainer(replace(problem, estimator=estimator))
    rows = stream(problem.seed, Stream.SAMPLE).permutation(problem.n_pool)
    try:
        with single_threaded(), without_warnings():
            trainer.train(rows[: problem.n_acquired])
    except Exception:  # a user's estimator may raise any error
        return True
    return trainer.drew


class _WatchedTrainer(Trainer):
    """Records whether a training draws from its own or from a global generator."""

    drew = False

    def _lean_for(self, rows: Any) -> None:
        """Train by `fit`: lean forms draw from no generator that is watched."""
        return None

    def _call_fit(self, model: Any, X: Any, y: Any, params: dict[str, Any]) -> None:
        watched = _Watched(0)
        model.set_params(**dict.fromkeys(random_state_names(model), watched))
        before = _states(watched)
        super()._call_fit(model, X, y, params)
        self.drew = watched.was_copied or before != _states(watched)


class _Watched(np.random.RandomState):
    """A generator that is shared, not copied, when an estimator is cloned."""

    was_copied = False

    def __deepcopy__(self, memo: dict) -> "_Watched":
        return self

    def __reduce__(self) -> Any:
        # A copy in another process cannot be observed.
        self.was_copied = True
        return super().__reduce__()


def _states(watched: np.random.RandomState) -> list[Any]:
    """Return the states of the watched and of all global generators."""
    torch = sys.modules.get("torch")
    given, of_numpy = (
        (state["state"]["key"].tobytes(), state["state"]["pos"], state["has_gauss"])
        for state in (
            watched.get_state(legacy=False),
            np.random.get_state(legacy=False),  # noqa: NPY002
        )
    )
    of_torch = None if torch is None else torch.get_rng_state().numpy().tobytes()
    return [given, of_numpy, random.getstate(), of_torch]


class EverySeed(BaseStrategy):
    """Wraps a strategy, and compares its selections with those under other seeds.

    Parameters
    ----------
    strategy : strategy
        The strategy that selects.
    others : list of (int, strategy)
        Other seeds of the learner, each with the strategy seeded for it.

    Attributes
    ----------
    agrees_ : bool
        After a run, whether the strategy selected the same rows under every seed, given
        the same models.
    """

    _parameter_constraints: dict = {}

    def __init__(self, strategy: Any, others: list[tuple[int, Any]]) -> None:
        self.strategy = strategy
        self.others = others

    # It declares no `needs`: the wrapped strategies check theirs in `select`.
    def _fit(self, X: Any, y: Any, problem: Problem) -> None:
        self._own = clone(self.strategy).fit(X, problem=problem)
        self._others = [
            clone(other).fit(X, problem=replace(problem, seed=seed))
            for seed, other in self.others
        ]
        self.agrees_ = True

    def _select(
        self, estimator: Any, X: Any, n: int, candidates: Any, labelled: Any
    ) -> Any:
        state = {"candidates": candidates, "labelled": labelled}
        chosen = ask(self._own, estimator, X, n, **state)
        for other in self._others if self.agrees_ else []:
            if not np.array_equal(other.select(estimator, X, n, **state), chosen):
                self.agrees_ = False
                break
        return chosen


def for_every_seed(strategy: Any, others: Iterable[tuple[int, Any]]) -> EverySeed:
    """Return a strategy that compares its selections with those under other seeds.

    Parameters
    ----------
    strategy : strategy
    others : iterable of (int, strategy)
        Other seeds of the learner, each with its strategy before seeding.

    Returns
    -------
    EverySeed
    """
    seeded = [
        (
            seed,
            set_random_states(
                clone(other), stream(seed, Stream.STRATEGY), only_unset=True
            ),
        )
        for seed, other in others
    ]
    return EverySeed(strategy, seeded)
