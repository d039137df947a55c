"""Rows at the door: in the container that the first step of an estimator takes."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.utils import check_array, get_tags

from skal._sklearn import _BaseComposition
from skal.inputs._cells import (
    check_cells,
    check_lengths,
    check_numbers,
    is_missing,
    objects,
)
from skal.inputs._containers import is_frame, is_list, n_rows
from skal.inputs._joining import LARGEST_EXACT
from skal.inputs._steps import first_step, is_known, is_of, takes_words


def check_rows(X: Any, name: str, estimator: Any) -> Any:
    """Check rows as the steps of an estimator would, before anything is trained.

    The tags of scikit-learn's steps decide which rows are allowed. Steps from elsewhere
    are given the rows as they are: they may take more than their tags say.

    Parameters
    ----------
    X : rows
        The rows to check.
    name : str
        The name of the rows in error messages.
    estimator : estimator
        The estimator that will be trained on the rows.

    Returns
    -------
    rows
        An array or a CSR matrix if a table of numbers was given; `X` itself otherwise.

    Raises
    ------
    ValueError, TypeError
        If the estimator cannot be trained on the rows.
    """
    check_container(X, name)
    X = _as_table(X, name, first_step(estimator))
    check_cells(X, name, estimator)
    return X


def in_kind_of(like: Any, rows: Any) -> Any:
    """Return numbers as objects beside objects, and objects or bools as numbers.

    An encoder that was trained on objects cannot encode gaps among numbers.

    Parameters
    ----------
    like : rows
        The rows that decide.
    rows : rows
        The rows to convert, without a loss.

    Returns
    -------
    rows
        The rows themselves, unless both are arrays and need a conversion.
    """
    if not isinstance(like, np.ndarray) or not isinstance(rows, np.ndarray):
        return rows
    kinds = like.dtype.kind, rows.dtype.kind
    if kinds[0] == "O" and kinds[1] in "biuf":
        return rows.astype(object)
    if kinds[0] in "iuf" and kinds[1] == "b":
        return rows.astype(like.dtype)
    if kinds[0] in "biuf" and kinds[1] == "O":
        return _floats_if_exact(rows)
    return rows


def _floats_if_exact(rows: NDArray) -> NDArray:
    """Return objects as numbers; as they are if some are words or too large."""
    cells = [np.nan if is_missing(cell) else cell for cell in rows.ravel().tolist()]
    if not all(isinstance(cell, int | float) for cell in cells):
        return rows
    if any(isinstance(cell, int) and abs(cell) > LARGEST_EXACT for cell in cells):
        return rows
    return np.array(cells, dtype=np.float64).reshape(rows.shape)


def check_container(X: Any, name: str) -> None:
    """Check that `X` holds rows, and columns with different names.

    Parameters
    ----------
    X : rows
        The rows to check.
    name : str
        Their name in error messages.

    Raises
    ------
    ValueError, TypeError
        If it does not.
    """
    is_mapping = isinstance(X, Mapping) and not hasattr(X, "shape")
    if is_mapping or isinstance(X, str | bytes):
        raise TypeError(
            f"{name} is a {type(X).__name__}, which has no rows: give a list of rows, "
            "an array or a data frame."
        )
    if n_rows(X) == 0 and name == "X":
        raise ValueError(
            "X has no rows: Found array with 0 sample(s) while a minimum of 1 is "
            "required. Give rows to label."
        )
    if is_frame(X):
        _check_column_names(list(X.columns), name)


def _check_column_names(columns: list, name: str) -> None:
    if not columns:
        raise ValueError(
            f"{name} has no columns: 0 feature(s) while a minimum of 1 is required. "
            "Give a frame with columns."
        )
    repeated, n = Counter(columns).most_common(1)[0]
    if n > 1:
        raise ValueError(
            f"{name} has several columns named {repeated!r}: rename them, so that each "
            "column has a name of its own."
        )


def _as_table(X: Any, name: str, first: Any) -> Any:
    """Return the rows as the first step of an estimator will get them."""
    if isinstance(first, ColumnTransformer) and not is_list(X):
        _check_columns_to_choose(X, name)
    if is_frame(X) or isinstance(first, _BaseComposition):
        return X
    if not is_known(first):
        is_own = hasattr(first, "transform") or get_tags(first).no_validation
        return X if is_own else _as_numbers(X)
    if np.ma.isMaskedArray(X):
        _check_mask(X, name, first)
    tags = get_tags(first).input_tags
    if (tags.string and not tags.two_d_array) or tags.dict:
        return X
    if takes_words(first):
        return _checked_shape(_as_cells(X, name, first), name, first, None)
    check_numbers(X, name, first)
    # Whether digits in strings are numbers, too, is for the estimator to say.
    if not sparse.issparse(X) and np.asarray(X).dtype.kind in "US":
        return X
    return _checked_shape(X, name, first, "numeric")


def _check_mask(X: Any, name: str, first: Any) -> None:
    """Check that no cell is masked, since scikit-learn does not look at masks."""
    mask = np.ma.getmaskarray(X).reshape(len(X), -1).any(axis=1)
    if mask.any():
        raise ValueError(
            f"{name} has masked cells in {mask.sum()} rows, the first in row "
            f"{mask.argmax()}, and {type(first).__name__} does not look at masks: fill "
            f"the cells in, such as by {name}.filled(np.nan) and an imputer, or leave "
            "these rows out."
        )


def _check_columns_to_choose(X: Any, name: str) -> None:
    """Check that a column transformer can choose columns of the rows."""
    ndim = len(getattr(X, "shape", ()))
    if ndim != 2:
        raise ValueError(
            f"{name} is a {type(X).__name__} of {ndim} dimensions, and "
            "ColumnTransformer takes a table: give a frame or an array of two."
        )


def _checked_shape(X: Any, name: str, first: Any, dtype: Any) -> Any:
    """Return a table whose shape is one that the first step takes."""
    tags = get_tags(first).input_tags
    return check_array(
        X,
        accept_sparse="csr" if tags.sparse else False,
        dtype=dtype,
        ensure_2d=tags.two_d_array,
        allow_nd=tags.three_d_array or is_of(first, "skal"),
        ensure_all_finite=False,  # `check_cells` names the row
        ensure_min_samples=0 if name != "X" else 1,
        input_name=name,
    )


def _as_cells(X: Any, name: str, first: Any) -> Any:
    """Return a list as an array of one type, whichever of its rows are taken later."""
    if not is_list(X):
        return X
    check_lengths(X, name, first)
    array = _as_numbers(X)
    return objects(X) if array is X else array


def _as_numbers(X: Any) -> Any:
    """Return rows of numbers as an array, and any other rows as they are."""
    if sparse.issparse(X):
        return X.tocsr()
    if np.ma.isMaskedArray(X) or not (is_list(X) or hasattr(X, "__array__")):
        return X
    try:
        array = np.asarray(X)
    except ValueError:  # rows of different lengths
        return X
    if array.dtype.kind == "O":
        is_number = [isinstance(cell, int | float | np.number) for cell in array.flat]
        array = array.astype(np.float64) if all(is_number) else array
    return array if array.dtype.kind in "biuf" and array.ndim > 1 else X
