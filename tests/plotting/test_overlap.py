import matplotlib as mpl
import numpy as np
import pytest

from skal.plotting import OverlapDisplay
from skal.studies import order_overlap


def test_lines_join_the_places_of_shared_rows(comparison):
    result = order_overlap(comparison, strategies=["margin", "oracle"])
    display = OverlapDisplay.from_study(result, strategy="oracle", seed=3)
    (pair,) = display.lines_
    assert pair == ("bayes", "naive")
    first, second = (comparison.orders[name, "oracle", 3][0].tolist() for name in pair)
    shared = set(first) & set(second)
    ends = [line[:, 1].tolist() for line in display.lines_[pair].get_segments()]
    expected = [[first.index(row) + 1, second.index(row) + 1] for row in shared]
    assert sorted(ends) == sorted(expected)
    for bar, order in zip(display.bars_[pair], (first, second), strict=True):
        dark = np.ravel(bar.get_array()).astype(bool)
        assert set(np.array(order)[dark]) == shared
    text = display.ax_.texts[0].get_text()
    low, high = np.array(result.chance_range) * 20
    assert text == f"{len(shared)} shared\n(random: {low:.0f} to {high:.0f})"
    assert display.ax_.get_title() == "oracle, seed 3"


def test_the_first_row_of_an_order_is_on_top(comparison):
    result = order_overlap(comparison, between="strategies")
    display = OverlapDisplay.from_study(result, estimator="bayes")
    bottom, top = display.ax_.get_ylim()
    assert (bottom, top) == (20.5, 0.5)
    assert display.ax_.get_yticks()[0] == 1
    assert display.ax_.get_ylabel() == "Rank in the order"


def test_pairs_stand_side_by_side_over_their_names(comparison):
    result = order_overlap(comparison, between="strategies")
    _, ax = mpl.pyplot.subplots()
    display = OverlapDisplay.from_study(result, estimator="naive", ax=ax)
    assert display.ax_ is ax
    assert list(display.lines_) == [
        ("margin", "idmr-margin"),
        ("margin", "oracle"),
        ("idmr-margin", "oracle"),
    ]
    names = [text.get_text() for text in ax.get_xticklabels()]
    assert names == [
        "margin",
        "idmr-\nmargin",
        "margin",
        "oracle",
        "idmr-\nmargin",
        "oracle",
    ]
    lefts = [bar.get_extent()[0] for bars in display.bars_.values() for bar in bars]
    rights = [bar.get_extent()[1] for bars in display.bars_.values() for bar in bars]
    assert all(a < b for a, b in zip(rights, lefts[1:], strict=False))
    assert display.ax_.get_title() == "naive, seed 0"


def test_a_name_of_what_is_compared_chooses_its_pairs(comparison):
    result = order_overlap(comparison, between="seeds", strategies=["oracle"])
    display = OverlapDisplay.from_study(result, estimator="naive", seed=2)
    assert list(display.lines_) == [
        ("seed 0", "seed 2"),
        ("seed 1", "seed 2"),
        ("seed 2", "seed 3"),
        ("seed 2", "seed 4"),
    ]


def test_orders_with_nothing_in_common_are_drawn():
    display = OverlapDisplay({("a", "b"): []}, 3).plot()
    assert display.lines_["a", "b"].get_segments() == []
    assert display.ax_.texts[0].get_text() == "0 shared"


def test_what_is_missing_or_unknown_is_refused(comparison):
    result = order_overlap(comparison)
    with pytest.raises(ValueError, match="more than one strategy: give strategy= one"):
        OverlapDisplay.from_study(result)
    with pytest.raises(ValueError, match="seed=9 is not in the study"):
        OverlapDisplay.from_study(result, strategy="oracle", seed=9)
    with pytest.raises(ValueError, match="estimator='tree' is not in the study"):
        OverlapDisplay.from_study(result, strategy="oracle", estimator="tree")
