"""Training as a pure function of a labelled set and a seed: theta = eta(D, xi)."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from skal._sklearn import _check_method_params
from skal._threads import interruptible, without_warnings
from skal.answers._class_parameters import ClassParameters
from skal.answers._columns import with_column_classes, with_constant_columns
from skal.answers._constant import ConstantModel
from skal.answers._fixed_classes import with_classes
from skal.answers._numbered import with_any_labels
from skal.curves import round_of
from skal.inputs._checks import final_step, uses_unlabelled
from skal.inputs._containers import n_rows, take, whole
from skal.inputs._joining import concat, joined
from skal.inputs._targets import Target
from skal.lean._copies import fresh
from skal.lean._trainer import LeanTrainer, lean_trainer
from skal.problem import Problem
from skal.seeding import Stream, isolated, set_random_states, stream

# The label of rows without a label, as in `sklearn.semi_supervised`.
UNLABELLED = -1


class SideBySide(Protocol):
    """Trains one estimator on many subsets of one data set at the same time.

    An estimator may have a method `side_by_side(X, y, **params)` which returns such an
    object, or None if it cannot train in this way. `params` are the arguments of its
    `fit` that belong to the run: `classes`, `X_val` and `y_val`. Each model must equal
    the one that a clone's `fit` would return for the same rows, since scores of both
    kinds are compared with each other and kept in one journal.

    See `skal.nets.side_by_side` for the implementation for nets.
    """

    @property
    def width(self) -> int:
        """Number of models that are trained at the same time."""

    def fit(self, sets: Sequence[NDArray[np.int64]], /) -> list[Any]:
        """Train on each set.

        Parameters
        ----------
        sets : sequence of ndarray of shape (n_labelled,)
            Rows of the `X` and `y` that were passed to `side_by_side`, in the order in
            which `fit` would be given them.

        Returns
        -------
        list of fitted estimators
            One for each set.
        """

    def judge(
        self,
        sets: Sequence[NDArray[np.int64]],
        X: Any,
        y: Any,
        scorer: Any,
        sample: NDArray[np.int64] | None = None,
        /,
    ) -> list[tuple[float, NDArray[np.float16] | None]]:
        """Train on each set and score the models, without keeping them.

        Parameters
        ----------
        sets : sequence of ndarray of shape (n_labelled,)
            As in `fit`.
        X, y : rows and labels
            The held-out set to score on.
        scorer : callable
            `scorer(model, X, y)` returns a float, higher is better.
        sample : ndarray of int, default=None
            Rows of the held-out set whose margins are returned too.

        Returns
        -------
        list of (float, ndarray of shape (n_answers,), dtype float16, or None)
            The score of each model, and the margins of its answers to `sample`, one per
            row or per tag; None without a sample.
        """


class Trainer:
    """The training function eta: trains an estimator on labelled rows, with one seed.

    The model depends only on the set of labelled rows and on xi: not on the order in
    which rows were labelled, on other trainings, on the process, or on any global
    random state, which is restored afterwards. Rows reach the estimator in the order of
    a random priority, one per row and drawn from xi, so that minibatches are mixed
    even if the pool is sorted by class.

    Parameters
    ----------
    problem : Problem
        The estimator, the rows to train on and the seed. The pool's labels must be
        known.

    References
    ----------
    Zhou et al., AISTATS 2021, section 3.1.
    """

    def __init__(self, problem: Problem) -> None:
        self.classes = problem.classes
        self.n_warm, self.batch_size = n_rows(problem.X_warm), problem.batch_size
        self.costs = problem.costs
        self.X = joined(problem.X_warm, problem.X_pool)
        self.y = concat(problem.y_warm, problem.y_pool)
        self.must_succeed = problem.error_score is None
        self.target, self.column_classes = problem.target, problem.column_classes
        self.uses_unlabelled = uses_unlabelled(problem.estimator)
        self.priority = row_priority(problem.seed, self.n_warm + problem.n_pool)
        self.seed = int(stream(problem.seed, Stream.TRAINING).integers(2**31))
        seeded = set_random_states(
            clone(problem.estimator), stream(problem.seed, Stream.ESTIMATOR)
        )
        self.estimator = with_any_labels(seeded)
        if self.column_classes:
            is_labels = self.target is Target.LABELS
            self.estimator = with_constant_columns(self.estimator, is_labels)
        self._class_parameters = ClassParameters(self.estimator, self.classes)
        self.fit_params = dict(problem.fit_params)
        self._run_params = self._route_run_params(problem)
        self._is_validated = self._is_lean_known = False
        self._lean: LeanTrainer | None = None
        # Workers cache the trainer under this key, so it is sent to each only once.
        self.key = uuid4().hex

    def _route_run_params(self, problem: Problem) -> dict[str, Any]:
        """Return the arguments of `fit` that the run sets, and not the user.

        In a Pipeline, the final step is set to request them.
        """
        # Find out which of them the final step takes
        offered = {"classes": problem.classes} if self.target.has_classes else {}
        if problem.X_select is not None:
            offered |= {"X_val": problem.X_select, "y_val": problem.y_select}
        last = final_step(self.estimator)
        taken = {
            name: value
            for name, value in offered.items()
            if has_fit_parameter(last, name)
        }

        # Route them through the Pipeline, along with what the user passes
        if taken and last is not self.estimator:
            with config_context(enable_metadata_routing=True):
                last.set_fit_request(**dict.fromkeys(taken, True))
                for key in self.fit_params:
                    _request(self.estimator, key, key)
            transformed = [*(self.estimator.transform_input or ()), "X_val"]
            self.estimator.set_params(transform_input=list(dict.fromkeys(transformed)))
        return taken

    @property
    def many(self) -> SideBySide | None:
        """The estimator's trainer of many models at once; None if it has none."""
        if self.key not in _side_by_side:
            _side_by_side.clear()
            _side_by_side[self.key] = self._make_many()
        return _side_by_side[self.key]

    def _make_many(self) -> SideBySide | None:
        if self.fit_params or not hasattr(self.estimator, "side_by_side"):
            return None
        X = whole(self.X)
        return self.estimator.side_by_side(X, self.y, **self._run_params)

    @property
    def width(self) -> int:
        """Number of sets to pass to `train_and_judge` at once, on one core."""
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
            A fitted estimator whose predictions cover the class list of the run: it is
            wrapped in `FixedClasses` or `FixedColumns` if it was trained on fewer
            classes. None if no row is labelled.
        """
        rows = self.rows(positions)
        if len(rows) == 0:
            return None
        if self.many is not None:
            return self.many.fit([rows])[0]
        y = take(self.y, rows)
        if self._is_single_class(y):
            constant = ConstantModel(self.estimator).fit(take(self.X, rows), y)
            return with_classes(constant, self.classes, y)
        try:
            with self._checked(y):
                lean = self._lean_for(rows)
                model = self._fit(rows, y) if lean is None else lean.fit(rows)
        except Exception as error:
            self.explain(error, positions)
            raise
        if self.target is not Target.CLASS:
            return with_column_classes(model, self.column_classes)
        return with_classes(model, self.classes, y if lean is None else model.classes_)

    def _fit(self, rows: NDArray[np.int64], y: Any) -> Any:
        """Train by the estimator's own `fit`."""
        params = self._known_run_params(y)
        if self.uses_unlabelled:
            rows, y = self._with_unlabelled(rows)
        X, model = take(self.X, rows), fresh(self.estimator)
        given = _check_method_params(self.X, self.fit_params, indices=rows)
        with isolated(self.seed), self._configured(), interruptible():
            self._call_fit(model, X, y, given | params)
        self._is_validated = True
        return model

    def _call_fit(self, model: Any, X: Any, y: Any, params: dict[str, Any]) -> None:
        model.fit(X, y, **params)

    def _checked(self, y: Any) -> AbstractContextManager:
        named = self._class_parameters
        return named.checked(y) if named.names else nullcontext()

    def _lean_for(self, rows: NDArray[np.int64]) -> LeanTrainer | None:
        """Return the lean form of the estimator, found for the first set of rows.

        None if it has none, or does not do the same as `fit` on these rows.
        """
        if not self._is_lean_known:
            self._is_lean_known = True
            if not (self.fit_params or self._run_params or self.uses_unlabelled):
                with self._configured(), isolated(self.seed), without_warnings():
                    found = lean_trainer(self.estimator, self.X, self.y, rows)
                self._lean = found
        return self._lean

    def explain(self, error: Exception, positions: NDArray[np.int64]) -> None:
        """Add a note to an error: the round, and how many rows were labelled.

        Parameters
        ----------
        error : Exception
            The error that was raised by the model of a labelled set.
        positions : ndarray of shape (n_acquired,)
            The labelled positions in the pool.
        """
        spent = 0.0 if self.costs is None else float(self.costs[positions].sum())
        number = round_of(len(positions), spent, self.batch_size, self.costs)
        start = f"In round {number}"
        if any(note.startswith(start) for note in getattr(error, "__notes__", [])):
            return
        rows = self.labelled_rows(positions)
        per_class, size = "", "more rows, increase `warm_size`"
        if self.target in (Target.CLASS, Target.LABELS):
            per_class = f": {self._per_class(rows)}"
        if not self.target.is_numeric:
            size = "more rows of each class, set `warm_per_class`"
        go_on = "; to go on without such models, set `error_score`"
        error.add_note(
            f"{start}, {len(rows)} rows were labelled{per_class}. If the estimator "
            f"needs {size}{go_on * self.must_succeed}."
        )

    def _per_class(self, rows: NDArray[np.int64]) -> str:
        """Describe how many rows of each class there are, the rarest classes first."""
        labels, classes, kind = np.asarray(take(self.y, rows)), self.classes, "class"
        if self.target is Target.LABELS:
            counts, kind = labels.sum(axis=0).tolist(), "label"
            classes = np.arange(len(counts))
        else:
            counts = [int((labels == label).sum()) for label in classes]
        order = np.argsort(counts, kind="stable")
        texts = [f"{counts[i]} of {kind} {classes[i].item()!r}" for i in order[:6]]
        others = "labels" if kind == "label" else "classes"
        more = f", and more of {len(order) - 6} other {others}" * (len(order) > 6)
        return ", ".join(texts) + more

    def _with_unlabelled(
        self, labelled: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray]:
        """Return all rows in their canonical order, and labels that are -1 if open."""
        rows = np.argsort(self.priority)
        is_open = np.ones(len(rows), dtype=bool)
        is_open[labelled] = False
        y = np.asarray(self.y)
        y = y.astype(y.dtype if y.dtype.kind in "if" else object)
        y[is_open] = UNLABELLED
        return rows, y[rows]

    def _is_single_class(self, y: Any) -> bool:
        """Return whether to train a constant model, since `y` has only one class.

        An estimator that is given the class list of the run can be trained all the
        same.
        """
        if "classes" in self._run_params or self.target is not Target.CLASS:
            return False
        return bool((y == y[0]).all())

    def _known_run_params(self, y: Any) -> dict[str, Any]:
        """Return the arguments of `fit` that the run sets, for training on `y`.

        An estimator that does not take `classes` cannot be validated on classes it was
        not trained on: their rows are left out of the selection set.
        """
        params = dict(self._run_params)
        is_class = self.target is Target.CLASS
        if is_class and "X_val" in params and "classes" not in params:
            X_val, y_val = params.pop("X_val"), params.pop("y_val")
            known = np.flatnonzero(np.isin(y_val, y))
            if len(known):
                params |= {"X_val": take(X_val, known), "y_val": take(y_val, known)}
        return params

    def _configured(self) -> AbstractContextManager:
        """Return the scikit-learn configuration for a training.

        Parameters are validated in the first training only, since every model is a
        clone of the same estimator. In a Pipeline with arguments that the run sets,
        metadata routing is enabled.
        """
        config = {"skip_parameter_validation": self._is_validated}
        if self._run_params and isinstance(self.estimator, Pipeline):
            config["enable_metadata_routing"] = True
        return config_context(**config)

    def rows(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of `X`, `y` to train on, in their canonical order.

        Parameters
        ----------
        positions : ndarray of shape (n_acquired,)
            Positions in the pool, in any order.

        Returns
        -------
        ndarray of shape (n_warm + n_acquired,)
        """
        rows = self.labelled_rows(positions)
        return rows[np.argsort(self.priority[rows])]

    def labelled_rows(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the labelled rows of `X`, `y`, in the order they were labelled.

        Parameters
        ----------
        positions : ndarray of shape (n_acquired,)
            Positions in the pool, in the order in which they were labelled.

        Returns
        -------
        ndarray of shape (n_warm + n_acquired,)
            The warm start first.
        """
        acquired = self.n_warm + np.asarray(positions, dtype=np.int64)
        return np.concatenate([np.arange(self.n_warm), acquired])


def row_priority(seed: int, n: int) -> NDArray[np.int64]:
    """Return the rank of each row in the canonical order of training.

    Parameters
    ----------
    seed : int
        The seed of the run (xi).
    n : int
        Number of rows: the warm start, followed by the pool.

    Returns
    -------
    ndarray of shape (n,)
        A random permutation of 0..n - 1.
    """
    return stream(seed, Stream.ROW_PRIORITY).permutation(n)


def _request(estimator: Any, name: str, key: str) -> None:
    """Set a step to request the argument `step__name`, which it gets without routing.

    With routing enabled, a Pipeline would not pass it on unless it is requested.
    """
    if not isinstance(estimator, Pipeline):
        estimator.set_fit_request(**{name: key})
        return
    step, _, rest = name.partition("__")
    if step in estimator.named_steps:
        _request(estimator.named_steps[step], rest, key)


# `Trainer.many` of the trainer that this process used last, by the trainer's key. Kept
# outside of the trainer, so that it is not pickled; only one, to save memory.
_side_by_side: dict[str, SideBySide | None] = {}
