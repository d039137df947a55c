import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from skal.inputs._checks import check_pair
from skal.inputs._overlap import check_disjoint


@pytest.mark.parametrize("container", [np.array, sparse.csr_array, pd.DataFrame])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_sets_that_overlap_are_refused_in_any_type(container, dtype):
    X = container(np.arange(120).reshape(60, 2))
    with pytest.raises(ValueError, match="X and X_test overlap: they share 10 rows"):
        check_disjoint({"X": X, "X_test": X[:10].astype(dtype)})


@pytest.mark.parametrize(
    "column",
    [
        [np.nan] * 60,
        [None, pd.NA] * 30,
        [["a", "b"], ["c", np.nan]] * 30,
        [np.array([1, 2]), {"a": [np.nan]}] * 30,
    ],
)
def test_rows_that_overlap_are_found_whatever_they_hold(column):
    X = pd.DataFrame({"number": np.arange(60.0), "any": column})
    with pytest.raises(ValueError, match="X and X_test overlap: they share 10 rows"):
        check_disjoint({"X": X, "X_test": X[:10].copy()})


def test_dicts_that_differ_in_values_do_not_overlap():
    X = [{"number": i, f"name {i}": 1} for i in range(60)]
    check_disjoint({"X": X, "X_test": [row | {"number": 99} for row in X]})


@pytest.mark.parametrize("columns", [["b", "a"], ["a", "c"]])
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_with_other_columns_are_refused(columns, frame):
    X = frame({"a": [1, 2], "b": [3, 4]})
    check_pair(X, [0, 1], "test", X)
    with pytest.raises(
        ValueError, match="X_test and X must have the same columns in the"
    ):
        check_pair(frame({name: [5, 6] for name in columns}), [0, 1], "test", X)
