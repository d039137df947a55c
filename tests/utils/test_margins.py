"""Margins: by how much each answer of a model is right."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import SVC

from skal.answers._margins import margins, margins_of
from skal.datasets import make_intents, make_tagged_sentences
from skal.nets import BiLSTMTagger, EmbeddingBagClassifier
from skal.oracle.evaluation._sample import some_rows
from skal.problem import Problem


class Answers(LogisticRegression):
    predict_proba = decision_function = property()

    def predict(self, X):
        return self.classes_[(X @ self.coef_.T + self.intercept_).argmax(axis=1)]


def by_hand(scores, codes):
    found = []
    for row, code in zip(scores, codes, strict=True):
        others = [value for k, value in enumerate(row) if k != code]
        found.append(-16 if code < 0 else np.clip(row[code] - max(others), -16, 16))
    return np.array(found, dtype=np.float16)


def test_against_brute_force():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(50, 4)) * 10
    codes = rng.integers(-1, 4, size=50)
    kept = scores.copy()
    np.testing.assert_array_equal(margins(scores, codes), by_hand(scores, codes))
    np.testing.assert_array_equal(scores, kept)


@pytest.fixture(scope="module", params=[2, 3])
def blobs(request):
    X, y = make_blobs(150, centers=request.param, cluster_std=4, random_state=0)
    return X, np.array(["a", "b", "c"])[y]


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        RidgeClassifier(),
        SVC(),
        SVC(decision_function_shape="ovo"),
        Answers(),
    ],
    ids=["probabilities", "decisions", "votes", "pairs", "answers"],
)
def test_positive_where_a_classifier_is_right(blobs, model):
    X, y = blobs
    model.fit(X[:60], y[:60])
    found = margins_of(model, X[60:], y[60:])
    assert found.shape == (90,)
    assert found.dtype == np.float16
    is_right = model.predict(X[60:]) == y[60:]
    assert 0 < is_right.sum() < 90
    np.testing.assert_array_equal(found > 0, is_right)


def test_logistic_margins_are_differences_of_log_probabilities(blobs):
    X, y = blobs
    model = LogisticRegression().fit(X, y)
    logs = model.predict_log_proba(X)
    expected = by_hand(logs, np.searchsorted(model.classes_, y))
    np.testing.assert_allclose(margins_of(model, X, y), expected, atol=2e-2)


def test_a_class_that_the_model_does_not_know_is_as_wrong_as_can_be(blobs):
    X, y = blobs
    model = LogisticRegression().fit(X, y)
    assert (margins_of(model, X, np.full(len(X), "z")) == -16).all()


def test_one_for_each_tag():
    X, y = make_tagged_sentences(30, random_state=0)
    model = BiLSTMTagger(embedding_dim=4, max_epochs=3).fit(X, y)
    found = margins_of(model, X, y)
    pairs = zip(y, model.predict(X), strict=True)
    is_right = [a == b for tags, said in pairs for a, b in zip(tags, said, strict=True)]
    np.testing.assert_array_equal(found > 0, is_right)


@pytest.mark.parametrize(
    ("net", "data"),
    [
        (EmbeddingBagClassifier(embedding_dim=6, max_epochs=4), make_intents),
        (
            BiLSTMTagger(embedding_dim=6, max_epochs=4),
            make_tagged_sentences,
        ),
    ],
    ids=["sentences", "tags"],
)
def test_nets_side_by_side_have_those_of_the_fitted_estimator(net, data):
    X, y = data(80, random_state=0)
    many = net.set_params(random_state=0).side_by_side(X, y)
    sets = [np.arange(20), np.arange(10, 45)]
    sample = np.arange(3, 60, 2)
    found = many.judge(sets, X, y, lambda model, X, y: 0.5, sample)
    for model, (score, seen) in zip(many.fit(sets), found, strict=True):
        assert score == 0.5
        expected = margins_of(model, [X[i] for i in sample], [y[i] for i in sample])
        np.testing.assert_allclose(seen, expected, atol=2e-3)


class TestSomeRows:
    def make(self, y_val):
        X = np.zeros((4, 2))
        return Problem.from_sets(
            {
                "X": X, "y": np.arange(4) % 2, "X_val": np.zeros((len(y_val), 2)),
                "y_val": y_val,
            },
            LogisticRegression(), batch_size=1, n_rounds=2, scoring="accuracy",
        )  # fmt: skip

    def test_all_of_a_small_set(self):
        rows = some_rows(self.make(np.arange(3999) % 2))
        np.testing.assert_array_equal(rows, np.arange(3999))

    def test_a_part_of_a_large_one(self):
        rows = some_rows(self.make(np.arange(9000) % 2))
        assert len(set(rows)) == 4000
        assert (np.diff(rows) > 0).all()
        assert rows.max() > 8000
