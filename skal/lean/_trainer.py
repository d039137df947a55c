"""Training by a lean form, behind the usual preparation in a Pipeline."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skal.inputs._containers import take
from skal.lean._answers import answers_agree
from skal.lean._copies import fresh
from skal.lean._form import LeanForm
from skal.lean._forms import form_of, steps_of
from skal.lean._numbers import as_numbers, names_of
from skal.lean._steps import fit_transform, reads_arrays

# Number of rows on which the answers of both models are compared.
N_COMPARED = 500


class LeanTrainer:
    """Trains one classifier on subsets of a data set.

    Parameters
    ----------
    estimator : estimator
        Unfitted, with all random states set to a seed.
    X : rows
    y : ndarray of shape (n_rows,)
        Their labels.
    form : LeanForm
        The lean form of the estimator.
    """

    def __init__(self, estimator: Any, X: Any, y: NDArray, form: LeanForm) -> None:
        self.estimator, self.X, self.y, self.form = estimator, X, y, form
        # Names of columns, if the rows are a frame whose numbers the first step reads.
        first = steps_of(estimator)[0]
        is_read = reads_arrays(first) or type(first) is form.kind
        self.names = names_of(X) if is_read else None
        # Rows of an array without NaN need not be looked through once more.
        is_only_step = first is estimator
        self.known_finite = is_only_step and as_numbers(X) is not None

    def fit(self, rows: NDArray[np.int64]) -> Any:
        """Train on some rows.

        Parameters
        ----------
        rows : ndarray of shape (n_labelled,)
            Rows with at least two classes, in the order in which `fit` would be given
            them.

        Returns
        -------
        fitted estimator
            As `clone(estimator).fit(X[rows], y[rows])` returns it.
        """
        model = fresh(self.estimator)
        *steps, last = steps_of(model)
        # Labels of other rows are not read.
        X, y = take(self.X, rows), self.y[rows]
        classes, codes = np.unique(y, return_inverse=True)
        if self.names is not None:
            X = np.asarray(X)
        for step in steps:
            X = fit_transform(step, X, y)
        numbers = self.form.numbers(X, known_finite=self.known_finite)
        if numbers is not None:
            self.form.fit(last, numbers, codes, classes)
        else:
            last.fit(X, y)
        if self.names is not None:
            steps_of(model)[0].feature_names_in_ = self.names.copy()
        return model

    def agrees(self, rows: NDArray[np.int64]) -> bool:
        """Return whether training on some rows gives the model that `fit` returns.

        Parameters
        ----------
        rows : ndarray of shape (n_labelled,)

        Returns
        -------
        bool
            False if `fit` raises an error.
        """
        X, y = take(self.X, rows), self.y[rows]
        try:
            usual = clone(self.estimator).fit(X, y)
            lean = self.fit(rows)
            return answers_agree(
                lean, usual, take(X, np.arange(len(rows))[:N_COMPARED])
            )
        except Exception:  # which the estimator's own `fit` is left to explain
            return False


def lean_trainer(
    estimator: Any, X: Any, y: Any, rows: NDArray[np.int64]
) -> LeanTrainer | None:
    """Return a trainer by the lean form of an estimator, if that is right.

    Parameters
    ----------
    estimator : estimator
        Unfitted, with all random states set to a seed.
    X, y : rows and labels
        The data set.
    rows : ndarray of shape (n_labelled,)
        Rows to train on by `fit` as well, to compare the two.

    Returns
    -------
    LeanTrainer or None
        None without a lean form, or if it does not do the same as `fit`.
    """
    form = form_of(estimator)
    if form is None or type(y) is not np.ndarray or y.ndim != 1:
        return None
    trainer = LeanTrainer(estimator, X, y, form)
    return trainer if trainer.agrees(rows) else None
