"""The file of a session: a log of events, and the ids and digests of rows."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from skal.labeling._events import KINDS, Event, as_json, checksum
from skal.oracle.journal._sqlite import (
    FileKind,
    check_path,
    connect,
    create,
    file_at,
    read,
    remove_stale,
    translate_sqlite_errors,
)

SESSION = FileKind(int.from_bytes(b"sklb", "big"), (1,), "labelling session", "session")
# `row` holds what is behind an id as a digest only: rows themselves stay with the user.
SCHEMA = """
CREATE TABLE event (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, time REAL NOT NULL,
    by TEXT NOT NULL, row INTEGER, value TEXT NOT NULL, checksum INTEGER NOT NULL
);
CREATE TABLE row (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL
);
"""
TABLES = "event", "row"
EVENTS = "SELECT number, kind, time, by, row, value, checksum FROM event"


def clock() -> float:
    """Return the time now, in seconds since 1970."""
    return time.time()


class EventLog:
    """The append-only log of a session, in one SQLite file.

    Several processes may write to it. Whatever is appended within a `transaction` is
    on the disk when the block ends, also after a power failure, or not at all.

    Parameters
    ----------
    path : str or path-like
        The file, which is created if it does not exist. As for the journal of a
        search, it must be on a local disk.

    Raises
    ------
    OSError
        If the file cannot be opened or written.
    ValueError
        If it is damaged, or not the file of a session.
    """

    def __init__(self, path: Any) -> None:
        self.path = Path(path)
        check_path(self.path)
        with translate_sqlite_errors(self.path, SESSION):
            if not self.path.exists():
                create(self.path, SCHEMA, SESSION)
        read(self.path, _check, SESSION)
        with translate_sqlite_errors(self.path, SESSION):
            remove_stale(self.path)
            self._connection = connect(self.path, "rw")
            # A label is a person's time, so each is synchronised to the disk.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._file = file_at(self.path)
        # The last event that was read, and the last one that was appended since.
        self._read = self._tail = _Place(0, 0, 0)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep other processes from writing; commit at the end, or undo everything.

        Raises
        ------
        OSError
            If the file cannot be written, or is not at its path any more.
        """
        with translate_sqlite_errors(self.path, SESSION):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._check_still_there()
            with translate_sqlite_errors(self.path, SESSION):
                self._connection.execute("COMMIT")
        except BaseException:
            # If the disk is full, SQLite has rolled back already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _check_still_there(self) -> None:
        if file_at(self.path) != self._file:
            raise FileNotFoundError(
                f"{self.path} was removed, moved or replaced while the session is "
                "open, so nothing more can be kept in it: put it back, and open the "
                "session again."
            )

    def news(self) -> tuple[list[tuple[str, bytes]], list[Event]]:
        """Return rows and events that were appended since the last call.

        Returns
        -------
        rows : list of (str, bytes)
            The id and the digest of each row.
        events : list of Event

        Raises
        ------
        ValueError
            If an event does not match its checksum.
        """
        number, before, n_rows = self._read
        with translate_sqlite_errors(self.path, SESSION):
            found = self._connection.execute(
                f"{EVENTS} WHERE number > ? ORDER BY number", (number,)
            ).fetchall()
            events = sound_events(found, number, before)
            is_larger = any(event.kind == "added" for event in events)
            rows = self._rows_from(n_rows) if is_larger else []
        if found:
            self._read = _Place(found[-1][0], found[-1][-1], n_rows + len(rows))
        self._tail = self._read
        return rows, events

    def _rows_from(self, first: int) -> list[tuple[str, bytes]]:
        query = "SELECT id, digest FROM row WHERE position >= ? ORDER BY position"
        return self._connection.execute(query, (first,)).fetchall()

    def all(self) -> list[Event]:
        """Return all events that `news` has returned so far."""
        with translate_sqlite_errors(self.path, SESSION):
            found = self._connection.execute(
                f"{EVENTS} WHERE number <= ? ORDER BY number", (self._read.number,)
            ).fetchall()
            return sound_events(found, 0, 0)

    def append(
        self, kind: str, by: str = "", row: int | None = None, **value: Any
    ) -> None:
        """Append an event, within a `transaction` in which `news` was called.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        by : str, default=""
            The annotator.
        row : int or None, default=None
            The position of the row.
        **value : JSON
            Everything else.
        """
        assert kind in KINDS
        number, before, n_rows = self._tail
        event = number + 1, kind, clock(), by, row, as_json(value)
        total = checksum(before, *event)
        with translate_sqlite_errors(self.path, SESSION):
            self._connection.execute(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", (*event, total)
            )
        self._tail = _Place(number + 1, total, n_rows)

    def append_rows(self, ids: Sequence[str], digests: Sequence[bytes]) -> None:
        """Append rows, and the event that they were added.

        Parameters
        ----------
        ids : sequence of str
            Ids that no row has yet.
        digests : sequence of bytes
            A digest of each row.
        """
        first = self._tail.n_rows
        with translate_sqlite_errors(self.path, SESSION):
            self._connection.executemany(
                "INSERT INTO row VALUES (?, ?, ?)",
                zip(range(first, first + len(ids)), ids, digests, strict=True),
            )
        rows = zip(ids, digests, strict=True)
        self.append("added", first=first, n=len(ids), digest=_digest(rows))
        self._tail = self._tail._replace(n_rows=first + len(ids))


