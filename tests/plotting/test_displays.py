import matplotlib as mpl
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, Margin, Random, run_seeds
from skal.plotting import PerformanceCurveDisplay, SearchDisplay

mpl.use("agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    mpl.pyplot.close("all")


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
    with pytest.raises(ValueError, match="baseline='random' is none of"):
        PerformanceCurveDisplay.from_estimators({"a": runs["a"]}, baseline="random")
    with pytest.raises(NotFittedError):
        PerformanceCurveDisplay.from_estimators({"a": learner(Margin())})


def test_a_search_is_drawn_over_trainings(blobs):
    oracle = learner(AnnealingOracle(n_steps=30)).fit(*blobs).strategy_
    display = SearchDisplay.from_estimator(oracle)
    for name in ("best", "current"):
        x, y = display.lines_[name].get_data()
        np.testing.assert_array_equal(x, oracle.history_["n_trainings"])
        np.testing.assert_array_equal(y, oracle.history_[name])


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
    def fail(model, X, y):
        raise FloatingPointError

    path = tmp_path / "search.db"
    with pytest.raises(FloatingPointError):
        learner(AnnealingOracle(journal=path), scoring=fail).fit(*blobs)
    with pytest.raises(ValueError, match="has scored its start yet: try again later"):
        SearchDisplay.from_journal(path)


def test_a_learner_without_a_search_is_refused(blobs):
    with pytest.raises(ValueError, match="Margin made no search"):
        SearchDisplay.from_estimator(learner(Margin()).fit(*blobs))
