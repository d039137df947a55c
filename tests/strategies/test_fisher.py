import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from skal import BAIT
from skal.strategies import Labelled, _fisher, _points
from skal.strategies._fisher import Greedy, contrasts, information, roots_of

AS_THEY_ARE = FunctionTransformer(accept_sparse=True)


def task(seed, n_rows=60, n_classes=3, n_features=3):
    X, y = make_blobs(
        n_rows, n_features, centers=n_classes, cluster_std=6, random_state=seed
    )
    X = X.astype(np.float32)
    return X, y, LogisticRegression(max_iter=2000).fit(X[:20], y[:20])


def fisher(h, p):
    """Return the information of one row: the mean of the gradient's outer product."""
    gradients = [np.kron(np.eye(len(p))[c] - p, h.astype(float)) for c in range(len(p))]
    return sum(p[c] * np.outer(g, g) for c, g in enumerate(gradients))


def brute_force(matrices, known, n):
    """Add 2 n rows and remove n of them again, by direct inverses of the criterion."""
    target = sum(matrices)

    def trace(rows):
        inverse = np.linalg.inv(known + sum((matrices[i] for i in rows), 0 * known))
        return float(np.trace(inverse @ target))

    added = []
    for _ in range(min(2 * n, len(matrices))):
        rest = [i for i in range(len(matrices)) if i not in added]
        added.append(min(rest, key=lambda i: trace([*added, i])))
    while len(added) > n:
        added.remove(min(added, key=lambda i: trace([j for j in added if j != i])))
    return added


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_classes", "n"), [(2, 6), (4, 5), (3, 30)])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_bait_minimizes_the_trace(seed, n_classes, n, container):
    X, y, model = task(seed, n_classes=n_classes)
    labelled = Labelled(container(X[:20]), y[:20], np.arange(20))
    candidates = np.arange(20, 60)
    strategy = BAIT(embedding=AS_THEY_ARE, regularization=0.5).fit(container(X))
    found = strategy.select(
        model, container(X), n, candidates=candidates, labelled=labelled
    )
    matrices = [fisher(*pair) for pair in zip(X, model.predict_proba(X), strict=True)]
    known = 0.5 * np.eye(len(matrices[0])) + sum(matrices[:20])
    expected = brute_force(matrices[20:], known, n)
    assert found.tolist() == candidates[expected].tolist()


def in_contrasts(matrix, n_classes, n_columns):
    """Return a matrix of all weights in terms of contrasts between classes."""
    turn = np.kron(contrasts(n_classes), np.eye(n_columns))
    return turn @ matrix @ turn.T


@pytest.mark.parametrize("seed", range(3))
def test_changes_are_those_of_direct_inverses(seed, monkeypatch):
    monkeypatch.setattr(_points, "IN_CACHE", 1)
    rng = np.random.default_rng(seed)
    rows, probs = rng.normal(size=(300, 2)), rng.dirichlet(np.ones(3), size=300)
    matrices = [
        in_contrasts(fisher(*pair), 3, 2) for pair in zip(rows, probs, strict=True)
    ]
    known, target = np.eye(4), sum(matrices) / 300
    assert np.allclose(information(rows, probs), sum(matrices))
    greedy, added = Greedy(rows, probs, known), [4, 290, 7, 20]

    def trace(indices):
        found = known + sum((matrices[i] for i in indices), 0 * known)
        return np.trace(np.linalg.inv(found) @ target)

    for n, i in enumerate(added):
        gains = [trace(added[:n]) - trace([*added[:n], j]) for j in range(300)]
        assert np.allclose(greedy.changes(), gains)
        greedy.add(i)
    removal = greedy.removal(added)
    for i in (2, 0, 1):
        losses = [trace([k for k in added if k != j]) - trace(added) for j in added]
        assert np.allclose(removal.losses(), losses)
        removal.remove(i)
        del added[i]


def test_roots_of_probabilities_that_are_zero_or_one():
    probs = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.3, 0.7, 0.0]])
    roots, turn = roots_of(probs), contrasts(3)
    for p, root in zip(probs, roots, strict=True):
        assert np.allclose(root @ root.T, turn @ (np.diag(p) - np.outer(p, p)) @ turn.T)


@pytest.mark.parametrize("seed", range(3))
def test_large_embeddings_are_not_lost_in_rounding(seed):
    # Nearly every row that is added determines some weights alone.
    X, y, model = task(seed, n_features=12)
    scaled = FunctionTransformer(lambda rows: 100 * rows)
    strategy = BAIT(embedding=scaled, regularization=0.5).fit(X)
    labelled = Labelled(X[:2], y[:2], np.arange(2))
    candidates = np.arange(20, 60)
    found = strategy.select(model, X, 3, candidates=candidates, labelled=labelled)
    pairs = zip(100 * X, model.predict_proba(X), strict=True)
    matrices = [fisher(*pair) for pair in pairs]
    known = 0.5 * np.eye(len(matrices[0])) + sum(matrices[:2])
    expected = brute_force(matrices[20:], known, 3)
    assert found.tolist() == candidates[expected].tolist()


def test_fewer_rows_are_removed_from_large_batches(monkeypatch):
    X, _, model = task(1)
    strategy = BAIT(embedding=AS_THEY_ARE, regularization=0.01).fit(X)
    found = []
    # All of the twelve rows, seven of them, and six, of which none is removed.
    for most in (2 * 12, 2 * 7, 2):
        monkeypatch.setattr(_fisher, "_MAX_ROOTS", most)
        found.append(tuple(strategy.select(model, X, 6).tolist()))
    assert len(set(found)) == 3
    assert all(len(set(rows)) == 6 for rows in found)


def test_too_many_weights_are_refused():
    X = np.random.default_rng(0).normal(size=(40, 1001))
    y = np.arange(40) % 2
    model = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match=r"at most 2,000 weights .* got 2,002"):
        BAIT().fit(X).select(model, X, 3)


def test_equal_rows_are_told_apart_by_the_seed():
    X = np.repeat(task(0, n_rows=5)[0][:5], 8, axis=0)
    y = np.repeat(np.arange(5) % 3, 8)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    picks = [BAIT(random_state=s).fit(X).select(model, X, 4) for s in range(4)]
    assert len({tuple(p) for p in picks}) == 4
    assert len({tuple(p // 8) for p in picks}) == 1


@pytest.mark.parametrize("value", [0, -0.5])
def test_a_regularization_is_above_0(value):
    with pytest.raises(ValueError, match="'regularization' parameter of BAIT"):
        BAIT(regularization=value).fit(np.ones((5, 1)))


def test_embeddings_that_are_too_large_are_refused():
    X, _, model = task(0)
    with pytest.raises(ValueError, match="is lost in rounding: scale them, such as by"):
        BAIT(embedding=AS_THEY_ARE).fit(1e9 * X).select(model, 1e9 * X, 3)
    given = BAIT(embedding=AS_THEY_ARE, regularization=1e10).fit(1e9 * X)
    assert given.select(model, 1e9 * X, 3).shape == (3,)