class _Place(NamedTuple):
    """A place in the log: the last event, its checksum, and the number of rows."""

    number: int
    checksum: int
    n_rows: int


def _digest(rows: Any) -> str:
    """Return a digest of the ids and digests of rows."""
    state = blake2b(digest_size=16)
    for name, digest in rows:
        raw = name.encode("utf-8", "surrogatepass")
        state.update(b"%d " % len(raw) + raw + digest)
    return state.hexdigest()


def sound_events(found: list[tuple], number: int, before: int) -> list[Event]:
    """Return rows of the table of events as events, after a check.

    Parameters
    ----------
    found : list of tuple
        All events after some number, in order, with their checksums.
    number, before : int
        The number and the checksum of the event before.

    Returns
    -------
    list of Event

    Raises
    ------
    DatabaseError
        If an event is missing, or does not match its checksum.
    """
    events = []
    for row in found:
        number += 1
        if row[0] != number:
            raise sqlite3.DatabaseError(f"event {number} is missing")
        if checksum(before, *row[:-1]) != row[-1]:
            raise sqlite3.DatabaseError(f"event {number} does not match its checksum")
        before = row[-1]
        events.append(Event._make((*row[:5], json.loads(row[5]))))
    return events


def _check(connection: sqlite3.Connection) -> None:
    """Check the tables of a session, and that rows are as they were added."""
    found = dict(connection.execute("SELECT name, type FROM sqlite_schema").fetchall())
    missing = [name for name in TABLES if found.get(name) != "table"]
    if missing:
        raise sqlite3.DatabaseError(f"it has no table {missing[0]}")
    foreign = [name for name, kind in found.items() if kind in ("view", "trigger")]
    if foreign:
        raise sqlite3.DatabaseError(f"{foreign[0]} is not a table of skal")
    found_events = connection.execute(f"{EVENTS} ORDER BY number").fetchall()
    n_rows = 0
    for event in sound_events(found_events, 0, 0):
        if event.kind == "added":
            n_rows += event.value["n"]
            _check_rows(connection, event.value)
    (stored,) = connection.execute("SELECT count(*) FROM row").fetchone()
    if stored != n_rows:
        raise sqlite3.DatabaseError(f"it has {stored} rows in place of {n_rows}")


def _check_rows(connection: sqlite3.Connection, added: dict[str, Any]) -> None:
    """Check that the rows of an event were added."""
    first = added["first"]
    rows = connection.execute(
        "SELECT id, digest FROM row WHERE position >= ? AND position < ? "
        "ORDER BY position",
        (first, first + added["n"]),
    )
    if _digest(rows) != added["digest"]:
        raise sqlite3.DatabaseError("a row is not as it was added")
