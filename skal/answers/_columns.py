"""Models of several labels per row while a column has a single class."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from skal.answers._constant import ConstantModel
from skal.answers._fixed_classes import with_classes
from skal.answers._reading import codes_of
from skal.answers._wrapper import Wrapper

# They train a clone of their estimator on each column. Other estimators of several
# labels also take a column with a single class.
BY_COLUMN = (MultiOutputClassifier, ClassifierChain)


class ColumnModel(Wrapper, ClassifierMixin, BaseEstimator):
    """Train a classifier on one column, or predict its only class.

    It has the parameters, methods and other attributes of the classifier.

    Parameters
    ----------
    estimator : classifier
        The classifier to train.
    classes : ndarray or None, default=None
        The classes that a constant model answers about; None for the only one.
    """

    def __init__(self, estimator, classes=None):
        self.estimator = estimator
        self.classes = classes

    def get_params(self, deep=True):
        """Return the parameters of the classifier, by name."""
        return self.estimator.get_params(deep)

    def set_params(self, **params):
        """Set parameters of the classifier."""
        self.estimator.set_params(**params)
        return self

    def fit(self, X, y, sample_weight=None, **params):
        """Train the classifier, or a constant model if `y` has one class."""
        if len(np.unique(y)) == 1:
            model = ConstantModel(self.estimator).fit(X, y)
            known = model.classes_ if self.classes is None else self.classes
            self.estimator = with_classes(model, known, y)
            return self
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        self.estimator.fit(X, y, **params)
        return self

    def predict(self, X):
        """Return the predicted class of each row, shape (n_rows,)."""
        return self.estimator.predict(X)

    def __sklearn_clone__(self):
        return ColumnModel(clone(self.estimator), self.classes)

    def __sklearn_is_fitted__(self):
        return hasattr(self.estimator, "classes_")

    def __sklearn_tags__(self):
        return get_tags(self.estimator)


def with_constant_columns(estimator, target_has_labels):
    """Let estimators that train on each column take one with a single class.

    Parameters
    ----------
    estimator : estimator
        A clone that may be changed.
    target_has_labels : bool
        Whether targets are labels, so that each column has the classes 0 and 1.

    Returns
    -------
    estimator
        The estimator itself, changed: the classifiers of each `MultiOutputClassifier`
        and `ClassifierChain` in it are wrapped in `ColumnModel`.
    """
    classes = np.array([0, 1]) if target_has_labels else None
    parts = [estimator, *estimator.get_params(deep=True).values()]
    for part in parts:
        if isinstance(part, BY_COLUMN):
            part.set_params(estimator=ColumnModel(part.estimator, classes))
    return estimator


class FixedColumns(Wrapper, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Present a fitted classifier with the class list of each column of a run.

    A class without labelled rows yet gets a column of its own, with probability zero.
    All other attributes and methods are the estimator's own.

    Parameters
    ----------
    estimator : fitted classifier
        Its `classes_` and probabilities are lists, with an array for each column.
    column_classes : tuple of ndarray
        The class list of each column, sorted.
    """

    def __init__(self, estimator, column_classes):
        self.estimator = estimator
        self.column_classes = column_classes

    @property
    def classes_(self):
        """The class list of each column."""
        return list(self.column_classes)

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        """Return the predicted classes of each row, shape (n_rows, n_columns)."""
        return self.estimator.predict(X)

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))
    def predict_proba(self, X):
        """Return, for each column, an array of shape (n_rows, n_classes)."""
        return self._spread(self.estimator.predict_proba(X), 0.0)

    @available_if(lambda self: hasattr(self.estimator, "predict_log_proba"))
    def predict_log_proba(self, X):
        """Return, for each column, an array of shape (n_rows, n_classes)."""
        return self._spread(self.estimator.predict_log_proba(X), -np.inf)

    def score(self, X, y, **params):
        """Return the wrapped estimator's own score."""
        return self.estimator.score(X, y, **params)

    def _spread(self, found, fill):
        """Arrange the columns of each array by the class list of the run."""
        known, spread = self.estimator.classes_, []
        for part, own, classes in zip(found, known, self.column_classes, strict=True):
            columns = np.full((len(part), len(classes)), fill)
            columns[:, codes_of(own, classes)] = part
            spread.append(columns)
        return spread


def with_column_classes(model, column_classes):
    """Present a model with the class list of each column, if it knows fewer classes.

    Parameters
    ----------
    model : fitted classifier
    column_classes : tuple of ndarray
        The class list of each column; empty if it is not known.

    Returns
    -------
    fitted classifier
        The model itself if it knows all classes, or does not list them by column.
    """
    known = getattr(model, "classes_", None)
    is_by_column = isinstance(known, list) and len(known) == len(column_classes)
    if not is_by_column or all(map(np.array_equal, known, column_classes)):
        return model
    return FixedColumns(model, column_classes)
