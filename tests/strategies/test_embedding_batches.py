"""Edge cases that every strategy that spreads a batch over embeddings must stand."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skal import (
    BADGE,
    BAIT,
    IDMR,
    ActiveLearner,
    ClusterMargin,
    CoreSet,
    DropQuery,
    Then,
    TypiClust,
)
from skal.answers._fixed_classes import FixedClasses
from skal.answers._needs import works_from_nothing
from skal.strategies import Labelled
from skal.utils.estimator_checks import parametrize_with_strategy_checks

# Scaled rows are centred if they are dense, and not if they are sparse.
SCALED = StandardScaler(with_mean=False)
STRATEGIES = [
    CoreSet(),
    BADGE(),
    TypiClust(),
    DropQuery(),
    ClusterMargin(),
    BAIT(),
]
every_strategy = pytest.mark.parametrize(
    "strategy", STRATEGIES, ids=lambda strategy: type(strategy).__name__
)


@parametrize_with_strategy_checks(
    [
        *(type(strategy)(embedding=SCALED) for strategy in STRATEGIES),
        Then(TypiClust(embedding=SCALED), BADGE(embedding=SCALED), n_first=15),
        IDMR(CoreSet(embedding=SCALED), n_bins=2),
    ]
)
def test_contract(check):
    check()


def blobs(n_rows=60):
    return make_blobs(n_rows, centers=3, n_features=4, cluster_std=3, random_state=0)


def select(strategy, X, n, y=None, **given):
    """Return a selection after a model was trained on the first ten rows."""
    y = np.arange(X.shape[0]) % 3 if y is None else y
    model = LogisticRegression(max_iter=1000).fit(X[:10], y[:10])
    labelled = Labelled(X[:10], y[:10], np.arange(10))
    strategy.set_params(random_state=0).fit(X)
    given = {"candidates": np.arange(10, X.shape[0]), "labelled": labelled, **given}
    return strategy.select(model, X, n, **given)


@every_strategy
def test_all_candidates_are_selected_in_the_end(strategy):
    X, y = blobs()
    for n in (1, 49, 50):
        assert len(set(select(strategy, X, n, y).tolist())) == n
    assert select(strategy, X, 1, y, candidates=[33]).tolist() == [33]


@every_strategy
def test_duplicates_are_told_apart_by_the_seed(strategy):
    X = np.ones((60, 4))
    assert len(set(select(strategy, X, 50).tolist())) == 50
    X = np.repeat(blobs(6)[0], 10, axis=0)
    assert len(set(select(strategy, X, 45).tolist())) == 45


@every_strategy
def test_constant_columns_do_not_matter(strategy):
    X, y = blobs()
    wide = np.column_stack([X, np.full(60, 7.0)])
    assert select(strategy, wide, 8, y).shape == (8,)


@every_strategy
def test_a_class_may_be_missing(strategy):
    X, y = blobs()
    seen = np.flatnonzero(y[:20] != 1)
    model = LogisticRegression(max_iter=1000).fit(X[seen], y[seen])
    labelled = Labelled(X[seen], y[seen], seen)
    fitted = FixedClasses(model, np.arange(3))
    found = strategy.fit(X).select(fitted, X, 8, labelled=labelled)
    assert len(set(found.tolist())) == 8


@every_strategy
def test_missing_numbers_in_embeddings_are_refused(strategy):
    X, y = blobs()

    def with_gaps(X):
        return np.where(X > 3, np.nan, X)

    holes = FunctionTransformer(with_gaps)
    with pytest.raises(ValueError, match="missing or infinite numbers: let a step"):
        select(type(strategy)(embedding=holes), X, 3, y)


@every_strategy
@pytest.mark.parametrize("container", [pd.DataFrame, sparse.csr_matrix])
def test_containers_of_rows(strategy, container):
    X, y = blobs()
    kind = type(strategy)
    scaled = StandardScaler(with_mean=False)
    expected = select(kind(embedding=scaled), X, 8, y).tolist()
    model = LogisticRegression(max_iter=1000).fit(container(X[:10]), y[:10])
    labelled = Labelled(container(X[:10]), y[:10], np.arange(10))
    other = kind(embedding=scaled, random_state=0).fit(container(X))
    rows = np.arange(10, 60)
    found = other.select(model, container(X), 8, candidates=rows, labelled=labelled)
    assert sorted(found.tolist()) == sorted(expected)


@every_strategy
def test_no_label_yet(strategy):
    X, y = blobs()
    sizes = {"warm_size": 0, "batch_size": 5, "n_rounds": 2, "random_state": 0}
    learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy, **sizes)
    if works_from_nothing(strategy):
        assert learner.fit(X, y).order_.shape == (10,)
    else:
        with pytest.raises(ValueError, match="needs a model in the first round"):
            learner.fit(X, y)


@every_strategy
def test_a_single_class_is_labelled(strategy):
    X, y = blobs(90)
    one = np.flatnonzero(y == 0)[:4]
    rest = np.setdiff1d(np.arange(90), one)
    sets = {"X_warm": X[one], "y_warm": y[one]}
    learner = ActiveLearner(
        LogisticRegression(max_iter=1000), strategy, batch_size=5, n_rounds=2
    ).set_params(random_state=0)
    assert learner.fit(X[rest], y[rest], **sets).order_.shape == (10,)
