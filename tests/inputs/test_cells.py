"""Cells that an estimator cannot take are named before anything is trained."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import (
    GenericKernelMixin,
    Kernel,
    StationaryKernelMixin,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from skal import ActiveLearner, Random, split

ROW = 43


class NeverTrained(LogisticRegression):
    def fit(self, X, y):
        raise AssertionError("trained before the rows were checked")


class NeverCounted(MultinomialNB):
    def fit(self, X, y):
        raise AssertionError("trained before the rows were checked")


def table(value, dtype=float, column=2):
    """Return sixty rows with one odd cell."""
    X = np.random.default_rng(0).random((60, 4)).astype(dtype)
    X[ROW, column] = value
    return X


def named(value, dtype=object):
    return pd.DataFrame(table(value, dtype), columns=list("abcd")).infer_objects()


def fit(model, X, **given):
    learner = ActiveLearner(
        model, Random(), batch_size=5, n_rounds=2, warm_size=12, random_state=0
    )
    return learner.fit(X, np.arange(60) % 2, **given)


def scale(columns):
    return make_pipeline(
        make_column_transformer((StandardScaler(), columns), remainder="passthrough"),
        NeverTrained(),
    )


REFUSING = {
    "alone": NeverTrained(),
    "scaled": make_pipeline(StandardScaler(), NeverTrained()),
    "scaled twice": make_pipeline(
        make_pipeline(MinMaxScaler(), "passthrough"), StandardScaler(), NeverTrained()
    ),
    "chosen columns": scale([2]),
    "the other columns": scale([0]),
    "union": make_pipeline(
        make_union(SimpleImputer(), StandardScaler()), NeverTrained()
    ),
    "calibrated": CalibratedClassifierCV(make_pipeline(MinMaxScaler(), NeverTrained())),
    "scaled and calibrated": make_pipeline(
        StandardScaler(), CalibratedClassifierCV(NeverTrained())
    ),
    "search": GridSearchCV(NeverTrained(), {"C": [1, 2]}),
    "vote": VotingClassifier([("a", RandomForestClassifier()), ("b", NeverTrained())]),
}


@pytest.mark.parametrize("model", REFUSING.values(), ids=REFUSING)
@pytest.mark.parametrize("make", [table, named, pl.DataFrame])
def test_a_gap_is_named_by_its_row_and_column(model, make):
    if make is pl.DataFrame:
        X = pl.DataFrame(table(np.nan), schema=list("abcd")).fill_nan(None)
    else:
        X = make(np.nan)
    # A column transformer of an array knows the numbers within its own columns alone.
    column = "2" if make is table else "'c'"
    is_part = make is table and "ColumnTransformer" in str(model)
    column = "" if is_part else f", column {column}, "
    with pytest.raises(
        ValueError, match=rf"Input X contains NaN in 1 rows, the first in row {ROW}"
    ) as caught:
        fit(model, X)
    assert column in str(caught.value)


TAKING = {
    "forest": RandomForestClassifier(n_estimators=2),
    "imputed": make_pipeline(SimpleImputer(), LogisticRegression()),
    "scaled and imputed": make_pipeline(
        StandardScaler(), SimpleImputer(), LogisticRegression()
    ),
    "own step": make_pipeline(FunctionTransformer(np.nan_to_num), LogisticRegression()),
    "dropped": make_pipeline(
        make_column_transformer((StandardScaler(), [0]), ("drop", [2])),
        LogisticRegression(),
    ),
    "scaled, then cleaned": make_pipeline(
        StandardScaler(), FunctionTransformer(np.nan_to_num), LogisticRegression()
    ),
}


@pytest.mark.parametrize("model", TAKING.values(), ids=TAKING)
@pytest.mark.parametrize("make", [table, named])
def test_a_gap_that_some_step_takes_is_taken(model, make):
    assert np.isfinite(fit(model, make(np.nan)).curve_).all()


def test_infinity_is_named_even_where_gaps_are_fine():
    for model in (make_pipeline(SimpleImputer(), NeverTrained()), *REFUSING.values()):
        if "drop" not in str(model):
            with pytest.raises(ValueError, match=rf"contains infinity .* row {ROW}"):
                fit(model, table(-np.inf))
    assert fit(HistGradientBoostingClassifier(max_iter=2), table(np.inf))


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_bad_cells_of_sparse_rows_are_named(kind):
    X = sparse.coo_array(table(np.nan)).asformat(kind)
    with pytest.raises(ValueError, match=f"NaN in 1 rows, .* row {ROW}, column 2"):
        fit(NeverTrained(), X)


@pytest.mark.parametrize("make", [table, named])
def test_negative_counts_are_named(make):
    with pytest.raises(ValueError, match=f"contains negative values .* row {ROW}"):
        fit(NeverCounted(), make(-0.5))
    assert fit(make_pipeline(MinMaxScaler(), MultinomialNB()), make(-0.5))


@pytest.mark.parametrize("value", ["n/a", "", "1,5", {"a": 1}, [], 10**400, 1j])
@pytest.mark.parametrize("model", ["alone", "scaled", "chosen columns", "calibrated"])
def test_a_cell_that_is_no_number_is_named(value, model):
    X = named(0.5).astype(object)
    X.iat[ROW, 2] = value
    for rows in (X, X.to_numpy(), X.to_numpy().tolist()):
        if isinstance(rows, list) and model == "chosen columns":
            continue
        with pytest.raises((ValueError, TypeError), match=rf"X has .* in row {ROW}"):
            fit(REFUSING[model], rows)


def test_cells_are_named_in_each_set_by_the_rows_that_were_given():
    good, y = table(0.5), np.arange(60) % 2
    sets = split(good, y, warm_size=10, val_size=10, test_size=10, select_size=10)
    learner = ActiveLearner(REFUSING["scaled"], Random(), batch_size=2, n_rounds=2)
    for name in ("X", "X_warm", "X_select", "X_val", "X_test"):
        bad = sets[name].copy()
        bad[7, 1] = np.nan
        with pytest.raises(ValueError, match=f"Input {name} contains NaN .* row 7,"):
            learner.fit(**(sets | {name: bad}))


def texts(value):
    return [value if i == ROW else f"some word{i % 5}" for i in range(60)]


@pytest.mark.parametrize("value", [None, np.nan, 3.5, pd.NA, ["a", "b"]])
@pytest.mark.parametrize("vectorizer", [CountVectorizer(), TfidfVectorizer()])
def test_a_missing_text_is_named(value, vectorizer):
    model = make_pipeline(vectorizer, NeverCounted())
    frame = pd.DataFrame({"text": texts(value), "n": range(60)}).astype(object)
    chosen = make_column_transformer((vectorizer, "text"))
    message = f"Row {ROW} of X must be a text, got .*: "
    for rows in (texts(value), frame["text"], frame["text"].to_numpy()):
        with pytest.raises(TypeError, match=message):
            fit(model, rows)
    with pytest.raises(TypeError, match=message):
        fit(make_pipeline(chosen, NeverCounted()), frame)


def test_a_vectorizer_with_functions_of_the_users_takes_any_row():
    def words(row):
        return ["none"] if row is None else row.split()

    model = make_pipeline(CountVectorizer(analyzer=words), MultinomialNB())
    assert fit(model, texts(None))
    cleaned = CountVectorizer(preprocessor=lambda row: row or "none")
    assert fit(make_pipeline(cleaned, MultinomialNB()), texts(None))


def test_a_frame_for_a_vectorizer_is_refused():
    frame = pd.DataFrame({"text": texts("a")})
    with pytest.raises(TypeError, match="X is a DataFrame, and CountVectorizer takes"):
        fit(make_pipeline(CountVectorizer(), NeverCounted()), frame)
    chosen = make_column_transformer((CountVectorizer(), ["text"]))
    with pytest.raises(TypeError, match="the name of one column, not in a list"):
        fit(make_pipeline(chosen, NeverCounted()), frame)


def test_a_row_that_is_no_dict_is_named():
    rows = [{"a": i} if i != ROW else None for i in range(60)]
    with pytest.raises(TypeError, match=f"Row {ROW} of X must be a dict, got None"):
        fit(make_pipeline(DictVectorizer(), NeverCounted()), rows)


def test_words_in_one_row_are_found_behind_an_imputer():
    imputer = SimpleImputer(strategy="most_frequent")
    with pytest.raises(ValueError, match=f"X has 'n/a' in row {ROW}, and NeverTrained"):
        fit(make_pipeline(imputer, NeverTrained()), table("n/a", object))
    X = np.where(table(0.5) < 0.3, "low", "high").astype(object)
    X[ROW, 0] = np.nan
    encoded = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))
    assert fit(make_pipeline(encoded, MultinomialNB()), X)


class Own(ClassifierMixin, BaseEstimator):
    """A user's classifier that says nothing about its rows."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.type_ = type(X)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[0], len(X))


