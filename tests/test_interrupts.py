"""Ctrl-C during a training that takes it for the end of its epochs."""

import contextlib
import os
import signal
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier

from skal import (
    ActiveLearner,
    AnnealingOracle,
    Margin,
    Problem,
    Random,
    compare,
    run_seeds,
    split,
)
from skal._threads import interruptible
from skal.training import Trainer

pressed = {"at": None, "n": 0}


class Swallowing(GaussianNB):
    """Trains on half of the rows if Ctrl-C is pressed, and says nothing."""

    def fit(self, X, y):
        pressed["n"] += 1
        try:
            if pressed["n"] == pressed["at"]:
                os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            X, y = X[::2], y[::2]
        return super().fit(X, y)


@pytest.fixture(autouse=True)
def handler():
    """Leave pytest out of it, and check that the handler is put back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressed.update(at=None, n=0)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def sets():
    X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
    return split(X, y, warm_size=10, val_size=25, test_size=25, random_state=0)


def search(sets, journal=None, n_jobs=None):
    oracle = AnnealingOracle(n_steps=20, journal=journal, n_jobs=n_jobs)
    learner = ActiveLearner(
        Swallowing(), oracle, batch_size=4, n_rounds=3, random_state=0
    )
    return learner.fit(**sets)


def test_a_half_trained_model_is_no_model(sets):
    pressed["at"] = 1
    problem = Problem.from_sets(sets, Swallowing(), batch_size=4, n_rounds=3)
    with pytest.raises(KeyboardInterrupt):
        Trainer(problem).train(np.arange(4))


def test_a_perceptron_that_ends_its_epochs_early_is_interrupted(sets, monkeypatch):
    update = MLPClassifier._update_no_improvement_count

    def press(self, *args):
        if self.n_iter_ == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return update(self, *args)

    monkeypatch.setattr(MLPClassifier, "_update_no_improvement_count", press)
    net = MLPClassifier((5,), max_iter=300, n_iter_no_change=300)
    learner = ActiveLearner(net, Random(), batch_size=4, n_rounds=3, random_state=0)
    with (
        pytest.warns(UserWarning, match="Training interrupted by user"),
        pytest.raises(KeyboardInterrupt),
    ):
        learner.fit(**sets)


@pytest.mark.parametrize("before_the_end", [10, 20])
def test_its_score_is_not_kept_in_a_journal(sets, tmp_path, before_the_end):
    whole = search(sets)
    pressed.update(at=pressed["n"] - before_the_end, n=0)
    with pytest.warns(UserWarning, match="was interrupted"):
        search(sets, tmp_path / "search.db")
    pressed.update(at=None)
    again = search(sets, tmp_path / "search.db")
    np.testing.assert_array_equal(again.order_, whole.order_)
    for name, column in whole.strategy_.history_.items():
        np.testing.assert_array_equal(again.strategy_.history_[name], column)


def test_its_curve_is_not_kept_in_a_study(sets, tmp_path):
    problem = Problem.from_sets(sets, Swallowing(), batch_size=4, n_rounds=3)
    strategies = {"random": Random(), "margin": Margin()}

    def study(path=None):
        with pytest.warns(UserWarning, match="Seeds do not differ for margin"):
            return compare(problem, strategies, path=path, n_orders=1)

    whole = study()
    pressed.update(at=10, n=0)
    with pytest.raises(KeyboardInterrupt):
        compare(problem, strategies, path=tmp_path, n_orders=1)
    pressed.update(at=None)
    np.testing.assert_array_equal(study(tmp_path).curves, whole.curves)


def test_a_handler_of_the_users_own_is_left_alone():
    noted = []
    signal.signal(signal.SIGINT, lambda *args: noted.append(args))
    with interruptible():
        os.kill(os.getpid(), signal.SIGINT)
    assert len(noted) == 1
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_training_in_a_thread_is_not_in_the_way():
    found = []

    def train():
        with interruptible():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


@pytest.mark.parametrize("n_after", [1, 3])
def test_an_order_that_was_found_is_kept_when_its_rounds_are_interrupted(sets, n_after):
    whole = search(sets)
    # The rounds follow the search, and the first one came before it.
    pressed.update(at=pressed["n"] - 3 + n_after, n=0)
    oracle = AnnealingOracle(n_steps=20)
    learner = ActiveLearner(
        Swallowing(), oracle, batch_size=4, n_rounds=3, random_state=0
    )
    with pytest.raises(KeyboardInterrupt) as caught:
        learner.fit(**sets)
    assert "strategy_.order_, and FixedOrder" in "".join(caught.value.__notes__)
    np.testing.assert_array_equal(learner.strategy_.order_, whole.strategy_.order_)
    assert np.isnan(learner.curve_[-1])
    assert np.isnan(learner.quality_)


def test_an_error_after_ctrl_c_is_its_consequence():
    def work():
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        raise RuntimeError("a worker has stopped")

    with pytest.raises(KeyboardInterrupt) as caught, interruptible():
        work()
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(ZeroDivisionError), interruptible():
        1 / 0  # noqa: B018


def dying(parent):
    """Return an estimator that kills a worker process in which it is trained."""

    class Dying(GaussianNB):
        def fit(self, X, y):
            if os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().fit(X, y)

    return Dying()


@pytest.mark.parametrize("work", ["search", "study", "seeds"])
@pytest.mark.filterwarnings("ignore:A worker stopped while some jobs")
def test_a_worker_that_is_killed_is_named_in_one_sentence(sets, work):
    estimator = dying(os.getpid())
    learner = ActiveLearner(estimator, Margin(), batch_size=4, n_rounds=3)
    searching = clone(learner).set_params(strategy=AnnealingOracle(n_steps=5, n_jobs=2))
    problem = Problem.from_sets(sets, estimator, batch_size=4, n_rounds=3)
    works = {
        "search": lambda: searching.fit(**sets),
        "study": lambda: compare(problem, {"margin": Margin()}, n_jobs=2),
        "seeds": lambda: run_seeds(learner, **sets, n_jobs=2),
    }
    with pytest.raises(RuntimeError, match=r"process was killed, .* smaller n_jobs"):
        works[work]()
