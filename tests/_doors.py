"""Anything that a user might pass to `ActiveLearner.fit`, drawn by hypothesis."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, cross_val_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skal import ActiveLearner, Margin, Random

WORDS = ["alarm", "wake", "seven", "never", "snooze", "light"]
N_COLUMNS = 3
trainings = []


class Counted(KNeighborsClassifier):
    """A classifier of numbers that counts its trainings."""

    def __init__(self, n_neighbors=1):
        super().__init__(n_neighbors)

    def fit(self, X, y):
        super().fit(X, y)
        trainings.append(len(y))
        return self


class CountedCounts(MultinomialNB):
    """A classifier of counts that counts its trainings."""

    def fit(self, X, y):
        super().fit(X, y)
        trainings.append(len(y))
        return self


class Reader(TransformerMixin, BaseEstimator):
    """A user's own step, which makes numbers of rows of any kind."""

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, X):
        X = X.toarray() if sparse.issparse(X) else X
        if hasattr(X, "dtypes"):
            X = X.to_numpy()
        return np.array([[hash(repr(row)) % 97] for row in X], dtype=float)


ESTIMATORS = {
    "numbers": Counted,
    "scaled": lambda: make_pipeline(StandardScaler(), Counted()),
    "imputed": lambda: make_pipeline(
        SimpleImputer(keep_empty_features=True), Counted()
    ),
    "counts": CountedCounts,
    "words": lambda: make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), CountedCounts()
    ),
    "texts": lambda: make_pipeline(CountVectorizer(), CountedCounts()),
    "columns": lambda: make_pipeline(
        make_column_transformer((StandardScaler(), [0]), remainder="passthrough"),
        Counted(),
    ),
    "anything": lambda: make_pipeline(Reader(), Counted()),
}

DTYPES = [
    *("float64", "float32", "float16", "int64", "int8", "uint64", "bool", "object"),
    *("U3", "S3", "M8[s]", "m8[s]", "complex128"),
]
BAD_CELLS = [None, np.nan, np.inf, -np.inf, -1, "n/a", "", 2**70, pd.NA, [], {}, 1e30]


def numbers(rng, n, dtype):
    """Return a table of small numbers of any type."""
    return rng.integers(0, 9, (n, N_COLUMNS)).astype(dtype)


def spoiled(table, rng, cell):
    """Return a table with one bad cell, if its type can hold it."""
    table = table.copy()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table[rng.integers(len(table)), rng.integers(N_COLUMNS)] = cell
    except (TypeError, ValueError, OverflowError):
        pass
    return table


def texts(rng, n):
    return [" ".join(rng.choice(WORDS, 3)) + f" {i}" for i in range(n)]


@dataclass
class Document:
    length: int


def polars_frame(table):
    return pl.DataFrame(
        {f"c{i}": list(table[:, i]) for i in range(N_COLUMNS)}, strict=False
    )


def categories(table):
    words = np.char.add("word ", table.astype(str))
    return pd.DataFrame(words).astype("category")


CONTAINERS = {
    "array": lambda table, rng: table,
    "fortran": lambda table, rng: np.asfortranarray(table),
    "lists": lambda table, rng: table.tolist(),
    "tuples": lambda table, rng: tuple(map(tuple, table.tolist())),
    "ragged": lambda table, rng: [
        row[: 1 + i % 3] for i, row in enumerate(table.tolist())
    ],
    "csr": lambda table, rng: sparse.csr_array(table),
    "coo": lambda table, rng: sparse.coo_matrix(table),
    "dia": lambda table, rng: sparse.dia_array(table),
    "frame": lambda table, rng: pd.DataFrame(table),
    "named": lambda table, rng: pd.DataFrame(table, columns=["a", "b", "c"]),
    "nullable": lambda table, rng: pd.DataFrame(table).convert_dtypes(),
    "pyarrow": lambda table, rng: pd.DataFrame(table).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "categories": lambda table, rng: categories(table),
    "repeated": lambda table, rng: pd.DataFrame(table, columns=["a", "b", "a"]),
    "no columns": lambda table, rng: pd.DataFrame(index=range(len(table))),
    "polars": lambda table, rng: polars_frame(table),
    "series": lambda table, rng: pd.Series(table[:, 0]),
    "flat": lambda table, rng: table[:, 0],
    "cube": lambda table, rng: table[:, :, None],
    "arrays": lambda table, rng: list(table),
    "images": lambda table, rng: [row.reshape(-1, 1) for row in table],
    "masked": lambda table, rng: np.ma.masked_array(
        table, rng.random(table.shape) < 0.1
    ),
    "unmasked": lambda table, rng: np.ma.masked_array(table),
    "texts": lambda table, rng: texts(rng, len(table)),
    "text array": lambda table, rng: np.array(texts(rng, len(table)), dtype=object),
    "text series": lambda table, rng: pd.Series(texts(rng, len(table)), dtype=object),
    "text column": lambda table, rng: pl.Series(texts(rng, len(table))),
    "holes": lambda table, rng: [
        text if i % 9 else None for i, text in enumerate(texts(rng, len(table)))
    ],
    "tokens": lambda table, rng: [text.split() for text in texts(rng, len(table))],
    "sets": lambda table, rng: [set(text) for text in texts(rng, len(table))],
    "dicts": lambda table, rng: [{"a": i} for i in range(len(table))],
    "objects": lambda table, rng: [Document(i) for i in range(len(table))],
    "mapping": lambda table, rng: {"a": table[:, 0].tolist(), "b": [1]},
    "nothing": lambda table, rng: None,
    "number": lambda table, rng: 3,
    "text": lambda table, rng: "alarm",
    "scalar": lambda table, rng: np.float64(3),
    "generator": lambda table, rng: iter(table.tolist()),
}