@pytest.mark.parametrize("value", [np.nan, np.inf, "n/a", None, {}])
def test_a_classifier_of_the_users_is_given_what_it_may_take(value):
    is_number = isinstance(value, float)
    for rows in (table(value, object), table(value, object).tolist(), named(value)):
        expected = np.ndarray if is_number and isinstance(rows, list) else type(rows)
        assert fit(Own(), rows).estimator_.type_ is expected


@pytest.mark.parametrize("value", [np.nan, "n/a"])
def test_rows_of_different_lengths_are_named(value):
    rows = table(0.5).tolist()
    rows[ROW].append(value)
    with pytest.raises(
        ValueError, match=rf"Row {ROW} of X has the shape \(5,\), and r"
    ):
        fit(NeverTrained(), rows)
    assert fit(Own(), rows)


def test_masked_cells_are_gaps():
    X = np.ma.masked_equal(table(7.0), 7.0)
    with pytest.raises(
        ValueError, match=f"masked cells in 1 rows, the first in row {ROW}"
    ):
        fit(NeverTrained(), X)
    assert fit(Own(), X).estimator_.type_ is np.ma.MaskedArray
    plain = fit(GaussianNB(), table(0.5))
    unmasked = fit(clone(GaussianNB()), np.ma.masked_array(table(0.5)))
    np.testing.assert_array_equal(plain.curve_, unmasked.curve_)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], r"X has no rows.* 0 sample\(s\)"),
        (pd.DataFrame(index=range(60)), r"X has no columns.* 0 feature\(s\)"),
        (pd.DataFrame(table(1), columns=list("aabc")), "several columns named 'a'"),
        ({"a": [1.0] * 60}, "X is a dict, which has no rows"),
        ("sixty", "X is a str, which has no rows"),
        (pd.Series(range(60)), "Expected 2D|Expected a 2-dimensional"),
        (np.arange(60).astype("M8[D]")[:, None], "X has .*datetime64.* takes numbers"),
        (table(1)[:, :, None], "dim 3"),
    ],
)
def test_rows_that_make_no_table_are_refused(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        fit(NeverTrained(), X)


def test_a_column_transformer_needs_a_table():
    with pytest.raises(ValueError, match="ColumnTransformer takes a table"):
        fit(scale([0]), pd.Series(range(60)))


@pytest.mark.parametrize("gap", [None, np.nan])
def test_numbers_as_objects_in_one_set_are_numbers(gap):
    rng = np.random.default_rng(0)
    X, warm, test = (rng.integers(0, 4, (n, 2)).astype(float) for n in (60, 12, 20))
    objects = warm.astype(object)
    objects[3, 1] = test[2, 0] = np.nan
    objects[3, 1] = gap
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), MultinomialNB())
    given = {"y_warm": np.arange(12) % 2, "X_test": test, "y_test": np.arange(20) % 2}
    found = fit(model, X, X_warm=objects, **given)
    warm[3, 1] = np.nan
    np.testing.assert_array_equal(
        found.curve_, fit(model, X, X_warm=warm, **given).curve_
    )
    assert np.isfinite(fit(model, X.astype(object), X_warm=warm, **given).curve_).all()


