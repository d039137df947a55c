"""The public helpers on rows, over all containers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from skal.inputs._containers import other_rows
from skal.utils import count_rows, take_rows

TABLE = np.arange(12).reshape(4, 3)
CONTAINERS = {
    "array": TABLE,
    "cube": TABLE[:, :, None],
    "lists": TABLE.tolist(),
    "ragged": [[1], [2, 3], [], [4]],
    "texts": ["a", "b", "c", "d"],
    "objects": [{1}, {2: 3}, None, print],
    "frame": pd.DataFrame(TABLE, index=[9, 7, 5, 3]),
    "polars": pl.DataFrame(TABLE, schema=["a", "b", "c"]),
    "series": pd.Series(["a", "b", "c", "d"], index=[9, 7, 5, 3]),
    "polars series": pl.Series(["a", "b", "c", "d"]),
    **{form: sparse.csr_array(TABLE).asformat(form) for form in ("csr", "coo", "dia")},
}


def listed(X):
    """Return rows as a list, whatever they are in."""
    X = X.toarray() if sparse.issparse(X) else X
    X = X.to_numpy() if hasattr(X, "to_numpy") else X
    return X.tolist() if isinstance(X, np.ndarray) else list(X)


@pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("rows", [[2, 0], [3, 3, -1], np.array([1], np.uint8), (0,)])
def test_rows_are_taken_in_their_order_and_container(X, rows):
    taken = take_rows(X, rows)
    assert listed(taken) == [listed(X)[row] for row in rows]
    assert isinstance(taken, type(X)) or sparse.issparse(X)
    assert count_rows(X) == 4
    assert count_rows(taken) == len(rows)
    assert type(count_rows(X)) is int


@pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)
def test_no_rows_are_an_empty_container(X):
    assert count_rows(take_rows(X, [])) == 0


def test_a_mapping_of_columns_is_cut_in_each():
    helper = pytest.importorskip("skorch.helper", reason="skorch is not installed")
    X = helper.SliceDict(left=TABLE, right=TABLE[:, 0])
    assert count_rows(X) == 4
    assert take_rows(X, [3, 1])["right"].tolist() == [9, 3]


@pytest.mark.parametrize("rows", [[0.0, 1.0], [True, False], [[0], [1]], 0, ["a"]])
def test_positions_must_be_integers(rows):
    with pytest.raises(ValueError, match="one-dimensional sequence of positions"):
        take_rows(TABLE, rows)


@pytest.mark.parametrize("row", [4, -5, 10**6])
def test_a_row_that_does_not_exist_is_refused(row):
    for X in CONTAINERS.values():
        with pytest.raises(IndexError, match=f"positions in 4 rows, got {row}"):
            take_rows(X, [0, row])


def test_an_object_without_rows_cannot_be_counted():
    with pytest.raises(TypeError, match="Expected sequence or array-like"):
        count_rows(3)


@pytest.mark.parametrize("rows", [[], [3], [4, 0, 2], [0, 1, 2, 3, 4]])
def test_other_rows_are_the_difference(rows):
    rows = np.array(rows, dtype=np.int64)
    found = other_rows(rows, 5)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, np.setdiff1d(np.arange(5), rows))
