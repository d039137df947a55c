import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skal import (
    ActiveLearner,
    AnnealingOracle,
    FixedOrder,
    Margin,
    MaxEntropy,
    Problem,
    Random,
    split,
)
from skal.splitting import count_of
from skal.studies._tasks import Task


class NeverTrained(LogisticRegression):
    """Fails the test when it is trained: bad input must be met before that."""

    def fit(self, X, y):
        raise AssertionError("trained before the input was checked")


def learner(strategy=None, estimator=None, **params):
    estimator = NeverTrained() if estimator is None else estimator
    params = {"batch_size": 5, "n_rounds": 3, "random_state": 0} | params
    return ActiveLearner(
        estimator, Random() if strategy is None else strategy, **params
    )


def test_too_few_rows_are_refused_before_training():
    with pytest.raises(ValueError, match="leave no row for the pool"):
        learner(val_size=3, test_size=3, warm_size=4).fit(np.ones((10, 2)), [0, 1] * 5)


def test_more_rounds_than_the_pool_holds_stop_early_and_say_so(blobs):
    X, y = blobs
    with pytest.warns(UserWarning, match=r"the pool holds 42: stopping early, after 9"):
        fitted = learner(
            estimator=LogisticRegression(), n_rounds=30, val_size=34, test_size=34
        ).fit(X, y)
    assert len(fitted.order_) == 42
    assert np.bincount(fitted.rounds_).tolist() == [0] + [5] * 8 + [2]
    assert fitted.curve_.shape == (10,)


@pytest.mark.parametrize("label", [None, np.nan, pd.NA])
def test_missing_labels_are_refused(blobs, label):
    X, y = blobs
    y = y.astype(object)
    y[[3, 7]] = label
    with pytest.raises(ValueError, match=r"y has missing labels .* 2 rows, .* row 3"):
        learner().fit(X, y)


def test_missing_float_labels_are_refused(blobs):
    X, y = blobs
    y = y.astype(float)
    y[5] = np.nan
    with pytest.raises(ValueError, match=r"y has missing labels .* 1 rows"):
        learner().fit(X, y)


def test_labels_that_are_no_classes_are_refused(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="Unknown label type"):
        learner().fit(X, y + 0.5)


def test_labels_of_mixed_kinds_are_refused(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="Mix of label input types"):
        learner().fit(X[:80], y[:80], X_test=X[80:], y_test=["a"] * 40)


def test_sets_that_overlap_are_refused(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="X and X_warm overlap: they share 10 rows"):
        learner().fit(X, y, X_warm=X[:10], y_warm=y[:10])
    with pytest.raises(
        ValueError, match="X_val and X_test overlap: they share 20 rows"
    ):
        learner().fit(
            X[:60], y[:60], X_val=X[60:100], y_val=y[60:100], X_test=X[80:],
            y_test=y[80:],
        )  # fmt: skip


@pytest.mark.parametrize("container", [sparse.csr_matrix, pd.DataFrame])
def test_sets_that_overlap_are_refused_in_any_container(blobs, container):
    X, y = blobs
    X = container(X)
    with pytest.raises(ValueError, match="X and X_test overlap: they share 10 rows"):
        learner().fit(X, y, X_test=X[:10], y_test=y[:10])


def test_sentences_that_overlap_are_refused():
    X, y = [f"sentence {i}" for i in range(60)], [0, 1] * 30
    model = make_pipeline(CountVectorizer(), NeverTrained())
    for given in (X[:10], np.array(X[:10]), pd.Series(X[:10])):
        with pytest.raises(
            ValueError, match="X and X_test overlap: they share 10 rows"
        ):
            learner(estimator=model).fit(X, y, X_test=given, y_test=y[:10])


@pytest.mark.parametrize("n_values", [2, 5, 40])
def test_data_that_repeats_itself_is_no_overlap(n_values):
    rng = np.random.default_rng(0)
    X = rng.integers(n_values, size=(200, 3)).astype(float)
    y = rng.integers(2, size=200)
    fitted = learner(estimator=LogisticRegression()).fit(
        X[:100], y[:100], X_test=X[100:], y_test=y[100:]
    )
    assert 0 < fitted.quality_ < 1


def test_a_single_repeated_row_is_no_overlap():
    X, y = load_iris(return_X_y=True)
    assert len(np.unique(X, axis=0)) == 149
    for seed in range(5):
        sets = split(X, y, warm_size=10, random_state=seed)
        learner(estimator=GaussianNB()).fit(**sets)


