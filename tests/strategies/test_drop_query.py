import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from skal import DropQuery
from skal.answers._fixed_classes import FixedClasses
from skal.answers._head import linear_head
from skal.strategies._drop_query import _dropped

AS_THEY_ARE = FunctionTransformer(accept_sparse=True)


def task(seed, n_rows=200, n_classes=3):
    X, y = make_blobs(n_rows, 6, centers=n_classes, cluster_std=6, random_state=seed)
    return X.astype(np.float32), y


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_rows_that_flip_are_picked_out_of_clusters(seed, n_classes, monkeypatch):
    X, y = task(seed, n_classes=n_classes)
    model = LogisticRegression(max_iter=1000).fit(X[:40], y[:40])
    candidates, seen = np.arange(40, 200), []

    def spy(*given):
        seen.append(_dropped(*given))
        return seen[-1]

    monkeypatch.setattr("skal.strategies._drop_query._dropped", spy)
    strategy = DropQuery(embedding=AS_THEY_ARE, random_state=seed).fit(X)
    found = strategy.select(model, X, 5, candidates=candidates)

    # The definition, with the features that were dropped: predictions of the model.
    usual = model.predict(X[candidates])
    assert len(seen) == 3
    n_flips = sum(model.predict(dropped) != usual for dropped in seen)
    flipping = candidates[n_flips >= 2]
    assert len(flipping) >= 5
    clusters = KMeans(5, n_init=1, random_state=strategy.seed_).fit(X[flipping])
    expected = {
        int(flipping[clusters.labels_ == c][i])
        for c in range(5)
        for i in [clusters.transform(X[flipping])[clusters.labels_ == c, c].argmin()]
    }
    assert set(found.tolist()) == expected


@pytest.mark.parametrize(("flips", "expected"), [([2, 3], {0, 1}), ([2, 1], {0, 1, 2})])
def test_only_rows_that_flip_in_most_passes_are_picked(flips, expected, monkeypatch):
    """Unless there are fewer of them than asked for, and only as far as is needed."""
    n_flips = np.array([*flips, 1, 0, 0])
    monkeypatch.setattr(DropQuery, "_n_flips", lambda *given: n_flips)
    X = np.array([[0.0], [1.0], [9.0], [20.0], [30.0]])
    model = LogisticRegression().fit(X, X[:, 0] > 5)
    strategy = DropQuery(embedding=AS_THEY_ARE, random_state=0).fit(X)
    assert set(strategy.select(model, X, len(expected)).tolist()) == expected


def test_three_quarters_of_the_features_are_dropped():
    rng = np.random.default_rng(0)
    inputs = np.ones((500, 40))
    keys = [rng.integers(2**64, size=n, dtype=np.uint64) for n in inputs.shape]
    for share in (0.25, 0.75):
        dropped = _dropped(inputs, *keys, share)
        kept = dropped != 0
        assert np.allclose(dropped[kept], 1 / (1 - share))
        assert abs(kept.mean() - (1 - share)) < 0.01
        # Neither rows nor columns share what they drop.
        assert kept.mean(axis=0).std() < 2 * (share * (1 - share) / 500) ** 0.5
        assert kept.mean(axis=1).std() < 2 * (share * (1 - share) / 40) ** 0.5
        both = (kept[:, :-1] & kept[:, 1:]).mean()
        assert abs(both - (1 - share) ** 2) < 0.01
        as_sparse = _dropped(sparse.csr_array(inputs), *keys, share)
        assert np.array_equal(as_sparse.toarray(), dropped)


def test_rows_that_never_flip_fill_the_batch():
    X, y = task(0)
    model = LogisticRegression(max_iter=1000, C=1e-12).fit(X[:40], y[:40])
    assert len(set(DropQuery().fit(X).select(model, X, 200).tolist())) == 200


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(max_iter=1000),
        LinearSVC(max_iter=10_000),
        RidgeClassifier(),
        SGDClassifier(random_state=0),
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), LinearSVC())),
        GridSearchCV(LogisticRegression(max_iter=1000), {"C": [0.1, 1.0]}),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_linear_layer_predicts_what_the_model_does(model, n_classes):
    X, y = task(1, n_classes=n_classes)
    model.fit(X, y)
    for given in (model, FixedClasses(model, np.arange(4))):
        head = linear_head(given)
        codes = head.predict(head.inputs(X).astype(float))
        assert (codes == model.predict(X)).all()


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(3), SVC(kernel="linear"), SVC()]
)
def test_other_models_are_refused(model):
    X, y = task(0)
    with pytest.raises(TypeError, match="no linear layer that makes its predictions"):
        DropQuery().fit(X).select(model.fit(X, y), X, 3)


def test_an_svm_of_two_classes_is_linear():
    X, y = task(0, n_classes=2)
    model = SVC(kernel="linear").fit(X, y)
    head = linear_head(model)
    assert (head.predict(head.inputs(X).astype(float)) == model.predict(X)).all()


def test_sparse_coefficients():
    X, y = task(0)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    expected = DropQuery(random_state=0).fit(X).select(model, X, 5)
    found = DropQuery(random_state=0).fit(X).select(model.sparsify(), X, 5)
    assert found.tolist() == expected.tolist()


def test_frames_raise_no_warnings():
    X, y = task(0)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert DropQuery().fit(frame).select(model, frame, 5).shape == (5,)


def test_what_is_dropped_depends_on_the_row_alone():
    X, y = task(0)
    model = LogisticRegression(max_iter=1000).fit(X[:40], y[:40])
    strategy = DropQuery(random_state=0).fit(X)
    every = strategy._n_flips(model, X, np.arange(200))
    assert 0 < every.mean() < 3
    some = np.array([3, 77, 120])
    assert strategy._n_flips(model, X, some).tolist() == every[some].tolist()


def test_nets_that_end_with_a_linear_layer():
    pytest.importorskip("torch")
    from skal.nets import MLP, TorchClassifier

    X, y = task(0)
    net = TorchClassifier(MLP, max_epochs=3, random_state=0).fit(X[:60], y[:60])
    head = linear_head(net)
    inputs = head.inputs(X)
    assert np.array_equal(inputs, net.embed(X))
    assert (head.predict(inputs.astype(float)) == net.predict(X)).all()
    assert DropQuery(random_state=0).fit(X).select(net, X, 5).shape == (5,)
