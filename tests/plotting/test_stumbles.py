"""Pictures that misled or could not be read: each has a test of its own."""

from contextlib import suppress

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, Margin, Random, compare, open_study
from skal.plotting import (
    DistributionDisplay,
    EmbeddingDisplay,
    GainDisplay,
    OverlapDisplay,
    PerformanceCurveDisplay,
    SearchDisplay,
    TransferDisplay,
)
from skal.plotting._axes import plain
from skal.plotting._style import BASELINE, styles_of
from skal.studies import order_overlap
from skal.studies._tables import spell


def draw_curves(*names, **params):
    curves = {name: np.ones((2, 3)) * i for i, name in enumerate(names)}
    return PerformanceCurveDisplay(curves, [1, 2, 3], **params).plot()


def is_within(inner, outer):
    return (
        inner.x0 >= outer.x0 - 1
        and inner.y0 >= outer.y0 - 1
        and inner.x1 <= outer.x1 + 1
        and inner.y1 <= outer.y1 + 1
    )


# The search, beside what it is compared with


@pytest.fixture
def runs(blobs):
    strategies = {
        "oracle": AnnealingOracle(n_steps=10),
        "random": Random(),
        "margin": Margin(),
    }
    return {
        name: ActiveLearner(
            GaussianNB(), strategy, batch_size=5, n_rounds=3, random_state=0
        ).fit(*blobs)
        for name, strategy in strategies.items()
    }


def test_a_search_is_drawn_beside_random_a_heuristic_and_test(runs):
    oracle = runs.pop("oracle")
    runs["random"] = [runs["random"]]
    display = SearchDisplay.from_estimator(oracle, references=runs)
    heights = {n: line.get_ydata()[0] for n, line in display.reference_lines_.items()}
    assert heights == {
        "random": pytest.approx(runs["random"][0].validation_quality_),
        "margin": pytest.approx(runs["margin"].validation_quality_),
    }
    on_test = {n: line.get_ydata()[0] for n, line in display.test_lines_.items()}
    assert on_test["best"] == pytest.approx(oracle.quality_)
    assert on_test["margin"] == pytest.approx(runs["margin"].quality_)
    search, test = display.axes_.values()
    assert search.get_shared_y_axes().joined(search, test)
    labels = [text.get_text() for text in test.get_legend().get_texts()]
    best = oracle.strategy_.quality_
    assert f"best: {best:.3f}, test {oracle.quality_:.3f}" in labels


def test_the_search_of_a_study_is_drawn_from_its_folder(blobs, tmp_path):
    strategies = {
        "random": Random(),
        "margin": Margin(),
        "oracle": AnnealingOracle(n_steps=10, n_greedy=0),
    }
    with pytest.warns(UserWarning, match="2 seeds is too small"):
        found = compare(
            *blobs,
            GaussianNB(),
            strategies,
            seeds=2,
            n_orders=1,
            path=tmp_path,
            batch_size=5,
            n_rounds=3,
        )
    display = SearchDisplay.from_study(open_study(tmp_path), tmp_path, seed=1)
    on_validation = dict(
        zip(found.strategies, found.validation_qualities[0, :, 1], strict=True)
    )
    best = display.lines_["best"].get_ydata()[-1]
    assert best == pytest.approx(on_validation["oracle"])
    assert display.test_lines_["best"].get_ydata()[0] == pytest.approx(
        found.of("oracle")[0, 1]
    )
    assert set(display.reference_lines_) == {"random", "margin"}
    line = display.reference_lines_["random"]
    assert line.get_ydata()[0] == pytest.approx(on_validation["random"])
    assert line.get_color() == BASELINE["color"]
    with pytest.raises(FileNotFoundError, match="no journal of GaussianNB oracle 0"):
        SearchDisplay.from_study(found, tmp_path / "other")


def test_a_journal_is_drawn_while_its_search_goes_on(blobs, tmp_path):
    path, drawn = tmp_path / "search.db", []

    def score(model, X, y):
        if path.exists() and len(drawn) < 3:
            # Until the start is scored, it asks to try again.
            with suppress(ValueError):
                display = SearchDisplay.from_journal(path)
                drawn.append(len(display.lines_["best"].get_ydata()))
                plt.close(display.figure_)
        return float(np.mean(model.predict(X) == y))

    oracle = AnnealingOracle(n_steps=20, journal=path)
    learner = ActiveLearner(
        GaussianNB(), oracle, batch_size=5, n_rounds=3, scoring=score
    )
    steps = learner.fit(*blobs).strategy_.history_["step"]
    assert len(drawn) == 3
    assert drawn == sorted(drawn)
    assert drawn[-1] <= len(steps)


