"""Searches that a limit or the user ends: in the start, and in a step."""

import warnings

import numpy as np
import pytest
from _small_search import assert_same, known_sets
from joblib import parallel_config
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB

from skal import (
    ActiveLearner,
    AnnealingOracle,
    BeamOracle,
    BestOfStrategiesOracle,
    ExhaustiveOracle,
    GreedyOracle,
    Margin,
    Problem,
)
from skal._costs import search_cost
from skal.answers._margins import margins_of
from skal.curves import prefixes
from skal.judging import Evaluation
from skal.oracle import read_journal
from skal.oracle.annealing._chain import is_level
from skal.oracle.evaluation import _budget
from skal.oracle.evaluation import _workers as _jobs
from skal.oracle.evaluation._budget import Budget, Course
from skal.oracle.evaluation._objective import Objective
from skal.plotting import SearchDisplay
from skal.training import Trainer

ORACLES = {
    "guided": AnnealingOracle(n_steps=10, random_state=1),
    "guided from a strategy": AnnealingOracle(
        n_steps=10, start=Margin(), random_state=1
    ),
    "uniform": AnnealingOracle(n_steps=20, proposal="uniform", random_state=1),
    "beam": BeamOracle(width=3, n_candidates=4, random_state=1),
    "greedy": GreedyOracle(n_candidates=6, by="round", random_state=1),
    "best of strategies": BestOfStrategiesOracle(n_candidates=9, random_state=1),
}
every_oracle = pytest.mark.parametrize("name", ORACLES)


@pytest.fixture
def problem(sets):
    return Problem.from_sets(sets, GaussianNB(), batch_size=3, n_rounds=4)


class Clock:
    """A clock that only advances by a second in each training."""

    def __init__(self):
        self.now, self.n_trained, self.trained = 0.0, 0, set()
        self.ctrl_c_at, self.groups = set(), []

    def monotonic(self):
        return self.now

    perf_counter = monotonic

    def tick(self):
        self.n_trained += 1
        if self.n_trained in self.ctrl_c_at:
            raise KeyboardInterrupt
        self.now += 1


@pytest.fixture
def clock(monkeypatch):
    clock, train = Clock(), Trainer.train

    def tick(self, positions):
        clock.tick()
        clock.trained.add(frozenset(positions.tolist()))
        return train(self, positions)

    monkeypatch.setattr(_budget, "time", clock)
    monkeypatch.setattr(_jobs, "time", clock)
    monkeypatch.setattr(Trainer, "train", tick)
    return clock


class Together:
    """Trains eight models at the same time, in a second for each."""

    width, clock = 8, None

    def __init__(self, X, y):
        self.X, self.y = X, y

    def fit(self, sets):
        return [GaussianNB().fit(self.X[rows], self.y[rows]) for rows in sets]

    def judge(self, sets, X, y, scorer, sample=None):
        models = self.fit(sets)
        self.clock.groups.append(len(sets))
        for _ in sets:
            self.clock.tick()
        margins = [None if sample is None else margins_of(m, X, y) for m in models]
        return list(zip((scorer(m, X, y) for m in models), margins, strict=True))


class SideBySideNB(GaussianNB):
    """A model that is trained side by side."""

    def side_by_side(self, X, y, **params):
        return Together(X, y)


def search(oracle, problem, **params):
    """Fit a copy of an oracle, and return it with its warnings."""
    oracle = clone(oracle).set_params(**params)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        oracle.fit(problem.X_pool, problem.y_pool, problem=problem)
    return oracle, [str(warning.message) for warning in caught]


def quality_of(order, problem):
    sets = prefixes(order, problem.ends(order), range(1, problem.n_rounds + 1))
    with Objective(problem) as objective:
        return np.mean(objective.scores(sets))


def is_an_order(order, problem):
    return len(set(order.tolist())) == len(order) == problem.n_acquired


