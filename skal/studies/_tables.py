"""Tables of a study, laid out to be read."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

WIDTH = 9


def lay_out(columns: Mapping[str, Iterable[Any]]) -> str:
    """Write columns side by side, under their names.

    Parameters
    ----------
    columns : mapping of str to iterable
        Texts stand at the left, numbers at the right, with four digits; NaN is a dash,
        and a column of nothing else is left out.

    Returns
    -------
    str
        One line for the names, and one for each row.
    """
    listed = {name: list(values) for name, values in columns.items()}
    shown = [
        _column(name.replace("_", " "), values)
        for name, values in listed.items()
        if not values or not all(_is_nan(value) for value in values)
    ]
    return "\n".join("  ".join(row).rstrip() for row in zip(*shown, strict=True))


def _column(name: str, values: list[Any]) -> list[str]:
    """Spell out a column, padded to one width."""
    is_text = any(isinstance(value, str) for value in values)
    cells = [name, *map(spell, values)]
    width = max(len(cell) for cell in cells)
    if is_text:
        return [cell.ljust(width) for cell in cells]
    return [cell.rjust(max(WIDTH, width)) for cell in cells]


def spell(value: Any, digits: int = 4) -> str:
    """Return a value of a table as text.

    Parameters
    ----------
    value : object
        NaN and None are a dash.
    digits : int, default=4
        Of floats, after the point. What is positive is not shown as zero: no p-value
        is.

    Returns
    -------
    str
    """
    if value is None or _is_nan(value):
        return "-"
    if not isinstance(value, float | np.floating):
        return str(value)
    least = 10.0**-digits
    is_tiny = 0 < value < least / 2
    return f"<{least:.{digits}f}" if is_tiny else f"{value:.{digits}f}"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | np.floating) and bool(np.isnan(value))
