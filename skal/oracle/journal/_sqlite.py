"""The file of a journal: made in one piece, told from others, read without a trace.

Whatever SQLite or the system has to say about it is said in a sentence.
"""

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

# Stand in the header of the file, so that no other is taken for a journal.
MAGIC = b"SQLite format 3\0"
APPLICATION = int.from_bytes(b"skal", "big")
FORMAT = 2

# Seconds that a process waits for another one to finish writing.
PATIENCE = 60

Answer = TypeVar("Answer")


def check_place(path: Path) -> None:
    """Refuse a path at which there cannot be a journal.

    Raises
    ------
    OSError
        If it is a folder, or lies in none, or only the log of a journal is there.
    """
    if path.is_dir():
        raise IsADirectoryError(
            f"journal={str(path)!r} is a folder: give the path of a file in it."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"journal={str(path)!r} is to lie in a folder that is not there: make the "
            "folder first, or give another path."
        )
    log = _log_of(path)
    # In this order: a journal is there before its log.
    if log.exists() and not path.exists():
        raise FileNotFoundError(
            f"{log} is the log of a journal that is gone, and would spoil a new one: "
            "put the journal back, remove the log, or give another path."
        )


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def create(path: Path, tables: str) -> None:
    """Make an empty journal: all of it or nothing, whenever the process is killed.

    Parameters
    ----------
    path : Path
        Left alone if there is a file by now.
    tables : str
        The statements that make its tables.
    """
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        fresh = Path(folder) / "fresh"
        with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN; {tables} COMMIT;")
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was faster
        except OSError:
            fresh.replace(path)  # a file system without hard links


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a database that is there. Transactions begin where it is said.

    Parameters
    ----------
    path : Path
    mode : str
        "rw", or "ro" to read, or "ro&immutable=1" to read what nobody writes.

    Returns
    -------
    sqlite3.Connection
    """
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)


def read(path: Path, ask: Callable[[sqlite3.Connection], Answer]) -> Answer:
    """Ask an existing journal something, without a trace.

    To read a database in WAL mode, SQLite makes two files next to it, unless it is told
    that the file does not change: and it does not where there is no log. Should a
    search begin in the meantime, the journal is asked again.

    Parameters
    ----------
    path : Path
    ask : callable
        Is given a connection and returns the answer.

    Returns
    -------
    object
        The answer.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged, or no journal.
    """
    with explained(path):
        _check_header(path)
        while True:
            before = _state_of(path)
            is_logged = before[0]
            try:
                answer = _ask(path, ask, "ro" if is_logged else "ro&immutable=1")
            except sqlite3.DatabaseError:
                if is_logged or _state_of(path) == before:
                    raise
                continue
            if is_logged or _state_of(path) == before:
                return answer


def _ask(path: Path, ask: Callable[[sqlite3.Connection], Answer], mode: str) -> Answer:
    with closing(connect(path, mode)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        return ask(connection)


def _state_of(path: Path) -> tuple[bool, int]:
    return _log_of(path).exists(), path.stat().st_mtime_ns


def _check_header(path: Path) -> None:
    """Refuse a file that is no journal, before SQLite touches it."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        raise ValueError(
            f"{path} is an empty file and no journal: remove it, or give another path."
        )
    is_short = len(header) < 100
    application = int.from_bytes(header[68:72], "big")
    if header[:16] != MAGIC or (application != APPLICATION and not is_short):
        raise ValueError(
            f"{path} is no journal of skal, but another file, which is left as it is: "
            "give another path."
        )
    if is_short:
        raise _damaged(path, "it is cut off")
    version = int.from_bytes(header[60:64], "big")
    if version != FORMAT:
        raise ValueError(
            f"{path} is a journal of format {version}, and this version of skal reads "
            f"format {FORMAT}: use the version that made it, or give another path."
        )


def _damaged(path: Path, what: object) -> ValueError:
    what = " ".join(str(what).split())
    return ValueError(
        f"{path} is a damaged journal ({what}), and left as it is: put a copy in its "
        "place, or begin anew with another path."
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the system into a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error
    except json.JSONDecodeError as error:
        raise _damaged(path, error) from error
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise _full(path) if is_full else _unwritable(path, error) from error


def _explain(path: Path, error: sqlite3.Error) -> Exception:
    # The low byte is the kind of error, the others are details of it.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return _full(path)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OSError(
            f"{path} has been locked by another process for {PATIENCE} seconds: see "
            "what holds it, then run the same again to go on."
        )
    if code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < 2**20:
        return _full(path)
    if code in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_IOERR,
    ):
        return _unwritable(path, error)
    return _damaged(path, error)


def _full(path: Path) -> OSError:
    return OSError(
        f"The disk of {path} is full: what was written before is kept, so make room "
        "and run the same again to go on."
    )


def _unwritable(path: Path, error: Exception) -> OSError:
    return OSError(
        f"{path} cannot be opened or written ({error}): see that the file and its "
        "folder may be written to, or give another path."
    )
