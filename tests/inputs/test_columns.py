"""Columns of several frames get one type, or the column is named."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skal.inputs._columns import in_common_types
from skal.inputs._joining import concat

ORDERED = pd.CategoricalDtype(["low", "high"], ordered=True)


def frame(values, dtype=None):
    return pd.DataFrame({"a": pd.Series(values, dtype=dtype), "b": range(len(values))})


def polars(values, dtype=None):
    return pl.DataFrame({"a": pl.Series(values, dtype=dtype), "b": range(len(values))})


def category(values, categories=None):
    return frame(values, pd.CategoricalDtype(categories or sorted(set(values))))


def joined(pool, *others):
    """Return the column "a" of all rows, the pool last, as a run joins them."""
    frames = [pool, *others]
    named = dict(zip(["X", "X_warm", "X_test"], frames, strict=False))
    copies = [part.copy() if hasattr(part, "copy") else part for part in frames]
    common = in_common_types(named)
    for before, after in zip(copies, frames, strict=True):
        assert before.equals(after)  # nothing of the user's is changed
    assert [list(part["b"]) for part in common.values()] == [
        list(part["b"]) for part in frames
    ]
    return concat(common["X_warm"], common["X"])["a"], common


@pytest.mark.parametrize(
    ("pool", "warm", "categories"),
    [
        (category(["b", "a"]), category(["c", "a"]), ["a", "b", "c"]),
        (category(["b"], ["z", "b"]), category(["a"]), ["z", "b", "a"]),
        (category(["b"], ["b", "a"]), category(["b"], ["a", "b"]), ["b", "a"]),
        (category(["a", "b"]), frame(["c", None]), ["a", "b", "c"]),
        (category([3, 1]), category([2]), [1, 3, 2]),
        (category([3, 1]), frame([2, 5]), [1, 3, 2, 5]),
        (category(["a"]), frame([np.nan]), ["a"]),
        (frame([None], object), category(["a"]), ["a"]),
        (frame(["low"], ORDERED), frame(["high"], ORDERED), ["low", "high"]),
        (frame(["low"], ORDERED), frame(["high"]), ["low", "high"]),
    ],
)
def test_categories_are_united_the_pool_first(pool, warm, categories):
    column, common = joined(pool, warm)
    for part in (column, *(table["a"] for table in common.values())):
        assert list(part.cat.categories) == categories
    values = [*warm["a"], *pool["a"]]
    assert column.astype(object).where(column.notna(), "-").tolist() == [
        "-" if pd.isna(value) else value for value in values
    ]


def test_categories_of_the_test_set_are_known_to_all():
    pool, warm, test = (category([letter]) for letter in "bac")
    _, common = joined(pool, warm, test)
    for table in common.values():
        assert list(table["a"].cat.categories) == ["b", "a", "c"]
    assert common["X_test"]["a"].tolist() == ["c"]


@pytest.mark.parametrize(
    ("pool", "warm", "dtype"),
    [
        (frame([1, 2]), frame([1.5, None]), "float64"),
        (frame([1, 2], "int8"), frame([300]), "int64"),
        (frame([1, 2], "uint8"), frame([-3], "int8"), "int16"),
        (frame([1, 2], "Int64"), frame([1.5]), "Float64"),
        (frame([1, 2], "int64[pyarrow]"), frame([1.5, None], "Float64"), "Float64"),
        (frame([1, 2], "Int64"), frame([3], "int64[pyarrow]"), "Int64"),
        (frame(["a"]), frame(["b", None], object), frame(["a"])["a"].dtype),
        (frame(["a"], object), frame(["b"], "string"), object),
        (frame(["a"], "string"), frame(["b"], object), "string"),
        (frame(["a", 1], object), frame([2.5]), object),
        (frame(["a"]), category(["b"]), frame(["a"])["a"].dtype),
        (frame(["2020"], "M8[s]"), frame(["2021"], "M8[ns]"), "M8[ns]"),
        (frame([1, 2]), frame([None], object), "float64"),
    ],
)
def test_other_types_are_joined_without_a_loss(pool, warm, dtype):
    column, _ = joined(pool, warm)
    assert column.dtype == dtype
    expected = pd.Series([*warm["a"], *pool["a"]], dtype=object)
    assert column.astype(object).where(column.notna(), "-").tolist() == (
        expected.where(expected.notna(), "-").tolist()
    )


@pytest.mark.parametrize(
    ("pool", "warm", "dtype"),
    [
        (polars(["a"], pl.Enum(["a", "b"])), polars(["c"], pl.Enum(["c"])), None),
        (polars(["a"], pl.Enum(["a", "b"])), polars(["c", None]), None),
        (polars(["a"], pl.Categorical), polars(["c"]), pl.Categorical),
        (polars(["a"]), polars(["c"], pl.Categorical), pl.String),
        (polars(["a"]), polars([None, None]), pl.String),
        (polars([None]), polars([1, 2]), pl.Int64),
        (polars([1]), polars([1.5, None]), pl.Float64),
        (polars([1], pl.UInt64), polars([-1]), pl.Int64),
        (polars([1], pl.Int8), polars([3], pl.UInt64), pl.Int64),
        (polars([1], pl.Int8), polars([300]), pl.Int64),
        (
            polars([dt.datetime(2020, 1, 1)], pl.Datetime("ms")),
            polars([dt.datetime(2021, 1, 1, 1, 1, 1, 7)], pl.Datetime("us")),
            pl.Datetime("ns"),
        ),
    ],
)
def test_polars_is_treated_like_pandas(pool, warm, dtype):
    column, _ = joined(pool, warm)
    dtype = pl.Enum(["a", "b", "c"]) if dtype is None else dtype
    # Early versions of polars join integers of different kinds as floats.
    assert column.dtype == dtype or (dtype, column.dtype) == (pl.Int64, pl.Float64)
    assert column.to_list() == [*warm["a"], *pool["a"]]


@pytest.mark.parametrize(
    ("pool", "warm"),
    [
        (frame([1, 2]), frame(["1", "2"])),
        (frame(["1"]), frame([1])),
        (frame([1.5]), frame(["n/a", 2.5], object)),
        (frame([1]), frame([True])),
        (frame([True]), frame([None], object)),
        (frame(["low"], ORDERED), category(["low", "high"])),
        (frame(["low"], ORDERED), frame(["lowest"])),
        (frame(["low"], ORDERED), frame(["low"], pd.CategoricalDtype(["low"], True))),
        (category([1, 2]), category(["1"])),
        (category([1, 2]), frame(["1"])),
        (frame(["2020"], "M8[ns]"), frame(["2020"], "datetime64[ns, UTC]")),
        (frame(["2020"], "M8[ns]"), frame([2020])),
        (polars([1]), polars(["1"])),
        (polars([1]), polars([True])),
        (polars([dt.date(2020, 1, 1)]), polars([dt.datetime(2020, 1, 1)])),
        (polars([[1]]), polars([["a"]])),
    ],
)
def test_types_that_do_not_fit_are_refused_by_the_name_of_the_column(pool, warm):
    with pytest.raises(ValueError, match=r"Column 'a' is of type .* do not fit"):
        in_common_types({"X": pool, "X_warm": warm})


@pytest.mark.parametrize("make", [frame, polars])
def test_integers_that_no_float_holds_are_not_rounded(make):
    with pytest.raises(ValueError, match=r"Column 'a' of two sets .* too large"):
        concat(make([2**60 + 1]), make([0.5]))


def test_frames_of_one_type_are_returned_as_they_are():
    frames = {"X": category(["a", "b"]), "X_warm": category(["b", "a"])}
    common = in_common_types(frames)
    assert all(common[name] is frames[name] for name in frames)
