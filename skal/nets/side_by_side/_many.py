"""ManyNets: trains one estimator on many subsets of a data set, side by side."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from joblib import hash as fingerprint
from numpy.typing import NDArray
from sklearn.base import clone

from skal.inputs._containers import take
from skal.nets._training import Epochs, has_validation, reproducible
from skal.nets.side_by_side._engine import Engine
from skal.nets.side_by_side._stack import Stack
from skal.seeding import as_seed

# Maximum number of evaluation sets whose encoded form is cached.
MAX_CACHED_INPUTS = 4


class ManyNets:
    """Trains a net on many subsets of one data set, with the same results as `fit`.

    It is returned by the method `side_by_side` of an estimator.

    Parameters
    ----------
    estimator : BaseNet
        The net. Its `random_state`, converted to an int, is the same in all trainings.
    X, y : rows and labels
        Rows and labels from which the subsets are taken.
    X_val, y_val : rows and labels, or None
        Validation set that selects the best epoch, as in `fit`.
    classes : array-like, default=None
        All class labels. None uses the classes found in `y`.
    width : int, default=None
        Maximum number of models trained side by side. It does not change any result.
    """

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        X_val: Any = None,
        y_val: Any = None,
        classes: Any = None,
        width: int | None = None,
    ) -> None:
        self.seed = as_seed(estimator.random_state)
        self._input_cache: dict[str, Any] = {}
        self.model = clone(estimator).set_params(random_state=self.seed)
        self.stack: Stack = self.model._build_stack(X, y, classes, width)
        if getattr(estimator, "class_weight", None) is not None:
            self.stack.weigh = partial(self.model._weights_of, sample_weight=None)
        score = None
        if has_validation(X_val, y_val):
            score = self._scoring(X_val, y_val, self.model._scorer())
        self.engine = Engine(
            self.stack,
            batch_size=int(estimator.batch_size),
            max_epochs=int(estimator.max_epochs),
            patience=int(estimator.patience),
            seed=self.seed,
            score=score,
        )

    @property
    def width(self) -> int:
        """Maximum number of models trained side by side."""
        return self.stack.width

    def _scoring(self, X: Any, y: Any, scorer: Any) -> Any:
        """Return a function that scores the models in some slots.

        Parameters
        ----------
        X, y : rows and labels
            Rows and labels on which to score.
        scorer : callable
            `scorer(model, X, y)` returns a float.

        Returns
        -------
        callable
            `score(stack, slots)` returns a list of float.
        """
        metric = self.model._metric(scorer, y)
        if metric is None:
            return lambda stack, slots: [
                scorer(self._model(slot), X, y) for slot in slots
            ]
        inputs, codes = self._encoded(X, y)
        return lambda stack, slots: [
            metric(codes, answer) for answer in stack.answers(slots, inputs)
        ]

    def _encoded(self, X: Any, y: Any) -> tuple[Any, NDArray]:
        """Return the encoded inputs and targets, from the cache if possible."""
        key = fingerprint((X, y))
        if key not in self._input_cache:
            if len(self._input_cache) == MAX_CACHED_INPUTS:
                self._input_cache.pop(next(iter(self._input_cache)))
            self._input_cache[key] = self.model._encode_inputs(X, y)
        return self._input_cache[key]

    def judge(
        self,
        sets: Sequence[NDArray[np.int64]],
        X: Any,
        y: Any,
        scorer: Any,
        sample: NDArray[np.int64] | None = None,
    ) -> list[tuple[float, NDArray[np.float16] | None]]:
        """Train on each set, score the models, and optionally compute margins.

        Parameters
        ----------
        sets : sequence of ndarray
            Rows of the data, in the order in which `fit` would receive them.
        X, y : rows and labels
            Rows and labels on which to score.
        scorer : callable
            `scorer(model, X, y)` returns a float.
        sample : ndarray of int, default=None
            Rows of `X` for which to return margins.

        Returns
        -------
        list of (float, ndarray of shape (n_answers,) or None)
            The score, and the margin of each prediction, one per row or per tag; None
            without `sample`.
        """
        score = self._scoring(X, y, scorer)
        if sample is None:
            return self._run(sets, lambda s, slot, _: (score(s, [slot])[0], None))
        X, y = take(X, sample), take(y, sample)
        inputs, _ = self._encoded(X, y)
        margins = self.model._margins(y)

        def collect(stack: Stack, slot: int, _: Epochs) -> tuple[float, NDArray]:
            return score(stack, [slot])[0], margins(stack, slot, inputs)

        return self._run(sets, collect)

    def fit(self, sets: Sequence[NDArray[np.int64]]) -> list[Any]:
        """Train on each set.

        Parameters
        ----------
        sets : sequence of ndarray
            Rows of the data, in the order in which `fit` would receive them.

        Returns
        -------
        list of fitted estimators
            One per set.
        """
        return self._run(sets, lambda _, slot, epochs: self._model(slot, epochs))

    def _run(self, sets: Sequence[NDArray[np.int64]], collect: Any) -> list[Any]:
        with reproducible(self.seed):
            return self.engine.run(
                [self.model._trainable_rows(rows) for rows in sets], collect
            )

    def _model(self, slot: int, epochs: Epochs | None = None) -> Any:
        """Return the model in a slot as a fitted estimator."""
        model = clone(self.model)
        self.model._copy_fitted_state(model, self.stack, slot)
        if epochs is not None:
            model.loss_curve_, model.validation_scores_, model.best_epoch_ = epochs
        return model
