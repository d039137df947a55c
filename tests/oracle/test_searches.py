"""One suite for all oracles that search step by step."""

import json
import os
import subprocess
import sys
from functools import cache
from itertools import product

import numpy as np
import pytest
from _small_search import assert_same
from sklearn.base import BaseEstimator, clone
from sklearn.callback import ProgressBar
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC

from skal import (
    ActiveLearner,
    AnnealingOracle,
    BeamOracle,
    BestOfStrategiesOracle,
    ExhaustiveOracle,
    FixedOrder,
    GreedyOracle,
    Margin,
    MaxEntropy,
    Random,
    split,
)
from skal.datasets import make_intents
from skal.nets import EmbeddingBagClassifier
from skal.oracle import read_journal
from skal.oracle.evaluation._objective import Objective
from skal.plotting import SearchDisplay

ORACLES = {
    "annealing": AnnealingOracle(n_steps=24, proposal="uniform"),
    "prefetching": AnnealingOracle(n_steps=24, proposal="uniform", prefetch=5),
    "guided": AnnealingOracle(n_steps=12),
    "guided prefetching": AnnealingOracle(n_steps=12, prefetch=5),
    "guided from random": AnnealingOracle(n_steps=12, start="random"),
    "greedy": GreedyOracle(n_candidates=4),
    "greedy by round": GreedyOracle(n_candidates=6, by="round"),
    "beam": BeamOracle(width=3, n_candidates=3),
    "beam by round": BeamOracle(width=2, n_candidates=5, by="round"),
    "best of strategies": BestOfStrategiesOracle(n_candidates=8),
}
KINDS = "classes", "numbers", "labels"
# Prefetching does not change a search, whatever the target.
CASES = [
    (kind, name)
    for kind, name in product(KINDS, ORACLES)
    if kind == "classes" or "prefetching" not in name
]
every_oracle = pytest.mark.parametrize(("kind", "name"), CASES)
# For what has nothing to do with the kind of target.
every_name = pytest.mark.parametrize("name", ORACLES)
SCRIPT = """
import json, sys
sys.path.append("tests/oracle")
from test_searches import CASES, ORACLES, learn, make_sets
print(json.dumps({
    f"{kind} {name}": learn(ORACLES[name], make_sets(kind)).order_.tolist()
    for kind, name in CASES
}))
"""


class First(BaseEstimator):
    """A minimal strategy, with only `fit` and `select`."""

    def fit(self, X, y=None, *, problem=None):
        return self

    def select(self, estimator, X, n, *, candidates=None, labelled=None):
        return candidates[:n]


def make_sets(kind="classes"):
    X, y = np.random.default_rng(3).normal(size=(110, 2)), np.arange(110) % 3
    X += 1.5 * np.array([[0, 0], [1, 0], [0, 1]])[y]
    if kind == "labels":
        y = np.column_stack([X[:, 0] > 0.5, X[:, 0] > X[:, 1], np.sin(2 * X[:, 1]) > 0])
        y = y.astype(int)
    elif kind == "numbers":
        y = X[:, 0] + np.sin(2 * X[:, 1])
    return split(X, y, warm_size=8, val_size=30, test_size=30, random_state=0)


@pytest.fixture
def kind():
    """The kind of target, unless a test is parametrized by it."""
    return "classes"


@pytest.fixture
def sets(kind):
    return make_sets(kind)


@cache
def reference_of(kind, name):
    return learn(ORACLES[name], make_sets(kind))


@pytest.fixture
def reference(kind, name):
    return reference_of(kind, name)


@cache
def random_quality(kind):
    orders = [learn(Random(random_state=i), make_sets(kind)) for i in range(10)]
    return np.mean([learner.validation_quality_ for learner in orders])


@pytest.fixture
def counted(monkeypatch):
    """How many sets are trained on at a time, and a way to interrupt."""
    counts = []
    train = Objective._train_and_score

    def watch(self, sets):
        counts.append(len(sets))
        if sum(counts) > limit[0]:
            raise KeyError("killed")
        return train(self, sets)

    limit = [np.inf]
    monkeypatch.setattr(Objective, "_train_and_score", watch)
    return counts, limit


def quick_estimator(y):
    if y.dtype.kind == "f":
        return KNeighborsRegressor(1)
    return GaussianNB() if y.ndim == 1 else MultiOutputClassifier(GaussianNB())


