"""Fits in several threads, which must leave the process as it was."""

import os
import sys
import threading
import time
import warnings

import joblib
import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB
from threadpoolctl import threadpool_info, threadpool_limits

from skal import ActiveLearner, AnnealingOracle, Margin, Random, compare, run_seeds
from skal._threads import single_threaded, warn_once, without_warnings


class Noisy(GaussianNB):
    """Warns in each training, and takes a moment."""

    def fit(self, X, y):
        warnings.warn("noise", stacklevel=2)
        time.sleep(0.001)
        return super().fit(X, y)


@pytest.fixture(autouse=True)
def three_threads():
    """Let the libraries run on three threads, to see that they do so afterwards."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    with threadpool_limits(3):
        if torch:
            torch.set_num_threads(3)
        yield
    if torch:
        torch.set_num_threads(before)


def state():
    """Return all that a fit changes in the process for a while."""
    torch = sys.modules.get("torch")
    return {
        "show": warnings.showwarning,
        "filters": list(warnings.filters),
        # torch sets the number of its OpenMP when it is first used in a thread.
        "torch": torch.get_num_threads() if torch else None,
        "threads": {one["filepath"]: one["num_threads"] for one in threadpool_info()},
    }


def run_in_threads(works):
    """Run functions in threads, which begin one after another, and wait for all."""
    errors = []

    def caught(work):
        try:
            work()
        except BaseException as error:  # shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=caught, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
        time.sleep(0.003)
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize(
    "block", [single_threaded, warn_once, lambda: without_warnings("some text")]
)
def test_blocks_of_threads_end_in_any_order(block, order):
    before, inside = state(), []
    begun, ends = threading.Barrier(4), [threading.Event() for _ in order]
    left = [threading.Event() for _ in order]

    def work(i):
        own = state()["threads"]
        begun.wait(30)
        with block():
            inside.append(state())
            begun.wait(30)
            ends[i].wait(30)
        left[i].set()
        begun.wait(30)
        assert state()["threads"] == own

    def end_in_order():
        begun.wait(30)
        begun.wait(30)
        for i in order:
            ends[i].set()
            left[i].wait(30)
        begun.wait(30)

    run_in_threads([*(lambda i=i: work(i) for i in range(3)), end_in_order])
    assert state() == before
    assert all(one != before for one in inside)


def test_the_main_thread_may_leave_first():
    before, is_inside, may_end = state(), threading.Event(), threading.Event()

    def work():
        with single_threaded(), warn_once():
            is_inside.set()
            may_end.wait(30)

    thread = threading.Thread(target=work)
    with single_threaded(), warn_once():
        thread.start()
        assert is_inside.wait(30)
    here = state()
    may_end.set()
    thread.join()
    assert here["torch"] == before["torch"]
    assert state() == before


def test_libraries_stay_on_one_thread_while_any_thread_needs_it():
    with single_threaded():
        run_in_threads([lambda: single_threaded().__enter__] * 2)
        with single_threaded():
            pass
        assert set(state()["threads"].values()) == {1}


def test_a_training_that_sets_its_own_threads_does_not_change_the_next():
    with single_threaded():
        with single_threaded():
            threadpool_limits(2)
        assert set(state()["threads"].values()) == {1}
    assert set(state()["threads"].values()) == {3}


@pytest.mark.filterwarnings("default::UserWarning")
def test_fits_in_threads_leave_nothing_behind(blobs):
    before = state()
    learner = ActiveLearner(Noisy(), Margin(), batch_size=4, n_rounds=4, random_state=0)
    expected = ActiveLearner(
        GaussianNB(), Margin(), batch_size=4, n_rounds=4, random_state=0
    ).fit(*blobs)
    found = []
    with warnings.catch_warnings(record=True) as shown:
        outer = state()
        for _ in range(5):
            works = [lambda: found.append(learner.__sklearn_clone__().fit(*blobs))] * 4
            run_in_threads(works)
            assert state() == outer
    for one in found:
        np.testing.assert_array_equal(one.curve_, expected.curve_)
    # Once for each fit, and not once for each of its five trainings.
    assert len([one for one in shown if str(one.message) == "noise"]) == len(found)
    assert state() == before


@pytest.mark.filterwarnings("default::UserWarning")
def test_warnings_of_the_users_own_are_shown_each_time():
    def work():
        for _ in range(20):
            with warn_once():
                time.sleep(0.0005)

    with warnings.catch_warnings(record=True) as shown:
        run_in_threads([work] * 4)
        for _ in range(3):
            warnings.warn("my own", stacklevel=1)
            warnings.filterwarnings("default", "any change of the filters")
            warnings.filterwarnings("ignore", "any change of the filters")
    assert len(shown) == 3


def test_studies_in_threads_leave_no_filter(blobs):
    strategies = {"margin": Margin(), "oracle": AnnealingOracle(n_steps=3)}
    before = state()
    with joblib.parallel_config(backend="threading"):
        for _ in range(3):
            compare(
                *blobs,
                GaussianNB(),
                strategies,
                **{"batch_size": 5, "n_rounds": 2, "n_jobs": 4},
            )
            assert state() == before
        learner = ActiveLearner(GaussianNB(), Random(), batch_size=4, n_rounds=4)
        run_seeds(learner, *blobs, seeds=4, n_jobs=4)
    assert state() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_child_can_train_while_another_thread_trains():
    X, y = make_blobs(80, centers=3, random_state=0)
    is_training, may_end = threading.Event(), threading.Event()

    class Slow(GaussianNB):
        def fit(self, X, y):
            is_training.set()
            may_end.wait(30)
            return super().fit(X, y)

    def learner(estimator):
        return ActiveLearner(estimator, Random(), batch_size=4, n_rounds=1)

    thread = threading.Thread(target=lambda: learner(Slow()).fit(X, y))
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    thread.start()
    assert is_training.wait(30)
    child = os.fork()
    if child == 0:
        try:
            learner(GaussianNB()).fit(X, y)
            is_as_before = np.random.get_state()[1].tolist() == before  # noqa: NPY002
            os._exit(0 if is_as_before else 1)
        finally:
            os._exit(2)
    for _ in range(300):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
    may_end.set()
    thread.join()
    assert pid == child, "the child hangs"
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize("message", [{}, {"message": "some text"}])
def test_a_filter_of_the_users_own_that_says_the_same_stays(message):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", **message)
        before = list(warnings.filters)
        with without_warnings():
            warnings.warn("some text", stacklevel=1)
        assert warnings.filters == before
        warnings.warn("some text", stacklevel=1)
