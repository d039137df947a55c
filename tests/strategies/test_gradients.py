import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris, make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skal import BADGE
from skal.seeding import Stream, stream
from skal.strategies._gradients import Gradients, far_apart

AS_THEY_ARE = FunctionTransformer(accept_sparse=True)


def task(seed, n_rows=200, n_classes=4, n_features=5):
    """Return rows, in single precision as embeddings are, and a model of some."""
    X, y = make_blobs(
        n_rows, n_features, centers=n_classes, cluster_std=6, random_state=seed
    )
    X = X.astype(np.float32)
    return X, y, LogisticRegression(max_iter=2000).fit(X[:30], y[:30])


def full_gradients(model, X):
    """Return the gradients of the loss in the last layer, shape (n_rows, C * D)."""
    probs = model.predict_proba(X)
    predicted = np.eye(probs.shape[1])[probs.argmax(axis=1)]
    outer = (probs - predicted)[:, :, None] * np.asarray(X, dtype=float)[:, None, :]
    return outer.reshape(len(X), -1)


def k_means_plus_plus(points, n, rng):
    """Return the seeds of k-means++, from the point of largest norm."""
    picked = [int(np.linalg.norm(points, axis=1).argmax())]
    while len(picked) < n:
        squared = ((points[:, None] - points[picked]) ** 2).sum(axis=2).min(axis=1)
        picked.append(int(rng.choice(len(points), p=squared / squared.sum())))
    return picked


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_badge_draws_what_the_full_gradients_do(seed, container):
    X, _, model = task(seed)
    candidates = np.arange(30, 200)
    strategy = BADGE(embedding=AS_THEY_ARE, random_state=seed).fit(container(X))
    found = strategy.select(model, container(X), 25, candidates=candidates)
    rng = stream(strategy.seed_, Stream.STRATEGY)
    expected = k_means_plus_plus(full_gradients(model, X[candidates]), 25, rng)
    assert found.tolist() == candidates[expected].tolist()


def test_badge_embeds_rows_as_the_last_step_sees_them():
    X, y, _ = task(0)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:30], y[:30])
    strategy = BADGE(random_state=0).fit(X)
    scaled = model[0].transform(X).astype(np.float32)
    rng = stream(strategy.seed_, Stream.STRATEGY)
    expected = k_means_plus_plus(full_gradients(model[-1], scaled), 20, rng)
    assert strategy.select(model, X, 20).tolist() == expected


def test_another_seed_draws_other_rows():
    X, _, model = task(0)
    picks = [BADGE(random_state=s).fit(X).select(model, X, 10) for s in range(4)]
    assert len({tuple(p) for p in picks}) == 4
    assert len({p[0] for p in picks}) == 1


@pytest.mark.parametrize("seed", range(3))
def test_distances_of_gradients(seed):
    rng = np.random.default_rng(seed)
    residuals, rows = rng.normal(size=(50, 3)), rng.normal(size=(50, 4))
    outer = np.einsum("nc,nd->ncd", residuals, rows).reshape(50, -1)
    gradients = Gradients(residuals, rows)
    for i in (0, 17):
        expected = ((outer - outer[i]) ** 2).sum(axis=1)
        assert np.allclose(gradients.distances(i), expected)


def test_equal_gradients_are_drawn_last():
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(5, 3)), 4, axis=0).astype(np.float32)
    residuals = np.repeat(rng.normal(size=(5, 2)), 4, axis=0).astype(np.float32)
    points = Gradients(residuals, rows)
    orders = set()
    for seed in range(3):
        priority = np.random.default_rng(seed).permutation(20)
        picked = far_apart(points, 20, np.random.default_rng(0), priority)
        assert sorted(picked) == list(range(20))
        assert len({i // 4 for i in picked[:5]}) == 5
        assert (np.diff(priority[picked[5:]]) > 0).all()
        orders.add(tuple(picked))
    assert len(orders) == 3


def test_a_model_that_gives_no_numbers_is_named():
    class Lost(LogisticRegression):
        def predict_proba(self, X):
            return np.where(X[:, :1] > 6, np.nan, super().predict_proba(X))

    X, y = load_iris(return_X_y=True)
    model = Lost(max_iter=500).fit(X, y)
    with pytest.raises(ValueError, match=r"BADGE finds no value for .* since Lost"):
        BADGE().fit(X).select(model, X, 5)
