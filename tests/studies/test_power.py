"""Intervals, sign flips and power, against brute force and textbooks."""

import itertools

import numpy as np
import pytest
from scipy import stats

from skal.studies import (
    PairedTests,
    detectable_gain,
    gain_interval,
    power_of_test,
    seeds_needed,
    sign_flip_test,
)
from skal.studies._statistics import paired_t

# Old versions of scipy invert the t-distribution to about ten digits only.
IS_EXACT = abs(stats.t.isf(stats.t.sf(6.0, 7), 7) / 6.0 - 1) < 1e-13


@pytest.fixture
def gains():
    return np.random.default_rng(0).normal(0.02, 0.02, size=8)


def test_the_interval_is_that_of_scipy(gains):
    expected = stats.ttest_1samp(gains, 0).confidence_interval(0.9)
    assert gain_interval(gains, level=0.9) == pytest.approx(tuple(expected))


@pytest.mark.skipif(not IS_EXACT, reason="this scipy inverts t to ten digits only")
@pytest.mark.parametrize("overlap", [0.0, 1 / 3])
def test_zero_is_at_the_end_of_the_interval_whose_level_is_p(gains, overlap):
    p = paired_t(gains, np.zeros(8), overlap)
    low, _ = gain_interval(gains, overlap=overlap, level=1 - p)
    assert low == pytest.approx(0, abs=1e-12)


def test_one_seed_has_no_interval():
    assert np.isnan(gain_interval([0.1])).all()
    with pytest.raises(ValueError, match=r"level must be between 0 and 1, got 95\."):
        gain_interval([0.1, 0.2], level=95.0)


def test_sign_flips_by_brute_force(gains):
    means = [
        abs(np.mean(np.multiply(signs, gains)))
        for signs in itertools.product([-1, 1], repeat=8)
    ]
    expected = np.mean(np.array(means) >= abs(gains.mean()) - 1e-12)
    assert sign_flip_test(gains, np.zeros(8)) == pytest.approx(expected)


def test_sign_flips_of_many_seeds_are_drawn():
    gains = np.random.default_rng(1).normal(0.3, 1, size=40)
    first, again = (sign_flip_test(gains, np.zeros(40)) for _ in range(2))
    assert first == again
    assert first == pytest.approx(paired_t(gains, np.zeros(40)), abs=0.02)
    assert np.isnan(sign_flip_test([1, 2], [0, 1]))


# Cohen 1988, table 2.4.1 and G*Power 3.1 for paired tests at alpha = 0.05.
@pytest.mark.parametrize(
    ("gain", "power", "n"),
    [
        (0.2, 0.8, 199),
        (0.5, 0.8, 34),
        (0.8, 0.8, 15),
        (0.5, 0.95, 54),
    ],
)
def test_seeds_of_the_textbook(gain, power, n):
    assert seeds_needed(gain, 1.0, power=power) == n
    assert seeds_needed(-gain, 1.0, power=power) == n


def test_power_by_simulation():
    rng = np.random.default_rng(0)
    p = stats.ttest_1samp(rng.normal(0.02, 0.03, size=(20_000, 10)), 0, axis=1).pvalue
    found = np.mean(p < 0.05)
    assert power_of_test(0.02, 0.03, 10) == pytest.approx(found, abs=0.01)
    assert power_of_test(0.0, 0.03, 10) == pytest.approx(0.05)
    assert power_of_test(9.0, 0.03, 10) == 1.0


@pytest.mark.parametrize("overlap", [0.0, 1 / 3])
def test_the_three_functions_agree(overlap):
    gain = detectable_gain(0.02, 12, power=0.9, alpha=0.01, overlap=overlap)
    options = {"alpha": 0.01, "overlap": overlap}
    assert power_of_test(gain, 0.02, 12, **options) == pytest.approx(0.9)
    assert seeds_needed(gain * 1.0001, 0.02, power=0.9, **options) == 12


def test_overlapping_splits_have_a_limit():
    assert seeds_needed(0.5, 1.0, overlap=1 / 3) == np.inf
    assert seeds_needed(2.5, 1.0, overlap=1 / 3) < 20


@pytest.mark.parametrize(
    "call",
    [
        lambda: power_of_test(0.1, 0.0, 5),
        lambda: power_of_test(0.1, 1.0, 1),
        lambda: power_of_test(0.1, 1.0, 5, alpha=0),
        lambda: seeds_needed(0.1, 1.0, power=80),
        lambda: detectable_gain(1.0, 5, power=0.05),
        lambda: detectable_gain(1.0, 5, overlap=-1),
    ],
)
def test_numbers_out_of_range(call):
    with pytest.raises(ValueError, match="must be"):
        call()


def test_paired_tests_have_them(gains):
    shape = (1, 1, 8)
    parts = ("e",), ("s",), np.array([["r"]]), tuple(range(8))
    one, two = gains.reshape(shape), np.zeros(shape)
    tests = PairedTests(*parts, one, two)
    assert tests.intervals()[0, 0] == pytest.approx(gain_interval(gains))
    assert tests.sign_flip_pvalues == sign_flip_test(gains, np.zeros(8))
    assert tests.table()["gain_low"] == tests.intervals()[0, 0, 0]
    over = PairedTests(*parts, one, two, 0.3)
    assert np.isnan(over.sign_flip_pvalues).all()
    assert np.diff(over.intervals()) > np.diff(tests.intervals())
    same = PairedTests(*parts, one, two, 0.0, np.array([[True]]))
    assert np.isnan(same.intervals()).all()