@pytest.mark.parametrize("odd", ["word", {"a": 1}, [1], b"1", 1j, pd.NA])
@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame, list])
def test_an_encoder_takes_one_kind_of_cells_in_a_column(odd, make):
    X = np.array([[i % 3, "ab"[i % 2]] for i in range(60)], dtype=object)
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), MultinomialNB())
    X[5, 0] = X[7, 1] = None
    X[ROW, 0] = odd
    with pytest.raises(TypeError, match=f"in row {ROW}, column 0, and OneHotEncoder"):
        fit(make_pipeline(model[:1], NeverCounted()), make(X))


def test_complex_numbers_in_one_set_are_refused():
    given = {"X_val": table(1j, complex)[:20], "y_val": np.arange(20) % 2}
    for model in (REFUSING["alone"], REFUSING["chosen columns"]):
        with pytest.raises((ValueError, TypeError), match="Complex data not supp"):
            fit(model, table(0.5), **given)


@pytest.mark.skipif(not hasattr(pl, "Int128"), reason="needs polars with Int128")
def test_integers_that_numpy_lacks_are_looked_through():
    X = pl.DataFrame(
        {"a": [2**100] * 59 + [1], "b": range(60)}, schema_overrides={"a": pl.Int128}
    )
    assert fit(Own(), X)
    with pytest.raises((ValueError, TypeError)):
        fit(REFUSING["alone"], X.with_columns(b=pl.lit("word")))


