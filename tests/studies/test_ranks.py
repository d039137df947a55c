"""Ranks over data sets, against the worked example of Demsar (2006)."""

import numpy as np
import pytest
from scipy import stats

from skal.studies import StrategyRanks, rank_strategies

# Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7,
# 2006, Table 6: areas under the curve of C4.5 with and without m and cf.
NAMES = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")
AREAS = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],  # equal in print, but the paper ranks them apart
        [0.957, 0.978, 0.946, 0.970],
    ]
)


@pytest.fixture
def demsar():
    return StrategyRanks(tuple(map(str, range(14))), NAMES, AREAS)


def test_mean_ranks_of_demsar(demsar):
    assert demsar.mean_ranks == pytest.approx([3.143, 2.0, 2.893, 1.964], abs=5e-4)


def test_friedman_of_demsar(demsar):
    # His 9.28 is without a correction for ties; scipy has one, so p is lower.
    k, n, ranks = 4, 14, demsar.mean_ranks
    plain = 12 * n / (k * (k + 1)) * ((ranks**2).sum() - k * (k + 1) ** 2 / 4)
    assert plain == pytest.approx(9.28, abs=5e-3)
    assert 0.01 < demsar.friedman_pvalue < stats.chi2.sf(plain, 3)


def test_critical_differences_of_demsar(demsar):
    # q is 2.569 and 2.291 in his Table 5.
    assert demsar.critical_difference() == pytest.approx(1.25, abs=5e-3)
    assert demsar.critical_difference(0.10) == pytest.approx(1.12, abs=5e-3)


def test_nemenyi_of_demsar(demsar):
    # At 0.10 he finds C4.5 worse than with m, and than with m and cf; at 0.05 nothing.
    p = demsar.nemenyi_pvalues
    assert (p > 0.05).all()
    significant = {(NAMES[i], NAMES[j]) for i, j in np.argwhere(p < 0.10) if i < j}
    assert significant == {("C4.5", "C4.5+m"), ("C4.5", "C4.5+m+cf")}
    assert demsar.groups() == [("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")]
    assert demsar.groups(0.10) == [
        ("C4.5+m+cf", "C4.5+m", "C4.5+cf"),
        ("C4.5+cf", "C4.5"),
    ]


def test_it_prints_and_exports(demsar):
    text = str(demsar)
    assert text.splitlines()[1].startswith("C4.5+m+cf")
    assert "differ by more than 1.25" in text
    assert len(demsar.to_frame()) == 4
    assert "<table" in demsar._repr_html_()


def test_it_draws(demsar):
    display = demsar.plot(alpha=0.10)
    assert len(display.bars_) == 2
    assert display.texts_["C4.5"].get_text() == "C4.5 3.14"


def test_comparisons_are_ranked(comparison):
    found = rank_strategies({"a": comparison, "b": comparison}, estimator="tree")
    assert found.strategies == ("random", "margin", "idmr-margin", "entropy")
    expected = [comparison.of(name)[0].mean() for name in found.strategies]
    assert found.qualities == pytest.approx(np.array([expected, expected]))
    some = rank_strategies(
        {"a": comparison, "b": comparison},
        strategies=["margin", "oracle"],
        estimator="bayes",
    )
    assert some.ranks.tolist() == [[2.0, 1.0]] * 2
    assert np.isnan(some.friedman_pvalue)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"estimator": None}, ValueError, "more than one estimator"),
        ({"estimator": "net"}, ValueError, "Unknown estimator 'net'"),
        ({"strategies": ["margin"]}, ValueError, "at least two data sets and two"),
        ({"strategies": ["margin", "x"]}, ValueError, "Unknown strategy 'x'"),
        ({"comparisons": {}}, ValueError, "at least two data sets"),
        ({"comparisons": {"a": 1}}, TypeError, "must be a Comparison"),
        ({"comparisons": []}, ValueError, "must be a dict of comparisons"),
    ],
)
def test_bad_input(comparison, change, error, message):
    both = {"a": comparison, "b": comparison}
    given = {"comparisons": both, "estimator": "tree"} | change
    with pytest.raises(error, match=message):
        rank_strategies(given.pop("comparisons"), **given)


def test_qualities_must_be_finite():
    with pytest.raises(ValueError, match="must be finite and of shape"):
        StrategyRanks(("a", "b"), ("c", "d"), np.array([[1.0, np.nan], [1.0, 2.0]]))
