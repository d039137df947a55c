"""Rows that IDMR sorts into clusters as a Pipeline prepares them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skal import IDMR, ActiveLearner, Margin, Random
from skal.datasets import make_intents
from skal.strategies._prepare import Preparation

rng = np.random.default_rng(3)
N = 150
FRAME = pd.DataFrame(
    {"size": rng.normal(size=N), "kind": rng.choice(["oak", "elm", "ash"], N)}
)


def as_points(rows, model, seed):
    return Preparation(model, seed, "").fit_transform(rows)


Y = (FRAME["size"] > 0).to_numpy().astype(int)
COLUMNS = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")


def run(model, rows, y=Y, strategy=None, **params):
    learner = ActiveLearner(
        model, strategy or IDMR(Margin(), n_bins=3), batch_size=5, n_rounds=2,
        random_state=0,
    )  # fmt: skip
    return learner.fit(rows, y, **params)


@pytest.mark.parametrize("bins", ["kmeans", "tsne"])
@pytest.mark.parametrize("kind", [pd.DataFrame, lambda X: pl.DataFrame(dict(X))])
def test_a_mixed_frame_is_clustered_as_the_pipeline_sees_it(kind, bins):
    strategy = IDMR(Random(), bins=bins, n_bins=3)
    model = make_pipeline(COLUMNS, LogisticRegression())
    learner = run(model, kind(FRAME), strategy=strategy)
    assert len(np.unique(learner.strategy_.bins_)) == 3
    again = run(model, kind(FRAME), strategy=strategy)
    assert (again.strategy_.bins_ == learner.strategy_.bins_).all()


def test_the_clusters_are_those_of_the_prepared_rows():
    model = make_pipeline(COLUMNS, LogisticRegression())
    points = as_points(FRAME, model, 0)
    expected = COLUMNS.fit_transform(FRAME)
    np.testing.assert_array_equal(points, expected)


def test_rows_of_numbers_are_clustered_as_they_are():
    rows = rng.normal(size=(40, 2)) * [1, 100]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    for given in (rows, pd.DataFrame(rows, columns=["a", "b"])):
        assert as_points(given, model, 0) is given
    found = IDMR(Random(), n_bins=2, random_state=0).fit(rows)
    plain = KMeans(2, n_init=10, random_state=found.seed_).fit_predict(rows)
    assert (np.unique(plain, return_inverse=True)[1] == found.bins_).all()


def test_sentences_are_clustered_by_the_words_that_the_pipeline_counts():
    X, y = make_intents(120, random_state=0)
    learner = run(make_pipeline(TfidfVectorizer(), LogisticRegression()), X, y)
    assert len(np.unique(learner.strategy_.bins_)) == 3


def test_gaps_take_the_mean_of_their_column():
    rows = np.array([[0.0, 1.0], [np.nan, 3.0], [4.0, np.nan]])
    points = as_points(rows, HistGradientBoostingClassifier(), 0)
    np.testing.assert_array_equal(points, [[0, 1], [2, 3], [4, 2]])
    model = make_pipeline(SimpleImputer(strategy="most_frequent"), LogisticRegression())
    np.testing.assert_array_equal(as_points(rows, model, 0)[1], [0, 3])
    empty = np.c_[rows, [np.nan] * 3]
    assert np.isfinite(as_points(empty, None, 0)).all()


def test_gaps_that_the_model_takes_are_no_obstacle():
    rows = FRAME[["size"]].mask(rng.random((N, 1)) < 0.2)
    model = HistGradientBoostingClassifier(max_iter=2)
    for given in (rows, rows.to_numpy()):
        assert len(run(model, given).order_) == 10


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingClassifier(max_iter=2, categorical_features=["kind"]),
        make_pipeline(COLUMNS, SelectKBest(k=1), LogisticRegression()),
    ],
    ids=["no steps", "a step that needs labels"],
)
def test_rows_that_cannot_be_prepared_name_bins(model):
    frame = FRAME.astype({"kind": "category"})
    with pytest.raises(ValueError, match="Set `bins` of IDMR to a function of rows"):
        run(model, frame)
    by_kind = IDMR(Margin(), bins=lambda X: X["kind"])
    assert len(run(model, frame, strategy=by_kind).order_) == 10
