"""The verdict: whether choosing is better than random, and by how much."""

from dataclasses import replace

import numpy as np
import pytest
from joblib import parallel_config
from scipy import stats
from sklearn.datasets import make_blobs, make_regression
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, Perceptron, Ridge
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skal import AnnealingOracle, Margin, Problem, Random, compare, open_study, worth_it
from skal.datasets import make_intents
from skal.strategies import RankingStrategy
from skal.studies import Verdict, gain_interval
from skal.studies._defaults import with_random
from skal.studies._verdict_text import show
from skal.studies.running import _deadline

QUICK = {"seeds": 5, "n_orders": 2, "n_rounds": 3, "oracle": None}


class Right(RankingStrategy):
    """Choose the rows whose first column is highest, so clean ones."""

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return np.asarray(X)[candidates, 0]


@pytest.fixture(scope="module")
def noisy():
    """Rows of two classes; rows with a low first column have random labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    X[:, 0] = np.where(rng.random(400) < 0.6, -9, 9)
    y = (X[:, 1] > 0).astype(int)
    y[X[:, 0] < 0] = rng.integers(2, size=int((X[:, 0] < 0).sum()))
    return X, y


def on_clean_rows(model, X, y):
    """Return the accuracy on rows whose labels are not random."""
    clean = X[:, 0] > 0
    return float(np.mean(model.predict(X[clean]) == y[clean]))


@pytest.fixture(scope="module")
def better(noisy):
    strategies = {"right": Right()}
    sizes = {"scoring": on_clean_rows, "batch_size": 20, "warm_size": 20}
    return worth_it(*noisy, GaussianNB(), strategies, **QUICK | {"seeds": 8}, **sizes)


def test_a_better_strategy_is_called_better(better):
    assert better.answer == "better"
    assert 0 < better.low < better.gain < better.high
    assert better.p_value < 0.05
    assert str(better).startswith("Yes: choosing rows by right is better than random")
    assert better.saved.saved > 0


def test_the_interval_and_p_belong_together(better):
    tests = better.comparison.against()
    expected = gain_interval(tests.gains[0, 0], overlap=tests.overlap)
    assert (better.low, better.high) == pytest.approx(expected)
    assert better.p_value == pytest.approx(tests.t_pvalues[0, 0])


def test_a_worse_strategy_is_called_worse(better):
    found = better.comparison
    names = {"random": found.strategies["right"], "right": found.strategies["random"]}
    swapped = replace(
        found,
        strategies=names,
        curves=found.curves[:, ::-1],
        baseline="random",
    )
    verdict = swapped.verdict()
    assert verdict.answer == "worse"
    assert str(verdict).startswith("No: right is worse than random rows here.")
    assert verdict.gain == pytest.approx(-better.gain)
    assert verdict.saved.strategy == np.inf
    assert "Labels saved: none." in str(verdict)


@pytest.fixture(scope="module")
def unclear(noisy):
    X, y = noisy
    strategies = {"margin": Margin(), "again": Random(), "third": Margin()}
    return worth_it(X, y, GaussianNB(), strategies, **QUICK)


def test_nothing_to_win_is_unclear(unclear):
    text = str(unclear)
    assert unclear.answer == "unclear"
    assert text.startswith("Not shown: no strategy is clearly better than random")
    assert "finds a gain of" in text
    assert f"the best of 2 strategies, {unclear.strategy}, scores" in text
    assert "both corrected for the choice" in text


def test_p_is_corrected_for_the_choice(unclear):
    single = unclear.comparison.verdict(strategy=unclear.strategy)
    assert unclear.p_value == pytest.approx(min(1.0, 2 * single.p_value))
    assert unclear.low < single.low < single.high < unclear.high


def test_what_holds_for_these_rows_only(better):
    gains = 0.01 + 0.02 * np.array([1, -1, 1, -1, 1, -1, 1, 0.5])
    curves = better.comparison.curves.copy()
    curves[0, 1] = curves[0, 0] + gains[:, None]
    found = replace(better.comparison, curves=curves).verdict()
    assert found.p_same_rows == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)
    assert found.p_same_rows < found.p_value
    assert "New splits of these same rows" not in str(found)
    curves[0, 1] = curves[0, 0] + 0.012 + gains[:, None]
    found = replace(better.comparison, curves=curves).verdict()
    assert found.answer == "unclear"
    assert "New splits of these same rows would show a gain again" in str(found)


def test_a_target_that_no_curve_reaches(unclear):
    verdict = unclear.comparison.verdict(target=1.5)
    assert np.isnan(verdict.saved.saved)
    assert "neither random rows nor" in str(verdict)


def test_a_target_is_reached_earlier(better):
    low = better.comparison.verdict(target=better.saved.target - 0.05)
    assert low.saved.random < better.saved.random


def test_the_search_runs_on_three_splits_only(blobs):
    oracle = AnnealingOracle(max_trainings=40)
    options = QUICK | {"oracle": oracle, "seeds": 5}
    strategies = {"margin": Margin()}
    verdict = worth_it(*blobs, DecisionTreeClassifier(), strategies, **options)
    assert len(verdict.comparison.seeds) == 5
    assert verdict.oracle_comparison.seeds == (0, 1, 2)
    assert verdict.bound.n_seeds == 3
    found = verdict.oracle_comparison
    assert verdict.bound.optimism == pytest.approx(found.optimism()[0, 2].mean())
    elsewhere = found.other_seed_qualities("oracle").mean()
    left = elsewhere - found.of("margin").mean()
    assert verdict.bound.left == pytest.approx(left)
    assert "On the validation set that it searches on" in str(verdict)
    total = verdict.comparison.n_trainings.sum() + found.n_trainings[0, 2].sum()
    assert verdict.n_trainings == total


@pytest.mark.parametrize(
    ("data", "estimator", "names"),
    [
        ("blobs", GaussianNB(), ["MaxEntropy", "LeastConfidence", "Margin"]),
        ("blobs", Perceptron(), ["Margin"]),
        ("blobs", NearestCentroid(metric="manhattan"), ["TypiClust", "CoreSet"]),
        ("numbers", Ridge(), ["GreedySampling", "TypiClust"]),
        (
            "labels",
            DecisionTreeClassifier(),
            ["MaxEntropy", "LeastConfidence", "Margin"],
        ),
        (
            "texts",
            make_pipeline(TfidfVectorizer(), MultinomialNB()),
            ["MaxEntropy", "LeastConfidence", "Margin"],
        ),
    ],
)
def test_defaults_suit_target_and_estimator(data, estimator, names):
    X, y = {
        "blobs": lambda: make_blobs(100, random_state=0),
        "numbers": lambda: make_regression(100, 4, noise=1.0, random_state=0),
        "labels": lambda: (
            make_blobs(100, random_state=0)[0],
            np.random.default_rng(0).integers(2, size=(100, 3)),
        ),
        "texts": lambda: make_intents(100, random_state=0),
    }[data]()
    problem = Problem.from_data(X, y, estimator, batch_size=5, n_rounds=2)
    assert list(with_random(problem, None, y)) == ["random", *names]


def test_no_default_strategy_for_a_regressor_of_texts():
    X, _ = make_intents(100, random_state=0)
    model = make_pipeline(TfidfVectorizer(), LinearRegression())
    with pytest.raises(ValueError, match="No default strategy suits Pipeline"):
        worth_it(X, np.arange(100.0), model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros((40, 2)), "y": np.arange(40) % 2}, "at least 60 labelled rows"),
        ({"y": np.ones(120)}, "All rows of y have the same label, 1.0"),
        ({"y": ["spam"] * 120}, "All rows of y have the same label, 'spam'"),
        ({"y": None}, "needs X, y and an estimator"),
        ({"estimator": GaussianNB}, "estimator must be"),
        ({"estimator": None}, "needs X, y and an estimator"),
        ({"oracle": "best"}, "oracle must be 'auto'"),
        ({"strategies": {"random": Margin()}}, "must not be named 'random'"),
        ({"strategies": {"a": Random()}}, "none that could be better"),
        ({"strategies": [Margin()]}, "must be a dict of strategies"),
        ({"strategies": {}}, "none that could be better"),
        ({"max_time": -1}, "max_time"),
        ({"level": 95}, "level must be between 0 and 1"),
        ({"cost": np.ones(120)}, "give batch_size, the cost of a round"),
        ({"n_rounds": 0}, "n_rounds"),
        ({"test_size": 0.99}, "test_size|rows"),
    ],
)
def test_bad_input(blobs, change, message):
    given = {"X": blobs[0], "y": blobs[1], "estimator": GaussianNB()} | change
    options = QUICK | {k: v for k, v in given.items() if k not in ("X", "y")}
    with pytest.raises((ValueError, TypeError), match=message):
        worth_it(given["X"], given["y"], **options)


class Clock:
    """A clock that goes on by a second each time that it is read."""

    def __init__(self):
        self.now = 0.0

    def time(self):
        self.now += 1
        return self.now


@pytest.fixture
def clock(monkeypatch):
    one = Clock()
    monkeypatch.setattr(_deadline, "time", one)
    monkeypatch.setattr("skal.studies._worth_it.time", one)
    return one


def test_the_verdict_is_about_the_splits_that_were_finished(blobs, clock):
    strategies = {"margin": Margin()}
    whole = worth_it(*blobs, GaussianNB(), strategies, **QUICK)
    found = worth_it(*blobs, GaussianNB(), strategies, **QUICK, max_time=60)
    n = len(found.comparison.seeds)
    assert 1 < n < 5
    assert clock.now <= 1 + 60 + 2
    assert np.array_equal(found.comparison.curves, whole.comparison.curves[:, :, :n])


def test_a_time_too_short_for_one_split(blobs, clock):
    with pytest.raises(ValueError, match=r"max_time=12 was over after 1 of the 3 runs"):
        worth_it(*blobs, GaussianNB(), {"margin": Margin()}, **QUICK, max_time=12)


def test_one_split_is_no_test(blobs, clock):
    strategies = {"margin": Margin()}
    found = worth_it(*blobs, GaussianNB(), strategies, **QUICK, max_time=30)
    assert len(found.comparison.seeds) == 1
    assert found.answer == "unclear"
    assert np.isnan([found.p_value, found.low, found.saved.low]).all()
    assert "Only 1 seed: too few to tell." in str(found)
    assert "max_time=30 ended it after 1 of 5 seeds." in str(found)


def test_no_time_for_the_search(blobs, clock):
    options = QUICK | {"oracle": AnnealingOracle(max_trainings=500)}
    strategies = {"margin": Margin()}
    found = worth_it(*blobs, GaussianNB(), strategies, **options, max_time=150)
    assert len(found.comparison.seeds) == 5
    assert found.bound is None
    assert "no time was left for the search" in str(found)


def test_a_folder_resumes_what_time_has_cut_short(blobs, tmp_path, clock):
    given = *blobs, GaussianNB(), {"margin": Margin()}
    first = worth_it(*given, **QUICK, path=tmp_path, max_time=60)
    n_lines = len((tmp_path / "compare.jsonl").read_text().splitlines())
    assert len(first.comparison.seeds) < 5
    second = worth_it(*given, **QUICK, path=tmp_path)
    assert len(second.comparison.seeds) == 5
    assert n_lines >= 3 * len(first.comparison.seeds)
    again = open_study(tmp_path).verdict()
    assert (again.gain, again.saved) == (second.gain, second.saved)
    whole = worth_it(*given, **QUICK)
    assert str(second).splitlines()[:-1] == str(whole).splitlines()[:-1]


def test_parallel_runs_end_in_time_and_agree(blobs):
    given = *blobs, GaussianNB(), {"margin": Margin()}
    with parallel_config(backend="threading"):
        one, two = (worth_it(*given, **QUICK, n_jobs=n, max_time=999) for n in (1, 2))
    assert np.array_equal(one.comparison.curves, two.comparison.curves)


def test_a_problem_instead_of_data(make_problem):
    strategies = {"margin": Margin()}
    found = worth_it(
        make_problem(), strategies=strategies, seeds=5, n_orders=2, oracle=None
    )
    assert not found.comparison.splits.vary
    assert "5 seeds" in str(found)
    with pytest.raises(ValueError, match="batch_size is part of a problem"):
        worth_it(make_problem(), strategies=strategies, batch_size=3)


def test_costs_have_their_unit(blobs):
    X, y = blobs
    found = worth_it(
        X,
        y,
        GaussianNB(),
        {"margin": Margin()},
        **QUICK,
        cost=np.ones(120) * 2,
        batch_size=10,
    )
    assert "Cost saved" in str(found)
    assert "labels" not in str(found)


def test_html_and_table(unclear):
    page = unclear._repr_html_()
    assert page.startswith("<p><strong>Not shown:")
    assert "<table" in page
    (row,) = unclear.to_frame().to_dict("records")
    assert row["answer"] == "unclear"
    assert row["gain"] == unclear.gain


def test_a_comparison_without_strategies_has_no_verdict(blobs):
    problem = Problem.from_data(*blobs, GaussianNB(), n_rounds=2)
    found = compare(problem, {"random": Random()}, seeds=5, n_orders=1)
    with pytest.raises(ValueError, match="no strategy to judge"):
        found.verdict()


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0001, "0.000"), (0.1234, "0.123"), (-0.5, "-0.500"), (-1234.5, "-1,234")],
)
def test_numbers_are_short_and_zero_has_no_sign(value, text):
    assert show(value) == text


def test_it_plots_itself(better):
    display = better.plot()
    assert list(display.lines_) == ["random", "right"]
    x = display.bracket_.get_xdata()
    assert tuple(x) == (better.saved.strategy, better.saved.random)
    assert isinstance(better, Verdict)
