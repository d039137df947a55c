"""Training as a pure function of a labelled set and a seed: theta = eta(D, xi)."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from skal._sklearn import _check_method_params
from skal._threads import interruptible, single_threaded
from skal.answers._fixed_classes import FixedClasses
from skal.answers._margins import margins_of
from skal.inputs._checks import final_step
from skal.inputs._containers import concat, n_rows, take
from skal.inputs._tags import is_tags
from skal.problem import Problem
from skal.seeding import Stream, isolated, set_random_states, stream


class Trainer:
    """eta: trains an estimator on a labelled set, under one seed.

    The model depends on which points are labelled and on xi alone: not on the order
    they came in, on other trainings, on the process, or on any global random state,
    which is left as it was. Points reach the estimator in the order of a random
    priority, one per row and drawn from xi, so that minibatches stay mixed when the
    pool is sorted by class.

    Parameters
    ----------
    problem : Problem

    References
    ----------
    Zhou et al., AISTATS 2021, section 3.1.
    """

    def __init__(self, problem: Problem) -> None:
        self.classes = problem.classes
        self.n_warm = n_rows(problem.X_warm)
        self.X = concat(problem.X_warm, problem.X_pool)
        self.y = concat(problem.y_warm, problem.y_pool)
        self.priority = row_priority(problem.seed, self.n_warm + problem.n_pool)
        self.seed = int(stream(problem.seed, Stream.TRAINING).integers(2**31))
        self.estimator = set_random_states(
            clone(problem.estimator), stream(problem.seed, Stream.ESTIMATOR)
        )
        self.fit_params = dict(problem.fit_params)
        self._run_params = self._route_run_params(problem)
        self._is_validated = False
        # By this a worker knows again what it was told once.
        self.key = uuid4().hex

    def _route_run_params(self, problem: Problem) -> dict[str, Any]:
        """Return what the run, and not the user, adds to each call of `fit`."""
        offered = {"classes": problem.classes}
        if problem.X_select is not None:
            offered |= {"X_val": problem.X_select, "y_val": problem.y_select}
        last = final_step(self.estimator)
        taken = {
            name: value
            for name, value in offered.items()
            if has_fit_parameter(last, name)
        }
        if taken and last is not self.estimator:
            with config_context(enable_metadata_routing=True):
                last.set_fit_request(**dict.fromkeys(taken, True))
                for key in self.fit_params:
                    _request(self.estimator, key, key)
            transformed = [*(self.estimator.transform_input or ()), "X_val"]
            self.estimator.set_params(transform_input=list(dict.fromkeys(transformed)))
        return taken

    @property
    def many(self) -> Any:
        """What trains many nets side by side, if the estimator offers it, or None."""
        if self.key not in _side_by_side:
            _side_by_side.clear()
            _side_by_side[self.key] = self._make_many()
        return _side_by_side[self.key]

    def _make_many(self) -> Any:
        if self.fit_params or not hasattr(self.estimator, "side_by_side"):
            return None
        return self.estimator.side_by_side(self.X, self.y, **self._run_params)

    @property
    def width(self) -> int:
        """How many sets are worth giving to `train_and_judge` at once, on one core."""
        return 1 if self.many is None else self.many.width

    def train(self, positions: NDArray[np.int64]) -> Any:
        """Train on the warm start and the given rows of the pool.

        Parameters
        ----------
        positions : ndarray of shape (n_acquired,)
            Positions in the pool, in any order.

        Returns
        -------
        estimator or None
            A fitted estimator that answers with the class list of the run: seen
            through `FixedClasses` where it knows fewer. None if nothing is labelled.
        """
        rows = self.rows(positions)
        if len(rows) == 0:
            return None
        if self.many is not None:
            return self.many.fit([rows])[0]
        X, y = take(self.X, rows), take(self.y, rows)
        if self._is_single_class(y):
            return self._with_all_classes(DummyClassifier().fit(X, y))
        params = _check_method_params(self.X, self.fit_params, indices=rows)
        params |= self._known_run_params(y)
        model = clone(self.estimator)
        with isolated(self.seed), self._configured():
            self._fit(model, X, y, params)
        self._is_validated = True
        return self._with_all_classes(model)

    def _fit(self, model: Any, X: Any, y: Any, params: dict[str, Any]) -> None:
        with interruptible():
            model.fit(X, y, **params)

    def _is_single_class(self, y: Any) -> bool:
        """Whether `y` holds one class, of which most estimators learn nothing."""
        if "classes" in self._run_params or is_tags(y):
            return False
        return bool((y == y[0]).all())

    def _known_run_params(self, y: Any) -> dict[str, Any]:
        """Return the run's own parameters, for an estimator that knows `y` alone.

        Unless it is told the class list, it cannot judge by labels it never saw.
        """
        params = dict(self._run_params)
        if "X_val" in params and "classes" not in params and not is_tags(y):
            X_val, y_val = params.pop("X_val"), params.pop("y_val")
            known = np.flatnonzero(np.isin(y_val, y))
            if len(known):
                params |= {"X_val": take(X_val, known), "y_val": take(y_val, known)}
        return params

    def _configured(self) -> AbstractContextManager:
        """Check the estimator's parameters once, and route the run's own in a Pipeline.

        All trainings are of clones, so what was checked in the first holds for all.
        """
        config = {"skip_parameter_validation": self._is_validated}
        if self._run_params and isinstance(self.estimator, Pipeline):
            config["enable_metadata_routing"] = True
        return config_context(**config)

    def rows(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of `X`, `y` to train on, in their canonical order."""
        rows = self.labelled_rows(positions)
        return rows[np.argsort(self.priority[rows])]

    def labelled_rows(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of `X`, `y` that are labelled, in the order they were."""
        acquired = self.n_warm + np.asarray(positions, dtype=np.int64)
        return np.concatenate([np.arange(self.n_warm), acquired])

    def _with_all_classes(self, model: Any) -> Any:
        known = getattr(model, "classes_", None)
        if known is None or is_tags(self.y) or np.array_equal(known, self.classes):
            return model
        return FixedClasses(model, self.classes)


def row_priority(seed: int, n: int) -> NDArray[np.int64]:
    """Return the place of each row in the canonical order of training.

    Parameters
    ----------
    seed : int
        xi.
    n : int
        Number of rows of the warm start and the pool, in this order.

    Returns
    -------
    ndarray of shape (n,)
    """
    return stream(seed, Stream.ROW_PRIORITY).permutation(n)


def _request(estimator: Any, name: str, key: str) -> None:
    """Let a step ask for what is called `step__name`, as it gets it without routing."""
    if not isinstance(estimator, Pipeline):
        estimator.set_fit_request(**{name: key})
        return
    step, _, rest = name.partition("__")
    if step in estimator.named_steps:
        _request(estimator.named_steps[step], rest, key)


# Of the last trainer that was asked in this process.
_side_by_side: dict[str, Any] = {}


class Judgement(NamedTuple):
    """What a model is worth.

    Parameters
    ----------
    score : float
    margins : ndarray of shape (n_answers,), dtype float16, or None
        By how much some of its answers are right, where that was asked for.
    """

    score: float
    margins: NDArray[np.float16] | None = None


class Evaluation(NamedTuple):
    """A held-out set and the scorer that judges models on it.

    Parameters
    ----------
    X, y : rows and labels, or None
    scorer : callable
        `scorer(model, X, y)` returns a float, higher is better.
    sample : ndarray of int, default=None
        The rows of which margins are asked for; of none by default.
    """

    X: Any
    y: Any
    scorer: Any
    sample: NDArray[np.int64] | None = None

    def score(self, model: Any) -> float:
        """Score a model, and refuse a score that is not a finite number.

        Parameters
        ----------
        model : estimator or None
            None, where nothing is labelled yet, scores NaN; so does any model where
            there is no held-out set.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If the scorer returns NaN or infinity.
        """
        if model is None or self.X is None:
            return float("nan")
        return self.checked(float(self.scorer(model, self.X, self.y)))

    def judge(self, model: Any) -> Judgement:
        """Score a model, and return the margins that are asked for with it."""
        score = self.score(model)
        if model is None or self.sample is None:
            return Judgement(score)
        return Judgement(score, margins_of(model, *self.sampled()))

    def sampled(self) -> tuple[Any, Any]:
        """Return the rows of which margins are asked for, and their labels."""
        assert self.sample is not None
        return take(self.X, self.sample), take(self.y, self.sample)

    def checked(self, value: float) -> float:
        """Return a score, or say that it is not finite."""
        if not np.isfinite(value):
            raise ValueError(
                f"The scorer {self.scorer} returned {value}: an order cannot be judged "
                "by that, so choose a `scoring` that is a finite number for every "
                "model, also for one that has not seen all classes."
            )
        return value


def train_and_judge(
    trainer: Trainer, evaluation: Evaluation, sets: Sequence[NDArray[np.int64]]
) -> list[Judgement]:
    """Train on each set and judge the model: the unit of work of a search.

    Parameters
    ----------
    trainer : Trainer
    evaluation : Evaluation
    sets : sequence of ndarray
        Positions in the pool.

    Returns
    -------
    list of Judgement
    """
    if trainer.many is not None and trainer.n_warm and evaluation.X is not None:
        rows = [trainer.rows(positions) for positions in sets]
        return [
            Judgement(evaluation.checked(score), margins)
            for score, margins in trainer.many.judged(rows, *evaluation)
        ]
    with single_threaded():
        return [evaluation.judge(trainer.train(positions)) for positions in sets]