def test_sets_that_disagree_in_width_are_refused(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="X_val has 1 columns and X has 2"):
        learner().fit(X[:80], y[:80], X_val=X[80:, :1], y_val=y[80:])


@pytest.mark.parametrize("container", [sparse.csr_matrix, pd.DataFrame])
def test_sets_in_different_containers_are_refused(blobs, container):
    X, y = blobs
    with pytest.raises(ValueError, match="give all sets in the same kind of container"):
        learner().fit(container(X[:80]), y[:80], X_test=X[80:], y_test=y[80:])


def test_a_warning_points_at_the_call_of_fit(blobs):
    with pytest.warns(UserWarning, match="stopping early") as caught:
        learner(estimator=LogisticRegression(), n_rounds=30).fit(*blobs)
    assert caught[0].filename == __file__


def test_a_second_fit_leaves_nothing_of_the_first(blobs):
    fitted = learner(estimator=LogisticRegression()).fit(*blobs)
    assert np.isfinite(fitted.validation_curve_).all()
    fitted.set_params(val_size=0).fit(*blobs)
    assert np.isnan(fitted.validation_curve_).all()


def test_a_start_that_needs_a_model_is_checked_before_training(blobs):
    oracle = AnnealingOracle(start=MaxEntropy())
    with pytest.raises(TypeError, match="AnnealingOracle needs class probabilities"):
        learner(oracle, LinearSVC()).fit(*blobs)
    with pytest.raises(ValueError, match="needs a model in the first round"):
        learner(oracle, warm_size=0).fit(*blobs)


def test_a_set_without_labels_is_refused(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="X_test is given without y_test"):
        learner().fit(X[:80], y[:80], X_test=X[80:])


def test_a_label_that_the_pool_lacks_joins_the_class_list(blobs):
    X, y = blobs
    pool = y != 2
    rest = np.flatnonzero(~pool)
    fitted = learner(Margin(), LogisticRegression()).fit(
        X[pool], y[pool], X_test=X[rest], y_test=y[rest]
    )
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert fitted.predict_proba(X).shape == (120, 3)
    assert (fitted.predict_proba(X)[:, 2] == 0).all()
    assert fitted.estimator_.estimator.coef_.shape == (1, 2)
    assert fitted.quality_ == 0.0


def test_an_estimator_without_probabilities_is_refused(blobs):
    with pytest.raises(TypeError, match="MaxEntropy needs class probabilities"):
        learner(MaxEntropy(), LinearSVC()).fit(*blobs)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([1, 2, 2] + list(range(3, 30)), "repeats 1 rows, such as 2"),
        ([1, 2, 500] + list(range(3, 30)), "1 rows that are not in the pool"),
        (range(4), "order has 4 rows, and 3 rounds of batch_size=5 label 15"),
        ([0.5] * 15, "one-dimensional sequence of row numbers"),
    ],
)
def test_an_order_that_cannot_be_followed_is_refused(blobs, order, message):
    X, y = blobs
    held_out = {"X_val": X[60:90], "y_val": y[60:90]}
    held_out |= {"X_test": X[90:], "y_test": y[90:]}
    with pytest.raises(ValueError, match=message):
        learner(FixedOrder(order), warm_size=0).fit(X[:60], y[:60], **held_out)
    message = message.replace("order has", "start has")
    with pytest.raises(ValueError, match=message):
        learner(AnnealingOracle(start=order), warm_size=0).fit(
            X[:60], y[:60], **held_out
        )


def test_a_scorer_that_returns_nan_is_refused(blobs):
    def scorer(model, X, y):
        return np.nan

    with pytest.raises(
        ValueError, match=r"must return a finite number, got nan: choose a `sc"
    ):
        learner(estimator=LogisticRegression(), scoring=scorer).fit(*blobs)


class NeverFitted(Random):
    """Fails the test where a search would begin."""

    peeks = True

    def fit(self, X, y=None, *, problem=None):
        raise AssertionError("searched before the scorer was tried")


@pytest.mark.parametrize(("n", "name"), [(20, "test"), (25, "validation")])
def test_a_scorer_that_cannot_judge_a_set_is_met_before_a_search(blobs, n, name):
    def scorer(model, X, y):
        return 1 / (len(y) - n)

    sizes = {"test_size": 20, "val_size": 25, "scoring": scorer}
    with pytest.raises(ZeroDivisionError) as caught:
        learner(NeverFitted(), LogisticRegression(), **sizes).fit(*blobs)
    (note,) = caught.value.__notes__
    assert note == f"The scorer was given the {name} set, in round 0."


