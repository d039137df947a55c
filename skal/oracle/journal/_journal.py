"""A journal: the tables and queries of an SQLite file with scores and steps.

Resuming a search needs no code of its own: the search runs again from the start, and
finds the scores of the sets that it trained on in the journal.
"""

import json
import sqlite3
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.identity import _fingerprint
from skal.oracle.journal._checks import (
    COLUMNS,
    check_content,
    check_tables,
    checksum_of_score,
    checksum_of_step,
    described,
    has_step_checksums,
    sound_steps,
)
from skal.oracle.journal._sqlite import (
    check_path,
    connect,
    create,
    file_at,
    read,
    remove_stale,
    translate_sqlite_errors,
)
from skal.problem import Problem

# `given` holds the inputs of searches, as JSON. A score is stored under xi and the
# 16-byte digest of the labelled set, with margins if a search needed them. `place_a`
# and `place_b` are the move, -1 if a step is not an exchange of two places.
SCHEMA = """
CREATE TABLE given (
    subject TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE search (
    id INTEGER PRIMARY KEY,
    oracle TEXT NOT NULL, xi INTEGER NOT NULL, seed INTEGER NOT NULL,
    UNIQUE (oracle, xi, seed)
);
CREATE TABLE score (
    xi INTEGER NOT NULL, labelled BLOB NOT NULL,
    value REAL NOT NULL, margins BLOB, checksum INTEGER NOT NULL,
    PRIMARY KEY (xi, labelled)
) WITHOUT ROWID;
CREATE TABLE step (
    search INTEGER NOT NULL, step INTEGER NOT NULL,
    proposed REAL NOT NULL, current REAL NOT NULL, best REAL NOT NULL,
    accepted INTEGER NOT NULL, n_trainings INTEGER NOT NULL,
    place_a INTEGER NOT NULL, place_b INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (search, step)
) WITHOUT ROWID;
"""
# A search with margins may add them to a row of a search without. The score is replaced
# too, since the checksum covers both, and its last digits may differ between machines.
ADD_MARGINS = """DO UPDATE SET value = excluded.value, margins = excluded.margins,
    checksum = excluded.checksum
    WHERE margins IS NULL AND excluded.margins IS NOT NULL"""

# Maximum number of steps that are buffered while they take no training: one transaction
# for each would dominate their time.
MAX_BUFFERED_STEPS = 1000


