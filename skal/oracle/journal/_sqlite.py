"""The database file of a journal: created atomically, checked, and read.

Errors of SQLite and of the operating system are translated into messages with advice.
A search keeps one, and so does a session in which people label.
"""

import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

# Fields of the file header, by which a journal is recognised: the first bytes of every
# SQLite database, the application id of its kind, and the version of the tables.
SQLITE_HEADER = b"SQLite format 3\0"
FORMAT_VERSION = 3
HEADER_SIZE = 100


class FileKind(NamedTuple):
    """A kind of journal, by which its file is recognised and named in messages.

    Parameters
    ----------
    application : int
        The application id in the header of the file.
    formats : tuple of int
        The versions of the tables that are read and gone on with; the last is written.
    name : str
        Its name in messages.
    work : str
        The work that goes on in it, as the rest of "run the ... again to resume it".
    """

    application: int
    formats: tuple[int, ...]
    name: str
    work: str


# Steps have no checksums in format 2.
SEARCH = FileKind(
    int.from_bytes(b"skal", "big"), (2, FORMAT_VERSION), "journal", "search"
)

# Seconds to wait for a lock of another process: far longer than any transaction takes.
LOCK_TIMEOUT = 60

Result = TypeVar("Result")


def check_path(path: Path) -> None:
    """Check that there is, or can be, a journal at a path.

    Parameters
    ----------
    path : Path
        The path given as `journal`.

    Raises
    ------
    OSError
        If the path is a folder or not a regular file, its parent folder does not
        exist, or only the log of a journal is there.
    ValueError
        If the path contains a null character.
    """
    if "\0" in str(path):
        raise ValueError(
            f"journal={str(path)!r} contains a null character: remove it from the path."
        )
    if path.is_dir():
        raise IsADirectoryError(
            f"journal={str(path)!r} is a folder: give the path of a file in it."
        )
    if path.exists() and not path.is_file():
        raise OSError(
            f"journal={str(path)!r} is a pipe or a device, not a regular file: give "
            "another path."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"journal={str(path)!r} is in a folder that does not exist: create the "
            "folder first, or give another path."
        )
    log = _log_of(path)
    # Check the log first: if another process creates a journal meanwhile, the journal
    # exists before its log does.
    if log.exists() and not path.exists():
        raise FileNotFoundError(
            f"{log} is the log of a journal that is missing, and would corrupt a new "
            "one: restore the journal, remove the log, or give another path."
        )


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def create(path: Path, tables: str, kind: FileKind = SEARCH) -> None:
    """Create an empty journal atomically, even if the process is killed.

    Parameters
    ----------
    path : Path
        Where to create it. A file that exists by then is not changed.
    tables : str
        The SQL statements that create its tables.
    kind : FileKind, default=SEARCH
        The kind of journal.
    """
    # Create a complete journal under another name, then link it to its path.
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        fresh = Path(folder) / "fresh"
        with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA application_id = {kind.application}")
            connection.execute(f"PRAGMA user_version = {kind.formats[-1]}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN; {tables} COMMIT;")
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process has created it
        except OSError:
            fresh.replace(path)  # the file system has no hard links


def remove_stale(path: Path) -> None:
    """Remove what `create` left behind if its process was killed.

    Parameters
    ----------
    path : Path
        The file of the journal.
    """
    for folder in path.parent.iterdir():
        is_one = folder.name.startswith(f".{path.name}.") and not folder.is_symlink()
        if is_one and folder.is_dir() and _is_stale(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_stale(folder: Path) -> bool:
    """Return whether a folder has nothing but an old file that `create` began."""
    try:
        names = [file.name for file in folder.iterdir()]
        age = time.time() - folder.stat().st_mtime
    except OSError:  # another process has removed it
        return False
    return all(name.startswith("fresh") for name in names) and age > LOCK_TIMEOUT


def file_at(path: Path) -> tuple[int, int] | None:
    """Return numbers that identify the file at a path; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open an existing database.

    Parameters
    ----------
    path : Path
        The file of the database.
    mode : str
        "rw" to write; "ro" to read; "ro&immutable=1" to read a file that no process is
        writing to.

    Returns
    -------
    sqlite3.Connection
        In autocommit mode, so that transactions need an explicit "BEGIN".
    """
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)


