"""Guided annealing: its moves, limits, models and journals."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from skal import ActiveLearner, AnnealingOracle, ExhaustiveOracle, Problem
from skal.oracle import read_journal
from skal.oracle.annealing._guided import GuidedChain
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._journal import Journal
from skal.training import Trainer

BASE = {"batch_size": 3, "n_rounds": 5, "warm_size": 10, "random_state": 0}


def fit(data, oracle, estimator=None, **params):
    estimator = GaussianNB() if estimator is None else estimator
    return ActiveLearner(estimator, oracle, **BASE | params).fit(*data)


@pytest.fixture(scope="module")
def overlapping():
    """Three overlapping clusters in six dimensions."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=400)
    return rng.normal(size=(400, 6)) + np.eye(6)[y], y


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("n_pool", "batch_size", "n_rounds"), [(8, 1, 3), (6, 2, 2), (7, 2, 3)]
)
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_it_finds_the_optimum_that_is_proved(
    tiny_sets, kind, n_pool, batch_size, n_rounds, seed
):
    sets = tiny_sets(n_pool, seed, kind)
    sizes = {"batch_size": batch_size, "n_rounds": n_rounds, "random_state": seed}
    estimator = GaussianNB() if kind == "classes" else Ridge()

    def quality(oracle):
        learner = ActiveLearner(estimator, oracle, **sizes)
        return learner.fit(**sets).strategy_.quality_

    found = quality(AnnealingOracle(n_steps=300))
    assert found == pytest.approx(quality(ExhaustiveOracle()), abs=1e-12)


@pytest.fixture
def steps(monkeypatch):
    """The moves of each step, the state before and the state after."""
    steps, step, tried = [], GuidedChain.step, GuidedChain._try_moves

    def watch(self, t):
        steps.append([self.current])
        moved = step(self, t)
        steps[-1].append(self.current)
        return moved

    def note(self, moves):
        steps[-1].append(moves)
        return tried(self, moves)

    monkeypatch.setattr(GuidedChain, "step", watch)
    monkeypatch.setattr(GuidedChain, "_try_moves", note)
    return steps


def test_moves_of_a_step_do_not_overlap_and_fill_the_rounds(blobs, steps):
    fit(blobs, AnnealingOracle(n_steps=40))
    sizes = []
    for _, moves, _ in steps:
        rounds = [k for move in moves for k in move.rounds]
        places = [place for move in moves for place in move.places]
        assert len(set(rounds)) == len(rounds)
        assert len(set(places)) == len(places)
        sizes.append(len(rounds))
    assert np.mean(sizes) > 4  # of 5


def test_a_state_is_what_its_order_scores(overlapping, steps):
    """Moves that are accepted together gain as much as each of them alone."""
    learner = fit(overlapping, AnnealingOracle(n_steps=40))
    assert learner.strategy_.quality_ == pytest.approx(learner.validation_quality_)
    several = [step for step in steps if (step[0].scores != step[2].scores).sum() > 2]
    assert several
    for _, _, state in several[:5]:
        assert sorted(state.order) == list(range(len(state.order)))
        assert state.margins.shape[0] == 5
        # All answers are compared here, so the margins tell the score.
        np.testing.assert_allclose((state.margins > 0).mean(axis=1), state.scores)


@pytest.mark.parametrize("limit", [40, 77, 100])
def test_no_training_beyond_the_limit(blobs, limit):
    oracle = AnnealingOracle(n_steps=500, max_trainings=limit)
    found = fit(blobs, oracle).strategy_
    assert limit - 5 <= found.n_trainings_ <= limit


def test_a_limit_ends_a_search_and_does_not_change_it(blobs, tmp_path):
    oracle = AnnealingOracle(n_steps=60, start="random")
    whole = fit(blobs, oracle).strategy_.history_
    limited = clone(oracle).set_params(max_trainings=100, journal=tmp_path / "s.db")
    cut = fit(blobs, limited).strategy_.history_
    assert 10 < len(cut["step"]) < len(whole["step"])
    for name, column in cut.items():
        np.testing.assert_array_equal(column, whole[name][: len(column)])
    fit(blobs, limited.set_params(max_trainings=None))
    table = read_journal(tmp_path / "s.db")
    for name, column in whole.items():
        np.testing.assert_array_equal(column, table[name])


