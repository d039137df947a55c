"""One clear sentence for each mistake, and nothing is lost."""

import os
import sqlite3

import numpy as np
import pytest
from _answers import answer
from sklearn.linear_model import LinearRegression

from skal import AnnealingOracle, GreedySampling, LabelingSession, Margin, MaxVariance
from skal.labeling._log import SESSION


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, X: s.tell("x", "ham"), "No row has the id 'x'"),
        (lambda s, X: s.tell(True, "ham"), "An id must be a text or a whole number"),
        (lambda s, X: s.tell(1, "eggs"), r"'eggs' is not one.*add_class\('eggs'\)"),
        (lambda s, X: s.tell(1, 3), "3 is not of the type of the classes 'ham'"),
        (lambda s, X: s.tell(1, None), "A label must be a text or a number"),
        (lambda s, X: s.tell(1, 0.5), "A class must be a text or a whole number"),
        (lambda s, X: s.tell(1, ["ham"]), "open the session with target='labels'"),
        (lambda s, X: s.tell(1, "ham", seconds=-1), "seconds"),
        (lambda s, X: s.skip("x"), "No row has the id 'x'"),
        (lambda s, X: s.withdraw(2), "has no label and was not skipped"),
        (lambda s, X: s.withdraw(0, by="bob"), "has no label by 'bob'"),
        (lambda s, X: s.add(X + 1), "The row with id '0' is not the one"),
        (lambda s, X: s.add(X[:2], ids=[1, 1]), "'1' is repeated"),
        (lambda s, X: s.add(X[:2], ids=[1]), "ids has 1 ids, and X has 2 rows"),
        (lambda s, X: s.add(X[:2], ids=["a", "b"]), "Ids of this session are whole"),
        (lambda s, X: s.add(X[:2], y=["ham"]), "y has 1 labels, and X has 2 rows"),
        (lambda s, X: s.add(X[:2], y=["ham", "eggs"]), "'eggs' is not one of"),
        (lambda s, X: s.add(X[:, :2]), "must have the same columns"),
        (lambda s, X: s.add([["a", "b", "c"]]), "X has 'a' in row 0"),
        (lambda s, X: s.add_class(5), "not of the type of the classes"),
        (lambda s, X: s.ask(0), "n == 0, must be >= 1"),
    ],
)
def test_a_bad_call_changes_nothing(open_session, data, call, message):
    session = open_session(classes=["ham", "spam"])
    session.tell(0, "ham", by="anna")
    before = session.history()["number"][-1]
    with pytest.raises((ValueError, TypeError), match=message):
        call(session, data[0])
    assert session.history()["number"][-1] == before
    assert session.labels() == {0: "ham"}


def test_a_class_can_be_added(open_session):
    session = open_session(classes=["ham", "spam"]).add_class("eggs")
    session.tell(1, "eggs")
    assert open_session(None).labels() == {1: "eggs"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"audit": 2}, "audit == 2"),
        ({"target": "classs"}, "target must be one of"),
        ({"resolve": "first"}, "resolve must be one of"),
        ({"retrain_every": 0}, "retrain_every == 0"),
        ({"strategy": AnnealingOracle()}, "which nobody knows here"),
        ({"strategy": MaxVariance()}, "MaxVariance needs the variance of its"),
        ({"classes": ["a", "a"]}, "classes must be different names"),
        ({"estimator": LinearRegression()}, "LinearRegression is a regressor"),
        ({"scoring": lambda y, p: 0}, "scoring must be called as"),
        ({"journal": "/nowhere/labels.db"}, "in a folder that does not exist"),
    ],
)
def test_bad_parameters(open_session, params, message):
    with pytest.raises((ValueError, TypeError, OSError), match=message):
        open_session(**params)


