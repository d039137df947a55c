"""Guided annealing and its linear datamodel."""

import tracemalloc

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skal import ActiveLearner, AnnealingOracle, ExhaustiveOracle, Problem, split
from skal.answers._margins import residuals
from skal.oracle import read_journal
from skal.oracle.annealing._datamodel import (
    N_RECENT_OUTCOMES,
    Calibration,
    CalibrationLine,
    LinearDatamodel,
    expected_improvement,
)
from skal.oracle.annealing._forecast import Drawn, Forecast, Moved
from skal.oracle.annealing._guided import GuidedChain
from skal.oracle.annealing._value import Shortfall, SmoothAccuracy, SquaredError
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


class TestLinearDatamodel:
    def test_is_the_posterior_as_long_as_points_are_seen_once(self):
        """One exchange of two new points, against the normal equations."""
        datamodel, seen = LinearDatamodel(4, 3), np.array([1.0, -2.0, 0.5])
        datamodel.update(2, 0, seen)
        row = np.array([-1.0, 0, 1, 0])
        precision = np.eye(4) + np.outer(row, row) / datamodel.noise
        covariance = np.linalg.inv(precision)
        mean = covariance @ np.outer(row, seen) / datamodel.noise
        np.testing.assert_allclose(datamodel.effects(np.arange(4)), mean, atol=1e-6)
        np.testing.assert_allclose(datamodel.variances, np.diag(covariance))

    def test_learns_sums_over_points(self):
        rng = np.random.default_rng(0)
        truth, datamodel = rng.normal(size=(30, 8)), LinearDatamodel(30, 8)
        for _ in range(600):
            added, removed = rng.choice(30, 2, replace=False)
            noise = rng.normal(size=8) / 10
            datamodel.update(added, removed, truth[added] - truth[removed] + noise)
        pairs = np.array([rng.choice(30, 2, replace=False) for _ in range(200)])
        shifts, _ = datamodel.predict(*pairs.T)
        expected = truth[pairs[:, 0]] - truth[pairs[:, 1]]
        assert np.corrcoef(shifts.ravel(), expected.ravel())[0, 1] > 0.98

    def test_equals_a_table_of_all_points(self):
        """The same numbers, bit for bit, though only exchanged points have a row."""
        rng, datamodel = np.random.default_rng(2), LinearDatamodel(300, 5)
        table, variances = np.zeros((300, 5), dtype=np.float32), np.ones(300)
        for _ in range(200):
            pair, seen = rng.choice(300, 2, replace=False), rng.normal(size=5)
            error = seen - (table[pair[0]] - table[pair[1]])
            shares = variances[pair] / (variances[pair].sum() + datamodel.noise)
            datamodel.update(*pair, seen)
            for point, share, sign in zip(pair, shares, (1, -1), strict=True):
                table[point] += sign * np.float32(share) * error
                variances[point] *= 1 - share
            np.testing.assert_array_equal(datamodel.effects(np.arange(300)), table)
        np.testing.assert_array_equal(datamodel.variances, variances)

    def test_is_small_for_a_pool_that_is_large(self):
        """A row for each point would take 16 GB."""
        tracemalloc.start()
        datamodel = LinearDatamodel(1_000_000, 4000)
        datamodel.update(7, 999_999, np.ones(4000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50e6
        assert datamodel.effects(np.array([7, 8]))[:, 0].tolist() == [
            pytest.approx(1 / 3),
            0,
        ]

    def test_tells_how_unsure_it_is(self):
        datamodel, rng = LinearDatamodel(50, 20), np.random.default_rng(1)
        truth = 3 * rng.normal(size=(50, 20))
        for _ in range(400):
            added, removed = rng.choice(50, 2, replace=False)
            datamodel.update(added, removed, truth[added] - truth[removed])
        shifts, stds = datamodel.predict(np.arange(25), np.arange(25, 50))
        error = shifts - (truth[:25] - truth[25:])
        assert 0.3 < np.sqrt((error**2).mean()) / stds.mean() < 3


def forecast_of_texts():
    """Return a forecast of five rounds of four texts; no regression adds to it."""
    X, y = [f"text {i}" for i in range(60)], np.resize(["a", "b"], 60)
    sets = split(X, y, warm_size=10, val_size=9, test_size=9, random_state=0)
    model = make_pipeline(CountVectorizer(), KNeighborsClassifier())
    problem = Problem.from_sets(sets, model, batch_size=4, n_rounds=5)
    labelled = [np.arange(4 * k) for k in range(1, 6)]
    margins = np.zeros((5, 9), dtype=np.float32)
    return Forecast(problem, Trainer(problem), labelled, margins, SmoothAccuracy())


def test_a_point_matters_less_the_more_are_labelled():
    """Its effect is taken to be inversely proportional to the number of labels."""
    forecast = forecast_of_texts()
    assert not forecast.is_screening
    forecast.datamodel.update(30, 31, np.ones(9))
    shifts = np.array([forecast.shift(k, 30, 31)[0] for k in range(5)])
    n_labelled = np.array([14, 18, 22, 26, 30])
    np.testing.assert_allclose(shifts * n_labelled, shifts[0] * 14, rtol=1e-5)
    assert shifts[0] > 0


def test_points_that_move_with_the_ends_of_rounds_are_foretold():
    """Their effects are added to that of the exchange."""
    forecast, rng = forecast_of_texts(), np.random.default_rng(0)
    for _ in range(60):
        added, removed = rng.choice(30, 2, replace=False)
        forecast.datamodel.update(added, removed, rng.normal(size=9))
    # Two exchanges: the first changes rounds 1 and 2, the second round 4 only. In round
    # 2, the first also adds points 9 and 31; in round 5, the second removes point 7.
    places, points = (
        np.array([[0, 8], [13, 17]]),
        [np.array([8, 17]), np.array([0, 13])],
    )
    begin, end, n_sets = np.array([1, 4]), np.array([3, 5]), np.array([2, 2])
    drawn = Drawn(places, *points, begin, end, n_sets)
    exchanges, rounds = np.array([0, 0, 1]), np.array([2, 2, 5])
    moved = np.array([9, 31, 7]), np.array([True, True, False])
    gains = forecast.gains(drawn, Moved(exchanges, rounds, *moved))

    model, weights = forecast.datamodel, np.array([14, 18, 22, 26, 30]) / 22
    pairs, stds = model.predict(*points)
    effects, margins = model.effects(np.arange(32)), np.zeros(9, dtype=np.float32)
    unit = model.error_scale**2
    cells = {
        (0, 1): (pairs[0], stds[0] ** 2),
        (0, 2): (
            pairs[0] + effects[9] + effects[31],
            stds[0] ** 2 + (model.variances[9] + model.variances[31]) * unit,
        ),
        (1, 4): (pairs[1], stds[1] ** 2),
        (1, 5): (-effects[7], (model.noise + model.variances[7]) * unit),
    }
    expected = np.zeros((2, 5))
    for (i, k), (shift, square) in cells.items():
        shifts, spread = shift[None] / weights[k - 1], np.sqrt(square) / weights[k - 1]
        (gain,) = forecast.value.gains(margins, shifts, np.array([spread]))
        expected[i, k - 1] = gain
    np.testing.assert_allclose(gains, expected, rtol=1e-4, atol=1e-7)
    assert (expected != 0).sum() == 4


def test_predicted_gains_against_sums_by_hand():
    rng = np.random.default_rng(0)
    now, change, spread = rng.normal(size=5), rng.normal(size=(3, 5)), [0.5, 1, 2]

    def share(margins, width):
        return np.mean([1 / (1 + np.exp(-1.7 * m / width)) for m in margins])

    expected = [
        share(now + d, s) - share(now, s) + 2 * (share(now + d, 1) - share(now, 1))
        for d, s in zip(change, spread, strict=True)
    ]
    found = SmoothAccuracy().gains(now, change, np.array(spread))
    np.testing.assert_allclose(found, expected)


def test_gains_in_the_shortfall_against_sums_by_hand():
    rng = np.random.default_rng(0)
    now, change, spread = rng.normal(size=5), rng.normal(size=(3, 5)), [0.5, 1, 2]

    def share(margins, width):
        return np.mean([1 / (1 + np.exp(-1.7 * m / width)) for m in margins])

    def wrong_by(margins):
        return np.mean([-m if m < 0 else 0 for m in margins])

    expected = [
        share(now + d, s) - share(now, s) - 0.3 * (wrong_by(now + d) - wrong_by(now))
        for d, s in zip(change, spread, strict=True)
    ]
    found = Shortfall().gains(now, change, np.array(spread))
    np.testing.assert_allclose(found, expected)
    assert Shortfall().of(0.6, now) == pytest.approx(0.6 - 0.3 * wrong_by(now))


def test_gains_of_numbers_are_those_in_r2():
    rng = np.random.default_rng(0)
    true, predicted, moved = rng.normal(size=(3, 40))
    scale, value = np.std(true), SquaredError()
    before, after = (residuals(p, true, scale) for p in (predicted, moved))
    shift = (after - before).astype(np.float32)
    (found,) = value.gains(before.astype(np.float32), shift[None], np.ones(1))
    expected = r2_score(true, moved) - r2_score(true, predicted)
    assert found == pytest.approx(expected, abs=2e-3)
    assert value.of(np.array([0.3]), before[None]) == 0.3


class TestCalibration:
    def test_at_first_forecasts_are_believed(self):
        assert Calibration(2.0).line() == CalibrationLine(0.0, 1.0, 0.01)

    def test_is_the_line_of_least_squares(self):
        rng, calibration = np.random.default_rng(0), Calibration(2.0)
        predicted = rng.normal(size=300)
        gain = 0.7 * predicted - 0.2 + rng.normal(size=300) / 3
        for pair in zip(predicted, gain, strict=True):
            calibration.add(*pair)
        line = calibration.line()
        slope, intercept = np.polyfit(predicted, gain, 1)
        np.testing.assert_allclose(line[:2], [intercept, slope])
        assert line.std == pytest.approx(np.std(gain - intercept - slope * predicted))

    def test_outcomes_of_long_ago_are_forgotten(self):
        calibration, late = Calibration(2.0), Calibration(2.0)
        for value in np.linspace(-1, 1, N_RECENT_OUTCOMES):
            calibration.add(value, -value)
        for value in np.linspace(-1, 1, N_RECENT_OUTCOMES):
            calibration.add(value, 0.5 * value)
            late.add(value, 0.5 * value)
        assert calibration.line() == late.line()

    def test_forecasts_that_mislead_count_for_nothing(self):
        calibration = Calibration(2.0)
        for value in np.linspace(-1, 1, 100):
            calibration.add(value, -value - 0.5)
        assert calibration.line()[:2] == pytest.approx((-0.5, 0))

    @pytest.mark.parametrize(("largest", "slope"), [(2.0, 2.0), (np.inf, 50.0)])
    def test_scores_in_other_units(self, largest, slope):
        calibration = Calibration(largest)
        for value in np.linspace(-1, 1, 100):
            calibration.add(value, 50 * value)
        assert calibration.line().slope == pytest.approx(slope)


def test_it_is_expected_improvement_against_quadrature():
    line = CalibrationLine(-0.1, 0.8, 0.3)
    for predicted, n in ((0.4, 1), (-0.2, 3), (0.0, 8)):
        mean, spread = -0.1 * n + 0.8 * predicted, 0.3 * np.sqrt(n)
        density = norm(mean, spread).pdf
        expected = quad(lambda x, f=density: x * f(x), 0, 20)[0] / np.sqrt(n)
        found = expected_improvement(np.array([predicted]), np.array([n]), line)
        assert found[0] == pytest.approx(expected, rel=1e-6)


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