def learn(oracle, sets, estimator=None, **params):
    estimator = quick_estimator(sets["y"]) if estimator is None else estimator
    params = {"batch_size": 3, "n_rounds": 4, "random_state": 0} | params
    return ActiveLearner(estimator, clone(oracle), **params).fit(**sets)


@every_oracle
def test_its_quality_is_the_learners_and_above_that_of_random(
    kind, name, sets, reference
):
    learner = reference
    found = learner.strategy_
    assert found.quality_ == pytest.approx(learner.validation_quality_)
    assert found.quality_ > random_quality(kind)
    history = found.history_
    assert history["best"][-1] == pytest.approx(found.quality_)
    assert history["n_trainings"][-1] == found.n_trainings_
    assert (np.diff(history["step"]) == 1).all()
    assert (np.diff(history["n_trainings"]) >= 0).all()


@every_oracle
def test_the_same_seed(kind, name, sets, reference, trained, global_state):
    """Nor is a set trained on twice, and the global state is left alone."""
    before = global_state()
    learner = learn(ORACLES[name], sets)
    assert_same(reference, learner)
    assert global_state() == before
    assert len(trained) == len(set(trained))
    # The model that strategies are asked about is trained besides.
    asked = ("best of strategies", "guided", "guided prefetching")
    besides = 1 if name in asked else 0
    found = learner.strategy_
    assert len(trained) + besides == found.n_trainings_ + found.n_speculative_


@every_name
def test_another_seed(name, sets, reference):
    other = learn(ORACLES[name], sets, random_state=1)
    assert other.order_.tolist() != reference.order_.tolist()
    seeded = clone(ORACLES[name]).set_params(random_state=5)
    third = learn(seeded, sets)
    assert third.order_.tolist() != reference.order_.tolist()


@every_name
def test_two_jobs_do_not_change_it(name, sets, reference):
    parallel = clone(ORACLES[name]).set_params(n_jobs=2)
    assert_same(reference, learn(parallel, sets))


def test_prefetching_does_not_change_it():
    """Guided proposals cannot be prefetched, uniform ones are."""
    for plain, is_prefetched in (("annealing", True), ("guided", False)):
        names = plain, f"{plain} prefetching".removeprefix("annealing ")
        without, ahead = (reference_of("classes", name) for name in names)
        assert_same(without, ahead)
        assert (ahead.strategy_.n_speculative_ > 0) == is_prefetched


@cache
def orders_elsewhere():
    """Return the order of each oracle, found by a process with another hash seed."""
    environment = os.environ | {"PYTHONHASHSEED": "5"}
    command = [sys.executable, "-c", SCRIPT]
    found = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    return json.loads(found.stdout)


@every_oracle
def test_another_process_and_hash_seed(kind, name, reference):
    assert orders_elsewhere()[f"{kind} {name}"] == reference.order_.tolist()


@every_oracle
def test_it_goes_on_where_it_was_killed(kind, name, sets, reference, tmp_path, counted):
    counts, limit = counted
    oracle = clone(ORACLES[name]).set_params(journal=tmp_path / "search.db")
    whole = reference
    n_kept = 0
    for share in (0.3, 0.6):
        limit[0] = n_kept + int(share * whole.strategy_.n_trainings_)
        counts.clear()
        counts.append(n_kept)
        with pytest.raises(KeyError, match="killed"):
            learn(oracle, sets)
        n_kept += sum(counts[1:-1])
    limit[0] = np.inf
    counts.clear()
    assert_same(whole, learn(oracle, sets))
    assert 0 < sum(counts) < whole.strategy_.n_trainings_
    counts.clear()
    assert_same(whole, learn(oracle, sets))
    assert not counts
    table = read_journal(tmp_path / "search.db")
    np.testing.assert_array_equal(table["best"], whole.strategy_.history_["best"])


@every_name
def test_a_journal_is_drawn_and_refuses_other_parameters(name, sets, tmp_path):
    oracle = clone(ORACLES[name]).set_params(journal=tmp_path / "search.db")
    learn(oracle, sets)
    SearchDisplay.from_journal(tmp_path / "search.db")
    changed = {"n_steps": 31} if "n_steps" in oracle.get_params() else None
    with pytest.raises(ValueError, match="in the journal"):
        learn(oracle.set_params(**changed or {"n_candidates": 7}), sets)


