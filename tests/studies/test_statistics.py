from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats

from skal.studies._statistics import (
    holm,
    jackknife_pairs,
    paired_t,
    total_variation,
    wilcoxon,
    win_table,
)
from skal.studies._summary import share_of_gap


def test_the_t_test_by_hand():
    # Differences 1, 2, 3: mean 2, standard deviation 1, t = 2 sqrt(3) = 3.4641 with two
    # degrees of freedom, of which p = 1 - t / sqrt(t^2 + 2) = 1 - sqrt(12 / 14).
    assert paired_t([2, 4, 6], [1, 2, 3]) == pytest.approx(1 - np.sqrt(12 / 14))


def test_the_t_test_is_that_of_scipy():
    rng = np.random.default_rng(0)
    for n in (2, 5, 9):
        first, second = rng.random((2, n))
        expected = stats.ttest_rel(first, second).pvalue
        assert paired_t(first, second) == pytest.approx(expected)


def test_scores_of_lower_precision_are_compared_as_they_are():
    first, second = np.random.default_rng(1).random((2, 6)).astype(np.float32)
    expected = paired_t(first.astype(np.float64), second.astype(np.float64))
    assert paired_t(first, second) == expected


def brute_wilcoxon(differences):
    """Return the p-value, over all ways to sign the ranks."""
    differences = differences[differences != 0]
    ranks = stats.rankdata(np.abs(differences))
    sums = [np.dot(ranks, signs) for signs in product([0, 1], repeat=len(differences))]
    won = ranks[differences > 0].sum()
    lower, upper = np.mean(np.array(sums) <= won), np.mean(np.array(sums) >= won)
    return min(1, 2 * min(lower, upper))


@pytest.mark.parametrize(
    "differences",
    [[1, 2, 3, 4, 6], [1, -2, 3, -4, 5], [1, 1, 2, -2, 3, 3], [0, 0, 1, -1, 2], [5, 0]],
)
def test_wilcoxon_is_exact_with_ties_and_zeros(differences):
    differences = np.array(differences, dtype=float)
    found = wilcoxon(differences, np.zeros(len(differences)))
    assert found == pytest.approx(brute_wilcoxon(differences))


def test_wilcoxon_is_that_of_scipy():
    rng = np.random.default_rng(0)
    for n in (5, 12, 30):
        first, second = rng.random(n), rng.random(n)
        expected = stats.wilcoxon(first, second, method="exact").pvalue
        assert wilcoxon(first, second) == pytest.approx(expected)


def test_five_wins_of_five_are_not_significant_to_wilcoxon():
    assert wilcoxon([1, 2, 3, 4, 5], [0, 0, 0, 0, 0]) == 2 / 2**5


@pytest.mark.parametrize("test", [paired_t, wilcoxon])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0.9], [0.8]),
        ([0.5, 0.7, 0.6], [0.5, 0.7, 0.6]),
        # The same in every seed, but for what is lost in rounding.
        ([0.5 + 0.1, 0.7 + 0.1, 0.1 + 0.1], [0.5, 0.7, 0.1]),
        ([0, 0, 0], [0, 0, 0]),
        ([np.nan, 0.5, 0.6], [0.1, 0.2, 0.4]),
    ],
)
def test_what_is_not_defined_is_nan_and_no_warning(test, first, second):
    assert np.isnan(test(first, second))


def test_holm_by_hand():
    # Sorted: 0.01 * 4, 0.02 * 3, 0.03 * 2 (not below the one before), 0.9 * 1.
    found = holm([0.03, 0.01, 0.9, 0.02])
    np.testing.assert_allclose(found, [0.06, 0.04, 0.9, 0.06])
    np.testing.assert_allclose(holm([0.5, 0.6]), [1, 1])


def test_holm_does_not_count_what_is_not_defined():
    np.testing.assert_allclose(holm([np.nan, 0.01, 0.04]), [np.nan, 0.02, 0.04])
    assert np.isnan(holm([np.nan])).all()


def test_the_share_of_the_gap():
    found = share_of_gap([0.5, 0.6, 0.7, 0.4], 0.5, 0.7)
    np.testing.assert_allclose(found, [0, 0.5, 1, -0.5])
    assert np.isnan(share_of_gap([0.5, 0.9], [0.7, 0.7], [0.7, 0.6])).all()


def test_wins_and_ties():
    found = win_table([[0.5, 0.6, 0.7], [0.5, 0.7, 0.6], [0.1, 0.1, 0.1]])
    assert found.tolist() == [[0, 1, 3], [1, 0, 3], [0, 0, 0]]
    assert win_table([[0.1 + 0.2], [0.3]]).sum() == 0


def test_total_variation():
    assert total_variation([0.5, 0.5, 0], [0.25, 0.25, 0.5]) == 0.5
    assert total_variation([1, 0], [0, 1]) == 1


def jackknifed(qualities):
    """Pseudo-values by their definition: each seed is left out once."""
    n = len(qualities)

    def mean(seeds):
        return np.mean([qualities[pair] for pair in permutations(seeds, 2)])

    rests = [[seed for seed in range(n) if seed != out] for out in range(n)]
    return [n * mean(range(n)) - (n - 1) * mean(rest) for rest in rests]


@pytest.mark.parametrize("n", [3, 4, 7])
def test_pseudo_values_leave_each_seed_out(n):
    qualities = np.random.default_rng(n).normal(size=(2, n, n))
    found = jackknife_pairs(qualities)
    for values, matrix in zip(found, qualities, strict=True):
        np.testing.assert_allclose(values, jackknifed(matrix), rtol=1e-12)
    changed = qualities + np.eye(n)
    np.testing.assert_allclose(jackknife_pairs(changed), found, rtol=1e-12)


def test_two_seeds_have_no_pseudo_values():
    with pytest.raises(
        ValueError, match="needs at least three seeds, got 2: give more"
    ):
        jackknife_pairs(np.zeros((2, 2)))
