"""The answers of many models to the same rows, each found once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from skal.answers._fixed_classes import FixedClasses
from skal.answers._wrapper import Wrapper
from skal.inputs._containers import n_rows, take
from skal.lean._form import LeanForm
from skal.lean._forms import FORMS, form_of, steps_of
from skal.lean._numbers import as_numbers, names_of
from skal.lean._steps import reads_arrays, transform


class SameRows:
    """Rows that many models are asked about.

    Parameters
    ----------
    X : rows
    sample : ndarray of int, default=None
        Some of the rows, about which models are asked, too.

    Attributes
    ----------
    sample : rows
        These rows; `X` itself if they are all rows.
    """

    def __init__(self, X: Any, sample: NDArray[np.int64] | None = None) -> None:
        self.X, self.positions = X, sample
        self.sample = X if sample is None or _is_all(sample, X) else take(X, sample)
        self.names = names_of(X)
        numbers = as_numbers(X if self.names is None else np.asarray(X))
        self._numbers = X if numbers is None else numbers
        # The lean form of the models, found for the first one of them: None if there is
        # none, or it does not answer as the model does.
        self._form: LeanForm | None = None
        self._kinds: list[type] | None = None

    def asked(self, model: Any, *, is_lean: bool = True) -> Any:
        """Return a view of a model that answers about these rows once.

        Parameters
        ----------
        model : fitted estimator
        is_lean : bool, default=True
            Whether it may answer by its lean form.

        Returns
        -------
        fitted estimator
            With the methods of the model. Other rows than `X` and `sample`, the same
            objects, are passed on to it.
        """
        if not is_lean:
            return AnsweredOnce(model, self, None)
        if isinstance(model, FixedClasses):
            inner = self.asked(model.estimator)
            return FixedClasses(inner, model.classes, model.labelled)
        return AnsweredOnce(model, self, self._seen(model))

    def _seen(self, model: Any) -> "Seen | None":
        """Look at the rows by the model's lean form, if it is right."""
        steps = steps_of(model)
        kinds, rows = [type(model), *map(type, steps)], self._read_by(steps[0])
        if kinds != self._kinds:
            self._kinds, self._form = kinds, form_of(model)
            seen = look(model, self._form, rows)
            if seen is None or not seen.agrees(model, self.X):
                self._form = None
        return look(model, self._form, rows, known_finite=True)

    def _read_by(self, first: Any) -> Any:
        """Return the rows as the first step of a model reads them."""
        if self.names is None:
            return self._numbers
        is_read = reads_arrays(first) or type(first) in FORMS
        names = getattr(first, "feature_names_in_", [])
        return (
            self._numbers if is_read and np.array_equal(names, self.names) else self.X
        )


class Seen:
    """A look at rows by a model's lean form.

    Parameters
    ----------
    form : LeanForm
    last : fitted estimator
        The model, or the last step of a Pipeline.
    values : ndarray of shape (n_rows, ...)
        As returned by `form.look`.
    """

    def __init__(self, form: LeanForm, last: Any, values: NDArray) -> None:
        self.form, self.last, self.values = form, last, values

    def answer(self, method: str, rows: Any = None) -> NDArray:
        """Return the answers of a method, to some rows or all."""
        values = self.values if rows is None else self.values[rows]
        return self.form.answer(self.last, values, method)

    def agrees(self, model: Any, X: Any) -> bool:
        """Return whether the model's own methods give the same answers."""
        return all(
            _are_close(self.answer(method), getattr(model, method)(X), self.form)
            for method in self.form.methods
        )


def look(
    model: Any, form: LeanForm | None, X: Any, *, known_finite: bool = False
) -> Seen | None:
    """Look at rows by the lean form of a model.

    Parameters
    ----------
    model : fitted estimator
    form : LeanForm or None
        As `form_of` returns it.
    X : rows
    known_finite : bool, default=False
        Whether rows that no step transforms are known to be finite.

    Returns
    -------
    Seen or None
        None without a form, or if the rows are not what it takes.
    """
    if form is None:
        return None
    *steps, last = steps_of(model)
    for step in steps:
        X = transform(step, X)
    numbers = form.numbers(X, known_finite=known_finite and not steps)
    if numbers is None or numbers.shape[1] != last.n_features_in_:
        return None
    return Seen(form, last, form.look(last, numbers))


def answers_agree(lean: Any, usual: Any, X: Any) -> bool:
    """Return whether a model by a lean form answers as one by `fit` does.

    Parameters
    ----------
    lean, usual : fitted estimators
        Models by the lean form, and by the estimator's own `fit`.
    X : rows
        Rows to ask both about.

    Returns
    -------
    bool
    """
    seen = SameRows(X).asked(lean).seen
    return seen is not None and seen.agrees(usual, X)


def _are_close(found: NDArray, wanted: NDArray, form: LeanForm) -> bool:
    """Return whether answers are the same, up to the tolerance of the form."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return False
    if not form.tolerance or found.dtype.kind != "f":
        return np.array_equal(found, wanted)
    largest = np.abs(wanted).max(initial=0)
    return bool(np.abs(found - wanted).max(initial=0) <= form.tolerance * largest)


def _is_all(sample: NDArray[np.int64], X: Any) -> bool:
    return np.array_equal(sample, np.arange(n_rows(X)))


def _has(method: str) -> Any:
    return available_if(lambda self: hasattr(self.estimator, method))


class AnsweredOnce(Wrapper, ClassifierMixin, BaseEstimator):
    """A view of a fitted classifier that answers about the same rows once.

    Parameters
    ----------
    estimator : fitted classifier
    rows : SameRows
    seen : Seen or None
        A look at the rows by the classifier's lean form.
    """

    def __init__(self, estimator: Any, rows: SameRows, seen: Seen | None) -> None:
        self.estimator, self.rows, self.seen = estimator, rows, seen
        self._known: dict[tuple[str, bool], Any] = {}

    def predict(self, X: Any) -> Any:
        """Return the predicted label of each row."""
        return self._answer("predict", X)

    @_has("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        """Return the class probabilities of each row."""
        return self._answer("predict_proba", X)

    @_has("decision_function")
    def decision_function(self, X: Any) -> Any:
        """Return the decision values of each row."""
        return self._answer("decision_function", X)

    def _answer(self, method: str, X: Any) -> Any:
        """Return the known answers to the rows; ask the model about other rows."""
        is_sample = X is self.rows.sample and X is not self.rows.X
        if X is not self.rows.X and not is_sample:
            return getattr(self.estimator, method)(X)
        key = method, is_sample
        if key not in self._known:
            self._known[key] = self._find(method, X, is_sample)
        return self._known[key]

    def _find(self, method: str, X: Any, is_sample: bool) -> Any:
        if self.seen is None or method not in self.seen.form.methods:
            return getattr(self.estimator, method)(X)
        return self.seen.answer(method, self.rows.positions if is_sample else None)

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)

    def __sklearn_is_fitted__(self) -> bool:
        return True
