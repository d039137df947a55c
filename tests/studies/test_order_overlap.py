from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skal import order_overlap
from skal.studies import OrderOverlap

# One split for all seeds, and estimators that draw nothing: fine for small tests.
pytestmark = pytest.mark.filterwarnings("ignore:Seeds do not differ")


def overlap_of(first, second, n_pool=100):
    """Return the overlap of two orders, as the study finds it."""
    from skal.studies._overlap import _shared_ranks

    ranks = _shared_ranks(np.array(first), np.array(second))
    keys = (("a", "s", 0),), (("b", "s", 0),)
    sizes = np.array([[len(first), len(second)]])
    return OrderOverlap("estimators", *keys, (ranks,), sizes, n_pool)


def test_shared_points_and_their_places_by_hand():
    found = overlap_of([7, 3, 9, 1, 5], [1, 3, 8, 7, 2])
    assert found.shared_ranks[0].tolist() == [[0, 3], [1, 1], [3, 0]]
    assert found.shared.tolist() == [3]
    assert found.shares.tolist() == [0.6]
    # Ranks 1, 2, 3 against 3, 2, 1.
    assert found.rank_correlations[0] == pytest.approx(-1)


def test_the_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    first, second = rng.permutation(20), rng.permutation(20)
    found = overlap_of(first, second)
    places = [np.argsort(first), np.argsort(second)]
    expected = stats.spearmanr(*places).statistic
    assert found.rank_correlations[0] == pytest.approx(expected)
    assert found.shares[0] == 1


def test_with_less_than_three_points_there_is_no_correlation():
    for second in ([9, 8, 7], [0, 9, 8], [0, 1, 9]):
        assert np.isnan(overlap_of([0, 1, 2], second).rank_correlations[0])


def test_chance_is_that_of_random_orders():
    rng = np.random.default_rng(0)
    found = overlap_of(np.arange(30), np.arange(30), n_pool=100)
    shares = [
        len(set(rng.permutation(100)[:30]) & set(rng.permutation(100)[:30])) / 30
        for _ in range(2000)
    ]
    assert found.chance == 0.3
    assert np.mean(shares) == pytest.approx(found.chance, abs=0.01)
    low, high = found.chance_range
    inside = np.mean([low <= share <= high for share in shares])
    assert 0.95 <= inside < 0.99


def test_orders_of_different_sizes():
    found = overlap_of(np.arange(10), np.arange(30), n_pool=100)
    assert found.shares.tolist() == [10 / 20]
    assert found.chance == pytest.approx(10 * 30 / 100 / 20)


@pytest.mark.parametrize(
    ("between", "n_pairs"), [("estimators", 20), ("seeds", 80), ("strategies", 60)]
)
def test_the_pairs_of_a_comparison(comparison, between, n_pairs):
    found = order_overlap(comparison, between=between)
    place = ["estimators", "strategies", "seeds"].index(between)
    assert len(found.first) == len(found.second) == len(found.shared) == n_pairs
    for first, second, n in zip(found.first, found.second, found.shared, strict=True):
        assert [i for i in range(3) if first[i] != second[i]] == [place]
        orders = (set(comparison.orders[key][0].tolist()) for key in (first, second))
        assert n == len(set.intersection(*orders))
    table = pd.DataFrame(found.table())
    other = ["other_estimator", "other_strategy", "other_seed"][place]
    assert other in table.columns
    assert table["chance"].unique() == [12 / 60]
    text = str(found).split("\n")
    shown = 4 if between == "estimators" else {"seeds": 8, "strategies": 12}[between]
    assert len(text) == shown + 2
    assert text[-1].startswith(
        "Random orders share 0.2000 on average, and 95 % of pairs"
    )


def test_a_strategy_without_randomness_repeats_itself(comparison):
    found = order_overlap(comparison, between="seeds", strategies=["margin"])
    is_bayes = np.array([key[0] == "bayes" for key in found.first])
    assert (found.shares[is_bayes] == 1).all()
    assert found.rank_correlations[is_bayes] == pytest.approx(1)


def test_the_baseline_takes_part_where_it_is_named(comparison):
    found = order_overlap(comparison, between="seeds", strategies=["random"])
    assert found.shares.mean() == pytest.approx(found.chance, abs=0.1)


def test_what_cannot_be_paired_is_refused(comparison):
    with pytest.raises(
        ValueError, match="between='strategies' needs at least two strategies"
    ):
        order_overlap(comparison, between="strategies", strategies=["margin"])
    with pytest.raises(ValueError, match="'between' parameter"):
        order_overlap(comparison, between="rounds")
    with pytest.raises(ValueError, match="Unknown strategy 'bald'"):
        order_overlap(comparison, strategies=["bald"])
    one = replace(comparison, estimators={"tree": comparison.estimators["tree"]})
    with pytest.raises(
        ValueError, match="between='estimators' needs at least two estimators"
    ):
        order_overlap(one)
