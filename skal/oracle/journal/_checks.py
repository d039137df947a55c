"""Checks of the content of a journal: its tables, types and checksums."""

import json
import sqlite3
import zlib
from struct import Struct, error
from typing import Any

import numpy as np

TABLES = "given", "search", "score", "step"
# The columns of a step as `read_journal` returns them. The first three, from the table
# of searches, are part of its checksum, too.
COLUMNS: dict[str, type] = {
    "oracle": str,
    "xi": np.int64,
    "seed": np.int64,
    "step": np.int64,
    "proposed": np.float64,
    "current": np.float64,
    "best": np.float64,
    "accepted": bool,
    "n_trainings": np.int64,
    "place_a": np.int64,
    "place_b": np.int64,
}
# The types of these columns in SQLite.
_STORED = {str: str, np.float64: float}
_pack_step = Struct("<qqqdddqqqq").pack


def checksum_of_score(xi: int, key: bytes, score: float, margins: bytes | None) -> int:
    """Return the checksum of a score and its margins."""
    return zlib.crc32(margins or b"", zlib.crc32(repr((xi, key, score)).encode()))


def checksum_of_step(oracle: str, *numbers: Any) -> int:
    """Return the checksum of a step.

    Parameters
    ----------
    oracle : str
        The class of the oracle.
    *numbers : int or float
        The other columns of `COLUMNS`.

    Returns
    -------
    int
    """
    # SQLite turns negative zero into zero.
    packed = _pack_step(*(number + 0 for number in numbers))
    return zlib.crc32(packed, zlib.crc32(oracle.encode()))


def check_content(connection: sqlite3.Connection) -> None:
    """Check the tables, scores and steps of a journal.

    Raises
    ------
    DatabaseError
        If one of them is not as skal writes it.
    """
    check_tables(connection)
    rows = connection.execute(
        "SELECT xi, labelled, value, margins, checksum FROM score"
    )
    if not all(_is_sound_score(row) for row in rows):
        raise sqlite3.DatabaseError("a score does not match its checksum")
    sound_steps(connection)


def check_tables(connection: sqlite3.Connection) -> None:
    """Check that a journal has the tables of skal, and nothing that runs by itself.

    Raises
    ------
    DatabaseError
        If it lacks one of them, or has a view or a trigger.
    """
    found = connection.execute("SELECT name, type FROM sqlite_schema").fetchall()
    kinds = dict(found)
    missing = [name for name in TABLES if kinds.get(name) != "table"]
    if missing:
        raise sqlite3.DatabaseError(f"it has no table {missing[0]}")
    foreign = [name for name, kind in found if kind in ("view", "trigger")]
    if foreign:
        raise sqlite3.DatabaseError(f"{foreign[0]} is not a table of skal")


def has_step_checksums(connection: sqlite3.Connection) -> bool:
    """Return whether the steps have checksums, which journals of format 2 lack."""
    columns = connection.execute("SELECT name FROM pragma_table_info('step')")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version > 2 or ("checksum",) in columns.fetchall()


def sound_steps(connection: sqlite3.Connection) -> list[tuple]:
    """Return all steps of a journal, in the columns of `COLUMNS`, after a check.

    Raises
    ------
    DatabaseError
        If a step does not match its checksum or, in a journal without checksums, has
        values of other types.
    """
    is_checked = has_step_checksums(connection)
    extra = ", step.checksum" if is_checked else ""
    # In a journal with checksums, a step without a search is not sound.
    join = "LEFT JOIN" if is_checked else "JOIN"
    rows = connection.execute(
        f"SELECT {', '.join(COLUMNS)}{extra} FROM step {join} search "
        "ON search.id = step.search ORDER BY step.search, step"
    ).fetchall()
    if is_checked and not all(_is_sound_step(row) for row in rows):
        raise sqlite3.DatabaseError("a step does not match its checksum")
    steps = [row[: len(COLUMNS)] for row in rows]
    for i, (name, kind) in enumerate(COLUMNS.items()):
        if not {type(step[i]) for step in steps} <= {_STORED.get(kind, int)}:
            raise sqlite3.DatabaseError(f"{name} of a step has another type")
    return steps


def _is_sound_score(row: tuple) -> bool:
    try:
        return checksum_of_score(*row[:4]) == row[4]
    except TypeError:
        return False


def _is_sound_step(row: tuple) -> bool:
    try:
        return checksum_of_step(*row[:-1]) == row[-1]
    except (TypeError, AttributeError, error):
        return False


def described(text: Any) -> dict[str, str]:
    """Return a description that is stored as JSON.

    Raises
    ------
    DatabaseError
        If it is not a JSON object of strings.
    """
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        found = None
    is_sound = isinstance(found, dict) and all(
        isinstance(value, str) for value in found.values()
    )
    if not is_sound:
        raise sqlite3.DatabaseError("a description is not a JSON object of strings")
    return found