# Containers that make sense for an estimator.
TABLES = ["array", "lists", "csr", "coo", "frame", "named", "nullable", "polars"]
NATURAL = {
    "numbers": [*TABLES, "fortran", "arrays", "unmasked", "pyarrow"],
    "scaled": [*TABLES[:2], *TABLES[4:], "tuples"],
    "imputed": [*TABLES, "unmasked"],
    "counts": TABLES,
    "words": ["categories", "array", "lists", "frame", "polars"],
    "texts": ["texts", "text array", "text series", "text column", "holes"],
    "columns": ["array", "frame", "nullable", "polars", "csr"],
}

LABELS = {
    "integers": lambda y, rng: y,
    "list": lambda y, rng: y.tolist(),
    "texts": lambda y, rng: np.array(["no", "yes", "maybe"])[y],
    "objects": lambda y, rng: np.array(["no", "yes", "maybe"], dtype=object)[y],
    "floats": lambda y, rng: y.astype(float),
    "fractions": lambda y, rng: y + 0.5,
    "unsigned": lambda y, rng: y.astype(np.uint64),
    "huge": lambda y, rng: y.astype(np.uint64) + np.uint64(2**63 + 5),
    "tiny": lambda y, rng: y.astype(np.int8),
    "booleans": lambda y, rng: y > 0,
    "dates": lambda y, rng: np.datetime64("2020-01-01") + y,
    "no date": lambda y, rng: np.where(
        y > 1, np.datetime64("NaT"), np.datetime64(9, "D")
    ),
    "mixed": lambda y, rng: np.array([1, "a", 2.5], dtype=object)[y],
    "missing": lambda y, rng: np.array([0, 1, None], dtype=object)[y],
    "gaps": lambda y, rng: np.array([0, 1, np.nan])[y],
    "masked": lambda y, rng: np.ma.masked_array(y, y == 2),
    "nullable": lambda y, rng: pd.Series(y, dtype="Int64", name="label"),
    "category": lambda y, rng: pd.Series(
        y, index=range(7, 7 + len(y)), dtype="category"
    ),
    "polars": lambda y, rng: pl.Series("label", y.tolist()),
    "column": lambda y, rng: y[:, None],
    "pairs": lambda y, rng: np.column_stack([y, y]),
    "tags": lambda y, rng: [["O"] * 4 for _ in y],
    "sets": lambda y, rng: [{int(label)} for label in y],
    "constant": lambda y, rng: np.zeros_like(y),
    "short": lambda y, rng: y[:-1],
    "bytes": lambda y, rng: np.array([b"no", b"yes", b"maybe"])[y],
    "complex": lambda y, rng: y * 1j,
    "large": lambda y, rng: [10**30 + int(label) for label in y],
    "nothing": lambda y, rng: None,
    "number": lambda y, rng: 1,
    "text": lambda y, rng: "yes",
}

