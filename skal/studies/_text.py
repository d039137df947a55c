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
    cells = [name, *map(_spell, values)]
    width = max(len(cell) for cell in cells)
    if is_text:
        return [cell.ljust(width) for cell in cells]
    return [cell.rjust(max(WIDTH, width)) for cell in cells]


def _spell(value: Any) -> str:
    if isinstance(value, str | int | np.integer):
        return str(value)
    if _is_nan(value):
        return "-"
    # A p-value is never zero.
    return "<0.0001" if 0 < value < 0.00005 else f"{value:.4f}"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | np.floating) and bool(np.isnan(value))
