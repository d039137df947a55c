import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skal import (
    ActiveLearner,
    AnnealingOracle,
    ExhaustiveOracle,
    FixedOrder,
    GreedyOracle,
    Margin,
    Random,
    xi_quality,
)
from skal.oracle.annealing._schedule import Schedule

BASE = {"batch_size": 3, "n_rounds": 5, "warm_size": 10, "random_state": 0}


def fit(data, oracle, **params):
    return ActiveLearner(GaussianNB(), oracle, **BASE | params).fit(*data)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("n_pool", "batch_size", "n_rounds"), [
    (n_pool, b, k) for n_pool in (6, 7, 8) for b in (1, 2) for k in (2, 3)
])  # fmt: skip
def test_annealing_finds_the_optimum_that_is_proved(
    tiny_sets, n_pool, batch_size, n_rounds, seed
):
    sets = tiny_sets(n_pool, seed)

    def quality(oracle):
        learner = ActiveLearner(
            GaussianNB(), oracle, batch_size=batch_size, n_rounds=n_rounds,
            random_state=seed,
        )  # fmt: skip
        return learner.fit(**sets).strategy_.quality_

    assert quality(AnnealingOracle(proposal="uniform", n_steps=1000)) == pytest.approx(
        quality(ExhaustiveOracle()), abs=1e-12
    )


def test_history(blobs):
    oracle = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=60, n_greedy=20)
    ).strategy_
    history = oracle.history_
    assert {len(column) for column in history.values()} == {81}
    assert history["step"].tolist() == list(range(81))
    best = np.maximum.accumulate(history["proposed"])
    np.testing.assert_array_equal(history["best"], best)
    assert oracle.quality_ == history["best"][-1]
    moved = history["accepted"]
    np.testing.assert_array_equal(history["current"][moved], history["proposed"][moved])
    stayed = np.flatnonzero(~moved[:61])
    np.testing.assert_array_equal(
        history["current"][stayed], history["current"][stayed - 1]
    )
    assert (np.diff(history["n_trainings"]) >= 0).all()
    assert history["n_trainings"][-1] == oracle.n_trainings_


def test_a_fifth_more_steps_are_greedy_by_default(blobs):
    search = AnnealingOracle(proposal="uniform", n_steps=20)
    assert fit(blobs, search).strategy_.history_["step"].tolist() == list(range(25))


def test_greedy_steps_only_ever_improve(blobs):
    history = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=0, n_greedy=80)
    ).strategy_.history_
    better = history["proposed"][1:] > history["best"][:-1]
    np.testing.assert_array_equal(history["accepted"][1:], better)


def test_acceptance_follows_the_schedule(blobs):
    hot = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=150, n_greedy=0, gamma=0.0)
    )
    assert hot.strategy_.history_["accepted"].all()
    cold = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=150, n_greedy=0, gamma=1e12)
    )
    history = cold.strategy_.history_
    better = history["proposed"][1:] >= history["current"][:-1]
    np.testing.assert_array_equal(history["accepted"][1:], better)


@pytest.mark.parametrize("n_steps", [200, 800])
def test_a_run_of_any_length_cools(blobs, n_steps):
    history = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=n_steps, n_greedy=0)
    ).strategy_.history_
    is_loss = history["proposed"][1:] < history["current"][:-1]
    accepted = history["accepted"][1:]
    tenth = n_steps // 10
    assert accepted[:tenth][is_loss[:tenth]].mean() > 0.4
    assert accepted[-tenth:][is_loss[-tenth:]].mean() < 0.05


def test_the_schedule_does_not_depend_on_the_scale_of_the_scores(blobs):
    def percent(model, X, y):
        return 100 * model.score(X, y)

    orders = [
        fit(
            blobs, AnnealingOracle(proposal="uniform", n_steps=100), scoring=scoring
        ).order_.tolist()
        for scoring in ("accuracy", percent)
    ]
    assert orders[0] == orders[1]


def test_the_published_factor_is_taken_at_its_word():
    schedule = Schedule(n_steps=100, n_greedy=20, gamma=0.1)
    assert schedule.beta(50, None) == pytest.approx(5.0)
    assert schedule.beta(101, None) is None


def test_the_quality_is_that_of_the_order(blobs):
    found = fit(blobs, AnnealingOracle(proposal="uniform", n_steps=100))
    replay = fit(blobs, FixedOrder(found.strategy_.order_))
    assert replay.validation_quality_ == found.strategy_.quality_
    assert xi_quality(found.validation_curve_) == found.strategy_.quality_


def test_no_set_is_trained_on_twice(blobs, trained):
    oracle = fit(
        blobs,
        AnnealingOracle(proposal="uniform", n_steps=400),
        n_rounds=2,
        batch_size=1,
    )
    assert len(trained) == len(set(trained)) == oracle.strategy_.n_trainings_


def test_a_tiny_pool_is_searched_from_memory(tiny_sets):
    learner = ActiveLearner(
        GaussianNB(),
        AnnealingOracle(proposal="uniform", n_steps=500),
        batch_size=1,
        n_rounds=2,
    )
    assert learner.fit(**tiny_sets(6, 0)).strategy_.n_trainings_ <= 6 + 15


def test_start_from_an_order_and_from_a_strategy(blobs):
    margin = fit(blobs, Margin(random_state=1))
    still = {"n_steps": 0, "n_greedy": 0}
    given = fit(
        blobs, AnnealingOracle(proposal="uniform", start=margin.order_, **still)
    )
    asked = fit(
        blobs,
        AnnealingOracle(proposal="uniform", start=Margin(random_state=1), **still),
    )
    assert given.order_.tolist() == asked.order_.tolist() == margin.order_.tolist()
    assert given.strategy_.n_trainings_ == 5
    assert asked.strategy_.n_trainings_ == 6
    random = fit(blobs, AnnealingOracle(proposal="uniform", **still))
    assert random.order_.tolist() != margin.order_.tolist()