def test_an_unknown_scorer_is_refused(blobs):
    with pytest.raises(ValueError, match="'scoring' parameter"):
        learner(scoring="accuracies").fit(*blobs)


def test_an_empty_warm_start_is_refused_where_a_model_is_needed(blobs):
    with pytest.raises(ValueError, match="Margin needs a model in the first round"):
        learner(Margin(), warm_size=0).fit(*blobs)


@pytest.mark.parametrize("strategy", [Random(), AnnealingOracle(n_steps=10)])
def test_an_empty_warm_start_works_where_no_model_is_needed(blobs, strategy):
    fitted = learner(strategy, LogisticRegression(), warm_size=0).fit(*blobs)
    assert np.isnan(fitted.curve_[0])
    assert np.isfinite(fitted.curve_[1:]).all()
    assert fitted.n_trainings_ == 3 + getattr(fitted.strategy_, "n_trainings_", 0)


def test_a_given_empty_warm_start_works(blobs):
    X, y = blobs
    fitted = learner(estimator=LogisticRegression()).fit(
        X, y, X_warm=X[:0], y_warm=y[:0]
    )
    assert fitted.n_warm_ == 0


@pytest.mark.parametrize(
    "make", [np.array, sparse.csr_array, pd.DataFrame, pl.DataFrame]
)
@pytest.mark.parametrize("y_none", [[], np.array([], dtype=object)])
def test_an_empty_list_is_an_empty_warm_start(blobs, make, y_none):
    X, y = blobs
    fitted = learner(estimator=LogisticRegression()).fit(
        make(X), y, X_warm=[], y_warm=y_none
    )
    assert fitted.n_warm_ == 0


@pytest.mark.parametrize("rows", [[], np.empty((0, 2))])
def test_held_out_sets_without_rows_are_none(blobs, rows):
    X, y = blobs
    with pytest.raises(ValueError, match="A run needs a test set"):
        learner().fit(X, y, X_test=rows, y_test=[])
    with pytest.raises(ValueError, match="AnnealingOracle needs a validation set"):
        learner(AnnealingOracle()).fit(X, y, X_val=rows, y_val=[])


def test_an_oracle_without_validation_is_refused(blobs):
    with pytest.raises(ValueError, match="AnnealingOracle needs a validation set"):
        learner(AnnealingOracle(), val_size=0).fit(*blobs)


def test_a_run_without_test_is_refused(blobs):
    with pytest.raises(ValueError, match="A run needs a test set"):
        learner(test_size=0).fit(*blobs)


