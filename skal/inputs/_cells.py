"""Cells that an estimator cannot take, found before anything is trained."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.impute import SimpleImputer
from sklearn.utils import get_tags

from skal._sklearn import is_pandas_na
from skal.inputs._containers import is_frame, is_list, is_series, n_rows, width
from skal.inputs._steps import (
    counts_words,
    is_known,
    passes_missing,
    paths,
    takes_infinity,
    takes_missing,
    takes_words,
)


def check_cells(X: Any, name: str, estimator: Any) -> None:
    """Look for cells that the steps of an estimator cannot take, and name the first.

    Steps are asked for their tags, one after the other, until one of them removes such
    cells or is not known.

    Parameters
    ----------
    X : rows
        The rows to look through.
    name : str
        The name of the rows in error messages.
    estimator : estimator
        The estimator that will be trained on the rows.

    Raises
    ------
    ValueError, TypeError
        If there is such a cell.
    """
    if n_rows(X) == 0:
        return
    if is_list(X) and width(X) is not None:
        X = objects(X)
    for part, steps in paths(X, estimator):
        if not is_known(steps[0]):
            continue
        tags = get_tags(steps[0]).input_tags
        if tags.string and not tags.two_d_array:
            _check_texts(part, name, steps[0])
        elif tags.dict:
            _check_mappings(part, name, steps[0])
        elif is_frame(part) or is_series(part) or _is_array(part):
            _check_table(part, name, steps, is_whole=part is X)


def check_numbers(X: Any, name: str, step: Any) -> None:
    """Check that all cells of a table are numbers or missing.

    Parameters
    ----------
    X : frame, array or list of rows
        The table.
    name : str
        Its name in error messages.
    step : estimator
        The step that takes nothing else.

    Raises
    ------
    ValueError, TypeError
        If a cell is no number, or rows differ in length.
    """
    if is_list(X):
        check_lengths(X, name, step)
    for columns, values in _columns(X):
        found = _first_word(values)
        if found is not None:
            _refuse_cell(*found, _of(columns[:1]), name, step)


def _refuse_cell(row: int, cell: Any, where: str, name: str, step: Any) -> NoReturn:
    """Name a cell that is not a number, by an error of scikit-learn's types."""
    is_text = isinstance(cell, str | bytes)
    kind = type(cell).__name__
    reason = f" (float() argument must be a string or a real number, not '{kind}')"
    raise (ValueError if is_text else TypeError)(
        f"{name} has {short(cell)} in row {row}{where}{reason * (not is_text)}, "
        f"and {type(step).__name__} takes numbers: convert it to a number, leave the "
        "row out, or put a step that does this before it in a Pipeline."
    )


def _check_table(X: Any, name: str, steps: tuple, is_whole: bool) -> None:
    """Check that each cell is one that the steps take."""
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        raise ValueError(
            f"Complex data not supported: {name} is of type {X.dtype}, and "
            f"{type(steps[0]).__name__} takes real numbers, such as {name}.real."
        )
    step = _first_to_refuse(steps, takes_words, lambda s: isinstance(s, SimpleImputer))
    if step is not None:
        check_numbers(X, name, step)
    first, is_positive = steps[0], get_tags(steps[0]).input_tags.positive_only
    refusing = _first_to_refuse(steps, takes_missing, passes_missing)
    checks: list[tuple[str, Callable, Any]] = [
        ("NaN", np.isnan, refusing),
        ("infinity", np.isinf, None if takes_infinity(first) else first),
        ("negative values", _is_negative, first if is_positive else None),
    ]
    for columns, values in _columns(X):
        if get_tags(first).input_tags.categorical and values.dtype.kind == "O":
            _check_one_kind(values, columns, name, first)
        numbers = _as_floats(values)
        # A finite sum, as of most tables, spares two passes.
        for text, is_bad, step in checks[2:] if _is_finite_sum(numbers) else checks:
            if step is not None and is_bad(_data(numbers)).any():
                rows, found = _positions(numbers, is_bad)
                names = [columns[i] if columns else i for i in found[:1].tolist()]
                where = _of(names if is_whole or columns else [])
                _refuse(rows, text, where, name, step)


