from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, Margin, Random, run_seeds
from skal.plotting import PerformanceCurveDisplay, SearchDisplay
from skal.plotting._curve import BAND


def learner(strategy, **params):
    params = {"batch_size": 5, "n_rounds": 4, "random_state": 0} | params
    return ActiveLearner(GaussianNB(), strategy, **params)


def test_curves_of_single_learners_and_of_seeds(blobs):
    random = run_seeds(learner(Random()), *blobs, seeds=3)
    margin = learner(Margin()).fit(*blobs)
    display = PerformanceCurveDisplay.from_estimators(
        {"random": random, "margin": margin}, baseline="random"
    )
    x, y = display.lines_["random"].get_data()
    assert x.tolist() == [10, 15, 20, 25, 30]
    np.testing.assert_allclose(y, random.curves.mean(axis=0))
    np.testing.assert_allclose(display.lines_["margin"].get_ydata(), margin.curve_)
    assert set(display.bands_) == {"random"}
    band = display.bands_["random"].get_paths()[0].vertices
    spread = random.curves.std(axis=0, ddof=1)
    assert band[:, 1].max() == pytest.approx((y + spread).max())
    assert display.lines_["random"].get_linestyle() == "--"
    assert display.ax_.get_xlabel() == "Labelled rows"


def test_the_legend_is_sorted_and_tells_qualities(blobs):
    runs = {
        name: learner(strategy).fit(*blobs)
        for name, strategy in {"b": Random(), "a": Margin()}.items()
    }
    display = PerformanceCurveDisplay.from_estimators(runs)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    best_first = sorted(runs, key=lambda name: -runs[name].quality_)
    assert texts == [f"{name}: {runs[name].quality_:.3f}" for name in best_first]


def test_it_draws_where_it_is_told(blobs):
    _, ax = mpl.pyplot.subplots()
    fitted = learner(AnnealingOracle(n_steps=5)).fit(*blobs)
    runs = {"oracle": [fitted]}
    assert PerformanceCurveDisplay.from_estimators(runs, ax=ax).ax_ is ax
    assert SearchDisplay.from_estimator(fitted, ax=ax).figure_ is ax.figure


def test_learners_that_cannot_be_compared_are_refused(blobs):
    runs = {"a": learner(Margin()).fit(*blobs)}
    runs["b"] = learner(Margin(), n_rounds=3).fit(*blobs)
    with pytest.raises(ValueError, match="give all the same warm start"):
        PerformanceCurveDisplay.from_estimators(runs)
    with pytest.raises(ValueError, match=r"baseline must be one of .*, got 'random'"):
        PerformanceCurveDisplay.from_estimators({"a": runs["a"]}, baseline="random")
    for nothing in ({}, {"a": []}):
        with pytest.raises(ValueError, match="There is nothing to draw: give learners"):
            PerformanceCurveDisplay.from_estimators(nothing)
    with pytest.raises(NotFittedError):
        PerformanceCurveDisplay.from_estimators({"a": learner(Margin())})


def test_a_study_is_drawn_with_its_seeds(comparison):
    display = PerformanceCurveDisplay.from_study(comparison, estimator="naive")
    for i, name in enumerate(comparison.strategies):
        x, y = display.lines_[name].get_data()
        np.testing.assert_array_equal(x, comparison.n_labelled)
        np.testing.assert_allclose(y, comparison.curves[1, i].mean(axis=0))
    assert set(display.bands_) == set(display.lines_)
    assert display.lines_["random"].get_linestyle() == "--"
    assert display.ax_.get_ylabel() == "Test score"


def heights(band):
    """Return the lower and upper end of a band at each of five rounds."""
    ends = band.get_paths()[0].vertices
    return np.array([[f(ends[ends[:, 0] == x, 1]) for f in (np.min, np.max)]
                     for x in np.unique(ends[:, 0])]).T  # fmt: skip