def read(
    path: Path,
    query: Callable[[sqlite3.Connection], Result],
    kind: FileKind = SEARCH,
) -> Result:
    """Read from an existing journal, without creating files next to it.

    To read a database in WAL mode, SQLite creates two files next to it, unless the
    database is opened as immutable. That is correct if the log does not exist, since
    no process is writing then. If a search begins meanwhile, the query is repeated.

    Parameters
    ----------
    path : Path
        The file of the journal.
    query : callable
        Takes a connection and returns the result. It may be called several times.
    kind : FileKind, default=SEARCH
        The kind of journal.

    Returns
    -------
    object
        The result of `query`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged or not a journal.
    """
    with translate_sqlite_errors(path, kind):
        _check_header(path, kind)
        while True:
            before = _state_of(path)
            has_log = before[0]
            try:
                result = _query(path, query, "ro" if has_log else "ro&immutable=1")
            except sqlite3.DatabaseError:
                if has_log or _state_of(path) == before:
                    raise
                continue
            if has_log or _state_of(path) == before:
                return result


def _query(
    path: Path, query: Callable[[sqlite3.Connection], Result], mode: str
) -> Result:
    """Check the integrity of a database, and run a query on it."""
    with closing(connect(path, mode)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        return query(connection)


def _state_of(path: Path) -> tuple[bool, int]:
    """Return whether a journal has a log, and when its file was last modified."""
    return _log_of(path).exists(), path.stat().st_mtime_ns


def _check_header(path: Path, kind: FileKind) -> None:
    """Raise ValueError if a file is not a journal, before SQLite opens it."""
    with path.open("rb") as file:
        header = file.read(HEADER_SIZE)
    if not header:
        raise ValueError(
            f"{path} is an empty file, not a {kind.name}: remove it, or give another "
            "path."
        )
    # Offsets of the fields: https://www.sqlite.org/fileformat.html#the_database_header
    is_short = len(header) < HEADER_SIZE
    application = int.from_bytes(header[68:72], "big")
    is_foreign = application != kind.application and not is_short
    if header[:16] != SQLITE_HEADER or is_foreign:
        raise ValueError(
            f"{path} is not a {kind.name} of skal, and was not changed: give another "
            "path."
        )
    if is_short:
        raise _damaged(path, "it is cut off", kind)
    version = int.from_bytes(header[60:64], "big")
    if version not in kind.formats:
        formats = " and ".join(map(str, kind.formats))
        raise ValueError(
            f"{path} is a {kind.name} of format {version}, but this version of skal "
            f"reads format{'s' * (len(kind.formats) > 1)} {formats}: use the version "
            "of skal that made it, or give another path."
        )


def _damaged(path: Path, reason: object, kind: FileKind) -> ValueError:
    reason = " ".join(str(reason).split())
    return ValueError(
        f"{path} is a damaged {kind.name} ({reason}), and was not changed: restore it "
        "from a copy, or start anew with another path."
    )


@contextmanager
def translate_sqlite_errors(path: Path, kind: FileKind = SEARCH) -> Iterator[None]:
    """Translate errors of SQLite and of the system into messages with advice.

    Parameters
    ----------
    path : Path
        The file of the journal.
    kind : FileKind, default=SEARCH
        The kind of journal.

    Raises
    ------
    OSError
        If the file is locked or cannot be opened or written, or the disk is full.
    ValueError
        If the file is damaged.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(path, error, kind) from error
    except UnicodeDecodeError as error:
        raise _damaged(path, error, kind) from error
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise _full(path, kind) if is_full else _unwritable(path, error) from error


def _translated(path: Path, error: sqlite3.Error, kind: FileKind) -> Exception:
    # The low byte of the code is the kind of error, the other bytes are details.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return _full(path, kind)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OSError(
            f"{path} has been locked by another process for {LOCK_TIMEOUT} seconds: "
            f"find and end that process, then run the {kind.work} again to resume "
            "it."
        )
    if code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < 2**20:
        return _full(path, kind)
    if code in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_IOERR,
    ):
        return _unwritable(path, error)
    return _damaged(path, error, kind)


def _full(path: Path, kind: FileKind) -> OSError:
    return OSError(
        f"The disk of {path} is full: all data written before is kept, so free some "
        f"space and run the {kind.work} again to resume it."
    )


def _unwritable(path: Path, error: Exception) -> OSError:
    return OSError(
        f"{path} cannot be opened or written ({error}): check the permissions of the "
        "file and its folder, or give another path."
    )
