"""What guided annealing expects of exchanges: datamodel, forecast, calibration."""

import tracemalloc

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skal import Problem, split
from skal.answers._margins import residuals
from skal.oracle.annealing._datamodel import (
    N_RECENT_OUTCOMES,
    Calibration,
    CalibrationLine,
    LinearDatamodel,
    expected_improvement,
)
from skal.oracle.annealing._forecast import Drawn, Forecast, Moved
from skal.oracle.annealing._value import Shortfall, SmoothAccuracy, SquaredError
from skal.training import Trainer


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