# Panels that are to be compared


def test_validation_and_test_have_the_same_axes(comparison):
    display = PerformanceCurveDisplay.from_study(
        comparison, estimator="bayes", on="both"
    )
    left, right = display.axes_["validation"], display.axes_["curves"]
    assert left.get_ylim() == right.get_ylim()
    assert left.get_shared_y_axes().joined(left, right)
    assert (left.get_title(), right.get_title()) == ("Validation", "Test")
    mean = comparison.validation_curves[0, 0].mean(axis=0)
    drawn = [line.get_ydata() for line in left.get_lines()]
    assert any(np.allclose(ydata, mean) for ydata in drawn)
    mean = comparison.curves[0, 0].mean(axis=0)
    np.testing.assert_allclose(display.lines_["margin"].get_ydata(), mean)
    assert left.get_legend() is None


# Colours


def test_zero_is_white_where_differences_are_coloured():
    qualities = {"oracle": np.array([[0.5, 0.9], [0.49, 0.8]])}
    display = TransferDisplay(qualities, ["0", "1"]).plot()
    image = display.images_["oracle"]
    low, high = image.get_clim()
    assert low == -high
    assert np.allclose(image.cmap(image.norm(0.0))[:3], 1, atol=0.05)
    worse, better = (image.cmap(image.norm(x))[:3] for x in (-0.3, 0.3))
    assert worse[0] > worse[2]
    assert better[2] > better[0]


def test_a_strategy_has_one_colour_in_all_figures():
    first = draw_curves("random", "margin", "oracle", "mine", baseline="random")
    second = draw_curves("oracle", "mine", "random", "badge", "margin")
    for name in ("margin", "oracle", "mine", "random"):
        assert first.lines_[name].get_color() == second.lines_[name].get_color()
    search = SearchDisplay(
        {
            "step": np.array([0]),
            "accepted": np.array([False]),
            "n_trainings": [3],
            "best": [1.0],
            "current": [1.0],
        },
        references={"margin": (0.5, 0.4)},
    ).plot()
    assert search.lines_["best"].get_color() == first.lines_["oracle"].get_color()
    line = search.reference_lines_["margin"]
    assert line.get_color() == first.lines_["margin"].get_color()


def test_the_spelling_of_a_name_does_not_change_its_colour():
    colours = {
        styles_of([name])[name]["color"]
        for name in ("max-entropy", "max_entropy", "MaxEntropy", "entropy")
    }
    assert len(colours) == 1
    assert styles_of(["Random"])["Random"] == BASELINE


def test_colours_do_not_depend_on_the_process():
    # `hash` would give others in every process.
    colours = {name: styles_of([name])[name]["color"] for name in ("mine", "sure")}
    assert colours == {"mine": "#CC79A7", "sure": "#D55E00"}


def test_seven_strategies_have_seven_colours():
    names = [f"strategy {i}" for i in range(6)] + ["oracle"]
    assert len({look["color"] for look in styles_of(names).values()}) == 7


# Many classes, many pairs


def test_77_classes_are_a_map_with_each_name():
    rng = np.random.default_rng(0)
    reference = rng.dirichlet(np.ones(77))
    shares = rng.dirichlet(np.ones(77), size=4)
    bins = [f"intent {i}" for i in range(77)]
    display = DistributionDisplay({"margin": shares}, [5, 10, 15, 20], reference, bins)
    display.plot()
    assert display.layers_ == {}
    image, ax = display.images_["margin"], display.ax_
    gaps = np.reshape(image.get_array(), (77, 4))
    largest = reference.argmax()
    np.testing.assert_allclose(gaps[-1], shares[:, largest] - reference[largest])
    low, high = image.get_clim()
    assert low == -high
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert sorted(names) == sorted(bins)
    assert names[0] == bins[largest]
    places = dict(zip(names, ax.get_yticks(), strict=True))
    assert places[bins[largest]] == 76.5


def test_names_in_a_map_of_classes_do_not_touch(overlaps):
    n = 200
    display = DistributionDisplay(
        {"margin": np.full((3, n), 1 / n)}, [1, 2, 3], np.full(n, 1 / n), list(range(n))
    ).plot()
    labels = display.ax_.get_yticklabels()
    assert 40 <= len(labels) <= 80
    assert not overlaps(labels)


