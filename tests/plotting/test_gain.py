import matplotlib as mpl
import numpy as np
import pytest

from skal.plotting import GainDisplay
from skal.studies import regularization_gain


def test_each_seed_is_a_dot_and_their_mean_a_diamond(comparison):
    result = regularization_gain(comparison)
    display = GainDisplay.from_study(result, estimator="naive")
    name = "idmr-margin against margin"
    gains = comparison.qualities[1, 2] - comparison.qualities[1, 0]
    np.testing.assert_allclose(display.dots_[name].get_xdata(), gains)
    np.testing.assert_allclose(display.means_[name].get_xdata(), [gains.mean()])
    assert display.dots_[name].get_marker() != display.means_[name].get_marker()
    (text,) = display.ax_.texts
    p = result.t_holm[1, 0]
    assert text.get_text() == f"{gains.mean():+.3f}\np = {p:.2g}"


def test_pairs_are_read_from_the_top(comparison):
    _, ax = mpl.pyplot.subplots()
    display = GainDisplay.from_study(comparison.against(), estimator="bayes", ax=ax)
    assert display.ax_ is ax
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == [
        "margin against random",
        "idmr-margin against random",
        "oracle against random",
    ]
    heights = [ax.transData.transform((0, y))[1] for y in ax.get_yticks()]
    assert heights == sorted(heights, reverse=True)
    assert ax.get_xlabel().startswith("Gain in xi-quality")
    assert ax.get_xlim()[0] < 0 < ax.get_xlim()[1]


def test_names_of_several_lines_do_not_touch(overlaps):
    names = [f"idmr-normalized-min-confidence-{i} against " * 3 for i in range(3)]
    display = GainDisplay(dict.fromkeys(names, (0.1, 0.2))).plot()
    assert not overlaps(display.ax_.get_yticklabels())


def test_numbers_at_the_axis_do_not_touch(comparison, overlaps):
    for study in (comparison.against(), regularization_gain(comparison)):
        display = GainDisplay.from_study(study, estimator="bayes")
        display.figure_.canvas.draw()
        low, high = display.ax_.get_xlim()
        shown = [
            tick.label1
            for tick in display.ax_.xaxis.get_major_ticks()
            if low <= tick.get_loc() <= high
        ]
        assert not overlaps(shown)


def test_one_seed_has_no_pvalue():
    display = GainDisplay({"a against b": [0.1]}, pvalues={"a against b": np.nan})
    assert display.plot().ax_.texts[0].get_text() == "+0.100"


def test_one_of_several_estimators_has_to_be_named(comparison):
    with pytest.raises(ValueError, match="more than one estimator"):
        GainDisplay.from_study(comparison.against())