def test_a_search_improves_on_its_start(blobs):
    margin = fit(blobs, Margin(random_state=1))
    found = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=100, start=margin.order_)
    )
    assert found.validation_quality_ > margin.validation_quality_


@pytest.mark.parametrize("limit", [5, 6, 40, 41, 42])
def test_max_trainings_is_never_exceeded(blobs, limit):
    oracle = fit(
        blobs, AnnealingOracle(proposal="uniform", max_trainings=limit)
    ).strategy_
    assert limit - 5 < oracle.n_trainings_ <= limit


def test_a_limit_cuts_the_chain_and_changes_nothing_before(blobs):
    free = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=60)
    ).strategy_.history_
    cut = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=60, max_trainings=60)
    ).strategy_.history_
    n_done = len(cut["step"])
    assert 5 < n_done < len(free["step"])
    for name, column in cut.items():
        np.testing.assert_array_equal(column, free[name][:n_done])


def test_a_limit_below_the_start_is_refused_before_there_is_a_journal(blobs, tmp_path):
    journal = tmp_path / "search.db"
    limited = AnnealingOracle(proposal="uniform", max_trainings=4, journal=journal)
    with pytest.raises(ValueError, match="max_trainings=4 does not even score the"):
        fit(blobs, limited)
    assert not journal.exists()


def test_the_model_that_strategies_are_asked_about_is_part_of_the_start(blobs):
    found = fit(blobs, AnnealingOracle(max_trainings=6)).strategy_
    assert found.n_trainings_ == 6
    with pytest.raises(ValueError, match=r"max_trainings=5 .* which takes 6"):
        fit(blobs, AnnealingOracle(max_trainings=5))


def test_a_start_that_is_a_search_is_refused(blobs, trained):
    with pytest.raises(ValueError, match="run it first, and give its order_"):
        fit(blobs, AnnealingOracle(start=GreedyOracle()))
    assert not trained


def test_max_time_ends_the_search(blobs):
    oracle = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=10**6, max_time=0.3)
    ).strategy_
    assert 0 < len(oracle.history_["step"]) - 1 < 10**6


class Interrupting(GaussianNB):
    """Sends Ctrl-C to its own process in its 40th training."""

    n_fits = 0

    def fit(self, X, y):
        type(self).n_fits += 1
        if type(self).n_fits == 40:
            os.kill(os.getpid(), signal.SIGINT)
        return super().fit(X, y)


@pytest.fixture
def heeding_ctrl_c():
    """Handle Ctrl-C, which processes started in the background ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_leaves_the_best_so_far(blobs, heeding_ctrl_c):
    Interrupting.n_fits = 0
    learner = ActiveLearner(
        Interrupting(), AnnealingOracle(proposal="uniform", n_steps=1000), **BASE
    )
    with pytest.warns(UserWarning, match="interrupted in step .* of 1200: going on"):
        learner.fit(*blobs)
    oracle = learner.strategy_
    assert 5 <= oracle.n_trainings_ < 45
    assert oracle.quality_ == oracle.history_["best"].max()
    assert learner.validation_quality_ == oracle.quality_
    assert learner.predict(blobs[0]).shape == (120,)


def test_a_pool_that_is_used_up_is_reordered(tiny_sets):
    sets = tiny_sets(8, seed=0)
    learner = ActiveLearner(
        GaussianNB(),
        AnnealingOracle(proposal="uniform", n_steps=300),
        batch_size=3,
        n_rounds=3,
    )
    with pytest.warns(UserWarning, match="after 3 rounds, the last of them with 2"):
        learner.fit(**sets)
    assert sorted(learner.order_.tolist()) == list(range(8))
    assert learner.rounds_.tolist() == [1, 1, 1, 2, 2, 2, 3, 3]


def test_a_single_batch_of_everything_leaves_nothing_to_search(blobs):
    X, y = blobs
    with pytest.warns(UserWarning, match="stopping early, after 1 rounds"):
        learner = fit(
            (X, y),
            AnnealingOracle(proposal="uniform", n_steps=50),
            batch_size=100,
            n_rounds=1,
        )
    assert learner.strategy_.n_trainings_ == 1


def test_start_strategies_do_not_peek(blobs):
    class Curious(Random):
        def _fit(self, X, y, problem):
            assert y is None
            assert problem.y_pool is None
            super()._fit(X, y, problem)

    fit(
        blobs,
        AnnealingOracle(proposal="uniform", n_steps=0, n_greedy=0, start=Curious()),
    )


INTERRUPTED = """
import signal
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB
from skal import ActiveLearner, AnnealingOracle

class Tell:
    max_propagation_depth = None
    def setup(self, estimator, context): pass
    def teardown(self, estimator, context): pass
    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "step" and context.task_id == 3:
            print("searching", flush=True)
    def on_fit_task_end(self, estimator, context): pass

signal.signal(signal.SIGINT, signal.default_int_handler)
X, y = make_blobs(300, centers=3, cluster_std=3.0, random_state=3)
oracle = AnnealingOracle(proposal="uniform", n_steps=10**6, n_jobs=2)
learner = ActiveLearner(GaussianNB(), oracle, random_state=0).set_callbacks(Tell())
learner.fit(X, y)
assert learner.validation_quality_ == learner.strategy_.quality_
print("done", learner.predict(X).shape, flush=True)
"""


def test_ctrl_c_in_a_terminal_reaches_all_workers_and_still_leaves_the_best():
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "searching\n"
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert output == "done (300,)\n", errors
    assert "The search was interrupted" in errors
