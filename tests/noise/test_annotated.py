"""Noise in a run: what is noisy, what stays true, and who sees what."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB

from skal import (
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    BaseStrategy,
    FixedOrder,
    Margin,
    NoisyLabels,
    Problem,
    Random,
    compare,
    evaluate_order,
    label_distribution,
    run_seeds,
    seed_transfer,
    split,
)
from skal.loop import labelled_by
from skal.noise._annotated import annotated
from skal.training import Trainer

NOISE = NoisyLabels(0.3)
SCRIPT = """
from tests.noise.test_annotated import learn
learner = learn()
print(learner.order_.tolist(), learner.mislabelled_.tolist(), learner.curve_.tolist())
"""


@pytest.fixture
def sets(blobs):
    return split(*blobs, warm_size=10, val_size=25, test_size=25, random_state=0)


def learn(strategy=None, noise=NOISE, seed=0, **params):
    X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
    params = {"batch_size": 4, "n_rounds": 3, "warm_size": 10} | params
    learner = ActiveLearner(
        GaussianNB(),
        Margin() if strategy is None else strategy,
        noise=noise,
        random_state=seed,
        **params,
    )
    return learner.fit(X, y)


def wrong(problem, name):
    return getattr(problem, f"y_{name}") != problem.true_labels[name]


def test_only_sets_that_are_trained_on_are_noisy(make_problem):
    clean, noisy = make_problem(), make_problem(noise=NoisyLabels(0.3))
    for name in ("val", "test"):
        np.testing.assert_array_equal(
            getattr(noisy, f"y_{name}"), getattr(clean, f"y_{name}")
        )
    for name in ("pool", "warm"):
        true = getattr(clean, f"y_{name}")
        np.testing.assert_array_equal(noisy.true_labels[name], true)
    assert 0.1 < wrong(noisy, "pool").mean() < 0.5
    assert wrong(noisy, "warm").any()
    assert noisy.sets.keys() == clean.sets.keys()
    for name, part in clean.sets.items():
        if part is not None:
            np.testing.assert_array_equal(noisy.sets[name], part)


def test_the_selection_set_is_noisy():
    class Patient(GaussianNB):
        def fit(self, X, y, X_val=None, y_val=None):
            return super().fit(X, y)

    X, y = make_blobs(400, random_state=0)
    problem = Problem.from_data(
        X, y, Patient(), select_size=90, n_rounds=4, noise=NOISE, random_state=0
    )
    plain = Problem.from_data(
        X, y, Patient(), select_size=90, n_rounds=4, random_state=0
    )
    np.testing.assert_array_equal(problem.true_labels["select"], plain.y_select)
    assert 0.1 < wrong(problem, "select").mean() < 0.5


def test_the_noise_is_the_one_of_the_seed():
    X, y = make_blobs(200, random_state=3)
    first, again, other = (
        Problem.from_data(
            X, y, GaussianNB(), n_rounds=4, noise=NoisyLabels(0.3), random_state=seed
        )
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.y_pool, again.y_pool)
    assert (wrong(first, "pool") != wrong(other, "pool")).any()


def test_a_seed_of_its_own_makes_the_noise_part_of_the_data(make_problem):
    fixed = NoisyLabels(0.3, random_state=5)
    problem = make_problem(noise=fixed)
    other = annotated(replace(make_problem(), seed=9), fixed)
    np.testing.assert_array_equal(problem.y_pool, other.y_pool)


def test_a_learner_trains_on_noisy_labels_and_is_scored_on_true_ones(sets):
    noisy = learn_on(sets, Margin(), NOISE)
    problem = Problem.from_sets(
        sets, GaussianNB(), batch_size=4, n_rounds=3, noise=NOISE
    )
    rows = np.r_[noisy.order_]
    X = np.concatenate([sets["X_warm"], sets["X"][rows]])
    y = np.concatenate([problem.y_warm, problem.y_pool[rows]])
    model = GaussianNB().fit(X, y)
    assert noisy.curve_[-1] == model.score(sets["X_test"], sets["y_test"])
    assert noisy.validation_curve_[-1] == model.score(sets["X_val"], sets["y_val"])
    expected = problem.y_pool[rows] != sets["y"][rows]
    np.testing.assert_array_equal(noisy.mislabelled_, expected)
    assert noisy.mislabelled_.any()
    assert not learn_on(sets, Margin(), None).mislabelled_.any()


def learn_on(sets, strategy, noise, seed=0):
    learner = ActiveLearner(
        GaussianNB(),
        strategy,
        batch_size=4,
        n_rounds=3,
        noise=noise,
        random_state=seed,
    )
    return learner.fit(**sets)


def test_the_label_of_a_row_does_not_depend_on_when_it_is_labelled(make_problem):
    problem = make_problem(noise=NOISE)
    trainer = Trainer(problem)
    rng = np.random.default_rng(0)
    for _ in range(3):
        order = rng.permutation(problem.n_pool)[:12]
        found = labelled_by(trainer, order)
        np.testing.assert_array_equal(found.y[10:], problem.y_pool[order])


class Spy(BaseStrategy):
    """Notes all labels that it is shown."""

    seen: list

    def _fit(self, X, y, problem):
        self.labels = [y, problem.y_pool, problem.y_warm, problem.noise]
        self.true = problem.true_labels

    def _select(self, estimator, X, n, candidates, labelled):
        Spy.seen.append(labelled)
        return candidates[:n]


def test_a_strategy_sees_the_noisy_labels_of_labelled_rows_only(sets):
    Spy.seen = []
    learner = learn_on(sets, Spy(), NOISE)
    spy = learner.strategy_
    problem = Problem.from_sets(
        sets, GaussianNB(), batch_size=4, n_rounds=3, noise=NOISE
    )
    assert spy.labels[0] is spy.labels[1] is spy.labels[3] is None
    np.testing.assert_array_equal(spy.labels[2], problem.y_warm)
    assert spy.true == {}
    last = Spy.seen[-1]
    rows = last.positions[last.positions >= 0]
    np.testing.assert_array_equal(last.y[10:], problem.y_pool[rows])


def test_no_strategy_is_shown_the_true_labels(make_problem):
    problem = make_problem(noise=NOISE)
    for strategy in (Margin(), AnnealingOracle(), ODMR(Margin(), labels="true")):
        seen = problem.seen_by(strategy)
        assert (seen.noise, seen.true_labels) == (None, {})
    searched = problem.seen_by(AnnealingOracle())
    np.testing.assert_array_equal(searched.y_pool, problem.y_pool)
    np.testing.assert_array_equal(searched.y_val, problem.y_val)


def test_an_oracle_searches_with_noisy_labels_for_true_quality(sets):
    found = learn_on(sets, AnnealingOracle(n_steps=40), NOISE)
    # Without a warning that the search disagrees with the run, which is an error here.
    assert found.strategy_.quality_ == found.validation_quality_
    again = learn_on(sets, FixedOrder(found.order_), NOISE)
    np.testing.assert_array_equal(again.curve_, found.curve_)
    assert (learn_on(sets, FixedOrder(found.order_), None).curve_ != found.curve_).any()


def test_a_journal_of_other_noise_is_refused(sets, tmp_path):
    oracle = AnnealingOracle(n_steps=5, journal=tmp_path / "search.db")
    learn_on(sets, oracle, NOISE)
    with pytest.raises(ValueError, match="is the journal of another search: y_pool="):
        learn_on(sets, oracle, NoisyLabels(0.3, "class"))


@pytest.mark.parametrize("kind", ["uniform", "class", "boundary"])
def test_the_same_in_another_process_and_for_any_n_jobs(kind, sets):
    noise = NoisyLabels(0.3, kind)
    learner = ActiveLearner(
        GaussianNB(), Random(), batch_size=4, n_rounds=3, noise=noise
    )
    one, two = (run_seeds(learner, **sets, seeds=3, n_jobs=n) for n in (None, 2))
    np.testing.assert_array_equal(one.curves, two.curves)
    for first, second in zip(one.learners, two.learners, strict=True):
        np.testing.assert_array_equal(first.mislabelled_, second.mislabelled_)


def test_another_process_gives_the_same():
    env = os.environ | {"PYTHONHASHSEED": "7"}
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True
    )
    here = learn()
    expected = here.order_.tolist(), here.mislabelled_.tolist(), here.curve_.tolist()
    assert found.stdout.decode().strip() == " ".join(map(str, expected))


def test_seeds_of_a_shared_split_differ_in_their_mistakes(make_problem):
    problem = make_problem(GaussianNB(), noise=NOISE)
    strategies = {"random": Random(random_state=0), "margin": Margin()}
    found = compare(problem, strategies, n_orders=1)
    sets = problem.sets
    for i, name in enumerate(strategies):
        for j, seed in enumerate(found.seeds):
            learner = learn_on(sets, strategies[name], NOISE, seed)
            np.testing.assert_array_equal(found.curves[0, i, j], learner.curve_)
    assert len(np.unique(found.qualities[0, 1])) > 1


def test_an_oracles_order_is_followed_again_with_other_mistakes(make_problem):
    problem = make_problem(GaussianNB(), noise=NOISE)
    oracle = AnnealingOracle(n_steps=40)
    found = compare(problem, {"random": Random(), "oracle": oracle}, n_orders=2)
    own = found.of("oracle")
    assert found.other_seed_qualities("oracle").shape[-1] == 5
    moved = seed_transfer(found, strategies=["oracle"])
    np.testing.assert_array_equal(moved.own_qualities[:, 0], own)
    order = found.orders["GaussianNB", "oracle", 0][0]
    again = learn_on(problem.sets, FixedOrder(order), NOISE, seed=3)
    np.testing.assert_array_equal(moved.curves[0, 0, 0, 3], again.curve_)
    learner = ActiveLearner(
        GaussianNB(), Margin(), batch_size=4, n_rounds=3, noise=NOISE
    )
    replays = evaluate_order(order, learner, **problem.sets, seeds=[0, 3])
    np.testing.assert_array_equal(replays.curves[1], again.curve_)
    np.testing.assert_array_equal(replays.curves[0], found.curves[0, 1, 0])


def test_compare_takes_noise_for_splits_of_their_own(blobs, tmp_path):
    sizes = {"batch_size": 4, "n_rounds": 3, "warm_size": 10}
    strategies = {"random": Random(), "margin": Margin()}
    args = (*blobs, GaussianNB(), strategies)
    found = compare(*args, n_orders=1, noise=NOISE, path=tmp_path / "a", **sizes)
    learner = ActiveLearner(GaussianNB(), Margin(), noise=NOISE, **sizes)
    again = run_seeds(learner, *blobs)
    np.testing.assert_array_equal(found.curves[0, 1], again.curves)
    with pytest.raises(ValueError, match="is the folder of another study"):
        compare(*args, n_orders=1, path=tmp_path / "a", **sizes)


def test_the_distribution_of_labels_is_the_true_one(make_problem):
    problem = make_problem(GaussianNB(), noise=NOISE)
    found = label_distribution(compare(problem, {"fixed": FixedOrder(np.arange(60))}))
    true = np.r_[problem.true_labels["warm"], problem.true_labels["pool"][:12]]
    expected = np.bincount(true, minlength=3) / len(true)
    np.testing.assert_allclose(found.frequencies[0, 0, :, -1], [expected] * 5)


class ByWord(ClassifierMixin, BaseEstimator):
    """Gives each word the first of its tags in the alphabet."""

    def fit(self, X, y):
        self.classes_ = sorted({tag for tags in y for tag in tags})
        pairs = zip(chain(*X), chain(*y), strict=True)
        self.tags_ = dict(sorted(pairs, reverse=True))
        return self

    def predict(self, X):
        return [[self.tags_.get(word, "O") for word in row] for row in X]


def test_tags_are_noisy_by_token():
    rng = np.random.default_rng(0)
    X = [[f"w{w}" for w in rng.integers(9, size=4)] for _ in range(60)]
    y = [["O" if word < "w5" else "B-x" for word in row] for row in X]
    sets = {"X": X[:30], "y": y[:30], "X_warm": X[30:40], "y_warm": y[30:40]}
    sets |= {"X_test": X[40:], "y_test": y[40:]}
    learner = ActiveLearner(
        ByWord(),
        Random(),
        batch_size=3,
        n_rounds=2,
        val_size=0,
        scoring="accuracy",
        noise=NOISE,
        random_state=0,
    )
    learner.fit(**sets)
    problem = Problem.from_sets(sets, ByWord(), batch_size=3, n_rounds=2, noise=NOISE)
    expected = [problem.y_pool[row] != y[row] for row in learner.order_]
    assert learner.mislabelled_.tolist() == expected
    assert learner.mislabelled_.any()
    model = ByWord().fit(
        sets["X_warm"] + [X[row] for row in learner.order_],
        problem.y_warm + [problem.y_pool[row] for row in learner.order_],
    )
    tags, true = (np.concatenate(rows) for rows in (model.predict(X[40:]), y[40:]))
    assert learner.curve_[-1] == np.mean(tags == true)


class Refuses(BaseEstimator):
    """Noise of a user that gives labels of its own."""

    def __init__(self, labels=None):
        self.labels = labels

    def corrupt(self, X, y, *, classes=None):
        return self.labels(y)


def test_noise_of_your_own_is_checked(make_problem):
    flipped = make_problem(noise=Refuses(labels=lambda y: (y + 1) % 3))
    assert wrong(flipped, "pool").all()
    with pytest.raises(ValueError, match="noise must return a label for each of 70 ro"):
        make_problem(noise=Refuses(labels=lambda y: y[1:]))
    with pytest.raises(ValueError, match="one of the classes of the run"):
        make_problem(noise=Refuses(labels=lambda y: y + 7))


def test_what_is_not_noise_gets_one_sentence(make_problem, blobs):
    with pytest.raises(TypeError, match="noise must be an object with a method `corru"):
        make_problem(noise=0.2)
    with pytest.raises(TypeError, match="noise must be an object with a method `corru"):
        make_problem(noise=NoisyLabels)
    with pytest.raises(ValueError, match="The 'noise' parameter of ActiveLearner must"):
        learn(noise="uniform")
    with pytest.raises(ValueError, match="noise is part of a problem"):
        compare(make_problem(), {"random": Random()}, noise=NOISE)
    regression = replace(make_problem(), estimator=Ridge())
    with pytest.raises(TypeError, match="Ridge is a regressor: leave noise=None"):
        annotated(regression, NOISE)


def test_wrong_parameters_are_refused_before_anything_is_trained(blobs):
    class Untrained(LogisticRegression):
        def fit(self, X, y):
            raise AssertionError

    noise = NoisyLabels(2.0)
    learner = ActiveLearner(Untrained(), Margin(), n_rounds=2, noise=noise)
    with pytest.raises(ValueError, match="The 'rate' parameter of NoisyLabels"):
        learner.fit(*blobs)
