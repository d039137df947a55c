"""Large pools: chunks, rows that are not copied, and the same results as without."""

import tracemalloc

import numpy as np
import pytest
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.naive_bayes import GaussianNB

from skal import (
    BALD,
    IDMR,
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    BaseStrategy,
    Herding,
    LeastConfidence,
    Margin,
    MaxEntropy,
    ProbCover,
    Problem,
    VariationRatio,
)
from skal.inputs import _containers, _embedding, _joining
from skal.inputs._containers import Joined, by_chunks, take, whole
from skal.inputs._embedding import cluster
from skal.inputs._joining import concat, joined
from skal.strategies import _disagreement
from skal.strategies import _embedding as _embedding_strategy
from skal.strategies._prepare import Preparation
from skal.training import Trainer


def make(n, seed, n_columns=5):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    return rng.normal(size=(n, n_columns)) + np.eye(n_columns)[y], y


@pytest.fixture
def sets():
    """Sets that are all given, so that nothing is carved out of the pool."""
    found = dict(zip(("X", "y"), make(300, 0), strict=True))
    for seed, name in enumerate(("warm", "val", "test"), start=1):
        found[f"X_{name}"], found[f"y_{name}"] = make(40, seed)
    return found


def fit(sets, strategy, estimator=None):
    return ActiveLearner(
        GaussianNB() if estimator is None else estimator,
        strategy,
        batch_size=5,
        n_rounds=3,
        random_state=0,
    ).fit(**sets)


BAGGING = BaggingClassifier(GaussianNB(), 5)


@pytest.mark.parametrize(
    ("strategy", "estimator"),
    [
        (Margin(), None),
        (MaxEntropy(), None),
        (LeastConfidence(), None),
        (BALD(), BAGGING),
        (VariationRatio(), BAGGING),
        (IDMR(Margin()), None),
        (ODMR(Margin()), None),
        (Herding("margin"), None),
        (ProbCover(), None),
        (AnnealingOracle(n_steps=6, n_greedy=1), None),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_large_pool_gives_the_results_of_a_small_one(
    sets, strategy, estimator, monkeypatch
):
    """Candidates in chunks, and warm start and pool apart: the same, bit for bit."""
    expected = fit(sets, strategy, estimator)
    for module in (_containers, _disagreement, _embedding_strategy):
        monkeypatch.setattr(module, "AT_ONCE", 64)
    monkeypatch.setattr(_joining, "LARGE_BYTES", 0)
    found = fit(sets, strategy, estimator)
    np.testing.assert_array_equal(found.order_, expected.order_)
    np.testing.assert_array_equal(found.curve_, expected.curve_)


class Watch(BaseStrategy):
    """Keeps the pool that it is shown."""

    def _fit(self, X, y, problem):
        self.X_, self.problem_ = X, problem

    def _select(self, estimator, X, n, candidates, labelled):
        assert X is not self.X_
        assert np.shares_memory(X, self.X_)
        return candidates[:n]


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_pool_of_which_nothing_is_carved_is_not_copied(sets, order):
    sets["X"] = np.array(sets["X"], order=order)
    strategy = fit(sets, Watch()).strategy_
    assert np.shares_memory(strategy.X_, sets["X"])
    assert np.shares_memory(strategy.problem_.X_pool, sets["X"])
    assert not strategy.X_.flags.writeable


def test_a_sparse_pool_of_which_nothing_is_carved_is_not_copied(sets):
    sets = {name: sparse.csr_array(part) if name[0] == "X" else part
            for name, part in sets.items()}  # fmt: skip
    problem = Problem.from_sets(sets, LogisticRegression(), batch_size=5, n_rounds=2)
    assert np.shares_memory(problem.X_pool.data, sets["X"].data)


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory):
    """A file of 17 MB, more than is joined with a warm start."""
    path = tmp_path_factory.mktemp("pool") / "X.npy"
    X, y = make(70_000, 4, n_columns=32)
    np.save(path, X)
    found = {"X": np.load(path, mmap_mode="r"), "y": y}
    for seed, name in enumerate(("warm", "val", "test"), start=1):
        found[f"X_{name}"], found[f"y_{name}"] = make(40, seed, n_columns=32)
    return found


def test_a_file_is_never_read_into_memory_as_a_whole(on_disk):
    fit(on_disk, Watch())  # so that what is imported late does not count
    tracemalloc.start()
    strategy = fit(on_disk, Watch()).strategy_
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.shares_memory(strategy.X_, on_disk["X"])
    assert peak < on_disk["X"].nbytes / 2


def _where(trainer):
    """Return the file of the pool that a worker trains on."""
    pool = trainer.X.second
    while not isinstance(pool, np.memmap):
        pool = pool.base
    return pool.filename, pool.flags.writeable


@pytest.mark.parametrize("is_on_disk", [False, True])
def test_workers_map_a_large_pool_into_memory(on_disk, is_on_disk):
    X = on_disk["X"] if is_on_disk else np.array(on_disk["X"])
    problem = Problem.from_sets(
        on_disk | {"X": X}, GaussianNB(), batch_size=5, n_rounds=2
    )
    trainer = Trainer(problem)
    with Parallel(2) as parallel:
        found = parallel(delayed(_where)(trainer) for _ in range(2))
    (name, is_writeable), other = found
    assert (name, is_writeable) == other
    assert not is_writeable
    assert (str(name) == str(on_disk["X"].filename)) is is_on_disk


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, bool])
def test_joined_rows_are_those_of_the_concatenation(dtype, monkeypatch):
    monkeypatch.setattr(_joining, "LARGE_BYTES", 0)
    rng = np.random.default_rng(0)
    first, second = (rng.integers(2, size=(n, 4, 2)).astype(dtype) for n in (7, 30))
    apart, together = joined(first, second), concat(first, second)
    assert isinstance(apart, Joined)
    assert len(apart) == 37
    for rows in (rng.permutation(37), np.arange(3), np.array([20, 8]), np.arange(0)):
        found = take(apart, rows)
        assert found.dtype == together.dtype
        np.testing.assert_array_equal(found, together[rows])
    np.testing.assert_array_equal(whole(apart), together)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.ones((2, 3)), np.ones((4, 3), dtype=np.float32)),
        (np.ones((0, 3)), np.ones((4, 3))),
        (np.ma.ones((2, 3)), np.ma.ones((4, 3))),
        (sparse.csr_array(np.eye(2, 3)), sparse.csr_array(np.eye(4, 3))),
    ],
)
def test_other_rows_are_joined_by_a_copy(first, second, monkeypatch):
    monkeypatch.setattr(_joining, "LARGE_BYTES", 0)
    assert type(joined(first, second)) is type(concat(first, second))


