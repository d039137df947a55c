"""Models of a session: the training function on labels at any time."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skal._threads import single_threaded
from skal.inputs._containers import n_rows, take
from skal.inputs._several import column_classes
from skal.inputs._tags import scorer_of
from skal.inputs._targets import Target
from skal.labeling._events import as_json
from skal.labeling._labels import as_y, classes_in
from skal.loop import labelled_by
from skal.problem import Problem
from skal.seeding import Stream, set_random_states, stream
from skal.strategies import Labelled
from skal.strategies._base import fit_strategy
from skal.training import Trainer

# Number of models that are kept: those whose agreement is measured, and the current.
KEPT = 4


class Models:
    """Trains on labels of a pool, as `ActiveLearner` would, and keeps a few models.

    Parameters
    ----------
    estimator : estimator
    strategy : strategy
    scoring : str, callable or None
    seed : int
    target : Target

    Attributes
    ----------
    given : strategy
        The strategy as the user gave it.
    scoring : str, callable or None
    """

    def __init__(
        self, estimator: Any, strategy: Any, scoring: Any, seed: int, target: Target
    ) -> None:
        self._estimator, self.given = estimator, strategy
        self.scoring, self._seed, self._target = scoring, seed, target
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._trainers: OrderedDict[str, Trainer] = OrderedDict()
        self._fitted: tuple[tuple, Any] | None = None

    @property
    def is_accuracy(self) -> bool:
        """Return whether the score is the share of rows whose class is right."""
        return self._target is Target.CLASS and self.scoring in (None, "accuracy")

    def problem(
        self, X: Any, labels: Mapping[int, Any], classes: Sequence[Any]
    ) -> Problem:
        """Return the problem of choosing what to label next.

        Parameters
        ----------
        X : rows of the pool, n_pool of them
        labels : mapping of int to label
            By position.
        classes : sequence
            The classes that were named.

        Returns
        -------
        Problem
            Rows without a label have one that is never read.
        """
        n, nothing = n_rows(X), np.arange(0)
        known = list(
            dict.fromkeys([*classes, *classes_in(labels.values(), self._target)])
        )
        y = as_y(labels, self._target, known, X, n)
        by_column: tuple[NDArray, ...] = ()
        if self._target is Target.LABELS:
            by_column = (np.array([0, 1]),) * len(known)
        elif self._target is Target.CLASSES:
            by_column = column_classes([y])
        return Problem(
            X_pool=X,
            y_pool=y,
            X_warm=take(X, nothing),
            y_warm=take(y, nothing),
            pool_rows=np.arange(n),
            classes=np.unique(known) if self._target.has_classes else np.empty(0),
            estimator=self._estimator,
            scorer=scorer_of(self._estimator, self.scoring, y),
            batch_size=1,
            n_rounds=1,
            seed=self._seed,
            target=self._target,
            column_classes=by_column,
        )

    def trainer(
        self, X: Any, labels: Mapping[int, Any], classes: Sequence[Any]
    ) -> Trainer:
        """Return the training function of labels, as in `problem`."""
        key = self._key(n_rows(X), labels, classes)
        if key not in self._trainers:
            self._trainers[key] = Trainer(self.problem(X, labels, classes))
        return _touched(self._trainers, key)

    def model(self, X: Any, labels: Mapping[int, Any], classes: Sequence[Any]) -> Any:
        """Return the model that is trained on labels, as in `problem`.

        Returns
        -------
        fitted estimator
        """
        key = self._key(n_rows(X), labels, classes)
        if key not in self._kept:
            positions = np.array(list(labels), dtype=np.int64)
            with single_threaded():
                self._kept[key] = self.trainer(X, labels, classes).train(positions)
        return _touched(self._kept, key)

    def strategy(self, problem: Problem) -> Any:
        """Return the strategy, fitted to the pool and the classes of a problem."""
        key = problem.n_pool, tuple(problem.classes.tolist())
        if self._fitted is None or self._fitted[0] != key:
            strategy = set_random_states(
                clone(self.given), stream(self._seed, Stream.STRATEGY), True
            )
            self._fitted = key, fit_strategy(strategy, problem.X_pool, problem)
        return self._fitted[1]

    def labelled(
        self, X: Any, labels: Mapping[int, Any], classes: Sequence[Any]
    ) -> Labelled:
        """Return the labelled rows, in the order in which they were labelled."""
        positions = np.array(list(labels), dtype=np.int64)
        return labelled_by(self.trainer(X, labels, classes), positions)

    def _key(self, n: int, labels: Mapping[int, Any], classes: Sequence[Any]) -> str:
        """Return a digest of all that a training depends on, apart from the rows."""
        text = as_json([n, list(classes), list(labels.items())])
        return blake2b(text.encode("utf-8", "surrogatepass")).hexdigest()


def _touched(kept: OrderedDict[str, Any], key: str) -> Any:
    """Return an entry as the latest one, and forget the oldest beyond `KEPT`."""
    kept.move_to_end(key)
    while len(kept) > KEPT:
        kept.popitem(last=False)
    return kept[key]