class Journal:
    """A file in which a search stores its scores and steps while it is running.

    Use it in a `with` block. Several processes may write to one file.

    Parameters
    ----------
    path : str or path-like
        The file, which is created if it does not exist.
    problem : Problem
        The problem that the search is on.
    oracle : str
        The class of the oracle.
    seed : int
        The oracle's own seed.
    parameters : mapping of str to str
        Everything else that determines the search.

    Raises
    ------
    OSError
        If the file cannot be opened or written.
    ValueError
        If it is damaged, not a journal, or the journal of another search: of other
        data, or with an estimator, scorer or oracle that differs in parameters or code.

    Notes
    -----
    The file is an SQLite database, since that makes each step, with the scores it
    needed, one transaction: whenever the process is killed, the file holds all of the
    step or nothing. In WAL mode (write-ahead logging), a transaction is one short
    append to a log, and readers such as `read_journal` do not block the search, nor it
    them. `synchronous = NORMAL` saves an fsync per step: a power failure may lose the
    latest steps, which are then trained again, but does not damage the file.

    WAL mode needs shared memory between all processes that have the file open, so the
    file must be on a local disk. Do not use it on a network file system, such as NFS,
    or from several machines at once: it may be damaged there.

    A journal from before code was stored in journals identifies the user's own classes
    by name only. It is treated as the journal of another search, since their code may
    have changed.
    """

    def __init__(
        self,
        path: Any,
        problem: Problem,
        oracle: str,
        seed: int,
        parameters: Mapping[str, str],
    ) -> None:
        self.path = Path(path)
        self._oracle, self._xi, self._seed = oracle, problem.seed, seed
        self._scores: list[tuple] = []
        self._steps: list[tuple] = []
        check_path(self.path)
        with translate_sqlite_errors(self.path):
            if not self.path.exists():
                create(self.path, SCHEMA)
        read(self.path, check_content)
        with translate_sqlite_errors(self.path):
            remove_stale(self.path)
            self._connection = connect(self.path, "rw")
            self._file = file_at(self.path)
        self._has_gone = False
        try:
            self._open(problem, oracle, seed, parameters)
        except BaseException:
            self._connection.close()
            raise

    def _open(
        self, problem: Problem, oracle: str, seed: int, parameters: Mapping[str, str]
    ) -> None:
        """Check that the journal fits this search, and add the search if it is new."""
        xi = f"xi={self._xi}"
        with translate_sqlite_errors(self.path):
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._has_step_checksums = has_step_checksums(self._connection)
        with self._transaction():
            self._check_same(f"data, {xi}", _fingerprint.of_data(problem))
            self._check_same("problem", _fingerprint.of_problem(problem))
            self._check_same(f"{oracle}, {xi}, seed={seed}", parameters)
            found = self._load_or_store("versions", _fingerprint.versions())
            self._search = self._find_search(oracle, seed)
        self._warn_of_versions(found)

    def _load_or_store(self, subject: str, given: Mapping[str, str]) -> dict[str, str]:
        """Return the stored description of a subject; store the given one if new."""
        self._connection.execute(
            "INSERT INTO given VALUES (?, ?) ON CONFLICT DO NOTHING",
            (subject, json.dumps(given)),
        )
        query = "SELECT value FROM given WHERE subject = ?"
        return described(self._connection.execute(query, (subject,)).fetchone()[0])

    def _check_same(self, subject: str, given: Mapping[str, str]) -> None:
        """Raise ValueError if the stored description of a subject differs."""
        stored = self._load_or_store(subject, given)
        difference = _fingerprint.difference(stored, given, "in the journal")
        if difference is not None:
            raise ValueError(
                f"{self.path} is the journal of another search: {difference}. Use the "
                "original data, parameters and code to resume it, or another path to "
                "start anew."
            )

    def _find_search(self, oracle: str, seed: int) -> int:
        """Return the id of this search, after adding it if it is new."""
        key = (oracle, self._xi, seed)
        self._connection.execute(
            "INSERT INTO search (oracle, xi, seed) VALUES (?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            key,
        )
        query = "SELECT id FROM search WHERE oracle = ? AND xi = ? AND seed = ?"
        return self._connection.execute(query, key).fetchone()[0]

    def _warn_of_versions(self, found: Mapping[str, str]) -> None:
        difference = _fingerprint.other_versions(found, "in the journal")
        if difference is not None:
            warnings.warn(
                f"{self.path} was begun with another version or processor: "
                f"{difference}. The last digits of scores may differ, so the result "
                "may differ from an uninterrupted search: start anew with another path "
                "if that matters.",
                stacklevel=2,
            )

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with closing(self._connection):
            self.write()

    def find(self, keys: Iterable[bytes]) -> dict[bytes, float]:
        """Look up the scores of sets.

        Parameters
        ----------
        keys : iterable of bytes
            The digests of the sets.

        Returns
        -------
        dict of bytes to float
            The scores that are in the journal, whichever process wrote them.
        """
        return self._look_up("value", keys)

    def find_margins(
        self, keys: Iterable[bytes], n_answers: int
    ) -> dict[bytes, NDArray[np.float16]]:
        """Look up the margins of the models of sets.

        Parameters
        ----------
        keys : iterable of bytes
            The digests of the sets.
        n_answers : int
            Number of margins of each model.

        Returns
        -------
        dict of bytes to ndarray of shape (n_answers,)
            The margins that are in the journal. Their sets have scores there as well.

        Raises
        ------
        ValueError
            If there are margins in another number.
        """
        found = self._look_up("margins", keys)
        size = n_answers * np.dtype(np.float16).itemsize
        with translate_sqlite_errors(self.path):
            if any(len(text) != size for text in found.values()):
                raise sqlite3.DatabaseError(f"a model has not {n_answers} margins")
        return {key: np.frombuffer(text, np.float16) for key, text in found.items()}

    def _look_up(self, column: str, keys: Iterable[bytes]) -> dict[bytes, Any]:
        """Return the values of a column for sets, as far as there are any."""
        query = f"SELECT {column} FROM score WHERE xi = ? AND labelled = ?"
        with translate_sqlite_errors(self.path):
            rows = {
                key: self._connection.execute(query, (self._xi, key)).fetchone()
                for key in keys
            }
        return {k: row[0] for k, row in rows.items() if row and row[0] is not None}

    def add_scores(
        self,
        scores: Mapping[bytes, float],
        margins: Mapping[bytes, NDArray[np.float16]] | None = None,
    ) -> None:
        """Buffer new scores; they are written with the step that needed them.

        Parameters
        ----------
        scores : mapping of bytes to float
            Scores by the digests of the sets.
        margins : mapping of bytes to ndarray of shape (n_answers,), default=None
            Margins by the digests of the sets, for some or all of them.
        """
        for key, score in scores.items():
            found = (margins or {}).get(key)
            row = self._xi, key, score, None if found is None else found.tobytes()
            self._scores.append((*row, checksum_of_score(*row)))

    def add_step(self, row: tuple, move: tuple[int, int]) -> None:
        """Write a step, in one transaction with all new scores.

        A step that needed no training is buffered.

        Parameters
        ----------
        row : tuple
            The step number and the other columns of `history_`, in that order.
        move : (int, int)
            The two places of the order that were exchanged.
        """
        row = (self._search, *row, *move)
        if self._has_step_checksums:
            row += (checksum_of_step(self._oracle, self._xi, self._seed, *row[1:]),)
        self._steps.append(row)
        if self._scores or len(self._steps) >= MAX_BUFFERED_STEPS:
            self.write()

    def write(self) -> None:
        """Write all buffered scores and steps in one transaction."""
        if not self._scores and not self._steps:
            return
        try:
            with self._transaction():
                self._insert("score", self._scores, ADD_MARGINS)
                self._insert("step", self._steps, "DO NOTHING")
        except Exception:
            # Drop the buffered rows: otherwise `__exit__` would retry the write and
            # mask this error.
            self._scores, self._steps = [], []
            raise
        self._scores, self._steps = [], []
        self._warn_if_gone()

    def _warn_if_gone(self) -> None:
        """Warn once if the file is not at its path any more."""
        if not self._has_gone and file_at(self.path) != self._file:
            self._has_gone = True
            warnings.warn(
                f"{self.path} was removed, moved or replaced while the search is "
                "running, so nothing more is kept in it: let the search end, or end "
                "it and run it again to begin a new journal.",
                stacklevel=2,
            )

    def _insert(self, table: str, rows: list[tuple], otherwise: str) -> None:
        # Rows may exist already, if the search is resumed or another process runs it.
        places = ", ".join("?" * len(rows[0])) if rows else ""
        insert = f"INSERT INTO {table} VALUES ({places}) ON CONFLICT {otherwise}"
        if rows:
            self._connection.executemany(insert, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit at the end of the block, or roll back after an error."""
        with translate_sqlite_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # If the disk is full, SQLite has rolled back already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _read_steps(connection: sqlite3.Connection) -> list[tuple]:
    check_tables(connection)
    return sound_steps(connection)


def read_journal(path: Any) -> dict[str, NDArray]:
    """Read the steps of all searches in a journal, even of one that is running.

    Parameters
    ----------
    path : str or path-like
        The path given as `journal` to an oracle. The file is not changed, and a search
        that is writing to it is not blocked.

    Returns
    -------
    dict of str to ndarray of shape (n_steps,)
        One row for each step of each search, where step 0 is the start. "oracle", "xi"
        and "seed" identify a search: the class of the oracle, the seed of all
        trainings, and the oracle's own seed, derived from its `random_state`. The
        columns of `AnnealingOracle.history_` follow, and "place_a" and "place_b", the
        two places of the order that the step proposed to exchange; -1 at the start. The
        dict can be passed to `pandas.DataFrame`.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is damaged or not a journal.

    See Also
    --------
    skal.plotting.SearchDisplay.from_journal : Plot the steps of a journal.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, AnnealingOracle
    >>> from skal.oracle import read_journal
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "search.db")
    ...     oracle = AnnealingOracle(n_steps=20, journal=path)
    ...     learner = ActiveLearner(GaussianNB(), oracle, batch_size=5, n_rounds=4,
    ...                             random_state=0).fit(X, y)
    ...     table = read_journal(path)
    >>> len(table["step"])  # the start, 20 steps, 4 greedy ones
    25
    >>> bool((table["best"] == learner.strategy_.history_["best"]).all())
    True
    """
    path = Path(path)
    check_path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"No journal was found at {str(path)!r}: start the search first, and give "
            "the same path as to its oracle."
        )
    rows = read(path, _read_steps)
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return {
        name: np.array(column, dtype=kind)
        for (name, kind), column in zip(COLUMNS.items(), columns, strict=True)
    }