def test_a_band_is_the_spread_of_single_runs(comparison):
    display = PerformanceCurveDisplay.from_study(comparison, estimator="naive")
    singles = comparison.baseline_curves[1].reshape(10, 5)
    mean, spread = singles.mean(axis=0), singles.std(axis=0, ddof=1)
    low, high = heights(display.bands_["random"])
    np.testing.assert_allclose(low, mean - spread)
    np.testing.assert_allclose(high, mean + spread)
    # The mean is that of the means over each seed's orders, whose spread is smaller.
    of_means = comparison.curves[1, 1].std(axis=0, ddof=1)
    assert spread.mean() > of_means.mean()
    np.testing.assert_allclose(
        display.lines_["random"].get_ydata(), comparison.curves[1, 1].mean(axis=0)
    )
    one_each = comparison.curves[1, 3]
    low, high = heights(display.bands_["oracle"])
    np.testing.assert_allclose(high - low, 2 * one_each.std(axis=0, ddof=1))


def test_the_legend_says_what_a_band_is_and_counts_runs(comparison):
    draw = PerformanceCurveDisplay.from_study
    legend = draw(comparison, estimator="naive").ax_.get_legend()
    assert legend.get_title().get_text().endswith(BAND)
    counts = {
        name.partition(":")[0]: name.rpartition("n=")[2].rstrip(")")
        for name in (text.get_text() for text in legend.get_texts())
    }
    assert counts == {"margin": "5", "random": "10", "idmr-margin": "5", "oracle": "5"}
    single = PerformanceCurveDisplay({"a": np.ones((1, 3))}, [1, 2, 3]).plot()
    assert BAND not in single.ax_.get_legend().get_title().get_text()


def test_single_orders_have_no_band_where_they_are_not_known(comparison):
    display = PerformanceCurveDisplay.from_study(
        comparison, estimator="naive", on="validation"
    )
    assert set(display.bands_) == {"margin", "idmr-margin", "oracle"}
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    (random,) = (text for text in texts if text.startswith("random"))
    assert "n=" not in random
    mean = comparison.validation_curves[1, 1].mean(axis=0)
    np.testing.assert_allclose(display.lines_["random"].get_ydata(), mean)
    one_order = replace(
        comparison, baseline_curves=comparison.baseline_curves[:, :, :1]
    )
    display = PerformanceCurveDisplay.from_study(
        one_order, estimator="naive", on="validation"
    )
    assert "random" in display.bands_


def test_rows_are_counted_in_whole_numbers():
    display = PerformanceCurveDisplay({"a": np.ones((1, 3))}, [10, 15, 20]).plot()
    display.figure_.canvas.draw()
    ticks = display.ax_.get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))


def test_curves_begin_after_an_empty_warm_start(comparison):
    curves = comparison.curves.copy()
    curves[..., 0] = np.nan
    empty = replace(comparison, curves=curves)
    display = PerformanceCurveDisplay.from_study(empty, estimator="bayes")
    shown = display.lines_["oracle"].get_ydata()
    np.testing.assert_allclose(shown[1:], curves[0, 3].mean(axis=0)[1:])
    display.figure_.canvas.draw()
    assert display.ax_.get_legend().get_texts()[0].get_text().count("nan") == 0


def test_validation_scores_are_drawn_beside_those_on_test(comparison):
    _, (left, right) = mpl.pyplot.subplots(1, 2)
    params = {"estimator": "bayes"}
    on_val = PerformanceCurveDisplay.from_study(
        comparison, on="validation", ax=left, **params
    )
    on_test = PerformanceCurveDisplay.from_study(comparison, ax=right, **params)
    mean = comparison.validation_curves[0, 3].mean(axis=0)
    np.testing.assert_allclose(on_val.lines_["oracle"].get_ydata(), mean)
    assert left.get_ylabel() == "Validation score"
    for name, line in on_val.lines_.items():
        assert line.get_color() == on_test.lines_[name].get_color()
        assert line.get_marker() == on_test.lines_[name].get_marker()


def test_some_strategies_are_drawn_as_among_all(comparison):
    params = {"estimator": "bayes", "score_name": "Accuracy"}
    some = PerformanceCurveDisplay.from_study(
        comparison, strategies=["oracle", "random"], **params
    )
    every = PerformanceCurveDisplay.from_study(comparison, **params)
    assert set(some.lines_) == {"oracle", "random"}
    marker = every.lines_["oracle"].get_marker()
    assert some.lines_["oracle"].get_marker() == marker
    assert some.ax_.get_ylabel() == "Accuracy"


