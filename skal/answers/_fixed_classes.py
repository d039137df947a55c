"""One class list for a whole run, also for a model trained on fewer classes."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils.metaestimators import available_if


class FixedClasses(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Present a fitted classifier with the class list of a whole run.

    A class without labelled rows yet gets a column of its own, with probability zero.

    Parameters
    ----------
    estimator : fitted classifier
        The model to wrap.
    classes : ndarray of shape (n_classes,)
        The class list of the run, sorted. It includes all of `estimator.classes_`.
    """

    def __init__(self, estimator, classes):
        self.estimator = estimator
        self.classes = classes

    @property
    def classes_(self):
        """The class list of the run."""
        return self.classes

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        """Return the predicted label of each row, shape (n_rows,)."""
        return self.estimator.predict(X)

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))
    def predict_proba(self, X):
        """Return the class probabilities of each row, shape (n_rows, n_classes)."""
        return self._spread(self.estimator.predict_proba(X), 0.0)

    @available_if(lambda self: hasattr(self.estimator, "predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the log-probabilities of each row, shape (n_rows, n_classes).

        A class that the model was not trained on has minus infinity.
        """
        return self._spread(self.estimator.predict_log_proba(X), -np.inf)

    @available_if(lambda self: hasattr(self.estimator, "decision_function"))
    def decision_function(self, X):
        """Return the confidence scores of each row, shape (n_rows, n_classes).

        A class that the model was not trained on has the lowest float. One-vs-one
        scores, with a column for each pair of classes, are returned as they are.
        """
        scores = self.estimator.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([-scores, scores])
        if scores.shape[1] != len(self.estimator.classes_):
            return scores
        return self._spread(scores, np.finfo(np.float64).min)

    def score(self, X, y, **params):
        """Return the wrapped estimator's own score."""
        return self.estimator.score(X, y, **params)

    def _spread(self, columns, fill):
        """Arrange columns by the run's class list; `fill` the missing ones."""
        spread = np.full((len(columns), len(self.classes)), fill)
        spread[:, np.searchsorted(self.classes, self.estimator.classes_)] = columns
        return spread