class TestMaxTime:
    @every_oracle
    @pytest.mark.parametrize("limit", [0.5, 3, 10.5, 44, 70])
    def test_holds_within_one_training(self, name, limit, problem, clock):
        found, _ = search(ORACLES[name], problem, max_time=limit)
        assert clock.now < limit + 1
        assert is_an_order(found.order_, problem)
        assert found.n_trainings_ <= clock.now

    @every_oracle
    @pytest.mark.parametrize("limit", [3, 11, 70])
    def test_holds_within_one_training_of_each_job(self, name, limit, problem, clock):
        with parallel_config(backend="threading"):
            search(ORACLES[name], problem, max_time=limit, n_jobs=2)
        assert clock.now < limit + 2

    @every_oracle
    @pytest.mark.parametrize("limit", [0.5, 3, 14, 44.5])
    def test_holds_within_one_training_side_by_side(
        self, name, limit, sets, clock, monkeypatch
    ):
        """Eight at a time, or fewer where the time is not enough for eight."""
        monkeypatch.setattr(Together, "clock", clock)
        problem = Problem.from_sets(sets, SideBySideNB(), batch_size=3, n_rounds=4)
        found, _ = search(ORACLES[name], problem, max_time=limit)
        assert clock.now < limit + 1
        assert is_an_order(found.order_, problem)
        assert limit < 44 or max(clock.groups) > 2

    @every_oracle
    @pytest.mark.parametrize("limit", [20, 44, 70])
    def test_the_order_is_scored_within_it(self, name, limit, problem, clock):
        found, _ = search(ORACLES[name], problem, max_time=limit)
        assert found.quality_ == pytest.approx(quality_of(found.order_, problem))

    @every_oracle
    def test_what_it_cut_short_goes_on_with_a_journal(self, name, problem, clock, path):
        whole, _ = search(ORACLES[name], problem)
        for limit in (3, 20, 33, 57):
            clock.now = 0.0
            n_kept = len(known_sets(path)) if path.exists() else 0
            search(ORACLES[name], problem, max_time=limit, journal=path)
            table = read_journal(path)
            n_rows = len(table["step"])
            # Each score is kept, and of steps those that came to their end.
            assert len(known_sets(path)) >= min(n_kept + 1, whole.n_trainings_)
            for column in ("step", "best", "accepted", "n_trainings"):
                expected = whole.history_[column][:n_rows]
                np.testing.assert_array_equal(table[column], expected)
        resumed, caught = search(ORACLES[name], problem, journal=path)
        assert not caught
        assert resumed.order_.tolist() == whole.order_.tolist()
        assert resumed.n_trainings_ == whole.n_trainings_
        for column, values in whole.history_.items():
            np.testing.assert_array_equal(resumed.history_[column], values)

    def test_in_the_start_it_leaves_the_best_beginning(self, problem, clock):
        """With 16 candidates in each round and a model before it."""
        found, caught = search(ORACLES["guided"], problem, max_time=40)
        assert "max_time=40 ended the search in its start, after 3" in caught[0]
        assert "completed at random" in caught[0]
        whole, _ = search(ORACLES["guided"], problem, n_steps=0, n_greedy=0)
        assert found.order_[:6].tolist() == whole.order_[:6].tolist()
        assert found.order_.tolist() != whole.order_.tolist()
        assert found.history_["step"].tolist() == [0]
        assert found.history_["best"][0] == found.quality_

    def test_what_a_round_has_tried_counts(self, problem, clock):
        """Only some candidates of the first round were scored."""
        found, _ = search(ORACLES["guided"], problem, max_time=12)
        with Objective(problem) as objective:
            first = objective.scores([found.order_[:3]])
        assert first > 0.5
        assert is_an_order(found.order_, problem)

    def test_a_step_that_is_cut_short_is_none(self, problem, clock, path):
        limit = 8.0  # the start takes four of them
        oracle = AnnealingOracle(n_steps=20, start="random", random_state=1)
        found, caught = search(oracle, problem, max_time=limit - 1, journal=path)
        assert not caught
        assert found.history_["step"].tolist() == [0]
        assert found.n_trainings_ == len(known_sets(path)) == 7
        assert read_journal(path)["step"].tolist() == [0]

    def test_no_time_to_score_the_order_that_was_found(self, problem, clock):
        """Rounds that were not scored get the score of the round before."""
        found, _ = search(ORACLES["guided from a strategy"], problem, max_time=3)
        order = found.order_
        with Objective(problem) as objective:
            scores = objective.scores([order[:0], order[:3], order[:6]])
        expected = np.mean([scores[1], scores[2], scores[2], scores[2]])
        assert found.quality_ == pytest.approx(expected)


def learn(oracle, sets, **params):
    base = {"batch_size": 3, "n_rounds": 4, "random_state": 0}
    return ActiveLearner(GaussianNB(), oracle, **base | params).fit(**sets)


