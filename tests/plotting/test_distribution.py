from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

from skal.plotting import DistributionDisplay
from skal.studies import label_distribution


def heights(layer):
    """Return the lower and upper edge of a layer at its left and right end."""
    vertices = layer.get_paths()[0].vertices
    ends = vertices[:, 0].min(), vertices[:, 0].max()
    return [
        (edge.min(), edge.max())
        for edge in (vertices[vertices[:, 0] == end, 1] for end in ends)
    ]


def test_layers_are_the_shares_after_each_round(comparison):
    result = label_distribution(comparison)
    display = DistributionDisplay.from_study(result, estimator="naive")
    assert list(display.axes_) == list(result.strategies)
    for i, name in enumerate(result.strategies):
        tops = result.frequencies[1, i].mean(axis=0).cumsum(axis=1)
        bottoms = np.column_stack([np.zeros(5), tops[:, :-1]])
        for b, layer in enumerate(display.layers_[name]):
            first, last = heights(layer)
            assert first == pytest.approx((bottoms[0, b], tops[0, b]))
            assert last == pytest.approx((bottoms[-1, b], tops[-1, b]))
        distance = result.distances[1, i, :, 1:].mean()
        title = display.axes_[name].get_title()
        assert title == f"{name}\ntotal variation {distance:.2f}"


def test_the_reference_is_a_bar_and_lines_in_each_panel(comparison):
    result = label_distribution(comparison)
    display = DistributionDisplay.from_study(result, estimator="bayes")
    tops = np.cumsum(result.reference)
    for name, ax in display.axes_.items():
        bars = display.bars_[name]
        np.testing.assert_allclose([bar.get_height() for bar in bars], result.reference)
        np.testing.assert_allclose(
            [bar.get_y() + bar.get_height() for bar in bars], tops
        )
        assert min(bar.get_x() for bar in bars) > comparison.n_labelled[-1]
        lines = ax.collections[-1].get_segments()
        np.testing.assert_allclose([line[0, 1] for line in lines], tops[:-1])
        for bar, layer in zip(bars, display.layers_[name], strict=True):
            np.testing.assert_allclose(bar.get_facecolor(), layer.get_facecolor()[0])


def test_the_legend_reads_like_the_layers(comparison):
    display = DistributionDisplay.from_study(
        label_distribution(comparison), estimator="bayes", title="Flower"
    )
    legend = list(display.axes_.values())[-1].get_legend()
    assert legend.get_title().get_text() == "Flower"
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["2", "1", "0", "reference\n(bar at right)"]
    handles = [handle.get_facecolor() for handle in legend.legend_handles[:3]]
    bars = [bar.get_facecolor() for bar in display.bars_["oracle"]]
    assert handles == bars[::-1]


def test_strategies_are_chosen_and_drawn_where_it_is_told(comparison):
    _, (left, right) = mpl.pyplot.subplots(1, 2)
    result = label_distribution(comparison)
    params = {"estimator": "bayes", "strategies": ["oracle", "margin"], "ax": right}
    display = DistributionDisplay.from_study(result, **params)
    assert list(display.axes_) == ["oracle", "margin"]
    assert all(
        ax.get_position().x0 > left.get_position().x1 for ax in display.axes_.values()
    )
    row = result.strategies.index("oracle")
    mean = result.frequencies[0, row].mean(axis=0)
    np.testing.assert_allclose(display.frequencies["oracle"], mean)
    first, second = display.axes_.values()
    assert first.get_ylabel() == "Share among labelled rows"
    assert first.get_xlabel() == second.get_xlabel() == "Labelled rows"
    with pytest.raises(ValueError, match="Unknown strategy 'bald'"):
        DistributionDisplay.from_study(result, estimator="bayes", strategies=["bald"])
    with pytest.raises(ValueError, match="more than one estimator"):
        DistributionDisplay.from_study(result)


def test_one_seed_can_be_drawn_alone(comparison):
    result = label_distribution(comparison)
    draw = DistributionDisplay.from_study
    display = draw(result, estimator="bayes", strategies="oracle", seed=2)
    row = result.strategies.index("oracle")
    expected = result.frequencies[0, row, 2]
    np.testing.assert_allclose(display.frequencies["oracle"], expected)
    with pytest.raises(ValueError, match="seed=9 is not in the study"):
        draw(result, estimator="bayes", seed=9)


def test_layers_begin_after_an_empty_warm_start(comparison):
    result = label_distribution(comparison)
    frequencies = result.frequencies.copy()
    frequencies[..., 0, :] = np.nan
    empty = replace(result, frequencies=frequencies)
    display = DistributionDisplay.from_study(empty, estimator="bayes")
    assert display.axes_["oracle"].get_xlim()[0] == comparison.n_labelled[1]
    np.testing.assert_array_equal(display.n_labelled, comparison.n_labelled[1:])
    assert np.isfinite(display.frequencies["oracle"]).all()