def _check_one_kind(values: NDArray, columns: list, name: str, step: Any) -> None:
    """Check that the cells of each column are all texts or all numbers, or missing."""
    for number, cells in enumerate(values.reshape(len(values), -1).T):
        kinds = ["other" if is_pandas_na(c) else kind_of_cell(c) for c in cells]
        expected = next(filter(None, kinds), None)
        for row, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
            if kind not in (None, expected) or kind == "other":
                where = _of(columns[:1] or [number])
                raise TypeError(
                    f"{name} has {short(cell)} in row {row}{where}, and "
                    f"{type(step).__name__} takes columns of texts or of numbers, not "
                    "of both or anything else, such as NA: convert the column to one "
                    "type, with None or NaN for missing values."
                )


def _first_to_refuse(
    steps: tuple, takes: Callable[[Any], bool], passes: Callable[[Any], bool]
) -> Any:
    """Return the first step that does not take cells of a kind, if it will get them."""
    for step in steps:
        if not is_known(step):
            return None
        if not takes(step):
            return step
        if not passes(step):
            return None
    return None


def _refuse(rows: NDArray, text: str, where: str, name: str, step: Any) -> NoReturn:
    """Name the first bad cell, and the number of rows with one."""
    advice = {"NaN": "fill it in, such as with an imputer in a Pipeline"}
    raise ValueError(
        f"Input {name} contains {text} in {len(set(rows.tolist()))} rows, the first in "
        f"row {rows[0]}{where}, and {type(step).__name__} takes none: "
        f"{advice.get(text, 'replace such numbers')}, or leave these rows out."
    )


def _positions(numbers: Any, is_bad: Callable[[Any], Any]) -> tuple[NDArray, NDArray]:
    """Return the rows and, for a table, the columns of the bad cells."""
    if sparse.issparse(numbers):
        table = numbers.tocoo()
        bad = is_bad(table.data)
        order = np.argsort(table.row[bad], kind="stable")
        return table.row[bad][order], table.col[bad][order]
    where = np.nonzero(is_bad(numbers))
    return where[0], where[1] if len(where) == 2 else np.empty(0)


