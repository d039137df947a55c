"""Ids of rows: the user's own, compared as texts."""

from collections import Counter
from typing import Any

import numpy as np

from skal.inputs._cells import is_missing


def key_of(id: Any) -> str:
    """Return an id as a text.

    Parameters
    ----------
    id : str or int

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it is neither a text nor a whole number.
    """
    if isinstance(id, str):
        return id
    is_whole = isinstance(id, int | np.integer | float) and not is_missing(id)
    if isinstance(id, bool | np.bool_) or not is_whole or int(id) != id:
        raise ValueError(f"An id must be a text or a whole number, got {id!r}.")
    return str(int(id))


def as_ids(ids: Any, n: int) -> tuple[list[str], bool]:
    """Return the ids of rows as texts, and whether all are numbers.

    Parameters
    ----------
    ids : array-like of shape (n,), or None
        None for 0, 1, ....
    n : int
        Number of rows.

    Returns
    -------
    names : list of str
    are_numbers : bool

    Raises
    ------
    ValueError
        If there are too many or too few, or one is repeated.
    """
    given = list(range(n) if ids is None else ids)
    if len(given) != n:
        raise ValueError(
            f"ids has {len(given)} ids, and X has {n} rows: give one each."
        )
    names = list(map(key_of, given))
    if len(set(names)) < n:
        repeated = Counter(names).most_common(1)[0][0]
        raise ValueError(
            f"ids must be different for all rows, and {repeated!r} is repeated: a "
            "label could not be assigned to one of them."
        )
    return names, not any(isinstance(id, str) for id in given)


def is_number(name: str) -> bool:
    """Return whether a text is a whole number as `key_of` writes it."""
    try:
        return str(int(name)) == name
    except ValueError:
        return False