COUNTS = [1, 2, 3, 5, np.uint8(3), np.int8(2), np.uint8(200), np.int64(4), 2**62, 2**63]
BAD_COUNTS = [0, -1, 1.0, 2.5, "2", None, True, np.nan]
SIZES = [
    0,
    1,
    4,
    5,
    0.2,
    0.25,
    np.uint8(5),
    np.int8(4),
    np.float32(0.25),
    np.float16(0.2),
]
BAD_SIZES = [-1, 1.5, -0.1, 1.0, "a", None, np.nan, 10**9, np.int8(100), True]


@st.composite
def mostly(draw, good, bad, one_in=20):
    """Draw a good value most of the time."""
    is_bad = draw(st.integers(1, one_in)) == one_in
    return draw(st.sampled_from(bad if is_bad else good))


@st.composite
def a_set(draw, container, labels, n, dtypes=DTYPES):
    """Draw rows and their labels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    table = numbers(rng, n, draw(mostly(dtypes[:8], dtypes[8:], 8)))
    if n and draw(st.integers(0, 3)) == 0:
        table = spoiled(table, rng, draw(st.sampled_from(BAD_CELLS)))
    y = rng.integers(0, 3, n)
    return _made(CONTAINERS[container], table, rng), _made(LABELS[labels], y, rng)


def _made(make, values, rng):
    """Return values in a container; as they are if it cannot hold them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return make(values, rng)
        except Exception:
            return values


@st.composite
def learners(draw, estimator):
    """Draw a learner with good and bad parameters."""
    return ActiveLearner(
        estimator,
        draw(st.sampled_from([Random(), Margin()])),
        batch_size=draw(mostly(COUNTS, BAD_COUNTS)),
        n_rounds=draw(mostly(COUNTS, BAD_COUNTS)),
        warm_size=draw(mostly([*SIZES, None], BAD_SIZES)),
        val_size=draw(mostly(SIZES, BAD_SIZES)),
        test_size=draw(mostly(SIZES[1:], BAD_SIZES)),
        random_state=0,
    )


@st.composite
def calls(draw):
    """Draw a learner and the arguments of its `fit`."""
    name = draw(st.sampled_from(sorted(ESTIMATORS)))
    containers = mostly(NATURAL.get(name, sorted(CONTAINERS)), sorted(CONTAINERS), 3)
    labels = mostly(["integers", "texts"], sorted(LABELS), 3)
    kinds = draw(containers), draw(labels)
    X, y = draw(a_set(*kinds, draw(mostly([30, 40], [0, 1, 2, 7]))))
    given = {}
    for part in draw(
        st.sampled_from([[], ["test"], ["warm", "test"], ["val", "select"]])
    ):
        other = draw(containers), draw(labels)
        n = draw(mostly([8, 12], [0, 1]))
        pair = draw(a_set(*draw(mostly([kinds], [other], 5)), n))
        given[f"X_{part}"], given[f"y_{part}"] = pair
    return draw(learners(ESTIMATORS[name]())), X, y, given


# scikit-learn reads masked cells and takes dates for numbers, both without a word, and
# columns must have different names.
NOT_TAKEN = {"masked", "repeated"}


@st.composite
def pairs(draw):
    """Draw the name of an estimator, with rows and labels that may suit it."""
    name = draw(st.sampled_from(sorted(ESTIMATORS)))
    all_containers = sorted(set(CONTAINERS) - NOT_TAKEN)
    container = draw(mostly(NATURAL.get(name, all_containers), all_containers, 2))
    labels = draw(mostly(["integers", "texts"], sorted(set(LABELS) - NOT_TAKEN), 3))
    dtypes = [dtype for dtype in DTYPES if dtype[:2] not in ("M8", "m8")]
    return name, *draw(a_set(container, labels, 30, dtypes))


def outcome(learner, X, y, given):
    """Fit, and return "fit" or the name of the error.

    Raises
    ------
    AssertionError
        If the error has no message, or comes after a training.
    """
    trainings.clear()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            learner.fit(X, y, **given)
    except (ValueError, TypeError) as error:
        refused = error
    else:
        assert np.isfinite(learner.curve_[1:]).all()
        return "fit"
    if trainings or not str(refused):
        raise AssertionError(f"after {len(trainings)} trainings: {refused!r}")
    return type(refused).__name__


def is_taken(estimator, X, y):
    """Return whether scikit-learn's cross-validation takes an estimator and data."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cv = KFold(2, shuffle=True, random_state=0)
            cross_val_score(estimator, X, y, cv=cv, error_score="raise")
    except Exception:
        return False
    return True