def test_greedy_steps_never_leave_the_best(tiny_sets):
    """Not even if all neighbours are scored, so that nothing is left to train."""
    learner = ActiveLearner(
        GaussianNB(),
        AnnealingOracle(n_steps=100, n_greedy=50),
        batch_size=1,
        n_rounds=3,
        random_state=0,
    ).fit(**tiny_sets(8, seed=0))
    history = learner.strategy_.history_
    greedy = history["step"] > 100
    assert greedy.sum() == 50
    assert (history["n_trainings"][greedy] == history["n_trainings"][-1]).all()
    np.testing.assert_array_equal(history["current"][greedy], history["best"][greedy])


def test_greedy_steps_begin_at_the_best(tiny_sets):
    """Even if every loss was accepted before."""
    search = AnnealingOracle(n_steps=31, n_greedy=3, gamma=0.0)
    learner = ActiveLearner(GaussianNB(), search, batch_size=1, n_rounds=3)
    learner.set_params(random_state=0).fit(**tiny_sets(8, seed=1))
    history = learner.strategy_.history_
    assert history["current"][31] < history["best"][31]
    greedy = history["step"] > 31
    np.testing.assert_array_equal(history["current"][greedy], history["best"][greedy])


class Undefined(GaussianNB):
    """A model with NaN probabilities while a class has a single label."""

    def predict_proba(self, X):
        found = super().predict_proba(X)
        if self.class_count_.min() < 2:
            found[0] = np.nan
        return found

    def predict(self, X):
        return self.classes_[np.nan_to_num(self.predict_proba(X)).argmax(axis=1)]


def test_probabilities_that_are_no_numbers(overlapping):
    oracle, warm = AnnealingOracle(n_steps=30, start="random"), {"warm_size": 3}
    history = fit(overlapping, oracle, Undefined(), **warm).strategy_.history_
    assert history["accepted"].mean() > 0.3
    assert history["best"][-1] > history["best"][0] + 0.02


def test_scores_of_pairs_of_classes(digits):
    """While a class is not labelled yet, its columns are missing."""
    X, y = digits
    pairs = SVC(decision_function_shape="ovo")
    oracle = AnnealingOracle(n_steps=3, start="random")
    learner = fit((X[:300], y[:300]), oracle, pairs, warm_size=5)
    assert learner.strategy_.quality_ == pytest.approx(learner.validation_quality_)


def test_better_than_blind_annealing_after_as_many_trainings(overlapping):
    def reached(oracle):
        found = [
            fit(overlapping, oracle, LogisticRegression(), random_state=seed).strategy_
            for seed in range(3)
        ]
        assert max(one.n_trainings_ for one in found) <= 300
        return np.mean([one.quality_ for one in found])

    blind = AnnealingOracle(n_steps=110, proposal="uniform", max_trainings=300)
    guided = AnnealingOracle(n_steps=50, start="random", max_trainings=300)
    assert reached(guided) > reached(blind) + 0.01


class Answers(GaussianNB):
    predict_proba = property()

    def predict(self, X):
        return self.classes_[self._joint_log_likelihood(X).argmax(axis=1)]


def test_models_that_only_answer(overlapping):
    """Without probabilities or decision values, a right answer has margin 1."""
    oracle = AnnealingOracle(n_steps=20)
    history = fit(overlapping, oracle, Answers()).strategy_.history_
    assert history["best"][-1] > history["best"][0] + 0.02


