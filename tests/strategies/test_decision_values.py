"""Uncertainty by decision values, where a model has no probabilities."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine, make_classification
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC

from skal import ActiveLearner, LeastConfidence, Margin, MaxEntropy
from skal.answers._decisions import class_scores

X, Y = load_wine(return_X_y=True)
X2, Y2 = make_classification(150, random_state=2)
MODELS = [
    SVC(),
    SVC(gamma="auto"),
    NuSVC(nu=0.2),
    LinearSVC(),
    RidgeClassifier(),
    SGDClassifier(),
]


def scaled(model):
    return make_pipeline(StandardScaler(), model)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_rows_of_two_classes_are_those_closest_to_the_boundary(model):
    fitted = scaled(model).fit(X2[:60], Y2[:60])
    nearest = np.argsort(np.abs(fitted.decision_function(X2)), kind="stable")[:8]
    for strategy in (Margin(random_state=0), LeastConfidence(random_state=0)):
        assert strategy.fit(X2).select(fitted, X2, 8).tolist() == nearest.tolist()


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_two_highest_values_of_several_classes(model):
    fitted = scaled(model).fit(X[::3], Y[::3])
    values = np.sort(fitted.decision_function(X), axis=1)
    by_margin = np.argsort(values[:, -1] - values[:, -2], kind="stable")[:8]
    assert (
        Margin(random_state=0).fit(X).select(fitted, X, 8).tolist()
        == by_margin.tolist()
    )
    by_highest = np.argsort(values[:, -1], kind="stable")[:8]
    found = LeastConfidence(random_state=0).fit(X).select(fitted, X, 8)
    assert found.tolist() == by_highest.tolist()


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_learner_follows_them_while_a_class_is_missing(model):
    order = np.argsort(Y, kind="stable")
    learner = ActiveLearner(
        scaled(model), Margin(), batch_size=4, n_rounds=3, random_state=0
    )
    rest = order[40:]
    learner.fit(X[rest], Y[rest], X_warm=X[order[:40:10]], y_warm=Y[order[:40:10]])
    assert len(learner.order_) == 12


def test_probabilities_come_first():
    model = scaled(LogisticRegression()).fit(X[::3], Y[::3])
    np.testing.assert_array_equal(class_scores(model, X), model.predict_proba(X))


@pytest.mark.parametrize("data", [load_iris, load_wine])
def test_values_of_pairs_of_classes_are_refused(data):
    rows, labels = data(return_X_y=True)
    model = scaled(SVC(decision_function_shape="ovo")).fit(rows, labels)
    with pytest.raises(ValueError, match='set decision_function_shape="ovr"'):
        Margin().fit(rows).select(model, rows, 3)


def test_entropy_needs_probabilities():
    with pytest.raises(TypeError, match="MaxEntropy needs class probabilities"):
        ActiveLearner(LinearSVC(), MaxEntropy(), n_rounds=2).fit(X, Y)
