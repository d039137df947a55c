"""Methods of the user's own, which a strategy needs, through Pipelines and wrappers."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner
from skal.answers._fixed_classes import FixedClasses
from skal.answers._methods import has_method, with_methods
from skal.nets import MLP, TorchClassifier
from skal.strategies import RankingStrategy


class Far(RankingStrategy):
    """Chooses the rows with the longest embeddings."""

    needs = ("embed",)

    def __init__(self, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return np.linalg.norm(estimator.embed(X[candidates]), axis=1)


class Embedding(LogisticRegression):
    """Embeds a row as its logits, shifted by a number that the caller may give."""

    def embed(self, X, shift=0.0):
        return X @ self.coef_.T + self.intercept_ + shift


@pytest.fixture
def run(blobs):
    def fit(estimator, **params):
        params = {"batch_size": 5, "n_rounds": 3, "random_state": 0} | params
        return ActiveLearner(estimator, Far(), **params).fit(*blobs)

    return fit


def test_embeddings_of_a_net_and_of_a_pipeline_with_a_net(run):
    net = TorchClassifier(MLP, max_epochs=2)
    assert run(net).curve_.shape == (4,)
    assert run(make_pipeline(StandardScaler(), net)).curve_.shape == (4,)


def test_a_method_of_the_last_step_sees_transformed_rows(blobs, run):
    X, _ = blobs
    pipeline = make_pipeline(StandardScaler(), Embedding())
    learner = run(pipeline)
    model = with_methods(learner.estimator_, ("embed",))
    scaled = learner.estimator_[:-1].transform(X)
    expected = learner.estimator_[-1].embed(scaled, shift=2.0)
    np.testing.assert_array_equal(model.embed(X, shift=2.0), expected)
    np.testing.assert_array_equal(model.predict(X), learner.predict(X))
    # The strategy chooses as if it were given the transformed rows and the last step.
    by_hand = Far(random_state=0).fit(scaled).select(learner.estimator_[-1], scaled, 9)
    found = Far(random_state=0).fit(X).select(learner.estimator_, X, 9)
    np.testing.assert_array_equal(found, by_hand)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_method_is_visible_while_a_class_is_missing(blobs, run, scaled):
    X, y = blobs
    rows = np.flatnonzero(y < 2)[:6]
    model = make_pipeline(StandardScaler(), Embedding()) if scaled else Embedding()
    learner = ActiveLearner(model, Far(), batch_size=5, n_rounds=3, random_state=0)
    others = np.setdiff1d(np.arange(len(X)), rows)
    learner.fit(X[others], y[others], X_warm=X[rows], y_warm=y[rows])
    assert len(learner.classes_) == 3
    fitted = model.fit(X[rows], y[rows])
    wrapped = FixedClasses(fitted, learner.classes_)
    assert has_method(wrapped, "embed")
    view = with_methods(wrapped, ("embed", "predict_proba"))
    assert view.embed(X).shape == (len(X), 1)
    assert view.predict_proba(X).shape == (len(X), 3)


def test_a_method_that_is_nowhere_is_refused_before_anything_is_trained(run):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    with pytest.raises(TypeError, match=r"Far needs embeddings of the rows, but Pipe"):
        run(pipeline)
    assert not has_method(FixedClasses(LogisticRegression(), [0, 1]), "embed")
    with pytest.raises(AttributeError, match="has no method 'embed'"):
        with_methods(LogisticRegression(), ("embed",)).embed([[1.0]])
