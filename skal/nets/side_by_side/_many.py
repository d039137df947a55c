"""Many trainings of one estimator, on subsets of one data set, side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import hash as fingerprint
from numpy.typing import NDArray
from sklearn.base import clone

from skal.answers._margins import codes_of, margins
from skal.inputs._containers import take
from skal.inputs._tags import all_labels
from skal.nets._training import Epochs, has_validation, reproducible
from skal.nets.side_by_side._engine import Engine
from skal.nets.side_by_side._metrics import metric_of
from skal.nets.side_by_side._stack import Stack
from skal.seeding import as_seed

# How many sets to judge on are kept in their encoded form.
MOST_INPUTS = 4


class ManyNets:
    """Trains a net on many subsets of one data set, as its `fit` would on each.

    Make one with the method `side_by_side` of an estimator that has it.

    Parameters
    ----------
    estimator : BaseNet
        With an int for `random_state`, which all trainings share.
    X, y : rows and labels
        What subsets are taken from.
    X_val, y_val : rows and labels, or None
        To choose the epoch by, as in `fit`.
    classes : array-like, default=None
        All classes there are; None takes those of `y`.
    width : int, default=None
        How many models stand side by side. It does not change any result.
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
        self._known_inputs: dict[str, Any] = {}
        self.model = clone(estimator).set_params(random_state=self.seed)
        self.stack: Stack = self.model._make_stack(X, y, classes, width)
        self._judge = None
        if has_validation(X_val, y_val):
            self._judge = self.judge(X_val, y_val, self.model._scorer())
        self.engine = Engine(
            self.stack,
            batch_size=int(estimator.batch_size),
            max_epochs=int(estimator.max_epochs),
            patience=int(estimator.patience),
            seed=self.seed,
            score=self._judge,
        )

    @property
    def width(self) -> int:
        """How many models stand side by side."""
        return self.stack.width

    def judge(self, X: Any, y: Any, scorer: Any) -> Any:
        """Return a function that scores the models in some places of the stack.

        Parameters
        ----------
        X, y : rows and labels
            To judge on.
        scorer : callable
            `scorer(model, X, y)` returns a float.

        Returns
        -------
        callable
            `judge(stack, places)` returns a list of float.
        """
        metric = metric_of(scorer, self.model)
        if metric is None or not np.isin(all_labels(y), self.model.classes_).all():
            return lambda stack, places: [
                scorer(self._model(place), X, y) for place in places
            ]
        inputs, codes = self._encoded(X, y)
        return lambda stack, places: [
            metric(codes, answer) for answer in stack.answers(places, inputs)
        ]

    def _encoded(self, X: Any, y: Any) -> tuple[Any, NDArray[np.int64]]:
        """Return inputs and class numbers, which are the same in most calls."""
        key = fingerprint((X, y))
        if key not in self._known_inputs:
            if len(self._known_inputs) == MOST_INPUTS:
                self._known_inputs.pop(next(iter(self._known_inputs)))
            self._known_inputs[key] = self.model._encode(X, y)
        return self._known_inputs[key]

    def score(
        self, sets: Sequence[NDArray[np.int64]], X: Any, y: Any, scorer: Any
    ) -> list[float]:
        """Train on each set, and score the models.

        Parameters
        ----------
        sets : sequence of ndarray
            Rows of the data, in the order in which `fit` would be given them.
        X, y : rows and labels
            To score on.
        scorer : callable
            `scorer(model, X, y)` returns a float.

        Returns
        -------
        list of float
        """
        return [score for score, _ in self.judged(sets, X, y, scorer)]

    def judged(
        self,
        sets: Sequence[NDArray[np.int64]],
        X: Any,
        y: Any,
        scorer: Any,
        sample: NDArray[np.int64] | None = None,
    ) -> list[tuple[float, NDArray[np.float16] | None]]:
        """Train on each set, score the models, and tell how right some answers are.

        Parameters
        ----------
        sets : sequence of ndarray
            Rows of the data, in the order in which `fit` would be given them.
        X, y : rows and labels
            To score on.
        scorer : callable
            `scorer(model, X, y)` returns a float.
        sample : ndarray of int, default=None
            The rows of `X` of which margins are wanted.

        Returns
        -------
        list of (float, ndarray of shape (n_answers,) or None)
            The score, and the margin of each answer: one per row, or per tag.
        """
        judge = self.judge(X, y, scorer)
        if sample is None:
            return self._run(sets, lambda s, place, _: (judge(s, [place])[0], None))
        X, y = take(X, sample), take(y, sample)
        inputs, _ = self._encoded(X, y)
        codes = codes_of(all_labels(y), self.model.classes_)

        def ask(stack: Stack, place: int, _: Epochs) -> tuple[float, NDArray]:
            logits = stack.logits(place, inputs).cpu().numpy()
            return judge(stack, [place])[0], margins(logits, codes)

        return self._run(sets, ask)

    def fit(self, sets: Sequence[NDArray[np.int64]]) -> list[Any]:
        """Train on each set.

        Parameters
        ----------
        sets : sequence of ndarray
            Rows of the data, in the order in which `fit` would be given them.

        Returns
        -------
        list of fitted estimators
        """
        return self._run(sets, lambda _, place, epochs: self._model(place, epochs))

    def _run(self, sets: Sequence[NDArray[np.int64]], ask: Any) -> list[Any]:
        with reproducible(self.seed):
            return self.engine.run([self.model._trainable(rows) for rows in sets], ask)

    def _model(self, place: int, epochs: Epochs | None = None) -> Any:
        """Return the model in a place as a fitted estimator."""
        model = clone(self.model)
        self.model._hand_over(model, self.stack, place)
        if epochs is not None:
            model.loss_curve_, model.validation_scores_, model.best_epoch_ = epochs
        return model
