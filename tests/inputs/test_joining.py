"""Rows of two sets, in one container and one type."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from skal.inputs._containers import n_rows
from skal.inputs._joining import concat

HUGE = 2**60 + 1


@pytest.mark.parametrize("other", [np.uint8, np.uint32, np.uint64])
def test_unsigned_integers_beside_signed_ones_stay_integers(other):
    rows = concat(np.array([1, -2]), np.array([3], dtype=other))
    assert rows.dtype == np.int64
    assert rows.tolist() == [1, -2, 3]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array([HUGE]), np.array([0.5])),
        (np.array([[HUGE, 1]]), np.array([[0.5, 1]], dtype=np.float32)),
        (np.array([-1]), np.array([2**64 - 1], dtype=np.uint64)),
    ],
)
def test_integers_are_never_rounded(first, second):
    with pytest.raises(ValueError, match=r"too large for float64.*to one type"):
        concat(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array(["a"]), np.array(["longer"])),
        (np.array(["a"], dtype=object), ["b", "c"]),
        (np.array(["a"]), pd.Series(["b"], index=[7], name="z")),
        (pd.Series(["a"], index=[7], name="z"), pd.Series(["b"])),
        (pd.Series(["a"]), ["b"]),
        (pl.Series("z", ["a"]), pl.Series("y", ["b"])),
        (pl.Series("z", ["a"]), ["b"]),
        (["a"], np.array(["b"])),
        (("a", "b"), ("c",)),
        ([["a", "b"]], [["c"]]),
        ([{1, 2}], [{3}]),
    ],
)
def test_columns_of_texts_are_joined_in_the_container_of_the_first(first, second):
    rows = concat(first, second)
    assert type(rows) is (list if isinstance(first, tuple) else type(first))
    assert list(rows) == [*first, *second]
    assert getattr(rows, "name", None) == getattr(first, "name", None)


def test_arrays_of_lists_of_different_lengths_are_joined():
    first = np.empty(2, dtype=object)
    first[:] = [[1, 2], [3]]
    assert concat(first, [[4, 5], [6, 7]]).tolist() == [[1, 2], [3], [4, 5], [6, 7]]


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "dia", "bsr", "lil", "dok"])
def test_sparse_rows_of_any_format_are_joined(form):
    first, second = (sparse.eye(n, 3, format=form) for n in (2, 3))
    rows = concat(first, second)
    assert rows.format == "csr"
    assert n_rows(rows) == 5


def test_masks_are_kept():
    first = np.ma.masked_array([[1, 2]], [[True, False]])
    assert concat(first, np.array([[3, 4]])).mask.tolist() == [
        [True, False],
        [False] * 2,
    ]


def test_tensors_stay_tensors():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rows = concat(torch.zeros(2, 3), torch.ones(1, 3))
    assert rows.shape == (3, 3)
    assert rows.sum() == 3
