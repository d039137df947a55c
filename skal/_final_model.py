"""Predictions and scores of the model that a learner ends with."""

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skal.answers._errors import explained
from skal.inputs._containers import is_table


def _estimator_has(method):
    """Return a check that raises AttributeError if the estimator lacks a method."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


class FinalModelMixin:
    """Prediction methods that delegate to the fitted attribute `estimator_`.

    The class that is mixed in has a parameter `estimator`, and sets the attributes
    `estimator_` and `scorer_` in `fit`.
    """

    @available_if(_estimator_has("predict"))
    def predict(self, X):
        """Predict the classes of `X`, or numbers, with the final model.

        Parameters
        ----------
        X : rows, n_samples of them
            The rows to predict.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_columns)
            The predicted classes, or the numbers that a regressor predicts.
        """
        found = self._call("predict", X)
        is_column = getattr(found, "shape", ())[1:] == (1,)
        return found[:, 0] if is_column else found

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Return the final model's class probabilities.

        Parameters
        ----------
        X : rows, n_samples of them
            The rows to predict.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`. With several labels per row, in the form
            of the estimator: a list of such arrays, or shape (n_samples, n_labels).
        """
        return self._call("predict_proba", X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the logarithm of the final model's class probabilities.

        Parameters
        ----------
        X : rows, n_samples of them
            The rows to predict.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        return self._call("predict_log_proba", X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Return the final model's confidence scores.

        Parameters
        ----------
        X : rows, n_samples of them
            The rows to predict.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Columns in the order of `classes_`. One-vs-one scores have a column for
            each pair of classes instead.
        """
        return self._call("decision_function", X)

    def score(self, X, y, sample_weight=None):
        """Score the final model by `scoring`.

        The quality of the whole curve is `quality_`; see `skal.quality_scorer`.

        Parameters
        ----------
        X : rows, n_samples of them
            The rows to score on.
        y : array-like of shape (n_samples,), or list of n_samples lists of tags
            Their true labels.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of each row in the score.

        Returns
        -------
        float
            The score, higher is better.

        Raises
        ------
        ValueError
            If labels are masked.
        """
        if np.ma.is_masked(y):
            raise ValueError(
                "y must have no masked labels, got "
                f"{np.ma.count_masked(y)}: leave out the rows without a label."
            )
        model = self._model_for(X)
        params = {} if sample_weight is None else {"sample_weight": sample_weight}
        with explained(model):
            return self.scorer_(model, X, y, **params)

    def _call(self, method, X):
        """Return what a method of the final model returns for `X`."""
        return getattr(self._model_for(X), method)(X)

    def _model_for(self, X):
        """Return the final model, after a check that `X` has the columns of `fit`."""
        check_is_fitted(self, "estimator_")
        # Lists of one length in `fit` need not have this length: they may be tokens.
        if is_table(X):
            validate_data(self, X, reset=False, skip_check_array=True)
        return self.estimator_
