"""Searches that a limit alone ends, without a number of steps."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB

from skal import AnnealingOracle, Problem
from skal.identity._fingerprint import describe
from skal.oracle import read_journal
from skal.oracle.annealing import _oracle
from skal.oracle.annealing._schedule import Schedule
from skal.oracle.annealing._uniform import UniformChain, _Future
from skal.oracle.evaluation import _budget
from skal.oracle.evaluation._budget import Budget, Course
from skal.training import Trainer

PROPOSALS = pytest.mark.parametrize("proposal", ["guided", "uniform"])


@pytest.fixture
def problem(sets):
    return Problem.from_sets(sets, GaussianNB(), batch_size=3, n_rounds=4)


@pytest.fixture(autouse=True)
def short_lap(monkeypatch):
    """The first lap has ten steps, and two greedy ones."""
    monkeypatch.setattr(_oracle, "N_STEPS", 10)


class Clock:
    """A clock that only advances by a second in each training."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock, train = Clock(), Trainer.train

    def tick(self, positions):
        clock.now += 1
        return train(self, positions)

    monkeypatch.setattr(_budget, "time", clock)
    monkeypatch.setattr(Trainer, "train", tick)
    return clock


def search(problem, oracle, **params):
    oracle = clone(oracle).set_params(random_state=1, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return oracle.fit(problem.X_pool, problem.y_pool, problem=problem)


def rows(oracle, n=None):
    return [column[:n].tolist() for column in oracle.history_.values()]


class TestSchedule:
    endless = Schedule(10, 2, "auto", is_endless=True)

    def test_each_lap_is_twice_as_long_as_the_one_before(self):
        """Against a list of all steps."""
        laps = [10 * "a" + 2 * "g", 20 * "a" + 4 * "g", 40 * "a" + 8 * "g"]
        kinds = "".join(laps)
        starts = np.cumsum([1, *map(len, laps)])[1:]
        for t, kind in enumerate(kinds, 1):
            assert self.endless.is_greedy(t) == (kind == "g")
            assert self.endless.starts_lap(t) == (t in starts)
        assert self.endless.starts_lap(len(kinds) + 1)
        assert self.endless.last is None

    def test_each_lap_cools_as_a_search_of_its_length(self):
        for t in range(1, 13):
            assert self.endless.beta(t, 0.1) == Schedule(10, 2, "auto").beta(t, 0.1)
        for t in range(1, 25):
            assert self.endless.beta(12 + t, 0.1) == Schedule(20, 4, "auto").beta(
                t, 0.1
            )
        assert self.endless._replace(gamma=0.5).beta(15, None) == 1.5

    def test_a_lap_is_early_before_a_share_of_its_annealing_steps(self):
        early = [t for t in range(1, 37) if self.endless.is_early(t, 0.25)]
        assert early == [1, 2, 13, 14, 15, 16]


@PROPOSALS
def test_trainings_alone_are_used_up(problem, proposal):
    oracle = AnnealingOracle(proposal=proposal, start="random")
    whole = search(problem, oracle)
    assert len(whole.history_["step"]) == 13
    limited = search(problem, oracle, max_trainings=150)
    assert 145 < limited.n_trainings_ <= 150
    # It begins with all steps of the search without a limit.
    assert rows(limited, 13) == rows(whole)
    assert limited.expected_trainings(problem) == 150
    # A given number of steps still ends it.
    ended = search(problem, oracle, max_trainings=150, n_steps=10)
    assert rows(ended) == rows(whole)


@PROPOSALS
def test_time_alone_is_used_up(problem, proposal, clock):
    search(problem, AnnealingOracle(proposal=proposal, start="random"), max_time=150)
    assert 150 <= clock.now < 151


@PROPOSALS
def test_a_longer_search_begins_with_all_of_a_shorter_one(problem, proposal, path):
    """In the journal, too, where each of them goes on with the one before."""
    oracle = AnnealingOracle(proposal=proposal, start="random")
    longest = search(problem, oracle, max_trainings=200)
    for limit in (60, None, 120, 200):
        found = search(problem, oracle, max_trainings=limit, journal=path)
        assert rows(found) == rows(longest, len(found.history_["step"]))
    assert read_journal(path)["best"].tolist() == longest.history_["best"].tolist()


def test_prefetching_does_not_change_it(problem):
    oracle = AnnealingOracle(proposal="uniform", max_trainings=150)
    plain, ahead = (search(problem, oracle, prefetch=n) for n in (0, 9))
    assert rows(plain) == rows(ahead)


def test_the_next_lap_is_foreseen_to_begin_with_the_best_order(problem, monkeypatch):
    take, moved_on = UniformChain.step, []

    def check(chain, t):
        now = _Future(chain.current.order, chain.best.order, 0)
        before = chain.n_accepted
        taken = take(chain, t)
        after = chain._after(now, t, chain.n_accepted > before) if taken else now
        if taken and not chain.schedule.is_greedy(t):
            assert after.current.tolist() == chain.current.order.tolist()
            if chain.schedule.starts_lap(t):
                moved_on.append(now.current.tolist() != now.best.tolist())
        return taken

    monkeypatch.setattr(UniformChain, "step", check)
    for gamma in (0.0, 1e12):
        oracle = AnnealingOracle(proposal="uniform", gamma=gamma, max_trainings=150)
        search(problem, oracle)
    assert any(moved_on)


@PROPOSALS
def test_it_ends_when_all_orders_are_known(tiny_sets, proposal):
    problem = Problem.from_sets(
        tiny_sets(6, seed=0), GaussianNB(), batch_size=1, n_rounds=2
    )
    oracle = AnnealingOracle(proposal=proposal, start="random", max_trainings=1000)
    assert search(problem, oracle).n_trainings_ <= 6 + 15


def test_it_is_described_as_before(monkeypatch):
    monkeypatch.undo()
    oracle = AnnealingOracle(max_time=60)
    assert "n_steps=1000" in describe(oracle)
    assert describe(oracle) == describe(clone(oracle).set_params(n_steps=1000))
    assert describe(oracle) != describe(clone(oracle).set_params(n_steps=999))


class TestCourse:
    def test_by_time_alone(self, clock):
        budget = Budget(max_time=40)
        course = Course(budget, n_steps=None, n_start=100, n_expected=1000)
        assert course.report(0, 0, is_start=True)["share"] == 0
        clock.now = 10.0
        budget.add(20)
        report = course.report(3, 20)
        assert report["share"] == 0.25
        assert report["is_limited"]
        assert report["seconds_left"] == 30
        assert report["expected_trainings"] == 80

    def test_by_trainings_alone(self, clock):
        budget = Budget(max_trainings=200)
        course = Course(budget, n_steps=None, n_start=100, n_expected=1000)
        clock.now = 10.0
        budget.add(50)
        report = course.report(3, 50)
        assert report["share"] == 0.25
        assert report["is_limited"]
        assert report["seconds_left"] == 30
        assert report["expected_trainings"] == 200
