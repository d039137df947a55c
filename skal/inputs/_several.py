"""Tables of targets: several labels, classes or numbers for each row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skal.inputs._containers import is_frame, is_text
from skal.inputs._tags import is_tags


def n_columns(y: Any) -> int:
    """Return the number of targets of each row.

    Parameters
    ----------
    y : targets
        In any container.

    Returns
    -------
    int
        1 unless `y` is a table of several columns.
    """
    shape: tuple = () if is_tags(y) else getattr(y, "shape", ())
    return int(shape[1]) if len(shape) == 2 else 1


def in_columns(X: Any, y: Any) -> Any:
    """Return lists of targets as an array, unless they are the tags of tokens.

    Parameters
    ----------
    X : rows
        If they are sentences, lists are tags.
    y : targets

    Returns
    -------
    targets
        An array of shape (n_rows, n_columns) in place of lists of numbers, if they
        are of one length, two or more.
    """
    if not is_tags(y) or is_text(X):
        return y
    widths = {len(row) for row in y}
    if len(widths) > 1 or widths == {1}:
        return y
    table = np.array(list(map(list, y)))
    return table if table.dtype.kind in "biuf" else y


def as_table(y: Any) -> NDArray:
    """Return targets in an array, also out of a frame or a sparse matrix.

    Parameters
    ----------
    y : targets

    Returns
    -------
    ndarray
        A masked array is returned as it is.
    """
    return y.toarray() if sparse.issparse(y) else np.asanyarray(y)


def columns_of(y: Any) -> list[Any]:
    """Return the columns of a table, each in the type of its own values.

    Parameters
    ----------
    y : targets of several columns

    Returns
    -------
    list of n_columns arrays or series of shape (n_rows,)
    """
    if is_frame(y):
        at = getattr(y, "iloc", y)
        return [at[:, j] for j in range(y.shape[1])]
    table = as_table(y)
    is_plain = table.dtype.kind != "O" or np.ma.isMaskedArray(table)
    return [c if is_plain else np.array(c.tolist()) for c in table.T]


def holds_labels(y: Any) -> bool:
    """Return whether each column of a table says which rows have a label.

    Parameters
    ----------
    y : targets of several columns

    Returns
    -------
    bool
        True if all values that are not missing are 0 or 1.
    """
    table = as_table(y)
    if table.dtype.kind not in "biufO" or any(
        isinstance(value, str) for value in table.ravel() if table.dtype.kind == "O"
    ):
        return False
    try:
        numbers = table.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return bool(np.isin(numbers[np.isfinite(numbers)], (0, 1)).all())


def check_same_width(y: Any, name: str, like: NDArray) -> None:
    """Check that a set has the targets of `y`.

    Parameters
    ----------
    y : ndarray of shape (n_rows, n_columns)
        Targets of the set.
    name : str
        Their name in error messages.
    like : ndarray of shape (n_samples, n_columns)
        The `y` that the set must resemble.

    Raises
    ------
    ValueError
        If the numbers of columns differ.
    """
    if y.shape[1] != like.shape[1]:
        raise ValueError(
            f"{name} has {y.shape[1]} targets in each row and y has {like.shape[1]}: "
            "give the same columns in all sets."
        )


def column_classes(labels: list[NDArray]) -> tuple[NDArray, ...]:
    """Return the classes of each column, of several sets.

    Parameters
    ----------
    labels : list of ndarray of shape (n_rows, n_columns)
        The classes of each set.

    Returns
    -------
    tuple of ndarray
        The sorted classes of each column.
    """
    whole = np.concatenate([y for y in labels if len(y)])
    return tuple(np.unique(column) for column in whole.T)
