"""Searches on a Dask cluster, with real processes on this machine."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from _small_search import assert_same
from joblib import parallel_config
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, run_seeds
from skal.datasets import make_intents
from skal.oracle.annealing._uniform import UniformChain
from skal.oracle.evaluation._workers import Jobs

distributed = pytest.importorskip("distributed", reason="only tests need a cluster")

BASE = {"batch_size": 3, "n_rounds": 5, "warm_size": 10, "random_state": 0}
TWO_WORKERS = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(**TWO_WORKERS) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def on_cluster(client):
    """A client with two workers, once those that were killed have been replaced."""
    client.wait_for_workers(2, timeout=120)
    with parallel_config(backend="dask"):
        yield client


def search(data, estimator=None, **params):
    estimator = GaussianNB() if estimator is None else estimator
    oracle = AnnealingOracle(proposal="uniform", **{"n_steps": 20, **params})
    return ActiveLearner(estimator, oracle, **BASE).fit(*data)


def alone(*arguments, **params):
    with parallel_config(backend="sequential"):
        return search(*arguments, **params)


def pids(client):
    return set(client.run(os.getpid).values())


@pytest.mark.parametrize("params", [{}, {"n_jobs": 2}, {"prefetch": 0}])
def test_a_cluster_finds_what_one_process_does(blobs, on_cluster, params):
    fitted = search(blobs, **params)
    assert_same(alone(blobs), fitted)
    assert (fitted.strategy_.n_speculative_ > 0) == ("prefetch" not in params)


def test_nets_side_by_side_on_a_cluster(on_cluster):
    pytest.importorskip("skorch", reason="skorch is an extra")
    from skal.nets import EmbeddingBagClassifier

    net = EmbeddingBagClassifier(embedding_dim=8, max_epochs=2)
    data = [rows[:120] for rows in make_intents(400, random_state=0)]
    assert_same(alone(data, net, n_steps=4), search(data, net, n_steps=4))


def test_an_estimator_with_jobs_of_its_own_does_not_wait_for_itself(blobs, on_cluster):
    forest = RandomForestClassifier(5, n_jobs=2)
    assert_same(alone(blobs, forest, n_steps=3), search(blobs, forest, n_steps=3))


def test_large_data_are_sent_once_and_without_a_warning(on_cluster, monkeypatch):
    """The work takes more than the 10 MB from which Dask warns about a graph."""
    told, send = [], Jobs._send

    def watch(self, shares, work):
        told.append(len(shares) if work is not None else 0)
        return send(self, shares, work)

    monkeypatch.setattr(Jobs, "_send", watch)
    data = make_blobs(30_000, n_features=60, centers=3, random_state=3)
    fitted = search(data, n_steps=8)
    assert told[0] == 2
    # One worker may have done both tasks, so the other asks later.
    assert sum(told[1:]) <= 1
    assert len(told) > 4
    assert_same(alone(data, n_steps=8), fitted)


def test_a_seed_loop_on_a_cluster(blobs, on_cluster):
    learner = ActiveLearner(
        GaussianNB(), AnnealingOracle(proposal="uniform", n_steps=3), **BASE
    )
    found = run_seeds(learner, *blobs, seeds=3)
    with parallel_config(backend="sequential"):
        expected = run_seeds(learner, *blobs, seeds=3)
    np.testing.assert_array_equal(expected.curves, found.curves)


class Mortal(GaussianNB):
    """An estimator that kills its worker if a certain file exists."""

    def __init__(self, path, main, priors=None, var_smoothing=1e-9):
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.path = path
        self.main = main

    def fit(self, X, y):
        if os.getpid() != self.main and Path(self.path).exists():
            Path(self.path).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)


@pytest.mark.parametrize("step", [0, 10])
def test_a_worker_is_killed_in_a_training(
    blobs, on_cluster, monkeypatch, tmp_path, step
):
    """In the first batch, before all workers have cached the work, and later."""
    take, path = UniformChain.step, tmp_path / "die"

    def condemn(chain, t):
        if t == step:
            path.touch()
        return take(chain, t)

    mortal = Mortal(str(path), os.getpid())
    reference, before = alone(blobs, mortal), pids(on_cluster)
    monkeypatch.setattr(UniformChain, "step", condemn)
    if step == 0:
        path.touch()
    assert_same(reference, search(blobs, mortal))
    assert not path.exists()
    assert len(before - pids(on_cluster)) == 1


def test_threads_of_a_worker_do_as_processes(blobs):
    threads = {**TWO_WORKERS, "n_workers": 1, "threads_per_worker": 3}
    with (
        distributed.LocalCluster(**threads) as cluster,
        distributed.Client(cluster) as client,
    ):
        left = pids(client)
        with parallel_config(backend="dask"):
            fitted = search(blobs, n_steps=10)
    assert_same(alone(blobs, n_steps=10), fitted)
    assert_gone(left)


def assert_gone(pids, seconds=10):
    """Check that all processes of a closed cluster have ended."""
    end = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
