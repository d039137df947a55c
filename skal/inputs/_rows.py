"""Rows at the door: in the container that the first step of an estimator takes."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, get_tags

from skal._sklearn import _BaseComposition
from skal.inputs._cells import check_cells, check_numbers
from skal.inputs._containers import is_frame, is_list, is_text, n_rows
from skal.inputs._steps import first_step, is_known, takes_words


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
    _check_container(X, name)
    X = _as_table(X, name, first_step(estimator))
    check_cells(X, name, estimator)
    return X


def _check_container(X: Any, name: str) -> None:
    """Check that `X` holds rows, columns with different names, and no masked cell."""
    if isinstance(X, dict) and not hasattr(X, "shape"):
        raise TypeError(
            f"{name} is a {type(X).__name__}, which has no rows: make it a data frame "
            "or an array, or a SliceDict of skorch."
        )
    if name == "X" and n_rows(X) == 0:
        raise ValueError(
            f"{name} has no rows (0 sample(s)), while a minimum of 1 is required: give "
            "rows to label."
        )
    if is_frame(X):
        _check_column_names(list(X.columns), name)
    if np.ma.isMaskedArray(X) and np.ma.is_masked(X):
        mask = np.ma.getmaskarray(X).reshape(n_rows(X), -1)
        row = np.flatnonzero(mask.any(axis=1))[0]
        raise ValueError(
            f"{name} has masked cells in row {row}: fill them in, such as with "
            f"{name}.filled(np.nan) and an imputer, or leave these rows out."
        )


def _check_column_names(columns: list, name: str) -> None:
    if not columns:
        raise ValueError(
            f"{name} has no columns (0 feature(s)), while a minimum of 1 is required: "
            "give a frame with columns."
        )
    repeated = [column for column in columns if columns.count(column) > 1]
    if repeated:
        raise ValueError(
            f"{name} has several columns named {repeated[0]!r}: rename them, so that "
            "each column has a name of its own."
        )


def _as_table(X: Any, name: str, first: Any) -> Any:
    """Return the rows as the first step of an estimator will get them."""
    if is_frame(X) or isinstance(first, _BaseComposition):
        return X
    if not is_known(first):
        is_own = hasattr(first, "transform") or get_tags(first).no_validation
        return X if is_own else _as_numbers(X)
    tags = get_tags(first)
    if tags.input_tags.string or tags.input_tags.dict or is_text(X):
        return X
    if takes_words(first):
        return _as_numbers(X) if is_list(X) else _checked_shape(X, name, first, None)
    check_numbers(X, name, first)
    return _checked_shape(X, name, first, "numeric")


def _checked_shape(X: Any, name: str, first: Any, dtype: Any) -> Any:
    """Return a table whose shape is one that the first step takes."""
    return check_array(
        X,
        accept_sparse="csr",
        dtype=dtype,
        ensure_2d=get_tags(first).input_tags.two_d_array,
        allow_nd=True,
        ensure_all_finite=False,  # `check_cells` names the row
        ensure_min_samples=0 if name != "X" else 1,
        input_name=name,
    )


def _as_numbers(X: Any) -> Any:
    """Return rows of numbers as an array, and any other rows as they are."""
    if sparse.issparse(X):
        return X.tocsr()
    if not is_list(X) and not hasattr(X, "__array__"):
        return X
    try:
        array = np.asarray(X)
    except ValueError:  # rows of different lengths
        return X
    if array.dtype.kind == "O":
        is_number = [isinstance(cell, int | float | np.number) for cell in array.flat]
        array = array.astype(np.float64) if all(is_number) else array
    return array if array.dtype.kind in "biuf" and array.ndim > 1 else X
