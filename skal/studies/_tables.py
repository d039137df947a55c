"""Tables of a study, printed and as columns."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Least width of a column of numbers, in characters, so that columns line up.
WIDTH = 9


def lay_out(columns: Mapping[str, Iterable[Any]]) -> str:
    """Return columns as a printed table.

    Parameters
    ----------
    columns : mapping of str to iterable
        Columns by name. Texts are aligned left; numbers are aligned right and have four
        digits. NaN is shown as a dash, and a column of NaN is left out.

    Returns
    -------
    str
        A header line, and one line for each row.
    """
    listed = {name: list(values) for name, values in columns.items()}
    shown = [
        _column(name.replace("_", " "), values)
        for name, values in listed.items()
        if not is_empty(values)
    ]
    return "\n".join("  ".join(row).rstrip() for row in zip(*shown, strict=True))


def name_axes(**axes: Iterable[Any]) -> dict[str, NDArray]:
    """Return columns with the names of each element of an array, in C order.

    Parameters
    ----------
    **axes : iterable
        The names along each axis.

    Returns
    -------
    dict of str to ndarray of shape (n_elements,)
    """
    rows = product(*axes.values())
    return {
        name: np.array(column)
        for name, column in zip(axes, zip(*rows, strict=True), strict=True)
    }


def stacked(orders: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return orders as the rows of an array.

    Parameters
    ----------
    orders : list of ndarray of int
        Positions in the pool. With costs, their lengths differ.

    Returns
    -------
    ndarray of shape (n_orders, n_longest)
        Shorter orders are filled up with -1.
    """
    longest = max(map(len, orders))
    filled = np.full((len(orders), longest), -1, dtype=np.int64)
    for row, order in zip(filled, orders, strict=True):
        row[: len(order)] = order
    return filled


def _column(name: str, values: list[Any]) -> list[str]:
    """Return the cells of a column, header first, padded to the same width."""
    is_text = any(isinstance(value, str) for value in values)
    cells = [name, *map(spell, values)]
    width = max(len(cell) for cell in cells)
    if is_text:
        return [cell.ljust(width) for cell in cells]
    return [cell.rjust(max(WIDTH, width)) for cell in cells]


def spell(value: Any, digits: int = 4) -> str:
    """Return the text of a value in a table.

    Parameters
    ----------
    value : object
        NaN and None are shown as a dash.
    digits : int, default=4
        Number of decimals of floats. A positive value that would round to zero is shown
        as, for example, "<0.0001", since a p-value is never zero; a negative one as
        "0.0000", without a sign.

    Returns
    -------
    str
    """
    if value is None or _is_nan(value):
        return "-"
    if not isinstance(value, float | np.floating):
        return str(value)
    least = 10.0**-digits
    if 0 < value < least / 2:
        return f"<{least:.{digits}f}"
    return f"{value:z.{digits}f}"


def is_empty(values: list[Any]) -> bool:
    """Return whether a column has rows, all of them NaN.

    Parameters
    ----------
    values : list

    Returns
    -------
    bool
    """
    return bool(values) and all(_is_nan(value) for value in values)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | np.floating) and bool(np.isnan(value))