class TestCtrlC:
    @pytest.mark.parametrize("training", [3, 20, 50])
    @pytest.mark.parametrize("start", ["strategies", Margin(), "random"])
    def test_in_the_start_it_leaves_the_best_so_far(
        self, start, training, sets, path, clock
    ):
        oracle = AnnealingOracle(n_steps=10, start=start)
        if start != "strategies":
            training = 3 + training % 3
        whole = learn(oracle, sets)
        clock.n_trained, clock.ctrl_c_at = 0, {training}
        clock.trained.clear()
        oracle.set_params(journal=path)
        with pytest.warns(UserWarning, match="was interrupted in its start: going on"):
            cut = learn(oracle, sets)
        assert cut.strategy_.quality_ == pytest.approx(cut.validation_quality_)
        assert cut.strategy_.history_["best"].tolist() == [cut.strategy_.quality_]
        assert not len(read_journal(path)["step"])
        # The learner trains on the warm start alone, and after a search on its order.
        assert len(known_sets(path)) >= len(clock.trained) - 1
        assert_same(whole, learn(oracle, sets))

    def test_before_anything_was_scored_it_is_raised(self, problem, clock):
        clock.ctrl_c_at = {1}
        with pytest.raises(KeyboardInterrupt):
            search(ORACLES["guided"], problem)

    def test_a_second_one_leaves_the_order_unscored(self, problem, clock):
        clock.ctrl_c_at = {25, 26}
        found, caught = search(ORACLES["guided"], problem)
        assert "interrupted in its start" in caught[0]
        assert is_an_order(found.order_, problem)
        assert 0 < found.quality_ < 1

    @every_oracle
    def test_in_the_last_trainings(self, name, problem, clock):
        whole, _ = search(ORACLES[name], problem)
        clock.ctrl_c_at = {2 * clock.n_trained - 2}
        found, caught = search(ORACLES[name], problem)
        assert "interrupted in step" in caught[0]
        assert found.quality_ == pytest.approx(quality_of(found.order_, problem))
        assert found.quality_ <= whole.quality_ or name == "beam"

    def test_within_a_step_the_journal_keeps_what_was_trained(
        self, problem, clock, path
    ):
        clock.ctrl_c_at = {7}  # of eight, in the first round
        oracle = GreedyOracle(n_candidates=8, by="round")
        search(oracle, problem, random_state=1, journal=path)
        assert len(known_sets(path)) >= 6


class TestBudget:
    def test_reserve(self, clock):
        budget = Budget(max_time=10)
        clock.now = 2.0
        budget.add(1)
        clock.now = 4.0
        budget.add(1)
        budget.reserve = 2
        budget.check()
        clock.now = 6.0
        with pytest.raises(_budget.OutOfTime):
            budget.check()

    def test_the_start_of_workers_is_no_part_of_a_training(self, clock):
        budget = Budget()
        clock.now = 60.0
        budget.add(2, busy=1.0)
        assert budget.seconds_per_training == 0.5
        clock.now = 61.0
        budget.add(2)
        clock.now = 90.0  # nothing was trained
        budget.skip()
        clock.now = 91.0
        budget.add(2)
        assert budget.seconds_per_training == 0.5


class TestCourse:
    """100 trainings before the first step, and then 10 in each of 90."""

    def course(self, **limits):
        return Course(Budget(**limits), n_steps=90, n_start=100, n_expected=1000)

    def test_by_trainings(self, clock):
        course = self.course()
        assert course.report(0, 50, is_start=True)["share"] == 0.05
        assert course.report(0, 100, is_start=True)["share"] == 0.1
        report = course.report(45, 550)
        assert report["share"] == pytest.approx(0.55)
        assert not report["is_limited"]

    def test_a_start_may_take_less_than_expected(self, clock):
        course = self.course()
        course.report(0, 40, is_start=True)
        share = course.report(45, 490)["share"]  # 450 trainings in 45 of 90 steps
        assert share == pytest.approx(490 / (490 + 45 * 10))

    def test_by_the_trainings_that_are_allowed(self, clock):
        course = self.course(max_trainings=200)
        report = course.report(0, 100, is_start=True)
        assert report["share"] == 0.5
        assert report["is_limited"]

    def test_by_time(self, clock):
        course = self.course(max_time=40)
        clock.now = 30.0
        report = course.report(1, 110)
        assert report["share"] == 0.75
        assert report["is_limited"]

    def test_steps_that_take_no_training(self, clock):
        """As in a tiny pool, where all sets are scored."""
        course = self.course()
        shares = [course.report(t, 100)["share"] for t in range(91)]
        assert np.all(np.diff(shares) >= 0)
        assert shares[-1] == 1

    def test_the_time_that_is_left(self, clock):
        budget = Budget(max_trainings=500)
        course = Course(budget, n_steps=90, n_start=100, n_expected=1000)
        assert "seconds_left" not in course.report(0, 0, is_start=True)
        clock.now = 0.5
        budget.add(1)
        report = course.report(0, 1, is_start=True)
        assert report["seconds_per_training"] == 0.5
        assert report["seconds_left"] == 499 * 0.5
        assert report["expected_trainings"] == 500


