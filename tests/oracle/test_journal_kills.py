"""Searches that are killed, and searches that run at the same time."""

import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from multiprocessing import get_context

import numpy as np
import pytest
from _small_search import known_sets
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, split
from skal.oracle import read_journal
from skal.oracle.evaluation._objective import Objective, _key
from skal.oracle.journal._journal import Journal

# Forked from a clean process in which the imports are done: in milliseconds.
processes = get_context("forkserver")
processes.set_forkserver_preload(["skal.learner", "skal.oracle", "sklearn.naive_bayes"])

N_KILLS = 9


def search(path, seed=1, n_steps=100, proposal="uniform", **params):
    X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
    sets = split(X, y, warm_size=10, val_size=30, test_size=30, random_state=0)
    oracle = AnnealingOracle(
        proposal=proposal,
        n_steps=n_steps,
        n_greedy=8,
        journal=path,
        random_state=seed,
        **params,
    )
    learner = ActiveLearner(
        GaussianNB(), oracle, batch_size=3, n_rounds=4, random_state=0
    )
    return learner.fit(**sets).strategy_


def result(oracle):
    history = {name: column.tolist() for name, column in oracle.history_.items()}
    return oracle.order_.tolist(), oracle.quality_, oracle.n_trainings_, history


def tell_and_search(connection, path, params):
    connection.send("begin")
    connection.send(result(search(path, **params)))


