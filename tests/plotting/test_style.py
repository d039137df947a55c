from itertools import combinations, pairwise

import matplotlib as mpl
import numpy as np
import pytest

from skal.plotting import (
    DistributionDisplay,
    EmbeddingDisplay,
    PerformanceCurveDisplay,
    SearchDisplay,
)
from skal.plotting._axes import choose, choose_all, get_axes, plain, split_axes, wrap
from skal.plotting._style import COLOURS, ink, line_style, luminance, shades


def look(line):
    """What is left on grey paper: dashes (which have no public name), and marker."""
    dashes = line._unscaled_dash_pattern
    return str(dashes), line.get_marker()


def test_lines_differ_without_their_colours():
    curves = {f"strategy {i}": np.ones((1, 3)) * i for i in range(12)}
    display = PerformanceCurveDisplay(curves, [1, 2, 3], baseline="strategy 3").plot()
    looks = [look(line) for line in display.lines_.values()]
    assert len(set(looks)) == len(looks) == 12


def test_searches_differ_without_markers():
    steps = {"step": [0, 1] * 5, "n_trainings": [1, 2] * 5, "best": [0.5, 0.6] * 5}
    seeds = {"xi": np.repeat(range(5), 2), "seed": np.repeat(range(5), 2)}
    history = {name: np.array(column) for name, column in (steps | seeds).items()}
    lines = SearchDisplay(history).plot().lines_.values()
    assert len({look(line)[0] for line in lines}) == 5


def test_no_two_lines_look_the_same():
    looks = [tuple(map(str, line_style(i).values())) for i in range(385)]
    assert len(set(looks)) == 385


def test_colours_can_be_told_from_paper_and_from_each_other():
    assert all(luminance(colour) < 0.75 for colour in COLOURS)
    assert len(set(COLOURS)) == len(COLOURS)


@pytest.mark.parametrize("n", [1, 2, 10, 17])
def test_shades_are_lighter_and_lighter_in_grey(n):
    greys = [luminance(colour) for colour in shades(n)]
    assert len(greys) == n
    assert all(b - a > 0.4 / n for a, b in pairwise(greys))
    assert greys[-1] < 0.9


def test_neighbouring_layers_differ_in_hatch_too():
    display = DistributionDisplay(
        {"random": np.full((2, 5), 0.2)}, [1, 2], np.full(5, 0.2), list("abcde")
    ).plot()
    for artists in (display.layers_["random"], display.bars_["random"]):
        hatches = [artist.get_hatch() for artist in artists]
        assert all(a != b for a, b in pairwise(hatches))
        greys = [luminance(np.ravel(artist.get_facecolor())[:3]) for artist in artists]
        assert all(abs(a - b) > 0.03 for a, b in combinations(greys, 2))


def test_numbers_can_be_read_on_any_disc():
    points = np.random.default_rng(0).normal(size=(10, 2))
    display = EmbeddingDisplay(
        {"pool": points}, {"pool": np.arange(10)}, {"random": [np.arange(10)]}
    ).plot()
    discs = display.discs_["random"][0].get_facecolors()
    texts = display.axes_["random"].texts
    for disc, text in zip(discs, texts, strict=True):
        assert abs(luminance(disc[:3]) - luminance(text.get_color())) > 0.4


def test_ink_is_white_on_dark_and_black_on_light():
    assert ink("navy") == "white"
    assert ink("yellow") == "black"


def test_panels_take_the_place_of_the_axes():
    _, (left, right) = mpl.pyplot.subplots(1, 2)
    wide, narrow = split_axes(right, {"wide": 2, "narrow": 1}).values()
    assert not right.axison
    assert left.axison
    box, first, second = (ax.get_position() for ax in (right, wide, narrow))
    assert first.x0 == pytest.approx(box.x0)
    assert second.x1 == pytest.approx(box.x1)
    assert first.width == pytest.approx(2 * second.width)
    assert wide.get_shared_y_axes().joined(wide, narrow)
    assert split_axes(left, {"alone": 1}) == {"alone": left}
    assert left.axison


def test_axes_outside_a_grid_cannot_be_split():
    ax = mpl.pyplot.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match=r"make it with plt\.subplots"):
        split_axes(ax, {"one": 1, "two": 1})


def test_matplotlib_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"Some\.plot needs matplotlib: pip install"):
        get_axes(None, "Some.plot")


def test_names_are_chosen_or_refused_in_a_sentence():
    assert choose("estimator", ["a"], None) == 0
    assert choose("estimator", ["a", "b"], "b") == 1
    with pytest.raises(
        ValueError, match="more than one estimator: give estimator= one"
    ):
        choose("estimator", ["a", "b"], None)
    with pytest.raises(
        ValueError, match="seed=7 is not in the study: give one of 0, 1"
    ):
        choose("seed", [0, 1], 7)
    assert choose_all("strategy", ["a", "b"], None) == ["a", "b"]
    assert choose_all("strategy", ["a", "b"], "b") == ["b"]
    with pytest.raises(ValueError, match="Unknown strategy 'c': give some of a, b"):
        choose_all("strategy", ["a", "b"], ["a", "c"])
    with pytest.raises(ValueError, match="nothing to draw"):
        choose_all("strategy", ["a"], [])


def test_long_names_take_several_lines():
    assert wrap("normalized-min-confidence") == "normalized-\nmin-confidence"
    assert wrap("DecisionTreeClassifier") == "DecisionTree\nClassifier"
    assert wrap("a_long_name of mine", 8) == "a_long_\nname of\nmine"
    assert wrap("BiLSTMClassifier", 9) == "BiLSTM\nClassifier"
    assert wrap("unbreakable", 9) == "unbreakable"
    assert wrap("unbreakable", 8) == "unbreaka\nble"


def test_dollars_in_names_begin_no_formula():
    texts = wrap("$5-$10"), plain(r"$\frac$"), wrap(r"already\$ and $")
    assert not any(map(mpl.cbook.is_math_text, texts))
    assert texts[0].replace("\\", "") == "$5-$10"
    assert wrap(3) == "3"