def test_missing_values_of_pandas_are_taken_by_an_encoder_in_numbers_alone():
    numbers = [None if i == ROW else i % 3 for i in range(60)]
    frame = pd.DataFrame({"a": pd.array(numbers, dtype="Int64")})
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), MultinomialNB())
    assert fit(model, frame)
    words = pd.array([None if n is None else "abc"[n] for n in numbers], dtype="string")
    with pytest.raises(TypeError, match=f"X has <NA> in row {ROW}, column 'a', and On"):
        fit(make_pipeline(model[:1], NeverCounted()), frame.assign(a=words))


def test_dates_beside_numbers_are_refused_by_the_name_of_their_column():
    numbers = pd.DataFrame({"a": range(60)})
    dates = pd.DataFrame({"a": pd.date_range("2020", periods=20)})
    given = {"X_test": dates, "y_test": np.arange(20) % 2}
    with pytest.raises(
        ValueError, match="Column 'a' is of type int64 in X and of type d"
    ):
        fit(make_pipeline(FunctionTransformer(), NeverTrained()), numbers, **given)


def test_lists_for_an_encoder_have_one_type_whichever_rows_are_labelled():
    rows = [[i % 3, None if i % 7 == 0 else 2] for i in range(60)]
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), MultinomialNB())
    found = fit(model, rows)
    expected = fit(model, np.array(rows, dtype=object))
    np.testing.assert_array_equal(found.curve_, expected.curve_)
    given = {"X_val": [[1], [1, 2]], "y_val": [0, 1]}
    with pytest.raises(
        ValueError, match=r"Row 1 of X_val has the shape \(2,\), and row"
    ):
        fit(make_pipeline(model[:1], NeverCounted()), rows, **given)


class Lengths(GenericKernelMixin, StationaryKernelMixin, Kernel):
    """A kernel of texts of the user's own, which compares their lengths."""

    def __init__(self, width=1.0):
        self.width = width

    def __call__(self, X, Y=None, eval_gradient=False):
        n, m = (
            np.array([[len(row)] for row in rows])
            for rows in (X, X if Y is None else Y)
        )
        return np.exp(-((n - m.T) ** 2.0))

    def diag(self, X):
        return np.ones(len(X))


def test_a_kernel_of_the_users_takes_texts():
    model = GaussianProcessClassifier(Lengths(), optimizer=None)
    assert fit(model, ["a" * (1 + i % 5) for i in range(60)])