def test_rows_that_are_not_added_here(open_session, data):
    open_session(ids=[f"row {i}" for i in range(120)]).close()
    session = open_session(None).add(data[0][:100], [f"row {i}" for i in range(100)])
    with pytest.raises(ValueError, match=r"20 of the 120 rows .* such as 'row 100'"):
        session.ask()
    session.tell("row 110", "ham")
    assert session.labels() == {"row 110": "ham"}


def test_another_session_in_the_file(open_session):
    open_session().close()
    with pytest.raises(ValueError, match="with random_state=0, got 5"):
        open_session(random_state=5)
    with pytest.raises(ValueError, match="each row has a class, and target is a n"):
        open_session(estimator=LinearRegression(), strategy=GreedySampling())


def _execute(path, statement):
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE event SET value = '{}' WHERE number = 4", "event 4 does not match"),
        ("DELETE FROM event WHERE number = 5", "event 5 is missing"),
        ("UPDATE row SET id = 'other' WHERE position = 3", "a row is not as it was"),
        ("DELETE FROM row WHERE position = 119", "a row is not as it was"),
        ("DROP TABLE row", "it has no table row"),
        ("PRAGMA user_version = 7", "is a labelling session of format 7"),
        ("PRAGMA application_id = 1", "is not a labelling session of skal"),
    ],
)
def test_a_damaged_or_foreign_file(open_session, data, path, statement, message):
    session = open_session()
    answer(session, data[1], 3)
    session.close()
    _execute(path, statement)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        open_session()
    assert path.read_bytes() == before


def test_a_journal_of_a_search_is_not_a_session(path, data, open_session):
    path.write_text("not a database")
    with pytest.raises(ValueError, match="is not a labelling session of skal"):
        open_session()


def test_a_full_disk_keeps_what_was_acknowledged(open_session, data):
    session = open_session()
    asked = session.ask(5)
    session.tell(asked[0], data[1][asked[0].id])
    connection = session._log._connection
    (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {n_pages}")
    with pytest.raises(OSError, match=r"The disk of .* is full: all data written"):
        session.tell(asked[1], "a long label " * 1000)
    assert list(session.labels()) == [asked[0].id]
    connection.execute("PRAGMA max_page_count = 1000000")
    session.tell(asked[1], data[1][asked[1].id])
    session.close()
    assert len(open_session().labels()) == 2


def test_a_file_that_was_removed(open_session, path):
    session = open_session()
    session.tell(0, "ham")
    os.remove(path)
    with pytest.raises(FileNotFoundError, match="was removed, moved or replaced"):
        session.tell(1, "ham")
    assert session.labels() == {0: "ham"}


def test_a_locked_file(open_session, path, monkeypatch):
    monkeypatch.setattr("skal.oracle.journal._sqlite.LOCK_TIMEOUT", 0.1)
    session = open_session()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="run the session again to resume it"):
            session.tell(0, "ham")
        other.execute("ROLLBACK")
    other.close()
    session.tell(0, "ham")
    assert session.labels() == {0: "ham"}


def test_labels_reach_the_disk_before_tell_returns(open_session):
    session = open_session()
    (mode,) = session._log._connection.execute("PRAGMA synchronous").fetchone()
    assert mode == 2  # FULL
    (mode,) = session._log._connection.execute("PRAGMA journal_mode").fetchone()
    assert mode == "wal"


def test_a_session_is_a_file_kind_of_its_own(path, open_session):
    open_session().close()
    header = path.read_bytes()[:100]
    assert int.from_bytes(header[68:72], "big") == SESSION.application


def test_ids_may_be_numpy_numbers(path):
    X = np.eye(3)
    with LabelingSession(LinearRegression(), GreedySampling(), journal=path) as session:
        session.add(X, np.arange(3))
        session.tell(np.int64(2), 1)
        assert session.labels() == {2: 1.0}


def test_a_closed_session_can_still_be_read(open_session, data):
    session = open_session(strategy=Margin())
    answer(session, data[1], 10)
    session.close()
    assert len(session.labels()) == 10
    assert session.model_.score(*data) > 0.5