def test_an_embedding_with_77_classes_names_the_most_frequent_ones():
    labels = np.append(np.arange(77), [5] * 9)
    points = np.random.default_rng(0).normal(size=(86, 2))
    display = EmbeddingDisplay(
        {"pool": points}, {"pool": labels}, {"margin": [np.arange(3)]}
    ).plot()
    texts = [t.get_text() for t in display.ax_.get_legend().get_texts()]
    assert "5" in texts
    assert "62 other labels" in texts
    assert len(texts) == 17


def test_ten_pairs_of_orders_are_a_map(comparison, overlaps):
    result = order_overlap(comparison, between="seeds", strategies=["oracle"])
    display = OverlapDisplay.from_study(result, estimator="naive")
    assert display.lines_ == {}
    pairs = [i for i, key in enumerate(result.first) if key[0] == "naive"]
    assert len(display.texts_) == 2 * len(pairs) == 20
    for i in pairs:
        names = f"seed {result.first[i][2]}", f"seed {result.second[i][2]}"
        for pair in (names, names[::-1]):
            assert display.texts_[pair].get_text() == str(result.shared[i])
    assert not overlaps(display.ax_.get_xticklabels())
    lines = OverlapDisplay.from_study(result, estimator="naive", style="lines")
    assert len(lines.lines_) == 10
    with pytest.raises(ValueError, match=r"style must be one of .* mean 'lines'"):
        OverlapDisplay.from_study(result, estimator="naive", style="line")


# Legends and texts


@pytest.mark.parametrize(("layout", "n"), [(None, 3), (None, 40), ("constrained", 3)])
def test_a_legend_stays_within_its_figure(layout, n):
    figure, axes = plt.subplots(1, 2, figsize=(16, 4.5), layout=layout)
    for ax in axes:
        curves = {f"strategy {i}": np.ones((1, 3)) * i for i in range(n)}
        PerformanceCurveDisplay(curves, [1, 2, 3]).plot(ax=ax)
    figure.canvas.draw()
    left, right = (ax.get_legend().get_window_extent() for ax in axes)
    assert is_within(left, figure.bbox)
    assert is_within(right, figure.bbox)
    assert left.x1 <= axes[1].get_window_extent().x0


def test_the_legend_of_a_new_figure_stays_within_it():
    display = draw_curves(*(f"strategy {i}" for i in range(30)))
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend()
    assert is_within(legend.get_window_extent(), display.figure_.bbox)


def test_panels_make_room_for_their_legend():
    _, ax = plt.subplots()
    shares = np.full((3, 4), 0.25)
    display = DistributionDisplay(
        {"random": shares, "margin": shares}, [1, 2, 3], shares[0], list("abcd")
    ).plot(ax=ax)
    first, second = display.axes_.values()
    assert first.get_position().width == pytest.approx(second.get_position().width)
    assert is_within(second.get_legend().get_window_extent(), display.figure_.bbox)


def test_numbers_beside_gains_stay_within_their_figure():
    _, ax = plt.subplots(figsize=(5, 3))
    name = "margin against random"
    display = GainDisplay({name: [0.1, 0.2, 0.15]}, pvalues={name: 0.00123}).plot(ax=ax)
    text = display.ax_.texts[0].get_window_extent()
    assert is_within(text, display.figure_.bbox)
    assert text.x0 > display.ax_.get_window_extent().x1
    assert is_within(ax.get_yticklabels()[0].get_window_extent(), display.figure_.bbox)


def test_underscores_are_escaped_for_latex_only():
    assert plain("max_entropy") == "max_entropy"
    with mpl.rc_context({"text.usetex": True}):
        assert plain("max_entropy_5%") == r"max\_entropy\_5\%"


def test_no_number_is_minus_zero():
    assert spell(-0.00001) == spell(-0.0) == "0.0000"
    gains = GainDisplay({"a against b": [-0.0001, 0.0]}).plot()
    assert gains.ax_.texts[0].get_text() == "+0.000"
    transfer = TransferDisplay({"a": np.array([[0.5, 0.5], [0.4999, 0.5]])}, "ab")
    texts = transfer.plot().texts_["a"]
    assert texts[1, 0].get_text() == "0.500\n+0.000"
    curves = PerformanceCurveDisplay({"a": np.full((1, 3), -1e-5)}, [1, 2, 3]).plot()
    assert curves.ax_.get_legend().get_texts()[0].get_text() == "a: 0.000"