def start(path, target=tell_and_search, **params):
    """Start a search in another process; return it once it has begun."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=target, args=(theirs, path, params))
    process.start()
    theirs.close()
    assert ours.recv() == "begin"
    return process, ours


def kill(process, connection):
    """Kill a process (-9), and return whether it was still alive."""
    process.kill()
    process.join()
    connection.close()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


@pytest.fixture(scope="module")
def undisturbed():
    return result(search(None))


@pytest.fixture(scope="module")
def undisturbed_guided():
    return result(search(None, proposal="guided"))


@pytest.fixture(scope="module")
def seconds(tmp_path_factory):
    """Return the duration of a search in another process."""
    process, ours = start(tmp_path_factory.mktemp("timed") / "search.db")
    started = time.monotonic()
    ours.recv()
    process.join()
    return time.monotonic() - started


def assert_resumes(path, undisturbed, monkeypatch, **params):
    """Resume a search, and return how many sets were known before."""
    known = known_sets(path) if path.exists() else set()
    if known:
        table = read_journal(path)
        for name, column in undisturbed[3].items():
            assert table[name].tolist() == column[: len(table[name])]
    trained = []
    train = Objective._train_and_score
    with monkeypatch.context() as patch:
        patch.setattr(
            Objective,
            "_train_and_score",
            lambda self, sets: trained.extend(sets) or train(self, sets),
        )
        assert result(search(path, **params)) == undisturbed
    assert len(set(trained)) == len(trained)
    assert known.isdisjoint(trained)
    # The model of the warm start, that strategies are asked about, is scored apart.
    warm = {_key(np.empty(0, np.int64))} if "proposal" in params else set()
    assert known_sets(path) - warm == known.union(trained) - warm
    return len(known)


def test_kills_at_random_moments(
    undisturbed, undisturbed_guided, seconds, tmp_path, monkeypatch
):
    kinds = [
        ({"prefetch": 0}, undisturbed),
        ({"prefetch": 4}, undisturbed),
        ({"proposal": "guided"}, undisturbed_guided),
    ]
    rng = np.random.default_rng()
    n_known, i, n_kills = [], 0, 0
    while n_kills < N_KILLS or (len(set(n_known)) <= 4 and i < 10 * N_KILLS):
        path, (params, whole) = tmp_path / f"{i}.db", kinds[i % len(kinds)]
        process, ours = start(path, **params)
        time.sleep(seconds * rng.random())
        n_kills += kill(process, ours)
        n_known.append(assert_resumes(path, whole, monkeypatch, **params))
        i += 1
    assert len(set(n_known)) > 4, "the kills were not spread over the search"


def test_kills_one_after_another(undisturbed, seconds, tmp_path, monkeypatch):
    path = tmp_path / "search.db"
    for _ in range(8):
        process, ours = start(path)
        time.sleep(seconds / 5)
        kill(process, ours)
    assert_resumes(path, undisturbed, monkeypatch)


def die_in_a_transaction(connection, path, params):
    """Search, and die at the nth insert: before it, within it, or after it."""
    when, nth = params.pop("when"), params.pop("nth")
    insert, n_inserts = Journal._insert, []

    def die(journal):
        assert journal._connection.in_transaction
        os.kill(os.getpid(), signal.SIGKILL)

    def rows_until_death(journal, rows):
        yield from rows[:1]
        die(journal)

    def insert_and_die(journal, table, rows, otherwise):
        n_inserts.append(1)
        if len(n_inserts) != nth:
            return insert(journal, table, rows, otherwise)
        if when == "within":
            query = f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"
            journal._connection.executemany(query, rows_until_death(journal, rows))
        if when == "after":
            insert(journal, table, rows, otherwise)
        die(journal)

    Journal._insert = insert_and_die
    tell_and_search(connection, path, params)


@pytest.mark.parametrize("proposal", ["uniform", "guided"])
@pytest.mark.parametrize(
    ("when", "nth"), [("before", 1), ("within", 11), ("after", 20), ("after", 41)]
)
def test_kills_in_the_middle_of_a_write(
    undisturbed, undisturbed_guided, tmp_path, monkeypatch, when, nth, proposal
):
    path = tmp_path / "search.db"
    process, ours = start(
        path, die_in_a_transaction, when=when, nth=nth, proposal=proposal
    )
    process.join()
    ours.close()
    assert process.exitcode == -signal.SIGKILL
    whole = undisturbed_guided if proposal == "guided" else undisturbed
    n_known = assert_resumes(path, whole, monkeypatch, proposal=proposal)
    assert (n_known > 0) == (nth > 2)


def test_a_log_that_is_cut_anywhere(undisturbed, tmp_path, monkeypatch):
    process, ours = start(
        tmp_path / "search.db", die_in_a_transaction, when="after", nth=41
    )
    process.join()
    ours.close()
    log = (tmp_path / "search.db-wal").read_bytes()
    rng = np.random.default_rng(0)
    for i, length in enumerate([0, 10, *rng.integers(len(log), size=8).tolist()]):
        path = tmp_path / f"{i}.db"
        shutil.copy(tmp_path / "search.db", path)
        path.with_name(f"{i}.db-wal").write_bytes(log[:length])
        assert_resumes(path, undisturbed, monkeypatch)


def test_processes_search_into_one_journal(undisturbed, tmp_path):
    other = result(search(None, seed=2))
    path = tmp_path / "search.db"
    seeds = (1, 2, 1, 2)
    running = [start(path, seed=seed, prefetch=seed) for seed in seeds]
    for seed, (process, ours) in zip(seeds, running, strict=True):
        assert ours.recv() == (undisturbed if seed == 1 else other)
        process.join()
        assert process.exitcode == 0
    table = read_journal(path)
    for seed in set(table["seed"].tolist()):
        history = {
            name: column[table["seed"] == seed] for name, column in table.items()
        }
        assert history["step"].tolist() == list(range(109))
    counts = np.unique(table["seed"], return_counts=True)[1]
    assert sorted(counts.tolist()) == [109, 109]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_processes_that_begin_a_journal_together(tmp_path):
    for i in range(2):
        path = tmp_path / f"{i}.db"
        running = [start(path, n_steps=0, seed=seed) for seed in range(4)]
        for process, ours in running:
            ours.recv()
            process.join()
        table = read_journal(path)
        assert sorted(np.unique(table["seed"], return_counts=True)[1]) == [9] * 4
    assert sorted(os.listdir(tmp_path)) == [f"{i}.db" for i in range(2)]


def test_a_journal_is_read_while_it_is_written(tmp_path):
    path = tmp_path / "search.db"
    process, ours = start(path, n_steps=10**6)
    lengths, deadline = [0], time.monotonic() + 60
    try:
        while len(lengths) < 6 and time.monotonic() < deadline:
            if not path.exists():
                continue
            table = read_journal(path)
            n_steps = len(table["step"])
            assert table["step"].tolist() == list(range(n_steps))
            best = np.maximum.accumulate(table["proposed"])
            np.testing.assert_array_equal(table["best"], best)
            if n_steps > lengths[-1]:
                lengths.append(n_steps)
            assert process.is_alive()
    finally:
        kill(process, ours)
    assert len(lengths) == 6
    assert len(read_journal(path)["step"]) >= lengths[-1]
    left = set(os.listdir(tmp_path))
    assert left == {"search.db", "search.db-shm", "search.db-wal"}
