"""Semi-supervised models, which see the rows of the pool that are not labelled yet."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skal import ActiveLearner, AnnealingOracle, Margin, Random, split
from skal.inputs._checks import uses_unlabelled

SIZES = {"batch_size": 5, "n_rounds": 3, "random_state": 0}
shown = []


class Spy(ClassifierMixin, BaseEstimator):
    """Notes what it is trained on."""

    uses_unlabelled = True

    def fit(self, X, y, sample_weight=None):
        shown.append((X, y, sample_weight))
        is_known = y != -1
        self.model_ = GaussianNB().fit(X[is_known], y[is_known].astype(y.dtype))
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)


@pytest.fixture(autouse=True)
def forget():
    shown.clear()


def test_open_rows_have_the_label_minus_one(blobs):
    X, y = blobs
    weights = np.arange(len(X), dtype=float)
    learner = ActiveLearner(Spy(), Random(), warm_size=10, **SIZES)
    learner.fit(X, y, sample_weight=weights)
    n_open = [int((labels == -1).sum()) for _, labels, _ in shown]
    assert n_open == [50, 45, 40, 35]
    row_of = {tuple(row): i for i, row in enumerate(X)}
    for k, (rows, labels, given) in enumerate(shown):
        numbers = np.array([row_of[tuple(row)] for row in rows])
        known = labels != -1
        np.testing.assert_array_equal(labels[known], y[numbers[known]])
        np.testing.assert_array_equal(given, weights[numbers])
        assert set(learner.order_[: 5 * k]) <= set(numbers[known])


def test_only_the_labels_of_labelled_rows_reach_the_model(blobs):
    """Other labels of the rows that stay open change nothing."""
    sets = split(*blobs, warm_size=10, val_size=20, test_size=20, random_state=0)
    learner = ActiveLearner(LabelSpreading(gamma=0.1), Random(), **SIZES)
    curve = learner.fit(**sets).curve_
    stays_open = np.setdiff1d(np.arange(len(sets["y"])), learner.order_)
    sets["y"][stays_open] = (sets["y"][stays_open] + 1) % 3
    np.testing.assert_array_equal(learner.fit(**sets).curve_, curve)


@pytest.mark.parametrize(
    "estimator",
    [
        SelfTrainingClassifier(GaussianNB()),
        make_pipeline(StandardScaler(), SelfTrainingClassifier(LogisticRegression())),
        LabelSpreading(gamma=0.1),
        make_pipeline(StandardScaler(), LabelSpreading(kernel="knn")),
    ],
)
@pytest.mark.parametrize("strategy", [Margin(), AnnealingOracle(n_steps=5)])
def test_semi_supervised_classifiers_of_scikit_learn_run(blobs, estimator, strategy):
    learner = ActiveLearner(estimator, strategy, warm_size=10, **SIZES).fit(*blobs)
    assert np.isfinite(learner.curve_).all()
    assert learner.classes_.tolist() == [0, 1, 2]
    assert uses_unlabelled(estimator)


def test_labels_may_be_text(blobs):
    X, y = blobs
    names = np.array(["ash", "beech", "cedar"])
    estimator = SelfTrainingClassifier(GaussianNB())
    learner = ActiveLearner(estimator, Margin(), warm_size=10, **SIZES)
    by_number = learner.fit(X, y).curve_
    np.testing.assert_array_equal(learner.fit(X, names[y]).curve_, by_number)


def test_unlabelled_rows_count(blobs):
    """The model is not the one that labelled rows alone would give."""
    learner = ActiveLearner(LabelSpreading(gamma=0.1), Random(), **SIZES).fit(*blobs)
    assert len(learner.estimator_.transduction_) == 60
    labelled = np.r_[learner.order_]
    alone = LabelSpreading(gamma=0.1).fit(blobs[0][labelled], blobs[1][labelled])
    X = blobs[0]
    both = learner.estimator_.predict_proba(X), alone.predict_proba(X)
    assert not np.allclose(*both)


def test_a_class_must_not_be_called_minus_one(blobs):
    X, y = blobs
    learner = ActiveLearner(SelfTrainingClassifier(GaussianNB()), Random(), **SIZES)
    with pytest.raises(ValueError, match="takes the label -1 for rows without"):
        learner.fit(X, y - 1)
    ActiveLearner(GaussianNB(), Random(), **SIZES).fit(X, y - 1)
