"""The rows of two sets in one container."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from skal.inputs._columns import (
    cast_column,
    in_common_types,
    kind_of,
    with_columns,
)
from skal.inputs._containers import Joined, is_frame, is_list, is_series, n_rows

# Larger integers are not all exact as numbers of type float64.
LARGEST_EXACT = 2**53
# Arrays of this size and more are not copied to have the rows of two sets in one place.
LARGE_BYTES = 2**24


def joined(first: Any, second: Any) -> Any:
    """Append rows as `concat` does, but without a copy if they are large arrays.

    Parameters
    ----------
    first, second : rows
        Two sets in the same kind of container.

    Returns
    -------
    rows
        A `Joined` in place of a large array: `take` indexes it, and `np.asarray` makes
        an array of it.
    """
    arrays = [X for X in (first, second) if type(X) in (np.ndarray, np.memmap)]
    is_large = sum(X.nbytes for X in arrays) >= LARGE_BYTES
    if len(arrays) < 2 or not is_large or 0 in (len(first), len(second)):
        return concat(first, second)
    is_alike = first.dtype == second.dtype and first.shape[1:] == second.shape[1:]
    return Joined(first, second) if is_alike else concat(first, second)


def concat(first: Any, second: Any) -> Any:
    """Append the rows of `second` to the rows of `first`, in the same container.

    Parameters
    ----------
    first, second : rows
        Two sets in the same kind of container. Either may be without rows, and is then
        ignored.

    Returns
    -------
    rows

    Raises
    ------
    ValueError
        If no type can hold the values of both sets exactly.
    """
    if n_rows(first) == 0:
        return second
    if n_rows(second) == 0:
        return first
    if is_frame(first):
        return join_frames(first, second)
    if sparse.issparse(first):
        return sparse.vstack([first, second], format="csr")
    if is_list(first):
        return list(first) + list(second)
    if is_series(first):  # such as a column of sentences
        return _join_series(first, second)
    if isinstance(first, Mapping):  # such as skorch's SliceDict
        parts = {key: concat(first[key], second[key]) for key in first}
        return type(first)(**parts)
    if type(first).__module__ == "torch":
        return sys.modules["torch"].cat([first, second])
    return join_arrays(np.asanyarray(first), second)


def _join_series(first: Any, second: Any) -> Any:
    """Append a column to another, whatever their names are."""
    if not is_series(second):
        second = type(first)(list(second))
    frames = [_as_frame(column) for column in (first, second)]
    joined = join_frames(*frames)
    return joined[joined.columns[0]].rename(first.name)


def _as_frame(column: Any) -> Any:
    return column.rename("0").to_frame()


def join_arrays(first: np.ndarray, second: Any) -> np.ndarray:
    """Append an array to another, in a type that holds all numbers exactly.

    Parameters
    ----------
    first : ndarray
    second : array-like

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If there is no such type.
    """
    if first.dtype.kind == "O" and first.ndim == 1:
        second = _objects(second)
    arrays = [first, np.asanyarray(second)]
    if any(array.dtype.kind == "u" for array in arrays):
        arrays = _signed_together(arrays)
    is_masked = any(map(np.ma.isMaskedArray, arrays))
    joined = (np.ma if is_masked else np).concatenate(arrays)
    for array in arrays:
        _check_exact(array, joined.dtype, "One of two")
    return joined


def _objects(rows: Any) -> np.ndarray:
    """Return rows as a one-dimensional array, even if they are lists."""
    array = np.empty(n_rows(rows), dtype=object)
    array[:] = list(rows)
    return array


def _signed_together(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Convert uint64 beside signed integers, which numpy would make floats."""
    is_mixed = {array.dtype.kind for array in arrays} == {"i", "u"}
    fits = all(array.max() <= np.iinfo(np.int64).max for array in arrays)
    if not is_mixed or not fits or np.result_type(*arrays).kind != "f":
        return arrays
    return [array.astype(np.int64) for array in arrays]


def _check_exact(array: np.ndarray, dtype: np.dtype, what: str) -> None:
    """Check that integers do not change as floating-point numbers."""
    if array.dtype.kind not in "iu" or dtype.kind != "f" or not array.size:
        return
    if max(-int(array.min()), int(array.max())) > LARGEST_EXACT:
        raise ValueError(
            f"{what} sets has numbers of different types, and some of type "
            f"{array.dtype} are too large for {dtype}, which would hold them all: "
            "convert all sets to one type."
        )


def join_frames(first: Any, second: Any) -> Any:
    """Append the rows of a data frame to another one.

    Parameters
    ----------
    first, second : data frame
        Frames of one library, with the same columns.

    Returns
    -------
    data frame

    Raises
    ------
    ValueError
        If no type can hold the values of a column in both frames.
    """
    import narwhals as nw

    frames = in_common_types({"one set": first, "another set": second})
    casts: list[dict] = [{}, {}]
    for column in first.columns:
        parts = [frame[column] for frame in frames.values()]
        if parts[0].dtype != parts[1].dtype:
            for part, cast in zip(_joinable(column, parts), casts, strict=True):
                cast[column] = part
    tables = [
        nw.from_native(with_columns(frame, cast))
        for frame, cast in zip(frames.values(), casts, strict=True)
    ]
    return nw.to_native(nw.concat(tables))


def _joinable(column: Any, parts: list[Any]) -> list[Any]:
    """Return the parts of a column in a type that holds the values of both."""
    dtype = _joint_type(parts)
    names = ("one set", "another set")
    cast = [cast_column(p, dtype, column, n) for p, n in zip(parts, names, strict=True)]
    if kind_of(parts[0]) == "numbers":
        for part, joint in zip(parts, cast, strict=True):
            _check_exact(
                _values(part), _values(joint).dtype, f"Column {column!r} of two"
            )
    return cast


def _joint_type(parts: list[Any]) -> Any:
    """Return the type that pandas or polars would choose, or a narrower one."""
    if not hasattr(parts[0], "astype"):
        import polars as pl

        # polars would take the coarser unit of times, and integers that numpy lacks.
        kinds = [type(part.dtype) for part in parts]
        if kinds == [pl.Datetime, pl.Datetime]:
            return pl.Datetime("ns", parts[0].dtype.time_zone)
        frames = [part[:0].rename("0").to_frame() for part in parts]
        joint = pl.concat(frames, how="vertical_relaxed").dtypes[0]
        return pl.Int64 if str(joint) in ("Int128", "UInt128") else joint
    import pandas as pd

    joint = pd.concat([part[:0] for part in parts]).dtype
    if np.dtype(object) not in (joint, parts[0].dtype):
        return joint
    if kind_of(parts[0]) != "numbers":
        return parts[0].dtype
    return "Float64" if any(_values(p).dtype.kind == "f" for p in parts) else "Int64"


def _values(part: Any) -> np.ndarray:
    """Return the values of a column of numbers that are not missing."""
    import narwhals as nw

    return nw.from_native(part, series_only=True).drop_nulls().to_numpy()
