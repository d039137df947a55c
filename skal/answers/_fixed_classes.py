"""One class list for a whole run, also for a model trained on fewer classes."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import unique_labels

from skal.answers._numbered import without_needless_numbers
from skal.answers._reading import checked_probabilities, column_codes, predictions
from skal.answers._wrapper import Wrapper
from skal.inputs._containers import n_rows
from skal.inputs._tags import all_labels, is_tags


class FixedClasses(Wrapper, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Present a fitted classifier with the class list of a whole run.

    A class without labelled rows yet gets a column of its own, with probability zero.
    All other attributes and methods are the estimator's own.

    Parameters
    ----------
    estimator : fitted classifier
        The model to wrap.
    classes : ndarray of shape (n_classes,)
        The class list of the run, sorted. It includes all of `estimator.classes_`.
    labelled : ndarray, default=None
        The labels that the model was trained on, if they are known.
    """

    def __init__(self, estimator, classes, labelled=None):
        self.estimator = estimator
        self.classes = classes
        self.labelled = labelled

    @property
    def classes_(self):
        """The class list of the run."""
        return self.classes

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        """Return the predicted label of each row, shape (n_rows,)."""
        return predictions(self.estimator, X)

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))
    def predict_proba(self, X):
        """Return the class probabilities of each row, shape (n_rows, n_classes)."""
        found = self.estimator.predict_proba(X)
        return self.spread(checked_probabilities(found, self.estimator, n_rows(X)))

    @available_if(lambda self: hasattr(self.estimator, "predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the log-probabilities of each row, shape (n_rows, n_classes).

        A class that the model was not trained on has minus infinity.
        """
        return self.spread(self.estimator.predict_log_proba(X), -np.inf)

    @available_if(lambda self: hasattr(self.estimator, "decision_function"))
    def decision_function(self, X):
        """Return the confidence scores of each row, shape (n_rows, n_classes).

        A class that the model was not trained on has the lowest float. One-vs-one
        scores, with a column for each pair of classes, are returned as they are. In a
        run of two classes, a row has one score, as in scikit-learn: 1 or -1.
        """
        scores = np.asarray(self.estimator.decision_function(X))
        if scores.ndim == 1:
            scores = np.column_stack([-scores, scores])
        if scores.shape[1] != len(self.estimator.classes_):
            return scores
        spread = self.spread(scores, np.finfo(np.float64).min)
        if len(self.classes) == 2:
            return np.where(spread[:, 1] > spread[:, 0], 1.0, -1.0)
        return spread

    @available_if(lambda self: hasattr(self.estimator, "sample_proba"))
    def sample_proba(self, X, **params):
        """Return samples of the probabilities, (n_rows, n_samples, n_classes)."""
        found = self.estimator.sample_proba(X, **params)
        found = checked_probabilities(found, self.estimator, n_rows(X), "sample_proba")
        return self.spread(found, dtype=found.dtype)

    def score(self, X, y, **params):
        """Return the wrapped estimator's own score."""
        return self.estimator.score(X, y, **params)

    def spread(self, columns, fill=0.0, dtype=np.float64):
        """Arrange a model's columns by the run's class list.

        Parameters
        ----------
        columns : array-like of shape (..., n_columns)
            A column for each class that the model knows.
        fill : float, default=0.0
            The value for each class that it does not know.
        dtype : dtype, default=np.float64
            The type of the result.

        Returns
        -------
        ndarray of shape (..., n_classes)
        """
        columns = np.asarray(columns)
        codes = column_codes(
            self.estimator, columns.shape[-1], self.classes, self.labelled
        )
        shape = (*columns.shape[:-1], len(self.classes))
        spread = np.full(shape, fill, dtype=dtype)
        spread[..., codes] = columns
        return spread


def class_list(labels):
    """Return all classes of several sets, sorted.

    Parameters
    ----------
    labels : list of labels
        The labels of each set, as returned by `check_labels`.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If some sets have tags and others have not, or some labels are strings and
        others are numbers.
    """
    labels = [y for y in labels if len(y)]
    if len({is_tags(y) for y in labels}) > 1:
        raise ValueError(
            "Some sets have one label per row and others a list of tags: give the same "
            "kind of labels for all sets."
        )
    flat = [all_labels(y) for y in labels]
    kinds = sorted({"dates" if y.dtype.kind in "mM" else "others" for y in flat})
    if len(kinds) > 1:
        raise ValueError(
            "The labels of some sets are dates and of others not: give the "
            "same kind of labels for all sets."
        )
    return unique_labels(*flat)


def with_classes(model, classes, y):
    """Present a model with the class list of the run, if it knows fewer classes.

    Parameters
    ----------
    model : fitted classifier
    classes : ndarray of shape (n_classes,)
        The class list of the run, sorted.
    y : ndarray of shape (n_labelled,)
        The labels that it was trained on. Those that are no classes are ignored.

    Returns
    -------
    fitted classifier
        The model itself if it knows all classes, or does not say which it knows.
    """
    model = without_needless_numbers(model)
    known = getattr(model, "classes_", None)
    if known is None or np.array_equal(known, classes):
        return model
    return FixedClasses(model, classes, classes[np.isin(classes, y)])
