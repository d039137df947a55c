"""Files that are not journals, invalid paths, and full disks."""

import os
import shutil
import sqlite3
import subprocess

import numpy as np
import pytest
from _small_search import assert_same, contents, known_sets, search

from skal.oracle import read_journal
from skal.oracle.journal import _journal


def as_text(path):
    path.write_text("my notes\n" * 100)


def as_nothing(path):
    path.write_bytes(b"")


def as_foreign(path, mode="delete"):
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("CREATE TABLE mine (a)")
    connection.commit()
    connection.close()


def as_newer(path):
    raw = bytearray(path.read_bytes())
    raw[60:64] = (99).to_bytes(4, "big")
    path.write_bytes(raw)


def cut_to(n):
    def cut(path):
        path.write_bytes(path.read_bytes()[:n])

    return cut


def overwrite(start, n):
    def write(path):
        raw = bytearray(path.read_bytes())
        raw[start : start + n] = b"\xa5" * n
        path.write_bytes(raw)

    return write


BROKEN = {
    "text": (as_text, "is not a journal of skal, and was not changed"),
    "empty": (as_nothing, "is an empty file, not a journal"),
    "foreign": (as_foreign, "is not a journal of skal, and was not changed"),
    "foreign, WAL": (lambda p: as_foreign(p, "wal"), "is not a journal of skal"),
    "newer": (
        as_newer,
        "is a journal of format 99, but this version of skal reads formats 2 and 3",
    ),
    "header cut": (cut_to(50), "is a damaged journal .* was not changed"),
    "one page": (cut_to(4096), "is a damaged journal .* was not changed"),
    "half": (cut_to(15_000), "is a damaged journal .* was not changed"),
    "schema": (overwrite(100, 3000), "is a damaged journal .* was not changed"),
    "a page": (overwrite(3 * 4096, 4096), "is a damaged journal .* was not changed"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_journal_is_left_as_it_is(sets, path, trained, name):
    search(sets, path)
    trained.clear()
    spoil, message = BROKEN[name]
    if name.startswith("foreign"):
        path.unlink()
    spoil(path)
    before = path.read_bytes()
    for use in (lambda: search(sets, path), lambda: read_journal(path)):
        with pytest.raises(ValueError, match=f"search.db {message}"):
            use()
        assert path.read_bytes() == before
        assert os.listdir(path.parent) == [path.name]
    assert not trained


def test_a_score_that_was_changed_is_noticed(sets, path):
    search(sets, path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE score SET value = value + 1e-9")
    connection.commit()
    connection.close()
    with pytest.raises(ValueError, match="a score does not match its checksum"):
        search(sets, path)


def test_no_damage_changes_the_end_of_a_search(sets, path):
    first = search(sets, path)
    raw = path.read_bytes()
    rng = np.random.default_rng(0)
    n_refused = 0
    for place in rng.integers(len(raw), size=60).tolist():
        spoiled = bytearray(raw)
        spoiled[place : place + 8] = rng.bytes(8)
        path.write_bytes(spoiled[: len(raw)])
        try:
            assert_same(first, search(sets, path))
        except ValueError as error:
            assert "search.db" in str(error)  # noqa: PT017
            n_refused += 1
    assert n_refused > 10


def test_places_where_no_journal_can_be(sets, tmp_path, trained):
    with pytest.raises(IsADirectoryError, match="is a folder: give the path of a file"):
        search(sets, tmp_path)
    with pytest.raises(FileNotFoundError, match="in a folder that does not exist"):
        search(sets, tmp_path / "missing" / "search.db")
    with pytest.raises(FileNotFoundError, match="No journal was found at"):
        read_journal(tmp_path / "search.db")
    assert not trained
    assert os.listdir(tmp_path) == []


def test_a_journal_that_another_process_has_just_made_is_left_alone(sets, path):
    search(sets, path)
    before = contents(path)
    _journal.create(path, _journal.SCHEMA)
    assert contents(path) == before
    assert os.listdir(path.parent) == [path.name]


def test_a_log_without_its_journal_is_not_put_into_a_new_one(sets, path, trained):
    path.with_name("search.db-wal").write_bytes(b"left over")
    with pytest.raises(FileNotFoundError, match="the log of a journal that is missing"):
        search(sets, path)
    assert not trained


def test_a_file_that_may_not_be_written(sets, path, trained, monkeypatch):
    search(sets, path)
    trained.clear()
    connect = _journal.connect
    monkeypatch.setattr(_journal, "connect", lambda p, mode: connect(p, "ro"))
    with pytest.raises(OSError, match=r"cannot be opened or written .*readonly"):
        search(sets, path)
    assert not trained


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(sets, path):
    path.parent.chmod(0o500)
    with pytest.raises(OSError, match="cannot be opened or written"):
        search(sets, path)


def test_names_that_mean_something_to_sqlite(sets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "a?mode=ro#%41 b.db"):
        search(sets, name, n_steps=2)
        assert name in os.listdir(tmp_path)
        assert len(read_journal(name)["step"]) == 11


# A full disk.


def test_a_full_disk(sets, path, trained, monkeypatch):
    whole = search(sets, n_steps=400)
    search(sets, path, n_steps=400, max_trainings=10)
    connect = _journal.connect

    def connect_to_full_disk(path, mode):
        connection = connect(path, mode)
        n_pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {n_pages + 1}")
        return connection

    trained.clear()
    with monkeypatch.context() as patch:
        patch.setattr(_journal, "connect", connect_to_full_disk)
        with pytest.raises(OSError, match="is full: all data written before") as raised:
            search(sets, path, n_steps=400)
    assert not isinstance(raised.value.__context__.__context__, OSError)
    n_before, n_kept = len(trained), len(known_sets(path))
    assert n_before > 0
    assert n_kept > 10
    assert_same(whole, search(sets, path, n_steps=400))


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    can_mount = shutil.which("mount") and mount(
        "-t", "tmpfs", "-o", "size=320k", "tmpfs", str(folder)
    )
    if not can_mount:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(sets, small_disk):
    path = small_disk / "search.db"
    with pytest.raises(OSError, match=r"search.db is full: all data written before"):
        search(sets, path, n_steps=1000)
    assert len(read_journal(path)["step"]) > 1
    assert mount("-o", "remount,size=50m", str(small_disk))
    assert_same(search(sets, n_steps=1000), search(sets, path, n_steps=1000))


def test_a_disk_that_is_full_from_the_beginning(sets, small_disk, trained):
    path = small_disk / "search.db"
    free = shutil.disk_usage(small_disk).free
    (small_disk / "filler").write_bytes(bytes(free - 8192))
    with pytest.raises(OSError, match=r"search.db is full: all data written before"):
        search(sets, path)
    assert not trained
    assert mount("-o", "remount,size=50m", str(small_disk))
    assert_same(search(sets), search(sets, path))
