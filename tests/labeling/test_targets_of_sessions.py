"""Every kind of target, and every kind of rows."""

from itertools import chain, compress

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline

from skal import CoreSet, GreedySampling, Herding, Margin, MaxEntropy, Random

X = np.random.default_rng(0).normal(size=(60, 3))
SIGN = X > 0
TEXTS = [f"word{i % 7} {'good' if i % 2 else 'bad'} {i}" for i in range(60)]
TOKENS = [[f"w{i}", "London" if i % 3 else "and"] for i in range(60)]


class Lookup(ClassifierMixin, BaseEstimator):
    """A tagger that remembers the tag of each token."""

    def fit(self, X, y):
        self.tags_ = dict(zip(chain(*X), chain(*y), strict=True))
        self.classes_ = np.unique([tag for row in y for tag in row])
        return self

    def predict(self, X):
        return [[self.tags_.get(t, self.classes_[0]) for t in row] for row in X]


def run(session, label, n=8, rounds=3):
    for _ in range(rounds):
        for question in session.ask(n):
            session.tell(question, label(question.id))
    assert session.progress().n_labelled == n * rounds
    return session.ask(1)[0]


def test_numbers(open_session):
    session = open_session(X, estimator=LinearRegression(), strategy=GreedySampling())
    question = run(session, lambda i: X[i].sum())
    assert question.prediction == pytest.approx(X[question.id].sum())


def test_several_numbers(open_session):
    session = open_session(
        X, estimator=LinearRegression(), strategy=CoreSet(), target="numbers"
    )
    question = run(session, lambda i: X[i] * 2)
    assert question.prediction == pytest.approx(X[question.id] * 2)


def test_several_labels_by_name(open_session):
    names = ["sports", "politics", "music"]
    session = open_session(
        X,
        estimator=MultiOutputClassifier(LogisticRegression()),
        strategy=MaxEntropy(over_labels="mean"),
        target="labels",
        classes=names,
    )
    question = run(session, lambda i: [*compress(names, SIGN[i])][::-1])
    assert set(question.prediction) <= set(names)
    label = next(iter(session.labels().values()))
    assert label == [name for name in names if name in label]


def test_several_classes(open_session):
    session = open_session(
        X, estimator=RandomForestClassifier(5), strategy=Random(), target="classes"
    )
    question = run(session, lambda i: [int(SIGN[i, 0]), 2 + int(SIGN[i, 1])])
    assert question.prediction[1] in (2, 3)


def test_tags(open_session):
    session = open_session(
        TOKENS,
        estimator=Lookup(),
        strategy=Random(),
        target="tags",
        classes=["O", "B-PLACE"],
    )
    question = run(
        session, lambda i: ["B-PLACE" if w == "London" else "O" for w in TOKENS[i]]
    )
    assert question.row == TOKENS[question.id]
    assert question.prediction[1] == ("B-PLACE" if question.id % 3 else "O")
    with pytest.raises(ValueError, match="3 tags, and the row has 2 tokens"):
        session.tell(question, ["O", "O", "O"])


@pytest.mark.parametrize(
    "rows",
    [
        pd.DataFrame(X, columns=list("abc")),
        pl.DataFrame(X, schema=list("abc")),
        sparse.csr_matrix(np.where(SIGN, X, 0)),
        X.tolist(),
    ],
    ids=["pandas", "polars", "sparse", "list"],
)
def test_rows(open_session, rows):
    session = open_session(rows)
    question = run(session, lambda i: bool(SIGN[i, 0]))
    if hasattr(rows, "columns"):
        assert question.row == pytest.approx(
            dict(zip("abc", X[question.id], strict=True))
        )
    session.close()
    again = open_session(rows)
    assert again.ask(1)[0].id == question.id
    assert again.history()["kind"].count("added") == 1


def test_texts(open_session):
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    session = open_session(TEXTS, estimator=pipeline)
    question = run(session, lambda i: "good" if i % 2 else "bad")
    assert question.row == TEXTS[question.id]
    assert session.model_.predict(["good", "bad"]).tolist() == ["good", "bad"]


def test_rows_that_are_paths(open_session):
    paths = [f"images/{i:03}.png" for i in range(40)]
    pipeline = make_pipeline(TfidfVectorizer(analyzer="char"), LogisticRegression())
    session = open_session(paths, ids=paths, estimator=pipeline, strategy=Herding())
    question = session.ask()[0]
    session.tell(question.id, "cat")
    assert session.labels() == {question.row: "cat"}


def test_numbers_read_again_from_a_file_are_the_same_rows(open_session, tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.1, 0.2, 0.3]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    open_session(frame).close()
    read = pd.read_csv(tmp_path / "rows.csv").astype({"a": float})
    assert open_session(read).progress().n_rows == 3


def test_the_median_of_numbers(open_session):
    session = open_session(
        X,
        estimator=RandomForestRegressor(5),
        strategy=GreedySampling(),
        resolve="majority",
    )
    for by, number in [("anna", 1.0), ("bob", 5), ("carl", 2.0)]:
        session.tell(0, number, by=by)
    assert session.labels() == {0: 2.0}


def test_margin_of_text_classes_sorted_by_user(open_session):
    session = open_session(X, classes=["yes", "no"], strategy=Margin())
    run(session, lambda i: "yes" if SIGN[i, 0] else "no")
    assert list(session.progress().classes) == ["yes", "no"]
    assert session.model_.classes_.tolist() == ["no", "yes"]
