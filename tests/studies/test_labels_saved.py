"""How many labels a strategy saves, against brute force."""

import numpy as np
import pytest
from sklearn.isotonic import isotonic_regression

from skal.studies import labels_saved
from skal.studies._labels_saved import labels_needed, rising

N = np.array([10, 20, 30, 40])


def test_rising_curves_are_those_of_scikit_learn():
    curves = np.random.default_rng(0).normal(size=(20, 9))
    expected = [isotonic_regression(curve) for curve in curves]
    assert rising(curves) == pytest.approx(np.array(expected))


def test_labels_needed_by_interpolation():
    curve = np.array([0.5, 0.6, 0.6, 0.8])
    for target in (0.4, 0.5, 0.55, 0.6, 0.7, 0.8):
        grid = np.linspace(10, 40, 30_001)
        reached = grid[np.interp(grid, N, curve) >= target - 1e-9]
        assert labels_needed(N, curve, target) == pytest.approx(reached[0], abs=2e-3)
    assert labels_needed(N, curve, 0.81) == np.inf


def make(random, strategy, n=6, noise=0.002, seed=0):
    rng = np.random.default_rng(seed)
    return [curve + rng.normal(0, noise, (n, 4)) for curve in (strategy, random)]


def test_labels_saved_and_their_interval():
    curves = make(np.array([0.5, 0.6, 0.7, 0.8]), np.array([0.5, 0.7, 0.8, 0.9]))
    found = labels_saved(N, *curves)
    assert found.saved == pytest.approx(10, abs=0.5)
    assert found.low < found.saved < found.high
    assert found.share == pytest.approx(found.saved / 40, abs=0.01)
    wider = labels_saved(N, *curves, overlap=1 / 3)
    assert wider.high - wider.low > found.high - found.low
    assert found == labels_saved(N, *curves)


def test_a_strategy_that_never_gets_there():
    curves = make(np.array([0.5, 0.6, 0.7, 0.8]), np.array([0.5, 0.5, 0.5, 0.5]))
    found = labels_saved(N, *curves)
    assert (found.strategy, found.saved, found.high) == (np.inf, -np.inf, -np.inf)
    assert np.isnan(found.share)


def test_random_choice_that_never_gets_there():
    curves = make(np.array([0.5, 0.6, 0.7, 0.8]), np.array([0.5, 0.7, 0.9, 1.0]))
    found = labels_saved(N, *curves, target=0.95)
    assert (found.random, found.saved) == (np.inf, np.inf)


def test_a_target_that_neither_reaches_says_nothing():
    curves = make(np.array([0.5, 0.6, 0.7, 0.8]), np.array([0.5, 0.7, 0.8, 0.9]))
    found = labels_saved(N, *curves, target=2.0)
    assert np.isnan(found.saved)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_one_seed_has_no_interval():
    found = labels_saved(N, [[0.5, 0.7, 0.8, 0.9]], [[0.5, 0.6, 0.7, 0.8]])
    assert found.saved == 10
    assert np.isnan([found.low, found.high]).all()


def test_intervals_cover():
    random, strategy = np.array([0.5, 0.6, 0.7, 0.75]), np.array([0.5, 0.65, 0.75, 0.8])
    true = labels_saved(N, *make(random, strategy, 1, 0.0)).saved
    covered = []
    for seed in range(100):
        found = labels_saved(N, *make(random, strategy, 10, 0.02, seed))
        covered.append(found.low <= true <= found.high)
    assert np.mean(covered) >= 0.9
