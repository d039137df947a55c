import numpy as np
import pytest
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skal import ActiveLearner, ClusterMargin, TypiClust
from skal.strategies import Labelled, _clustering, _clusters, _first_centres
from skal.strategies._clustering import k_means
from skal.strategies._clusters import typical_first
from skal.strategies._first_centres import first_centres, has_few_numbers

AS_THEY_ARE = FunctionTransformer(accept_sparse=True)


def rows(seed, n_rows=120, n_features=3):
    X, _ = make_blobs(n_rows, n_features, centers=8, cluster_std=2, random_state=seed)
    return X.astype(np.float32)


def typical(X, n_neighbors):
    """Return the row of least mean distance from its neighbours, by all distances."""
    if len(X) == 1:
        return 0
    distances = np.sqrt(((X[:, None] - X.astype(float)) ** 2).sum(axis=2))
    nearest = np.sort(distances, axis=1)[:, 1 : n_neighbors + 1]
    return int(nearest.mean(axis=1).argmin())


def labelled_rows(X, n_labelled):
    return Labelled(X[:n_labelled], np.zeros(n_labelled), np.arange(n_labelled))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_labelled", [0, 7])
def test_typiclust_takes_typical_rows_of_large_clusters(seed, n_labelled):
    X, n = rows(seed), 9
    strategy = TypiClust(embedding=AS_THEY_ARE, n_neighbors=5, random_state=seed).fit(X)
    candidates = np.arange(n_labelled, 120)
    found = strategy.select(
        None, X, n, candidates=candidates, labelled=labelled_rows(X, n_labelled)
    )

    # The definition: clusters without a label, the largest first.
    every = np.concatenate([X[n_labelled:], X[:n_labelled]])
    model = KMeans(n_labelled + n, n_init=1, random_state=strategy.seed_).fit(every)
    clusters, taken = np.split(model.labels_, [len(candidates)])
    open_ones = np.setdiff1d(np.arange(n_labelled + n), taken)
    by_size = sorted(open_ones, key=lambda c: -np.count_nonzero(clusters == c))
    members = [candidates[clusters == c] for c in by_size[:n]]
    assert found.tolist() == [rows[typical(X[rows], 5)] for rows in members]


def test_sparse_rows_have_the_same_clusters_and_neighbours():
    X = rows(0)
    kind = TypiClust(embedding=AS_THEY_ARE, random_state=0)
    labelled = labelled_rows(X, 6)
    expected = kind.fit(X).select(None, X, 8, labelled=labelled)
    X = sparse.csr_array(X)
    labelled = Labelled(X[:6], np.zeros(6), np.arange(6))
    assert kind.fit(X).select(None, X, 8, labelled=labelled).tolist() == (
        expected.tolist()
    )


def test_clusters_are_visited_in_turn_if_rows_outnumber_them():
    X = np.concatenate([rows(0, 20), 100 + rows(1, 30), 200 + rows(2, 10)])
    of_cluster = np.repeat([0, 1, 2], [20, 30, 10])
    strategy = TypiClust(max_clusters=3, embedding=AS_THEY_ARE, random_state=1).fit(X)
    found = strategy.select(None, X, 60)
    assert of_cluster[found[:9]].tolist() == [1, 0, 2] * 3
    assert of_cluster[found[30:]].tolist() == [1, 0] * 10 + [1] * 10
    # One cluster has a labelled row already, and waits for a turn.
    labelled = Labelled(X[:1], np.zeros(1), np.arange(1))
    found = strategy.select(None, X, 5, candidates=np.arange(1, 60), labelled=labelled)
    assert of_cluster[found].tolist() == [1, 2, 1, 0, 2]


@pytest.mark.parametrize("few", [0, 150**2])
@pytest.mark.parametrize(("n_rows", "n_clusters"), [(150, 70), (150, 2), (3, 3)])
def test_first_centres_are_those_of_scikit_learn(few, n_rows, n_clusters, monkeypatch):
    monkeypatch.setattr(_first_centres, "_FEW", few)
    X = rows(3, n_rows)
    for seed in range(4):
        expected, _ = kmeans_plusplus(X, n_clusters, random_state=seed)
        found = first_centres(X, n_clusters, np.random.RandomState(seed))
        assert found.tolist() == expected.tolist()


def test_large_and_sparse_rows_are_left_to_scikit_learn(monkeypatch):
    X = rows(0)
    assert has_few_numbers(X)
    assert not has_few_numbers(X.astype(float))
    assert not has_few_numbers(sparse.csr_array(X))
    usual = k_means(X, 30, 0)[0]
    monkeypatch.setattr(_first_centres, "_FEW", X.size - 1)
    assert not has_few_numbers(X)
    assert usual.tolist() == k_means(X, 30, 0)[0].tolist()