def test_the_legend_averages_what_the_study_averages(comparison):
    def legend(study):
        display = PerformanceCurveDisplay.from_study(
            study, estimator="bayes", strategies="oracle"
        )
        legend = display.ax_.get_legend()
        return legend.get_title().get_text(), legend.get_texts()[0].get_text()

    curves = comparison.curves[0, 3]
    expected = f"oracle: {curves[:, 1:].mean():.3f} (n=5)"
    assert legend(comparison) == (f"mean over rounds 1 to K\n{BAND}", expected)
    with_start = replace(comparison, include_warm_start=True)
    expected = f"oracle: {curves.mean():.3f} (n=5)"
    assert legend(with_start) == (f"mean over rounds 0 to K\n{BAND}", expected)


def test_a_legend_shows_every_name_as_it_is():
    names = ["_margin", "$5-$10", r"$\frac$", ""]
    curves = {name: np.ones((1, 3)) for name in names}
    display = PerformanceCurveDisplay(curves, [1, 2, 3]).plot()
    display.figure_.canvas.draw()
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert [text.replace(r"\$", "$") for text in texts] == [
        f"{n}: 1.000" for n in names
    ]


@pytest.mark.parametrize("n", [2, 8])
def test_a_legend_does_not_lie_on_the_lines(n):
    curves = {f"strategy {i}": np.ones((1, 3)) * i for i in range(n)}
    display = PerformanceCurveDisplay(curves, [1, 2, 3]).plot()
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.x0 >= display.ax_.get_window_extent().x1
    assert legend.x1 <= display.figure_.bbox.x1


def test_a_study_without_what_is_asked_for_is_refused(comparison):
    draw = PerformanceCurveDisplay.from_study
    with pytest.raises(ValueError, match="more than one estimator: give estimator="):
        draw(comparison)
    with pytest.raises(
        ValueError, match="Unknown strategy 'bald': give some of margin"
    ):
        draw(comparison, estimator="bayes", strategies=["bald"])
    with pytest.raises(ValueError, match="on must be one of 'test', 'validation'"):
        draw(comparison, estimator="bayes", on="train")
    nothing = np.full_like(comparison.curves, np.nan)
    without = replace(comparison, validation_curves=nothing)
    with pytest.raises(ValueError, match="no validation scores"):
        draw(without, estimator="bayes", on="validation")


def test_a_search_is_drawn_over_trainings(blobs):
    oracle = learner(AnnealingOracle(n_steps=30)).fit(*blobs).strategy_
    display = SearchDisplay.from_estimator(oracle)
    for name in ("best", "current"):
        x, y = display.lines_[name].get_data()
        np.testing.assert_array_equal(x, oracle.history_["n_trainings"])
        np.testing.assert_array_equal(y, oracle.history_[name])
        # Between two steps too, the current order is not better than the best.
        assert display.lines_[name].get_drawstyle() == "steps-post"


def test_a_journal_is_drawn_as_its_searches(blobs, tmp_path):
    path = tmp_path / "search.db"

    def search(seed):
        oracle = AnnealingOracle(n_steps=30, journal=path, random_state=seed)
        return learner(oracle).fit(*blobs).strategy_

    first = search(1)
    display = SearchDisplay.from_journal(path)
    assert set(display.lines_) == {"best", "current"}
    for name, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_ydata(), first.history_[name])
    second = search(2)
    _, ax = mpl.pyplot.subplots()
    display = SearchDisplay.from_journal(path, ax=ax)
    assert display.ax_ is ax
    for oracle in (first, second):
        x, y = display.lines_[f"xi 0, seed {oracle.seed_}"].get_data()
        np.testing.assert_array_equal(x, oracle.history_["n_trainings"])
        np.testing.assert_array_equal(y, oracle.history_["best"])
    assert len(display.lines_) == len(ax.get_legend().get_texts()) == 2


def test_a_journal_in_which_no_search_has_begun_is_refused(blobs, tmp_path):
    scores = [0.5, 0.5]  # of the first model, which is judged before the search

    def fail(model, X, y):
        if scores:
            return scores.pop()
        raise FloatingPointError

    path = tmp_path / "search.db"
    with pytest.raises(FloatingPointError):
        learner(AnnealingOracle(journal=path), scoring=fail).fit(*blobs)
    with pytest.raises(ValueError, match="has scored its start yet: try again later"):
        SearchDisplay.from_journal(path)


def test_a_learner_without_a_search_is_refused(blobs):
    with pytest.raises(ValueError, match="Margin made no search"):
        SearchDisplay.from_estimator(learner(Margin()).fit(*blobs))
