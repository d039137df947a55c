"""Greedy sampling and LCMD: the rows that all pairwise distances would choose."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputRegressor
from sklearn.preprocessing import FunctionTransformer

from skal import LCMD, CoreSet, GreedySampling
from skal.strategies import Labelled

AS_THEY_ARE = FunctionTransformer(accept_sparse=True)
containers = pytest.mark.parametrize(
    "container", [np.asarray, sparse.csr_matrix, sparse.csr_array]
)


def task(seed, n_outputs=None):
    """Return rows, targets, the labelled rows and a model trained on them."""
    rng = np.random.default_rng(seed)
    # In single precision, as embeddings are, and predicted from in double precision.
    X = rng.normal(size=(60, 3)).astype(np.float32).astype(np.float64)
    shape = 60 if n_outputs is None else (60, n_outputs)
    y = 1e6 + rng.normal(size=shape)
    rows = np.array([5, 7, 30, 31])
    return X, y, rows, LinearRegression().fit(X[rows], y[rows])


def farthest(distances_between, candidates, labelled, n):
    """Return the farthest candidates by all pairwise distances."""
    near, picked = list(labelled), []
    for _ in range(n):
        least = [min(distances_between(i, j) for j in near) for i in candidates]
        picked.append(candidates[int(np.argmax(least))])
        near.append(picked[-1])
    return picked


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("space", ["x", "y", "xy"])
@pytest.mark.parametrize("n_outputs", [None, 2])
@containers
def test_the_farthest_rows_are_picked(seed, space, n_outputs, container):
    X, y, rows, model = task(seed, n_outputs)
    # The label of a labelled row, and the prediction for any other one.
    known = model.predict(X)
    known[rows] = y[rows]

    def distance(i, j):
        in_x = np.linalg.norm(X[i] - X[j])
        in_y = np.linalg.norm(known[i] - known[j])
        return {"x": in_x, "y": in_y, "xy": in_x * in_y}[space]

    candidates = np.setdiff1d(np.arange(60), rows)
    strategy = GreedySampling(space, embedding=AS_THEY_ARE).fit(container(X))
    labelled = Labelled(container(X[rows]), y[rows], rows)
    found = strategy.select(
        model, container(X), 12, candidates=candidates, labelled=labelled
    )
    assert found.tolist() == farthest(distance, candidates, rows, 12)


@pytest.mark.parametrize("seed", range(3))
def test_products_by_blocks_are_those_of_all_at_once(seed, monkeypatch):
    monkeypatch.setattr("skal.strategies._points.IN_CACHE", 1)
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(1500, 2)), rng.normal(size=1500)
    model, rows = LinearRegression().fit(X, y), np.arange(700)
    labelled = Labelled(X[rows], y[rows], rows)
    strategy = GreedySampling("xy", embedding=AS_THEY_ARE).fit(X)
    candidates = np.arange(700, 1500)
    found = strategy.select(model, X, 1, candidates=candidates, labelled=labelled)
    in_x = np.linalg.norm(X[candidates, None] - X[rows], axis=2)
    in_y = np.abs(model.predict(X[candidates])[:, None] - y[rows])
    assert found[0] == candidates[(in_x * in_y).min(axis=1).argmax()]


def test_by_inputs_it_is_the_core_set_from_nothing_on():
    X = task(0)[0]
    for labelled in (None, Labelled(X[:3], np.zeros(3), np.arange(3))):
        found, expected = (
            strategy.fit(X).select(None, X, 20, labelled=labelled).tolist()
            for strategy in (GreedySampling(random_state=0), CoreSet(random_state=0))
        )
        assert found == expected


@pytest.mark.parametrize("space", ["y", "xy"])
def test_a_model_that_nothing_is_labelled_for_begins_in_the_middle(space):
    X, _, _, model = task(0)
    none = Labelled(X[:0], np.zeros(0), np.arange(0))
    strategy = GreedySampling(space, embedding=AS_THEY_ARE).fit(X)
    found = strategy.select(model, X, 10, labelled=none)
    middle = model.predict(X)[:, None] if space == "y" else X
    nearest = np.linalg.norm(middle - middle.mean(axis=0), axis=1).argmin()
    assert found[0] == nearest
    assert len(set(found.tolist())) == 10


@pytest.mark.parametrize("space", ["y", "xy"])
def test_equal_predictions_are_told_apart_by_the_seed(space):
    X, y, rows, _ = task(0)
    model = DummyRegressor().fit(X, y)
    labelled = Labelled(X[rows], np.repeat(y.mean(), 4), rows)
    rest = np.setdiff1d(np.arange(60), rows)
    picks = [
        GreedySampling(space, random_state=seed)
        .fit(X)
        .select(model, X, 56, candidates=rest, labelled=labelled)
        .tolist()
        for seed in range(3)
    ]
    assert all(sorted(pick) == rest.tolist() for pick in picks)
    assert len({tuple(pick) for pick in picks}) == 3


def test_predictions_need_no_rows_of_numbers():
    texts = np.array([["a"], ["bb"], ["ccc"], ["dddd"]], dtype=object)

    class Length(RegressorMixin, BaseEstimator):
        def predict(self, X):
            return np.array([len(row[0]) for row in X])

    labelled = Labelled(texts[:1], [1.0], np.arange(1))
    strategy = GreedySampling("y").fit(texts)
    found = strategy.select(Length(), texts, 1, candidates=[1, 2, 3], labelled=labelled)
    assert found.tolist() == [3]


def test_a_classifier_and_labels_that_are_no_numbers_are_refused():
    X, y, rows, model = task(0)
    strategy = GreedySampling("y").fit(X)
    classifier = LogisticRegression().fit(X, y > np.median(y))
    labelled = Labelled(X[rows], y[rows], rows)
    with pytest.raises(TypeError, match=r"needs predicted numbers, .* a regressor"):
        strategy.select(classifier, X, 2, labelled=labelled)
    words = Labelled(X[rows], ["a", "b", "c", "d"], rows)
    with pytest.raises(ValueError, match=r"the labels must be numbers .*: choose a"):
        strategy.select(model, X, 2, labelled=words)
    with pytest.raises(ValueError, match="pass labelled="):
        strategy.select(model, X, 2)


def test_predictions_that_are_not_finite_are_refused():
    X, y, rows, _ = task(0)

    class Lost(LinearRegression):
        def predict(self, X):
            return np.full(len(X), np.nan)

    labelled = Labelled(X[rows], y[rows], rows)
    with pytest.raises(ValueError, match="the predictions of Lost must be one finite"):
        GreedySampling("y").fit(X).select(Lost().fit(X, y), X, 2, labelled=labelled)


def largest_cluster(X, candidates, labelled, n):
    """Return the picks of LCMD by all pairwise distances."""
    centres, picked = list(labelled), []
    for _ in range(n):
        squared = ((X[candidates, None] - X[centres]) ** 2).sum(axis=2)
        owner, least = squared.argmin(axis=1), squared.min(axis=1)
        sizes = [least[owner == c].sum() for c in range(len(centres))]
        inside = np.where(owner == np.argmax(sizes), least, -1)
        picked.append(candidates[int(inside.argmax())])
        centres.append(picked[-1])
    return picked


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_labelled", [1, 4, 20])
@containers
def test_the_farthest_rows_of_the_largest_clusters_are_picked(
    seed, n_labelled, container
):
    X = np.random.default_rng(seed).normal(size=(80, 3)).astype(np.float32)
    rows, candidates = np.arange(n_labelled), np.arange(n_labelled, 80)
    labelled = Labelled(container(X[rows]), np.zeros(n_labelled), rows)
    strategy = LCMD(embedding=AS_THEY_ARE).fit(container(X))
    found = strategy.select(
        None, container(X), 25, candidates=candidates, labelled=labelled
    )
    expected = largest_cluster(X.astype(float), candidates, rows, 25)
    assert found.tolist() == expected
    core_set = CoreSet(embedding=AS_THEY_ARE).fit(container(X))
    assert (
        expected
        != core_set.select(
            None, container(X), 25, candidates=candidates, labelled=labelled
        ).tolist()
    )


def test_clusters_by_blocks_are_those_of_all_at_once(monkeypatch):
    monkeypatch.setattr("skal.strategies._points.IN_CACHE", 1)
    X = np.random.default_rng(0).normal(size=(1300, 2))
    rows, candidates = np.arange(600), np.arange(600, 1300)
    labelled = Labelled(X[rows], np.zeros(600), rows)
    strategy = LCMD(embedding=AS_THEY_ARE).fit(X)
    found = strategy.select(None, X, 5, candidates=candidates, labelled=labelled)
    X = X.astype(np.float32).astype(float)
    assert found.tolist() == largest_cluster(X, candidates, rows, 5)


def test_duplicates_come_last():
    X = np.repeat(np.arange(4.0), 5)[:, None]
    order = LCMD(embedding=AS_THEY_ARE, random_state=0).fit(X).select(None, X, 20)
    assert sorted(order.tolist()) == list(range(20))
    assert len(set(X[order[:4], 0])) == 4


@pytest.mark.parametrize("space", ["y", "xy"])
def test_several_outputs_of_any_regressor(space):
    X, y, rows, _ = task(1, n_outputs=3)
    model = MultiOutputRegressor(LinearRegression()).fit(X[rows], y[rows])
    labelled = Labelled(X[rows], y[rows], rows)
    found = GreedySampling(space).fit(X).select(model, X, 7, labelled=labelled)
    assert len(set(found.tolist())) == 7
