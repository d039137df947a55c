from threading import get_ident

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.naive_bayes import GaussianNB

from skal.judging import Evaluation, train_and_judge
from skal.oracle.evaluation import _workers as _jobs
from skal.oracle.evaluation._workers import Jobs, deal
from skal.problem import assemble
from skal.training import Trainer


@pytest.fixture
def work(blobs):
    sizes = {"test": 20, "val": 30, "select": 0, "warm": 10}
    problem = assemble(
        *blobs, {}, sizes, {}, batch_size=3, n_rounds=5, estimator=GaussianNB(),
        scoring="accuracy", seed=0,
    )  # fmt: skip
    evaluation = Evaluation(problem.X_val, problem.y_val, problem.scorer)
    return Trainer(problem), evaluation


@pytest.fixture
def sets():
    rng = np.random.default_rng(0)
    return [rng.permutation(60)[:n] for n in rng.integers(1, 30, size=11)]


@pytest.mark.parametrize(("n_sets", "n_shares"), [(1, 4), (7, 2), (30, 4), (3, 3)])
def test_each_set_is_in_one_share_and_none_is_empty(n_sets, n_shares):
    dealt = deal([np.zeros(n) for n in range(n_sets)], n_shares)
    assert len(dealt) == min(n_sets, n_shares)
    assert sorted(i for share in dealt for i in share) == list(range(n_sets))
    counts = [len(share) for share in dealt]
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_about_as_large(seed):
    """The prefixes of a few orders, as a search requests them."""
    rng = np.random.default_rng(seed)
    sizes = [20 * k for _ in range(4) for k in range(1, rng.integers(2, 9))]
    sets = [np.zeros(n) for n in sizes]
    for n_shares in (2, 3):
        totals = [sum(sizes[i] for i in share) for share in deal(sets, n_shares)]
        assert max(totals) - min(totals) <= max(sizes)
    two = [
        sum(sizes[i] for i in share) for share in deal(sets[: len(sets) // 4 * 4], 2)
    ]
    assert max(two) - min(two) <= 40


def test_several_jobs_train_outside_of_the_main_thread(work, sets, monkeypatch):
    threads, train = [], _jobs.train_and_judge

    def watch(*given):
        threads.append(get_ident())
        return train(*given)

    monkeypatch.setattr(_jobs, "train_and_judge", watch)
    with parallel_config(backend="threading"), Jobs(*work, 2) as jobs:
        jobs.run(sets)
    assert len(threads) == 2
    assert get_ident() not in threads


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_any_number_of_jobs_gives_the_same_scores(work, sets, backend, n_jobs):
    expected = train_and_judge(*work, sets)
    with parallel_config(backend=backend), Jobs(*work, n_jobs) as jobs:
        assert jobs.run(sets) == expected
        assert jobs.run(sets[:1]) == expected[:1]
        assert jobs.run(sets[3:]) == expected[3:]


def test_a_worker_that_does_not_know_the_work_asks(work, sets, monkeypatch):
    told, train = [], _jobs._train_in_worker

    def watch(key, work, sets):
        told.append(work is not None)
        return train(key, work, sets)

    monkeypatch.setattr(_jobs, "_train_in_worker", watch)
    expected = train_and_judge(*work, sets)
    with parallel_config(backend="threading"), Jobs(*work, 2) as jobs:
        assert jobs.run(sets) == expected
        assert told == [True, True]
        assert jobs.run(sets) == expected
        assert told[2:] == [False, False]
        _jobs._cache.clear()  # as in a worker that has taken another's place
        assert jobs.run(sets) == expected
        assert sorted(told[4:]) == [False, False, True, True]
    assert not _jobs._cache


def test_a_worker_forgets_the_oldest_work(work):
    trainer, evaluation = work
    for key in "abcdef":
        _jobs._store(key, _jobs.Work(trainer, evaluation))
    assert list(_jobs._cache) == list("cdef")
    _jobs._cache.clear()


def test_a_training_that_fails_is_an_error(work, sets, monkeypatch):
    def fail(trainer, evaluation, sets):
        raise FloatingPointError("diverged")

    monkeypatch.setattr(_jobs, "train_and_judge", fail)
    with (
        parallel_config(backend="threading"),
        Jobs(*work, 2) as jobs,
        pytest.raises(FloatingPointError, match="diverged"),
    ):
        jobs.run(sets)