def test_many_rows_are_clustered_by_minibatches(monkeypatch):
    X = rows(0, 300)
    monkeypatch.setattr(_clustering, "MANY", 100)
    strategy = TypiClust(random_state=0).fit(X)
    found = strategy.select(None, X, 10)
    assert len(set(found.tolist())) == 10
    assert found.tolist() == strategy.select(None, X, 10).tolist()
    monkeypatch.setattr(_clustering, "MANY", 300)
    assert found.tolist() != strategy.select(None, X, 10).tolist()


def test_some_rows_of_a_very_large_cluster_are_considered(monkeypatch):
    X, priority = rows(0), np.random.default_rng(0).permutation(120)
    monkeypatch.setattr(_clusters, "_MAX_MEMBERS", 40)
    order = typical_first(X, 20, priority)
    assert sorted(order.tolist()) == list(range(120))
    some = np.flatnonzero(priority < 40)
    assert order[0] == some[typical(X[some], 20)]
    assert (priority[order[40:]] == np.arange(40, 120)).all()


def test_equally_typical_rows_are_told_apart_by_priority():
    priority = np.array([3, 1, 2, 0])
    assert typical_first(np.ones((4, 2)), 20, priority).tolist() == [3, 1, 2, 0]


def margins(model, X):
    ordered = np.sort(model.predict_proba(X), axis=1)
    return ordered[:, -1] - ordered[:, -2]


@pytest.mark.parametrize("seed", range(5))
def test_cluster_margin_goes_round_the_clusters(seed):
    X, n = rows(seed), 15
    y = np.arange(120) % 3
    model = LogisticRegression(max_iter=1000).fit(X[:20], y[:20])
    strategy = ClusterMargin(n_clusters=6, oversampling=3, random_state=seed).fit(X)
    candidates = np.arange(20, 120)
    found = strategy.select(model, X, n, candidates=candidates)

    # The definition, with the row that was drawn out of each cluster.
    small = candidates[np.argsort(margins(model, X[candidates]))[: 3 * n]]
    assert np.isin(found, small).all()
    left = {c: set(small[strategy.clusters_[small] == c]) for c in range(6)}
    turns = sorted((c for c in left if left[c]), key=lambda c: len(left[c]))
    expected, drawn = [], iter(strategy.clusters_[found])
    while len(expected) < n:
        for c in [c for c in turns if left[c]][: n - len(expected)]:
            left[c].remove(found[len(expected)])
            expected.append(c)
    sizes = [np.count_nonzero(strategy.clusters_[small] == c) for c in expected]
    assert sizes == [np.count_nonzero(strategy.clusters_[small] == c) for c in drawn]


def test_small_pools_are_clustered_by_average_linkage(monkeypatch):
    X = rows(0)
    strategy = ClusterMargin(n_clusters=7, embedding=AS_THEY_ARE).fit(X)
    expected = fcluster(linkage(X, "average"), 7, "maxclust")
    pairs = set(zip(strategy.clusters_, expected, strict=True))
    assert len(pairs) == len(set(strategy.clusters_)) == 7
    monkeypatch.setattr(_clustering, "_FEW", 100)
    by_k_means = ClusterMargin(n_clusters=7, embedding=AS_THEY_ARE, random_state=0)
    expected = KMeans(7, n_init=1, random_state=by_k_means.fit(X).seed_).fit(X).labels_
    assert (by_k_means.clusters_ == expected).all()


def test_the_draw_depends_on_the_seed():
    X, y = rows(0), np.arange(120) % 3
    model = LogisticRegression(max_iter=1000).fit(X[:20], y[:20])
    kinds = [ClusterMargin(random_state=seed).fit(X) for seed in range(3)]
    assert len({tuple(s.select(model, X, 5)) for s in kinds}) == 3


@pytest.mark.parametrize("n_rows", [1, 2, 15])
def test_tiny_pools(n_rows):
    X = rows(0)[:n_rows]
    assert ClusterMargin().fit(X).clusters_.shape == (n_rows,)
    assert ClusterMargin(n_clusters=50).fit(X).clusters_.max() == n_rows - 1


def test_sentences_need_an_embedding_before_a_net_is_trained():
    X = ["set an alarm", "wake me", "play a song", "stop"] * 10
    with pytest.raises(ValueError, match="Set `embedding` of ClusterMargin"):
        ClusterMargin().fit(X)


def test_a_run_with_decision_values():
    X, y = make_blobs(200, centers=3, cluster_std=4, random_state=0)
    learner = ActiveLearner(LinearSVC(), ClusterMargin(), batch_size=10, n_rounds=3)
    assert learner.set_params(random_state=0).fit(X, y).order_.shape == (30,)