def test_a_precomputed_kernel_is_refused(blobs):
    X, y = blobs
    with pytest.raises(
        ValueError, match="takes a precomputed matrix over pairs of rows"
    ):
        learner(estimator=SVC(kernel="precomputed")).fit(X @ X.T, y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(blobs, bad):
    X, y = blobs
    X[17, 1] = bad
    with pytest.raises(ValueError, match="Input X contains"):
        learner().fit(X, y)


def test_numbers_that_are_not_finite_are_fine_where_the_estimator_says_so(blobs):
    X, y = blobs
    X[::7, 1] = np.nan
    model = make_pipeline(SimpleImputer(), LogisticRegression())
    assert learner(estimator=model).fit(X, y).quality_ > 0.3


def test_a_problem_is_posed_on_given_sets(blobs):
    sets = split(*blobs, warm_size=10, val_size=20, select_size=5, random_state=0)
    problem = Problem.from_sets(sets, NeverTrained(), batch_size=5, n_rounds=3)
    for name, part in sets.items():
        np.testing.assert_array_equal(problem.sets[name], part)
    assert problem.pool_rows.tolist() == list(range(len(sets["X"])))
    assert problem.classes.tolist() == [0, 1, 2]
    again = Problem.from_sets(problem.sets, NeverTrained(), batch_size=5, n_rounds=3)
    assert again.n_acquired == problem.n_acquired == 15


def test_a_problem_without_a_warm_start(blobs):
    sets = split(*blobs, warm_size=0, val_size=0, random_state=0)
    del sets["X_warm"], sets["y_warm"]
    problem = Problem.from_sets(sets, NeverTrained(), batch_size=5, n_rounds=3)
    assert problem.X_warm.shape == (0, 2)
    assert problem.n_pool == 90
    assert problem.X_val is None


@pytest.mark.parametrize(
    ("change", "params", "message"),
    [
        ({"X": None}, {}, "X is missing"),
        ({"X_valid": [[1, 2]]}, {}, "X_valid is unknown"),
        ({"y_test": None}, {}, "X_test is given without y_test"),
        ({}, {"batch_size": 0}, "batch_size == 0, must be >= 1"),
        ({}, {"n_rounds": 0}, "n_rounds == 0, must be >= 1"),
    ],
)
def test_what_is_no_problem_is_refused(blobs, change, params, message):
    sets = split(*blobs, warm_size=10, random_state=0) | change
    params = {"batch_size": 5, "n_rounds": 3} | params
    with pytest.raises(ValueError, match=message):
        Problem.from_sets(sets, NeverTrained(), **params)


def test_labels_without_rows_are_refused(blobs):
    sets = split(*blobs, warm_size=10, val_size=25, test_size=25, random_state=0)
    del sets["X_val"]
    with pytest.raises(ValueError, match="y_val is given and X_val is missing"):
        Problem.from_sets(sets, GaussianNB(), batch_size=4, n_rounds=3)


@pytest.mark.parametrize("integer", [np.uint8, np.int8, np.int16, np.uint64])
def test_small_integers_of_numpy_do_not_wrap_around(blobs, integer):
    X, y = (np.concatenate([part] * 4) for part in blobs)
    X = X + np.arange(len(X))[:, None] / 7
    sizes = {"batch_size": 30, "n_rounds": 9, "val_size": 40, "test_size": 100}
    small = {name: integer(size) for name, size in sizes.items()}
    model = LogisticRegression(max_iter=1000)
    found, expected = (
        learner(estimator=model, **params).fit(X, y) for params in (small, sizes)
    )
    np.testing.assert_array_equal(found.order_, expected.order_)
    np.testing.assert_array_equal(found.curve_, expected.curve_)
    assert found.n_warm_ == 60


def test_half_precision_fractions_of_many_rows_are_exact():
    assert count_of(np.float16(0.25), 100_000) == 25_000


def test_a_batch_size_beyond_all_integers_is_refused(blobs):
    with pytest.raises(ValueError, match="batch_size == 9223372036854775808, must be"):
        learner(batch_size=2**63).fit(*blobs)


def test_a_problem_prints_in_one_line(blobs):
    problem = Problem.from_data(*blobs, GaussianNB(), batch_size=5, n_rounds=3)
    assert repr(problem) == (
        "Problem(estimator=GaussianNB, n_warm=10, n_pool=50, n_classes=3, "
        f"batch_size=5, n_rounds=3, seed={problem.seed})"
    )
    scale = make_pipeline(StandardScaler(), GaussianNB())
    task = Task("blobs", problem, "accuracy", {"nb": scale}, {"random": Random()})
    assert repr(task) == (
        f"Task(name='blobs', problem={problem!r}, scoring='accuracy', "
        "estimators=['nb'], strategies=['random'])"
    )


def test_columns_are_checked_before_training(blobs):
    X, y = blobs
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(c=np.arange(len(X)))
    given = {"y_test": y[80:], "X_test": frame[80:].astype({"c": str})}
    with pytest.raises(ValueError, match="Column 'c' is of type int64 in X and of"):
        learner().fit(frame[:80], y[:80], **given)


@pytest.mark.parametrize("length", [3, 5])
def test_lists_of_ids_may_have_any_length_in_predictions(length):
    rows = [[i % 7] * 4 for i in range(90)]
    counts = make_pipeline(CountVectorizer(analyzer=list), MultinomialNB())
    fitted = learner(estimator=counts).fit(rows, [i % 2 for i in range(90)])
    assert fitted.predict([[1] * length, [2, 3] * length]).shape == (2,)


def test_a_warning_about_shared_rows_points_at_the_call_of_fit():
    rows = [f"sentence {i}" for i in range(200)]
    model = make_pipeline(CountVectorizer(), MultinomialNB())
    with pytest.warns(UserWarning, match="X and X_test share 10 rows") as caught:
        learner(estimator=model).fit(
            rows[:110], [0, 1] * 55, X_test=rows[100:], y_test=[0, 1] * 50
        )
    assert caught[0].filename == __file__