@every_oracle
def test_trainings_are_about_as_expected(name, problem):
    found, _ = search(ORACLES[name], problem)
    expected = found.expected_trainings(problem)
    assert found.n_trainings_ == pytest.approx(expected, rel=0.3)


@every_oracle
def test_progress_begins_with_the_trainings_that_are_expected(
    name, problem, monkeypatch
):
    given = []

    class Watched(Course):
        def __init__(self, budget, n_steps, n_start, n_expected):
            given.append((n_start, n_expected))
            raise InterruptedError

    monkeypatch.setattr("skal.oracle._base.Course", Watched)
    with pytest.raises(InterruptedError):
        search(ORACLES[name], problem)
    ((n_start, n_expected),) = given
    assert n_expected == clone(ORACLES[name]).expected_trainings(problem)
    assert 0 <= n_start < n_expected


def test_trainings_that_are_expected_are_no_more_than_allowed(problem, tiny_sets):
    assert AnnealingOracle(max_trainings=100).expected_trainings(problem) == 100
    tiny = Problem.from_sets(
        tiny_sets(6, seed=0), GaussianNB(), batch_size=1, n_rounds=2
    )
    assert search_cost(ExhaustiveOracle(), tiny) == 6 + 15
    assert search_cost(Margin(), tiny) == 0


class Hear:
    """Records the report of each step to a progress bar."""

    max_propagation_depth = None

    def __init__(self):
        self.told = []

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, *, metadata=None):
        self.told.append(metadata)


@pytest.mark.parametrize("proposal", ["guided", "uniform"])
def test_accepted_means_the_same_everywhere(problem, proposal):
    hear = Hear()
    oracle = AnnealingOracle(n_steps=30, proposal=proposal, random_state=0)
    oracle.set_callbacks(hear).fit(problem.X_pool, problem.y_pool, problem=problem)
    accepted = oracle.history_["accepted"]
    for step in (1, 10, 36):
        rate = accepted[1 : step + 1].mean()
        assert hear.told[step - 1]["acceptance_rate"] == pytest.approx(rate)
    display = SearchDisplay.from_estimator(oracle)
    label = display.lines_["current"].get_label()
    assert label == f"current (accepted {accepted[1:].mean():.0%} of steps)"


def test_a_search_is_level_when_the_best_is_old():
    assert not is_level(79, 100, n_rounds=8)
    assert is_level(80, 100, n_rounds=8)
    assert not is_level(200, 1000, n_rounds=8)
    assert is_level(250, 1000, n_rounds=8)


@pytest.mark.parametrize(("proposal", "first"), [("guided", 1), ("uniform", 100)])
def test_progress_tells_since_when_a_search_is_level(
    problem, monkeypatch, proposal, first
):
    """All orders have the same quality here, so the first one stays the best."""
    monkeypatch.setattr(Evaluation, "_score", lambda self, model, asked: 0.5)
    hear = Hear()
    oracle = AnnealingOracle(
        n_steps=400, proposal=proposal, start="random", random_state=0
    )
    oracle.set_params(max_trainings=600).set_callbacks(hear)
    oracle.fit(problem.X_pool, problem.y_pool, problem=problem)
    history = oracle.history_
    told = hear.told[: len(history["step"]) - 1]
    steps = [t for t, report in enumerate(told, 1) if "level_for" in report]
    assert steps[0] >= first
    for t in steps:
        since = history["n_trainings"][t] - history["n_trainings"][0]
        assert told[t - 1]["level_for"] == since >= 40
    assert steps == list(range(steps[0], len(told) + 1))