@every_name
def test_it_shows_its_progress(name, sets, capsys):
    estimator = quick_estimator(sets["y"])
    learner = ActiveLearner(estimator, ORACLES[name], batch_size=3, n_rounds=2)
    learner.set_callbacks(ProgressBar()).fit(**sets)
    assert type(ORACLES[name]).__name__ in capsys.readouterr().out


class Stop:
    """A callback that asks a search to stop after its first step."""

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, **kwargs):
        return True


@every_name
def test_a_callback_may_stop_it(name, sets):
    learner = learn(clone(ORACLES[name]).set_callbacks(Stop()), sets)
    assert len(set(learner.order_)) == 12
    assert learner.strategy_.quality_ == pytest.approx(learner.validation_quality_)
    assert learner.strategy_.history_["step"][-1] == 1


@every_oracle
def test_nothing_beats_the_proven_optimum(kind, name, tiny_sets):
    sets, params = tiny_sets(6, 0, kind), {"batch_size": 2, "n_rounds": 2}
    best = learn(ExhaustiveOracle(), sets, **params).strategy_.quality_
    assert learn(ORACLES[name], sets, **params).strategy_.quality_ <= best + 1e-12


@every_oracle
def test_a_pool_that_ends_in_the_middle_of_a_batch(kind, name):
    sets = make_sets(kind)
    sets["X"], sets["y"] = sets["X"][:10], sets["y"][:10]
    with pytest.warns(UserWarning, match="stopping early"):
        learner = learn(ORACLES[name], sets)
    assert sorted(learner.order_.tolist()) == list(range(10))
    assert learner.strategy_.quality_ == pytest.approx(learner.validation_quality_)


@every_oracle
def test_without_a_warm_start(kind, name):
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    y = {"classes": y, "numbers": X[:, 0], "labels": (X > 0).astype(int)}[kind]
    learner = ActiveLearner(
        quick_estimator(y), ORACLES[name], batch_size=3, n_rounds=2, warm_size=0
    ).fit(X, y)
    assert np.isfinite(learner.strategy_.quality_)


@pytest.mark.parametrize(
    "name", ["greedy", "beam by round", "best of strategies", "guided"]
)
def test_nets_side_by_side(name):
    X, y = make_intents(120, random_state=0)
    sets = split(X, y, warm_size=8, val_size=30, test_size=30, random_state=0)
    net = EmbeddingBagClassifier(embedding_dim=6, max_epochs=3, lr=0.01)
    orders = [
        learn(clone(ORACLES[name]).set_params(n_jobs=n_jobs), sets, net).order_
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*orders)


class TestGreedy:
    def test_against_brute_force(self, tiny_sets):
        """With all points as candidates, the next is the best of all."""
        sets = tiny_sets(8, seed=1)
        params = {"batch_size": 2, "n_rounds": 2}
        learner = learn(GreedyOracle(n_candidates=8), sets, **params)
        order = []
        X, y = sets["X"], sets["y"]
        for _ in range(4):
            scores = []
            for row in [r for r in range(8) if r not in order]:
                rows = [*order, row]
                model = GaussianNB().fit(
                    np.concatenate([sets["X_warm"], X[rows]]),
                    np.concatenate([sets["y_warm"], y[rows]]),
                )
                scores.append((model.score(sets["X_val"], sets["y_val"]), row))
            best = max(score for score, _ in scores)
            ties = [row for score, row in scores if score == best]
            chosen = learner.order_[len(order)]
            assert chosen in ties
            order.append(int(chosen))

    def test_more_candidates_are_better(self, sets):
        few, many = (
            np.mean(
                [
                    learn(
                        GreedyOracle(n_candidates=n), sets, random_state=seed
                    ).strategy_.quality_
                    for seed in range(5)
                ]
            )
            for n in (2, 20)
        )
        assert many > few + 0.01

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_trainings(self, sets, n_jobs):
        found = learn(GreedyOracle(n_candidates=4, n_jobs=n_jobs), sets).strategy_
        assert found.n_trainings_ == 4 * 12
        by_round = GreedyOracle(n_candidates=4, by="round", n_jobs=n_jobs)
        assert learn(by_round, sets).strategy_.n_trainings_ == 4 * 4

    def test_is_a_beam_of_one(self, sets):
        beam = learn(BeamOracle(width=1, n_candidates=4), sets)
        greedy = reference_of("classes", "greedy")
        assert beam.order_.tolist() == greedy.order_.tolist()


