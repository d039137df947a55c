"""The score at chance level: always predicting the same class or number."""

from collections import Counter
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier, DummyRegressor

from skal._threads import without_warnings
from skal.answers._columns import with_column_classes
from skal.answers._fixed_classes import FixedClasses
from skal.inputs._joining import concat
from skal.inputs._tags import all_labels
from skal.inputs._targets import Target
from skal.problem import Problem


def chance_score(problem: Problem) -> float:
    """Return the test score of always predicting the most frequent class or the mean.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    float
        NaN if the scorer fails on such a model.
    """
    try:
        with without_warnings():
            model = _constant_model(problem)
            return float(problem.scorer(model, problem.X_test, problem.y_test))
    except Exception:  # a user's scorer may raise any error
        return float("nan")


def _constant_model(problem: Problem) -> Any:
    y = concat(problem.y_warm, problem.y_pool)
    if problem.target is Target.TAGS:
        return _ConstantTagger(problem.classes).fit(None, y)
    if problem.target.is_numeric:
        return DummyRegressor().fit(np.zeros((len(y), 1)), y)
    model = DummyClassifier(strategy="prior").fit(np.zeros((len(y), 1)), y)
    if problem.target.has_columns:
        return with_column_classes(model, problem.column_classes)
    return FixedClasses(model, problem.classes)


class _ConstantTagger(ClassifierMixin, BaseEstimator):
    """Predicts the most frequent tag for every token."""

    def __init__(self, classes: Any) -> None:
        self.classes = classes

    def fit(self, X: Any, y: Any) -> "_ConstantTagger":
        ((self.tag_, _),) = Counter(all_labels(y)).most_common(1)
        self.classes_ = self.classes
        return self

    def predict(self, X: Any) -> list[list[Any]]:
        return [[self.tag_] * len(row) for row in X]
