"""Journals that were changed by accident or by hand, and files beside them."""

import os
import shutil
import sqlite3
import time
import warnings
from contextlib import closing
from threading import Timer

import numpy as np
import pytest
from _small_search import assert_same, search

from skal.oracle import read_journal
from skal.oracle.journal._checks import checksum_of_score, checksum_of_step
from skal.oracle.journal._journal import Journal
from skal.plotting import SearchDisplay


def change(path, *statements):
    """Run SQL in a journal."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            if isinstance(statement, tuple):
                connection.execute(*statement)
            else:
                connection.executescript(statement)
        connection.commit()


def as_format_2(path):
    """Make a journal as it was before steps had checksums."""
    change(
        path,
        "ALTER TABLE step RENAME TO new;"
        "CREATE TABLE step (search INTEGER NOT NULL, step INTEGER NOT NULL,"
        "proposed REAL NOT NULL, current REAL NOT NULL, best REAL NOT NULL,"
        "accepted INTEGER NOT NULL, n_trainings INTEGER NOT NULL,"
        "place_a INTEGER NOT NULL, place_b INTEGER NOT NULL,"
        "PRIMARY KEY (search, step)) WITHOUT ROWID;"
        "INSERT INTO step SELECT search, step, proposed, current, best, accepted,"
        "n_trainings, place_a, place_b FROM new; DROP TABLE new;"
        "PRAGMA user_version = 2;",
    )


@pytest.mark.parametrize(
    "update",
    [
        "step SET current = current + 1e-12 WHERE step = 7",
        "step SET accepted = 1 - accepted WHERE step = 7",
        "step SET n_trainings = n_trainings + 64 WHERE step = 3",
        "step SET place_b = 2 WHERE step = 5",
        "step SET step = 1000 WHERE step = 5",
        "step SET search = 2 WHERE step = 5",
        "step SET checksum = checksum + 1 WHERE step = 0",
        "step SET best = 'high' WHERE step = 2",
        "step SET place_a = 1.5 WHERE step = 2",
        "search SET oracle = 'AnneakingOracle'",
        "search SET seed = seed + 1",
    ],
)
def test_a_step_that_was_changed_is_refused(sets, path, update):
    search(sets, path)
    read_journal(path)
    change(path, f"UPDATE {update}")
    uses = [read_journal, SearchDisplay.from_journal, lambda path: search(sets, path)]
    for use in uses:
        with pytest.raises(ValueError, match=r"search.db is a damaged journal .a step"):
            use(path)


def test_every_flipped_bit_in_a_step_is_noticed(sets, path):
    search(sets, path, n_steps=4, n_greedy=0)
    expected = read_journal(path)
    raw = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'step'"
        ).fetchone()
    n_refused, rng = 0, np.random.default_rng(0)
    for bit in rng.choice(4096 * 8, 1500, replace=False).tolist():
        place = (page - 1) * 4096 + bit // 8
        spoiled = bytearray(raw)
        spoiled[place] ^= 1 << bit % 8
        path.write_bytes(spoiled)
        try:
            found = read_journal(path)
        except ValueError as error:
            assert "search.db" in str(error)  # noqa: PT017
            n_refused += 1
        else:
            for name, column in expected.items():
                np.testing.assert_array_equal(found[name], column)
    assert n_refused > 20


def test_a_journal_of_format_2_is_read_and_gone_on_with(sets, path, trained):
    whole = search(sets, path)
    expected = read_journal(path)
    as_format_2(path)
    change(path, "DELETE FROM step WHERE step > 20")
    assert len(read_journal(path)["step"]) == 21
    trained.clear()
    assert_same(search(sets, path), whole)
    assert not trained
    for name, column in read_journal(path).items():
        np.testing.assert_array_equal(column, expected[name])
    change(path, "UPDATE step SET best = 'high' WHERE step = 2")
    with pytest.raises(
        ValueError, match=r"search.db is a damaged .*best of a step has"
    ):
        read_journal(path)


def test_a_checksum_does_not_depend_on_the_type_of_a_number():
    row = 1, 2, 3, 0.5, -0.0, 0.25, True, 7, -1, -1
    stored = 1, 2, 3, 0.5, 0.0, 0.25, 1, 7, -1, -1
    numpys = tuple(np.array(value)[()] for value in row)
    known = checksum_of_step("Oracle", *stored)
    assert checksum_of_step("Oracle", *row) == known
    assert checksum_of_step("Oracle", *map(int, numpys[:3]), *numpys[3:]) == known


VIEW = (
    "ALTER TABLE score RENAME TO old; CREATE VIEW score AS SELECT * FROM old;",
    "no table score",
)
BY_HAND = {
    "a view": VIEW,
    "no table": ("DROP TABLE search;", "no table search"),
    "a trigger": (
        "CREATE TRIGGER more AFTER INSERT ON step BEGIN DELETE FROM given; END;",
        "more is not a table of skal",
    ),
    "a list": ("UPDATE given SET value = '[1, 2]';", "not a JSON object"),
    "a number": ("UPDATE given SET value = 7;", "not a JSON object"),
    "numbers": ("UPDATE given SET value = '{\"a\": 1}';", "not a JSON object"),
    "not JSON": ("UPDATE given SET value = '{';", "not a JSON object"),
    "deep": (
        ("UPDATE given SET value = ?", (f"{'[' * 10**5}{']' * 10**5}",)),
        "not a JSON object",
    ),
    "bytes": ("UPDATE given SET value = x'ff00';", "not a JSON object"),
    "text as margins": ("UPDATE score SET margins = 'wide';", "a score does not"),
    "text as score": ("UPDATE score SET value = 'best';", "a score does not"),
    "bad text": ("UPDATE search SET oracle = CAST(x'ff' AS TEXT);", ""),
    "numbered oracle": ("UPDATE search SET oracle = x'01';", "a step does not"),
}


@pytest.mark.parametrize("kind", BY_HAND)
def test_a_journal_made_by_hand_is_refused_by_name(sets, path, trained, kind):
    search(sets, path)
    statement, message = BY_HAND[kind]
    change(path, statement)
    trained.clear()
    with pytest.raises(ValueError, match=f"search.db is a damaged .*{message}"):
        search(sets, path)
    assert not trained
    if "step" in message or "table" in message:
        with pytest.raises(ValueError, match=r"search.db is a damaged"):
            read_journal(path)


@pytest.mark.parametrize("length", [2, 3, 1000])
def test_margins_in_another_number_are_refused(sets, path, length):
    search(sets, path, proposal="guided", n_steps=5)
    margins = bytes(length)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT xi, labelled, value FROM score").fetchall()
        for row in rows:
            connection.execute(
                "UPDATE score SET margins=?, checksum=? WHERE xi=? AND labelled=?",
                (margins, checksum_of_score(*row, margins), *row[:2]),
            )
        connection.commit()
    n = len(sets["y_val"])
    with pytest.raises(ValueError, match=f"search.db is a damaged .* not {n} margins"):
        search(sets, path, proposal="guided", n_steps=5)


@pytest.mark.parametrize("how", ["removed", "moved", "replaced"])
def test_a_journal_that_goes_while_the_search_runs(sets, path, monkeypatch, how):
    whole, write, n_written = search(sets), Journal.write, []

    def interfere(journal):
        write(journal)
        n_written.append(1)
        if len(n_written) == 5:
            if how == "moved":
                path.rename(path.with_name("elsewhere.db"))
            else:
                path.unlink()
            if how == "replaced":
                path.write_bytes(b"")

    monkeypatch.setattr(Journal, "write", interfere)
    with pytest.warns(UserWarning, match=r"search.db was removed, moved or") as shown:
        assert_same(search(sets, path), whole)
    assert len(n_written) > 8
    assert len([w for w in shown if "was removed" in str(w.message)]) == 1


def test_a_journal_that_stays_is_no_reason_to_warn(sets, path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search(sets, path)


def test_what_a_kill_leaves_beside_a_journal_is_removed(sets, path):
    old, new, other = (path.with_name(f".search.db.{name}") for name in "abc")
    for folder in (old, new, other):
        folder.mkdir()
        (folder / "fresh").write_bytes(b"a begin")
        (folder / "fresh-wal").touch()
    (other / "notes.txt").touch()
    for folder in (old, other):
        os.utime(folder, (time.time() - 3600,) * 2)
    beside = path.with_name(".searches.db.a")
    shutil.copytree(old, beside)
    search(sets, path)
    assert [folder.exists() for folder in (old, new, other, beside)] == [
        *(False, True, True, True)
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_no_journal(sets, path, trained):
    os.mkfifo(path)
    # Should it be opened after all, this ends the wait.
    Timer(20, lambda: os.open(path, os.O_RDWR | os.O_NONBLOCK)).start()
    for use in (lambda: search(sets, path), lambda: read_journal(path)):
        with pytest.raises(OSError, match=r"search.db' is a pipe or a device"):
            use()


def test_a_null_character_in_a_path(sets, tmp_path):
    path = f"{tmp_path}/a\0b"
    for use in (lambda: search(sets, path), lambda: read_journal(path)):
        with pytest.raises(ValueError, match="contains a null character: remove it"):
            use()
