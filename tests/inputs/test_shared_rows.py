import warnings
from dataclasses import dataclass

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


@dataclass
class Document:
    words: list


class Unhashable:
    __hash__ = None


def images(numbers):
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    return [image.fromarray(np.full((3, 3), n, dtype=np.uint8)) for n in numbers]


KINDS = {
    "sets": lambda numbers: [{n, "a"} for n in numbers],
    "documents": lambda numbers: [Document([n, {"a": n}]) for n in numbers],
    "arrays": lambda numbers: [np.full((2, 2), n) for n in numbers],
    "series of arrays": lambda numbers: [np.array([[n, "a"]], object) for n in numbers],
    "nested": lambda numbers: [[[n], [n, 1]] for n in numbers],
    "images": images,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_rows_without_a_hash_are_compared_by_what_they_hold(make):
    check_disjoint({"X": make(range(60)), "X_test": make(range(60, 90))})
    with pytest.raises(ValueError, match="overlap: they share 10 rows, of the 12 rows"):
        check_disjoint({"X": make(range(60)), "X_test": make(range(50, 62))})


def test_other_objects_equal_themselves_alone():
    X = [Unhashable() for _ in range(60)]
    check_disjoint({"X": X, "X_test": [Unhashable() for _ in range(10)]})
    with pytest.raises(ValueError, match="they share 10 rows"):
        check_disjoint({"X": X, "X_test": X[:10]})


def test_tensors_are_compared_by_their_values():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    X = torch.arange(120).reshape(60, 2)
    check_disjoint({"X": X, "X_test": X + 1000})
    with pytest.raises(ValueError, match="they share 10 rows"):
        check_disjoint({"X": X, "X_test": X[:10].clone()})


@pytest.mark.parametrize("n_shared", [6, 20, 49])
def test_some_shared_rows_are_warned_about(n_shared):
    X = [f"sentence {i}" for i in range(500)]
    X_test = [f"sentence {i}" for i in range(500 - n_shared, 600 - n_shared)]
    message = (
        rf"X and X_test share {n_shared} rows, {n_shared}% of the 100 rows of X_te"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        check_disjoint({"X": X, "X_test": X_test})
    assert "Leave them out of X or X_test, or ignore" in str(caught[0].message)


@pytest.mark.parametrize("n_shared", [50, 80, 100])
def test_half_of_the_rows_are_refused(n_shared):
    X = [f"sentence {i}" for i in range(500)]
    X_test = [f"sentence {i}" for i in range(500 - n_shared, 600 - n_shared)]
    with pytest.raises(
        ValueError, match=f"they share {n_shared} rows, of the 100 rows"
    ):
        check_disjoint({"X": X, "X_test": X_test})


@pytest.mark.parametrize("n_shared", [0, 5])
def test_a_few_shared_rows_are_chance(n_shared):
    X = [f"sentence {i}" for i in range(500)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_disjoint({"X": X, "X_test": X[-n_shared or 500 :] + ["others"] * 50})


@pytest.mark.parametrize(
    ("like", "other", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 3)), "X_val has 3 columns and X has 2"),
        (np.ones((3, 4, 4)), np.ones((3, 4, 5)), "X_val has 4x5 columns and X has 4x4"),
        (
            np.ones((3, 2)),
            np.ones((3, 2), "M8[s]"),
            "array of datetime64.* one of float",
        ),
        (np.ones((3, 2)), np.ones((3, 2), "U3"), "X_val is an array of <U3"),
        (
            pd.DataFrame({"a": [1] * 3}),
            pl.DataFrame({"a": [1] * 3}),
            "same kind of cont",
        ),
        (pd.DataFrame({"a": [1] * 3}), np.ones((3, 1)), "same kind of container"),
    ],
)
def test_sets_of_another_shape_or_kind_are_refused(like, other, message):
    check_pair(like, [0, 1, 0], "val", like)
    with pytest.raises(ValueError, match=message):
        check_pair(other, [0, 1, 0], "val", like)


def test_lists_need_not_have_one_length():
    check_pair([[1, 2], [3, 4]], [0, 1], "val", [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("make", [list, lambda rows: np.array(rows, dtype=object)])
def test_words_beside_numbers_are_refused(make):
    words, numbers = make([["a", 1], ["b", 2]]), make([[1.5, 1], [2.5, 2]])
    gaps = make([[None, 1], ["b", 2]])
    check_pair(gaps, [0, 1], "val", words)
    check_pair(words, [0, 1], "val", gaps)
    with pytest.raises(ValueError, match=r"X_val begins with 1.5 and X with 'a'"):
        check_pair(numbers, [0, 1], "val", words)