def _is_finite_sum(numbers: Any) -> bool:
    """Return whether the sum is finite, and thus each number; it may overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(_data(numbers).sum()))


def _is_negative(numbers: Any) -> Any:
    return numbers < 0


# Texts and mappings -------------------------------------------------------------------


def _check_texts(rows: Any, name: str, step: Any) -> None:
    """Check that rows are texts, or lists of tokens for a net of skal."""
    if is_frame(rows) or sparse.issparse(rows):
        raise TypeError(
            f"{name} is a {type(rows).__name__}, and {type(step).__name__} takes one "
            "text per row: give a list of texts, or the name of one column, not in a "
            "list, to a ColumnTransformer."
        )
    for number, row in enumerate(rows):
        if counts_words(step) and not isinstance(row, str | bytes):
            raise TypeError(
                f"Row {number} of {name} must be a text, got {short(row)}: "
                f'{type(step).__name__} splits each row into words, so pass a str (""'
                " for no text), or leave the row out."
            )
        if type(step).__module__.startswith("skal.") and not _is_sentence(row):
            raise TypeError(
                f"Row {number} of {name} must be a sentence, got {short(row)}: pass "
                "each row as a str or as a list of words."
            )


def _is_sentence(row: Any) -> bool:
    """Return whether a row is a text or a list of words."""
    if isinstance(row, str):
        return True
    is_sequence = is_list(row) or getattr(row, "ndim", 0) == 1
    return is_sequence and all(isinstance(word, str) for word in row)


def _check_mappings(rows: Any, name: str, step: Any) -> None:
    """Check that rows are dicts."""
    for number, row in enumerate(rows) if is_list(rows) else ():
        if not isinstance(row, Mapping):
            raise TypeError(
                f"Row {number} of {name} must be a dict, got {short(row)}: "
                f"{type(step).__name__} takes names and values, so pass {{}} for none, "
                "or leave the row out."
            )


# Cells as arrays ----------------------------------------------------------------------


def _is_array(X: Any) -> bool:
    return isinstance(X, np.ndarray) or sparse.issparse(X)


def _columns(X: Any) -> Iterator[tuple[list, Any]]:
    """Yield tables of cells, with the names of their columns if they have any."""
    if not is_frame(X):
        X = objects(X) if is_list(X) else X
        yield [], X if _is_array(X) else np.asarray(X)
        return
    # Columns of numpy's numbers are looked through together, since they may be many.
    numbers = [
        column
        for column, dtype in zip(X.columns, X.dtypes, strict=True)
        if isinstance(dtype, np.dtype) and dtype.kind in "biuf"
    ]
    if numbers:
        yield numbers, X[numbers].to_numpy()
    known = set(numbers)
    for column in X.columns:
        if column not in known:
            yield [column], _as_array(X[column]).reshape(-1, 1)


def _as_array(column: Any) -> NDArray:
    """Return a column as an array: of objects, if numpy has no such type."""
    # scikit-learn makes NaN of NA in the nullable numbers of pandas.
    is_nullable = hasattr(column, "iloc") and not isinstance(column.dtype, np.dtype)
    if is_nullable and getattr(column.dtype, "kind", "O") in "biuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    try:
        return np.asarray(column)
    except Exception:  # integers of 128 bits, which only polars has
        return np.array(list(column), dtype=object)


def objects(rows: Any) -> NDArray:
    """Return rows of one length as a table of objects.

    Parameters
    ----------
    rows : list

    Returns
    -------
    ndarray
    """
    try:
        return np.array(rows, dtype=object)
    except ValueError:  # arrays of different shapes within the rows
        table = np.empty(len(rows), dtype=object)
        table[:] = rows
        return table


def _first_word(values: Any) -> tuple[int, Any] | None:
    """Return the row and the value of the first cell that is neither number nor gap."""
    if values.dtype.kind in "biufc":
        return None
    if values.dtype.kind in "OUS" and _are_floats(values):
        return None
    cells = values.reshape(len(values), -1)
    for number, row in enumerate(cells):
        for cell in row:
            if values.dtype.kind in "Mm" or not (is_missing(cell) or _is_float(cell)):
                return number, cell
    return None


def _are_floats(values: NDArray) -> bool:
    try:
        values.astype(np.float64)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _is_float(cell: Any) -> bool:
    return _are_floats(np.array([cell], dtype=object)) if np.ndim(cell) == 0 else False


def _as_floats(values: Any) -> Any:
    """Return cells as numbers: gaps as NaN, words as zero, objects by their signs."""
    if values.dtype.kind in "fbiu":
        return values
    if values.dtype.kind in "Mm":
        return np.where(np.isnat(values), np.nan, 0.0)
    if values.dtype.kind != "O":
        return np.zeros(values.shape)
    numbers = [_as_float(cell) for cell in values.ravel().tolist()]
    return np.array(numbers, dtype=np.float64).reshape(values.shape)


def _as_float(cell: Any) -> float:
    if isinstance(cell, str):
        return 0.0
    if isinstance(cell, int):  # which may be too large for a float
        return float(min(max(cell, -1), 1))
    if isinstance(cell, float | np.number) and not isinstance(cell, np.complexfloating):
        return float(cell)
    return float("nan") if is_missing(cell) else 0.0


def _data(numbers: Any) -> NDArray:
    return numbers.data if sparse.issparse(numbers) else numbers


def is_missing(cell: Any) -> bool:
    """Return whether a cell is None, NaN, NaT or pandas' NA.

    Parameters
    ----------
    cell : object

    Returns
    -------
    bool
    """
    if isinstance(cell, float | np.generic):
        return bool(cell != cell)
    return cell is None or is_pandas_na(cell) or type(cell).__name__ == "NaTType"


def kind_of_cell(cell: Any) -> str | None:
    """Return "text", "bytes", "number" or "other"; None if the cell is missing.

    Parameters
    ----------
    cell : object

    Returns
    -------
    str or None
    """
    if isinstance(cell, str):
        return "text"
    if is_missing(cell):
        return None
    if isinstance(cell, bytes):
        return "bytes"
    return "number" if isinstance(cell, int | float | np.number | np.bool_) else "other"


def _of(columns: list) -> str:
    """Return where a cell is within its row, for a message."""
    return f", column {columns[0]!r}" if columns else ""


def short(value: Any) -> str:
    """Return a value as a text of at most 40 characters, for a message.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def check_lengths(rows: Any, name: str, step: Any) -> None:
    """Check that rows of a table are all as long as the first.

    Parameters
    ----------
    rows : list
        The rows.
    name : str
        Their name in error messages.
    step : estimator
        The step that takes a table.

    Raises
    ------
    ValueError
        If two rows differ in length or shape.
    """
    for number, row in enumerate(rows):
        if _shape(row) != _shape(rows[0]):
            raise ValueError(
                f"Row {number} of {name} has the shape {_shape(row)}, and row 0 "
                f"{_shape(rows[0])}: {type(step).__name__} takes a table, so give all "
                "rows the same length, or put a step that makes numbers of them before "
                "it in a Pipeline."
            )


def _shape(row: Any) -> tuple:
    return (len(row),) if is_list(row) else getattr(row, "shape", ())
