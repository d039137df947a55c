"""A journal: one SQLite file that keeps a search's scores and steps.

Resume has no code of its own: the chain runs again from the start, and finds the scores
of what it trained on in the journal.
"""

import json
import sqlite3
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.identity import _fingerprint
from skal.oracle.journal._sqlite import check_place, connect, create, explained, read
from skal.problem import Problem

# `given` is what a search was given, as JSON. A score belongs to xi and to a labelled
# set, of which the 16-byte digest is kept; so do margins, if a search asked for them.
# `place_a` and `place_b` are the move, -1 where a step is not the exchange of two.
TABLES = """
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
    PRIMARY KEY (search, step)
) WITHOUT ROWID;
"""
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
# What a search without margins has written, one with them may complete. The score goes
# along, since the checksum is over both, and its last digits can be others elsewhere.
ADD_MARGINS = """DO UPDATE SET value = excluded.value, margins = excluded.margins,
    checksum = excluded.checksum
    WHERE margins IS NULL AND excluded.margins IS NOT NULL"""

# Steps that took no training are written down together, this many at most.
MANY_STEPS = 1000


class Journal:
    """What a search keeps in a file, while it is running.

    Use it in a `with` block. Several processes may write to one file.

    Parameters
    ----------
    path : str or path-like
        The file; it is made where there is none.
    problem : Problem
    oracle : str
        The class of the oracle.
    seed : int
        The oracle's own seed.
    parameters : mapping of str to str
        What else determines the search.

    Raises
    ------
    OSError
        If the file cannot be opened or written.
    ValueError
        If it is damaged, no journal, or that of another search: of other data, or with
        an estimator, scorer or oracle that differs in parameters or code.

    Notes
    -----
    A journal that knows classes of the user's own by name alone, from before code was
    kept in journals, is that of another search: their code may have changed since.
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
        self._xi = problem.seed
        self._scores: list[tuple] = []
        self._steps: list[tuple] = []
        check_place(self.path)
        with explained(self.path):
            if not self.path.exists():
                create(self.path, TABLES)
        read(self.path, _check_scores)
        with explained(self.path):
            self._connection = connect(self.path, "rw")
        try:
            self._open(problem, oracle, seed, parameters)
        except BaseException:
            self._connection.close()
            raise

    def _open(
        self, problem: Problem, oracle: str, seed: int, parameters: Mapping[str, str]
    ) -> None:
        xi = f"xi={self._xi}"
        with explained(self.path):
            self._connection.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            self._agree(f"data, {xi}", _fingerprint.of_data(problem))
            self._agree("problem", _fingerprint.of_problem(problem))
            self._agree(f"{oracle}, {xi}, seed={seed}", parameters)
            found = self._recall("versions", _fingerprint.versions())
            self._search = self._find_search(oracle, seed)
        self._warn_of_versions(found)

    def _recall(self, subject: str, given: Mapping[str, str]) -> dict[str, str]:
        """Return what the journal knows of a subject; if nothing, it learns it."""
        self._connection.execute(
            "INSERT INTO given VALUES (?, ?) ON CONFLICT DO NOTHING",
            (subject, json.dumps(given)),
        )
        query = "SELECT value FROM given WHERE subject = ?"
        return json.loads(self._connection.execute(query, (subject,)).fetchone()[0])

    def _agree(self, subject: str, given: Mapping[str, str]) -> None:
        stored = self._recall(subject, given)
        difference = _fingerprint.difference(stored, given, "in the journal")
        if difference is not None:
            raise ValueError(
                f"{self.path} is the journal of another search: {difference}. Give "
                "what it was made with to go on with it, or another path to begin anew."
            )

    def _find_search(self, oracle: str, seed: int) -> int:
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
                f"{self.path} was begun with another version: {difference}. The last "
                "digits of scores may differ, so the search may end elsewhere than one "
                "that ran through: begin anew with another path if that matters.",
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
            Their digests.

        Returns
        -------
        dict of bytes to float
            Of those that are in the journal, whichever process trained on them.
        """
        return self._look_up("value", keys)

    def find_margins(self, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float16]]:
        """Look up the margins of the models of sets.

        Parameters
        ----------
        keys : iterable of bytes
            The digests of the sets.

        Returns
        -------
        dict of bytes to ndarray of shape (n_answers,)
            Of those for which the journal has them, and so the scores.
        """
        found = self._look_up("margins", keys)
        return {key: np.frombuffer(text, np.float16) for key, text in found.items()}

    def _look_up(self, column: str, keys: Iterable[bytes]) -> dict[bytes, Any]:
        """Return what a column holds of each set, where it holds anything."""
        query = f"SELECT {column} FROM score WHERE xi = ? AND labelled = ?"
        with explained(self.path):
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
        """Take down what was trained; it is written with the step it was for."""
        for key, score in scores.items():
            found = (margins or {}).get(key)
            row = self._xi, key, score, None if found is None else found.tobytes()
            self._scores.append((*row, _checksum(*row)))

    def add_step(self, row: tuple, move: tuple[int, int]) -> None:
        """Write down a step, and in the same transaction all scores that are new.

        Parameters
        ----------
        row : tuple
            The step and what stands in `history_`, in that order.
        move : (int, int)
            The two places of the order that were exchanged.
        """
        self._steps.append((self._search, *row, *move))
        if self._scores or len(self._steps) >= MANY_STEPS:
            self.write()

    def write(self) -> None:
        """Write down what was taken down so far, in one transaction."""
        if not self._scores and not self._steps:
            return
        try:
            with self._transaction():
                self._insert("score", self._scores, ADD_MARGINS)
                self._insert("step", self._steps, "DO NOTHING")
        except Exception:
            # At the end it would fail again, and hide why.
            self._scores, self._steps = [], []
            raise
        self._scores, self._steps = [], []

    def _insert(self, table: str, rows: list[tuple], otherwise: str) -> None:
        # Another process may be on the same search, or it may be done again.
        places = ", ".join("?" * len(rows[0])) if rows else ""
        insert = f"INSERT INTO {table} VALUES ({places}) ON CONFLICT {otherwise}"
        if rows:
            self._connection.executemany(insert, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite itself rolls back where the disk is full.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _checksum(xi: int, key: bytes, score: float, margins: bytes | None) -> int:
    """Return what tells whether a score is still what was written."""
    return zlib.crc32(margins or b"", zlib.crc32(repr((xi, key, score)).encode()))


def _check_scores(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT xi, labelled, value, margins, checksum FROM score"
    )
    if any(_checksum(*row[:4]) != row[4] for row in rows):
        raise sqlite3.DatabaseError("a score is not what was written")


def read_journal(path: Any) -> dict[str, NDArray]:
    """Read the steps of all searches in a journal, also of one that is still running.

    Parameters
    ----------
    path : str or path-like
        What was given to `AnnealingOracle(journal=)`. It is not changed, and a search
        that is writing to it is not held up.

    Returns
    -------
    dict of str to ndarray of shape (n_steps,)
        One row for each step of each search, the start being step 0. A search is told
        by "oracle", "xi" and "seed": the class of the oracle, the seed of all
        trainings, and the oracle's own, as it was derived from its `random_state`. Then
        the columns of `AnnealingOracle.history_`, and the two places of the order that
        the step proposed to exchange, "place_a" and "place_b"; -1 at the start.
        `pandas.DataFrame` takes it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, or no journal.

    See Also
    --------
    skal.plotting.SearchDisplay.from_journal : Draw it.

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
    check_place(path)
    if not path.exists():
        raise FileNotFoundError(
            f"There is no journal at {str(path)!r}: give the path that the search was "
            "given, and begin the search first."
        )
    rows = read(path, _all_steps)
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return {
        name: np.array(column, dtype=kind)
        for (name, kind), column in zip(COLUMNS.items(), columns, strict=True)
    }


def _all_steps(connection: sqlite3.Connection) -> list[tuple]:
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM search JOIN step ON search.id = step.search "
        "ORDER BY search.id, step"
    )
    return connection.execute(query).fetchall()
