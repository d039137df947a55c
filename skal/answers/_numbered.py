"""Any labels for classifiers that take the numbers 0 to n - 1 only, such as XGBoost."""

import sys

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skal.answers._reading import codes_of, predictions
from skal.answers._wrapper import Wrapper
from skal.inputs._containers import take

# The class of these classifiers in each module that has one.
NUMBERED = {"xgboost": "XGBClassifier"}


class NumberedLabels(Wrapper, ClassifierMixin, BaseEstimator):
    """Train a classifier on class numbers 0 to n - 1, and answer in the user's labels.

    Only the classes that it is trained on are numbered, so there is no gap between the
    numbers while a class is not labelled. It has the parameters, methods and other
    attributes of the classifier.

    Parameters
    ----------
    estimator : classifier
        The classifier to train.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def get_params(self, deep=True):
        """Return the parameters of the classifier, by name."""
        return self.estimator.get_params(deep)

    def set_params(self, **params):
        """Set parameters of the classifier."""
        self.estimator.set_params(**params)
        return self

    def fit(self, X, y, sample_weight=None, *, eval_set=None, **params):
        """Train the classifier; labels in `eval_set` are numbered as well.

        Rows of classes that are not in `y` are left out of `eval_set`.
        """
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if eval_set is not None:
            params["eval_set"] = [self._numbered(*pair) for pair in eval_set]
        self.estimator.fit(X, numbers, **params)
        return self

    def predict(self, X):
        """Return the predicted label of each row, shape (n_rows,)."""
        return self.classes_[predictions(self.estimator, X)]

    def _numbered(self, X, y):
        codes = codes_of(np.asarray(y), self.classes_)
        known = np.flatnonzero(codes >= 0)
        return (
            (X, codes) if len(known) == len(codes) else (take(X, known), codes[known])
        )

    def __sklearn_clone__(self):
        return NumberedLabels(clone(self.estimator))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "classes_")

    def __sklearn_tags__(self):
        return get_tags(self.estimator)


def with_any_labels(estimator):
    """Let the classifiers in an estimator that need class numbers take any labels.

    Parameters
    ----------
    estimator : estimator
        A clone that may be changed.

    Returns
    -------
    estimator
        The estimator itself, with these classifiers wrapped in `NumberedLabels`.
    """
    kinds = _numbered_kinds()
    if not kinds:
        return estimator
    if isinstance(estimator, kinds):
        return NumberedLabels(estimator)
    inner = estimator.get_params(deep=True).items()
    found = {
        name: NumberedLabels(value) for name, value in inner if isinstance(value, kinds)
    }
    return estimator.set_params(**found) if found else estimator


def _numbered_kinds():
    """Return the classes of such classifiers, of modules that are imported already."""
    loaded = [(sys.modules.get(name), kind) for name, kind in NUMBERED.items()]
    return tuple(getattr(module, kind) for module, kind in loaded if module is not None)


def without_needless_numbers(model):
    """Return the user's own classifier where its labels are 0 to n - 1 anyway.

    Parameters
    ----------
    model : fitted estimator
        A classifier that may be wrapped in `NumberedLabels`, or a Pipeline that ends
        in one and may be changed.

    Returns
    -------
    fitted estimator
    """
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        model.steps[-1] = (name, without_needless_numbers(last))
    is_numbered = isinstance(model, NumberedLabels)
    if is_numbered and np.array_equal(model.classes_, np.arange(len(model.classes_))):
        return model.estimator
    return model