def test_clusters_of_a_large_pool_are_those_of_some_rows(monkeypatch):
    X, _ = make_blobs(2000, centers=4, cluster_std=0.1, random_state=0)
    expected = cluster(X, 4, 0)
    monkeypatch.setattr(_embedding, "AT_ONCE", 200)
    monkeypatch.setattr(_containers, "AT_ONCE", 200)
    for rows in (X, Joined(X[:3], X[3:])):
        found = cluster(rows, 4, 0)
        np.testing.assert_array_equal(found, cluster(X, 4, 0))
        assert adjusted_rand_score(found, expected) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("part", [0, 1])
def test_gaps_in_a_large_pool_are_filled_in(part, bad):
    parts = [np.arange(6.0).reshape(3, 2), np.arange(8.0).reshape(4, 2)]
    points = as_points(Joined(*parts))
    assert isinstance(points, Joined)
    parts[part][1, 1] = bad
    if np.isnan(bad):
        assert np.isfinite(as_points(Joined(*parts))).all()
    else:
        with pytest.raises(ValueError, match="infinity"):
            as_points(Joined(*parts))


def as_points(rows):
    return Preparation(None, 0, "").fit_transform(rows)


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 1000, 5000])
def test_chunks_hold_each_row_once(n, monkeypatch):
    monkeypatch.setattr(_containers, "AT_ONCE", 2048)
    heights = []

    def answer(part):
        heights.append(len(part))
        return part[:, 0]

    rows = np.random.default_rng(0).permutation(n)
    found = by_chunks(answer, np.arange(2 * n).reshape(n, 2), rows)
    np.testing.assert_array_equal(found, 2 * rows)
    assert max(heights) <= 2048
    assert min(heights) >= max(heights) // 2
