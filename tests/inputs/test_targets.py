"""Numbers at the door: known, finite, one for each row, for a regressor only."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import (
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    FixedOrder,
    Problem,
    Proxy,
    Random,
    SkactivemlStrategy,
    Then,
    compare,
    split,
)
from skal.inputs._targets import Target, target_of

X = np.random.default_rng(0).random((90, 2))
Y = 2 * X[:, 0] + X[:, 1]
PARAMS = {"batch_size": 5, "n_rounds": 2, "warm_size": 12, "random_state": 0}


class NeverTrained(Ridge):
    def fit(self, X, y):
        raise AssertionError("trained before the targets were checked")


def fit(y, strategy=None, model=None, **params):
    strategy = Random() if strategy is None else strategy
    model = Ridge() if model is None else model
    return ActiveLearner(model, strategy, **PARAMS | params).fit(X, y)


def test_the_kind_follows_from_the_estimator_and_the_labels():
    tags = [["O", "B"], ["O"]]
    pipe = make_pipeline(StandardScaler(), Ridge())
    for model in (Ridge(), pipe, ActiveLearner(pipe, Random())):
        assert target_of(model, [0, 1]) is Target.NUMBER
    assert target_of(LogisticRegression(), [0, 1]) is Target.CLASS
    assert target_of(LogisticRegression(), tags) is Target.TAGS
    assert [one.has_classes for one in Target] == [True, True, False]


@pytest.mark.parametrize(
    "y",
    [
        np.where(np.arange(90) == 47, np.nan, Y),
        np.where(np.arange(90) == 47, -np.inf, Y),
        np.ma.masked_array(Y, np.arange(90) == 47),
        pd.Series(Y, dtype="Float64").where(np.arange(90) != 47),
        [None if i == 47 else value for i, value in enumerate(Y)],
    ],
    ids=["NaN", "infinity", "masked", "pandas", "None"],
)
def test_missing_numbers_are_refused_by_their_row(y):
    with pytest.raises(ValueError, match=r"y has missing targets .* 1 rows, .* row 47"):
        fit(y, model=NeverTrained())


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (np.where(Y > 1, "high", "low"), r"y must hold numbers, .* got .*(low|high)"),
        (np.datetime64("2020-01-01") + np.arange(90), "y must hold numbers"),
        (np.column_stack([Y, Y]), "one number per row, .* got several: .* choose one"),
        ([[1.0, 2.0]] * 90, "one number per row, .* got several: .* choose one"),
    ],
)
def test_other_targets_are_refused(y, match):
    with pytest.raises(ValueError, match=match):
        fit(y, model=NeverTrained())


@pytest.mark.parametrize(
    "container",
    [
        list,
        pd.Series,
        lambda y: y.astype(object),
        lambda y: pd.Series(y, dtype="Float64"),
    ],
)
def test_numbers_in_any_container(container):
    expected = fit(Y)
    found = fit(container(Y))
    np.testing.assert_array_equal(found.curve_, expected.curve_)
    assert found.order_.tolist() == expected.order_.tolist()


def test_whole_numbers_are_numbers_for_a_regressor():
    whole = (10 * Y).astype(int)
    found, expected = fit(whole), fit(whole.astype(float))
    np.testing.assert_array_equal(found.curve_, expected.curve_)
    problem = Problem.from_data(X, whole, Ridge(), n_rounds=2, random_state=0)
    assert problem.target is Target.NUMBER
    assert len(problem.classes) == 0
    assert "n_classes" not in repr(problem)
    assert problem.for_search().test_frequencies is None


@pytest.mark.parametrize("choice", [{"stratify": True}, {"warm_per_class": 1}])
def test_rows_are_not_chosen_by_class(choice):
    for y in (Y, (10 * Y).astype(int)):
        with pytest.raises(ValueError, match="rows by class, and the targets are numb"):
            fit(y, model=NeverTrained(), **choice)
    with pytest.raises(ValueError, match="rows by class, and y holds numbers"):
        split(X, Y, warm_size=10, **choice)


@pytest.mark.parametrize("labels", ["predicted", "true"])
def test_strategies_that_sort_by_class_are_refused(labels):
    for strategy in (ODMR(Random(), labels=labels), Then(ODMR(Random()), Random())):
        with pytest.raises(ValueError, match=r"row has a number here: .* such as IDMR"):
            fit(Y, strategy, NeverTrained())


def test_query_strategies_of_scikit_activeml_are_refused():
    pool = pytest.importorskip("skactiveml.pool", reason="an extra")
    with pytest.raises(ValueError, match=r"takes classes, and each row has a number"):
        fit(Y, SkactivemlStrategy(pool.RandomSampling()), NeverTrained())


def test_estimators_of_both_kinds_in_one_run_are_refused():
    with pytest.raises(TypeError, match="must be a regressor, and LogisticRegression"):
        fit(Y, Proxy(Random(), LogisticRegression()), NeverTrained())
    sets = split(X, Y, warm_size=10, random_state=0)
    problem = Problem.from_sets(sets, Ridge(), batch_size=3, n_rounds=2)
    models = {"ridge": NeverTrained(), "logistic": LogisticRegression()}
    with pytest.raises(TypeError, match="must be a regressor, and LogisticRegression"):
        compare(problem, {"random": Random()}, estimators=models)


def test_a_test_set_of_one_row_has_no_r2():
    with (
        pytest.warns(UserWarning, match="R.2 score is not well-defined"),
        pytest.raises(ValueError, match="must return a finite number") as caught,
    ):
        fit(Y, test_size=1)
    assert any("single row, for which R2 is not" in n for n in caught.value.__notes__)
    found = fit(Y, test_size=1, scoring="neg_mean_absolute_error")
    assert np.isfinite(found.curve_).all()


def test_a_scorer_of_classes_says_so():
    with pytest.raises(ValueError, match="Classification metrics can't handle"):
        fit((10 * Y).round(), scoring="accuracy")


def test_an_error_of_a_regressor_tells_how_many_rows_it_had():
    class Picky(Ridge):
        def fit(self, X, y):
            if len(y) < 20:
                raise ValueError("too few")
            return super().fit(X, y)

    with pytest.raises(ValueError, match="too few") as caught:
        fit(Y, model=Picky())
    (note,) = caught.value.__notes__
    assert "12 rows were labelled. If" in note
    assert "warm_size" in note


def test_a_regressor_that_uses_unlabelled_rows_is_refused():
    class Semi(NeverTrained):
        uses_unlabelled = True

    with pytest.raises(ValueError, match="offers to classifiers only"):
        fit(Y, model=Semi())


def test_numbers_of_other_sets_are_other_searches(tmp_path):
    oracle = AnnealingOracle(
        n_steps=3, proposal="uniform", journal=tmp_path / "search.db", random_state=0
    )
    found = fit(Y, oracle)
    again = fit(Y, oracle)
    assert found.order_.tolist() == again.order_.tolist()
    with pytest.raises(ValueError, match="another search: y_pool="):
        fit(Y + 1e-9, oracle)
    replayed = fit(Y, FixedOrder(found.order_))
    np.testing.assert_array_equal(replayed.curve_, found.curve_)
