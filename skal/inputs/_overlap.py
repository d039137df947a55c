"""Rows that two sets share, in any container."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import sparse

from skal.inputs._containers import is_frame, n_rows


def check_disjoint(sets: dict[str, Any]) -> None:
    """Check that no set was given twice, and warn if two sets share rows.

    If rows repeat within a set, equal rows in two sets need not mean an overlap: as
    many are allowed as the repeats within the two sets explain.

    Parameters
    ----------
    sets : dict of str to rows
        The sets by their names.

    Raises
    ------
    ValueError
        If two sets share half of the rows of the smaller one.
    """
    sets = {name: X for name, X in sets.items() if n_rows(X)}
    keys = dict(zip(sets, row_keys(list(sets.values())), strict=True))
    distinct = {name: set(rows) for name, rows in keys.items()}
    for pair in combinations(keys, 2):
        small, large = sorted(pair, key=lambda name: len(keys[name]))
        shared = sum(row in distinct[large] for row in keys[small])
        repeats = sum(len(keys[name]) - len(distinct[name]) for name in pair)
        is_all = shared == len(keys[small]) and not repeats
        if is_all or shared > 5 + 2 * repeats:
            _report(*pair, shared, small, len(keys[small]))


def _report(first: str, second: str, shared: int, small: str, n: int) -> None:
    """Refuse two sets that share half of the rows of the smaller one, else warn."""
    if 2 * shared >= n:
        raise ValueError(
            f"{first} and {second} overlap: they share {shared} rows, of the {n} rows "
            f"of {small}. The score on rows that were trained on says nothing about "
            "new data, so give disjoint sets (skal.split makes them)."
        )
    warnings.warn(
        f"{first} and {second} share {shared} rows, {shared / n:.0%} of the {n} rows "
        f"of {small}: a score on rows that may be trained on is too good. Leave them "
        f"out of {first} or {second}, or ignore this warning to keep both as they are.",
        stacklevel=11,  # the caller of ActiveLearner.fit, which has three decorators
    )


def row_keys(tables: list) -> list[list]:
    """Return a hashable value for each row of each table, equal if rows are equal.

    Rows are compared across types: 1 equals 1.0, and missing values are equal. Objects
    that cannot be hashed are compared by their data classes' fields or as arrays, such
    as images; any other object equals itself only.

    Parameters
    ----------
    tables : list of rows
        Several sets of one problem.

    Returns
    -------
    list of lists of hashable values
        One list for each table.
    """
    if all(isinstance(X, Mapping) for X in tables):  # such as skorch's SliceDict
        columns = [row_keys([X[name] for X in tables]) for name in tables[0]]
        return [list(zip(*parts, strict=True)) for parts in zip(*columns, strict=True)]
    tables = [_frame_as_array(X) if is_frame(X) else X for X in tables]
    typed = [X for X in tables if isinstance(X, np.ndarray) or sparse.issparse(X)]
    dtype = np.result_type(*(X.dtype for X in typed)) if typed else None
    return [_keys(X, dtype) for X in tables]


def _frame_as_array(X: Any) -> Any:
    """Return a frame as an array, or as a list of tuples if numpy lacks a type."""
    try:
        return X.to_numpy()
    except Exception:  # integers of 128 bits, which only polars has
        return list(zip(*(X[column] for column in X.columns), strict=True))


def _keys(X: Any, dtype: Any) -> list:
    """Return a hashable value for each row; numbers are compared as `dtype`."""
    if sparse.issparse(X):
        return list(_sparse_hashes(X.tocsr(), dtype))
    if isinstance(X, np.ndarray) and X.ndim > 1 and dtype.kind != "O":
        return list(_hashes(X, dtype))
    return [_hashable(row) for row in X]


def _hashes(X: np.ndarray, dtype: Any) -> Iterator[int]:
    """Yield the hash of each row's bytes: 64 bits, since rows take more memory."""
    for start in range(0, len(X), 1024):
        for row in np.ascontiguousarray(X[start : start + 1024], dtype=dtype):
            yield hash(row.tobytes())


def _sparse_hashes(X: Any, dtype: Any) -> Iterator[int]:
    """Yield the hash of each row's columns and values."""
    X = X if X.has_sorted_indices else X.sorted_indices()
    for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        columns, values = X.indices[a:b], X.data[a:b]
        columns, values = columns.astype(np.int64), values.astype(dtype)
        yield hash((columns.tobytes(), values.tobytes()))


def _hashable(value: Any) -> Any:
    """Return a hashable form of a value: a tuple for a list, None for NaN."""
    if isinstance(value, dict):
        return frozenset((name, _hashable(item)) for name, item in value.items())
    if isinstance(value, set | frozenset):
        return frozenset(value)
    if isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 1:
        return tuple(map(_hashable, value))
    if isinstance(value, float | np.generic):
        return None if value != value else value
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
        array = np.asarray(value)
        is_object = array.dtype.kind == "O"
        return array.shape, _hashable(array.tolist()) if is_object else array.tobytes()
    try:
        hash(value)
    except TypeError:
        return _hashable_fields(value) if is_dataclass(value) else id(value)
    return value


def _hashable_fields(value: Any) -> Any:
    """Return a hashable form of an instance of a data class."""
    items = [getattr(value, field.name) for field in fields(value)]
    return type(value), *map(_hashable, items)