class TestBeam:
    def test_a_beam_as_wide_as_the_tree_proves_the_optimum(self, tiny_sets):
        # With the last two, the first way to a set is not always the best one.
        for seed in (0, 5, 9):
            sets, params = tiny_sets(9, seed), {"batch_size": 1, "n_rounds": 5}
            proof = learn(ExhaustiveOracle(), sets, **params).strategy_.quality_
            beam = BeamOracle(width=1000, n_candidates=9)
            assert learn(beam, sets, **params).strategy_.quality_ == pytest.approx(
                proof
            )

    def test_parameters(self, sets):
        for params in ({"width": 0}, {"n_candidates": 0}, {"by": "batch"}):
            with pytest.raises(ValueError, match=next(iter(params))):
                learn(BeamOracle(**params), sets)


class TestBestOfStrategies:
    def test_of_random_alone_it_is_greedy_by_round(self, sets):
        oracle = BestOfStrategiesOracle(strategies=[Random()], n_candidates=5)
        found = learn(oracle, sets).strategy_
        # Now and then it proposes a batch again.
        assert 4 * 4 <= found.n_trainings_ <= 5 * 4

    def test_first_each_strategy_proposes_what_it_would_label_itself(self, sets):
        oracle = BestOfStrategiesOracle(strategies=[Margin()], n_candidates=1)
        assert (
            learn(oracle, sets).order_.tolist() == learn(Margin(), sets).order_.tolist()
        )

    def test_an_estimator_without_probabilities(self, sets):
        oracle = BestOfStrategiesOracle(n_candidates=3)
        found = learn(oracle, sets, LinearSVC()).strategy_
        assert 2 * 4 <= found.n_trainings_ <= 3 * 4

    def test_strategies_that_need_what_the_estimator_lacks_are_refused(self, sets):
        oracle = BestOfStrategiesOracle(strategies=[Random(), MaxEntropy()])
        with pytest.raises(TypeError, match="class probabilities"):
            learn(oracle, sets, LinearSVC())

    def test_a_strategy_need_not_say_what_it_needs(self, sets):
        oracle = BestOfStrategiesOracle(
            strategies=[First(), MaxEntropy()], n_candidates=4
        )
        assert oracle.needs == MaxEntropy().needs
        found = learn(oracle, sets).strategy_
        assert len(found.history_["step"]) == 4
        with pytest.raises(TypeError, match="class probabilities"):
            learn(oracle, sets, LinearSVC())
        alone = BestOfStrategiesOracle(strategies=[First()], n_candidates=4)
        assert learn(alone, sets, LinearSVC()).strategy_.n_trainings_ <= 4 * 4

    @pytest.mark.parametrize("strategy", [FixedOrder(np.arange(12)), GreedyOracle()])
    def test_orders_are_refused(self, sets, strategy, trained):
        oracle = BestOfStrategiesOracle(strategies=[Random(), strategy])
        with pytest.raises(ValueError, match="does not choose among candidates"):
            learn(oracle, sets)
        assert not trained

    def test_no_strategies_are_refused(self, sets):
        with pytest.raises(ValueError, match=r"must not be empty, got"):
            learn(BestOfStrategiesOracle(strategies=[]), sets)


@pytest.mark.parametrize(
    "oracle",
    [
        GreedyOracle(n_candidates=3),
        BeamOracle(width=2, n_candidates=3, by="round"),
        BestOfStrategiesOracle(n_candidates=4),
    ],
    ids=lambda oracle: type(oracle).__name__,
)
def test_ctrl_c_leaves_the_best_beginning(oracle, sets, monkeypatch):
    train, calls = Objective._train_and_score, []

    def interrupted(self, labelled):
        calls.append(len(labelled))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(self, labelled)

    monkeypatch.setattr(Objective, "_train_and_score", interrupted)
    with pytest.warns(UserWarning, match="was interrupted in step 3 of"):
        learner = learn(oracle, sets)
    found = learner.strategy_
    assert found.history_["step"].tolist() == [1, 2]
    assert found.quality_ == pytest.approx(learner.validation_quality_)