class TestJournal:
    def test_completes_what_a_blind_search_wrote(self, blobs, tmp_path):
        path = tmp_path / "search.db"
        blind = AnnealingOracle(
            n_steps=20, proposal="uniform", journal=path, random_state=1
        )
        fit(blobs, blind)
        oracle = AnnealingOracle(n_steps=20, random_state=2)
        alone = fit(blobs, oracle).strategy_
        shared = fit(blobs, oracle.set_params(journal=path)).strategy_
        assert shared.order_.tolist() == alone.order_.tolist()
        assert fit(blobs, blind).strategy_.n_trainings_ > 0
        table = read_journal(path)
        assert len(set(table["seed"])) == 2

    def test_a_margin_that_was_altered_is_noticed(self, blobs, tmp_path):
        import sqlite3

        path = tmp_path / "search.db"
        oracle = AnnealingOracle(n_steps=5, journal=path)
        fit(blobs, oracle)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE score SET margins = zeroblob(length(margins))")
        connection.close()
        with pytest.raises(ValueError, match="damaged"):
            fit(blobs, oracle)

    def test_nothing_is_trained_again(self, blobs, tmp_path, monkeypatch):
        oracle = AnnealingOracle(n_steps=20, journal=tmp_path / "search.db")
        first = fit(blobs, oracle).strategy_

        def fail(self, sets):
            raise AssertionError(f"{len(sets)} sets are trained again")

        monkeypatch.setattr(Objective, "_train_and_score", fail)
        again = fit(blobs, oracle).strategy_
        assert again.order_.tolist() == first.order_.tolist()
        assert again.n_trainings_ == first.n_trainings_


def test_a_journal_does_not_change_which_margins_are_forgotten(sets, path, monkeypatch):

    from skal.oracle.evaluation import _kept_margins

    monkeypatch.setattr(_kept_margins, "MAX_KEPT", 1)
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=3, n_rounds=2)
    asked = [np.arange(3), np.arange(4)]
    with (
        Journal(path, problem, "test", 0, {}) as journal,
        Objective(problem, journal=journal, with_margins=True) as before,
    ):
        before.scores(asked[1:])
    with Objective(problem, with_margins=True) as alone:
        alone.scores(asked)
    with (
        Journal(path, problem, "test", 0, {}) as journal,
        Objective(problem, journal=journal, with_margins=True) as resumed,
    ):
        resumed.scores(asked)
    for objective in (alone, resumed):
        first, last = objective.margins(asked)
        assert first is None
        assert last is not None


def test_a_score_with_other_last_digits_may_be_completed(sets, path):
    """As with two machines, whose sums differ in the last bit."""
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=3, n_rounds=2)
    margins = {b"set": np.ones(5, np.float16)}
    for score, given in ((0.3, None), (0.1 + 0.2, margins)):
        with Journal(path, problem, "test", 0, {}) as journal:
            journal.add_scores({b"set": score}, given)
    with Journal(path, problem, "test", 0, {}) as journal:
        assert journal.find([b"set"]) == {b"set": 0.1 + 0.2}
        assert journal.find_margins([b"set"], 5)[b"set"].tolist() == [1] * 5


def test_margins_of_long_ago_are_predicted(blobs, monkeypatch):
    """A search whose margins were dropped is still reproducible."""

    from skal.oracle.evaluation import _kept_margins

    monkeypatch.setattr(_kept_margins, "MAX_KEPT", 6)
    first, again = (fit(blobs, AnnealingOracle(n_steps=60)) for _ in range(2))
    assert first.order_.tolist() == again.order_.tolist()


def test_each_set_is_trained_on_once(blobs, monkeypatch):
    n_trained, train = [], Trainer.train

    def count(self, positions):
        n_trained.append(frozenset(positions.tolist()))
        return train(self, positions)

    monkeypatch.setattr(Trainer, "train", count)
    found = fit(blobs, AnnealingOracle(n_steps=30, start="random")).strategy_
    # The learner itself follows the order: the warm start, and each round.
    searched = n_trained[: found.n_trainings_]
    assert len(set(searched)) == len(searched)
    assert len(n_trained) == found.n_trainings_ + 6
