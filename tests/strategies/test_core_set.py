import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skal import ActiveLearner, CoreSet
from skal.strategies import Labelled
from skal.strategies._points import Points


def brute_force(candidates, labelled, n):
    """Return the farthest rows by all pairwise distances."""
    near, picked = list(labelled), []
    for _ in range(n):
        distances = [min(((x - y) ** 2).sum() for y in near) for x in candidates]
        picked.append(int(np.argmax(distances)))
        near.append(candidates[picked[-1]])
    return picked


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_the_farthest_rows_are_picked(seed, container):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3)).astype(np.float32)
    rows = np.array([5, 7, 30])
    warm = rng.normal(size=(2, 3)).astype(np.float32)
    near = np.concatenate([warm, X[rows]])
    labelled = Labelled(container(near), np.zeros(5), np.array([-1, -1, *rows]))
    candidates = np.setdiff1d(np.arange(60), rows)
    strategy = CoreSet(embedding=FunctionTransformer(accept_sparse=True))
    strategy.fit(container(X))
    found = strategy.select(
        None, container(X), 10, candidates=candidates, labelled=labelled
    )
    assert found.tolist() == candidates[brute_force(X[candidates], near, 10)].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_the_first_row_of_all_is_in_the_middle(seed):
    X = np.random.default_rng(seed).normal(size=(40, 3))
    scaled = StandardScaler().fit_transform(X)
    first = int(np.argmin(((scaled - scaled.mean(axis=0)) ** 2).sum(axis=1)))
    expected = [first, *brute_force(scaled, [scaled[first]], 4)]
    none = Labelled(X[:0], np.zeros(0), np.arange(0))
    for labelled in (None, none):
        strategy = CoreSet(embedding=StandardScaler()).fit(X)
        found = strategy.select(None, X, 5, labelled=labelled)
        assert found.tolist() == expected


def test_the_embeddings_are_those_that_the_last_step_sees():
    X = np.random.default_rng(0).normal(size=(40, 2)) * [1, 100]
    y = (X[:, 0] > 0).astype(int)
    no_second = FunctionTransformer(lambda X: X[:, :1])
    model = make_pipeline(no_second, LogisticRegression()).fit(X, y)
    labelled = Labelled(X[:4], y[:4], np.arange(4))
    select = CoreSet().fit(X).select
    found = select(model, X, 1, candidates=np.arange(4, 40), labelled=labelled)
    expected = 4 + np.abs(X[4:, None, 0] - X[:4, 0]).min(axis=1).argmax()
    assert found.tolist() == [expected]
    without = CoreSet(embedding="rows").fit(X).select
    assert without(model, X, 1, labelled=labelled).tolist() != [expected]


def test_duplicates_come_last_and_far_from_the_origin():
    """Norms are far larger than distances, and their rounding is no distance."""
    places = 1e3 + np.array([0, 1e-2, 3e-2])
    X = np.repeat(places, 4)[:, None]
    strategy = CoreSet(embedding=FunctionTransformer(), random_state=0).fit(X)
    order = strategy.select(None, X, 12)
    assert len(set(X[order[:3], 0])) == 3
    points = Points(X.astype(np.float32))
    assert np.count_nonzero(points.distances(0) == 0) == 4


def test_distances_by_blocks_are_those_of_all_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    rows, others = rng.normal(size=(700, 3)), rng.normal(size=(600, 3))
    squared = ((rows[:, None] - others) ** 2).sum(axis=2)
    monkeypatch.setattr("skal.strategies._points.IN_CACHE", 1)
    for container in (np.asarray, sparse.csr_array):
        points = Points(container(rows))
        assert np.allclose(points.nearest(container(others)), squared.min(axis=1))
        expected = ((rows - rows[3]) ** 2).sum(axis=1)
        assert np.allclose(points.distances(3), expected)


def test_a_run_from_nothing():
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = (X[:, 0] > 0).astype(int)
    sizes = {"warm_size": 0, "batch_size": 5, "n_rounds": 4}
    learner = ActiveLearner(LogisticRegression(), CoreSet(), random_state=0, **sizes)
    assert len(set(learner.fit(X, y).order_.tolist())) == 20
