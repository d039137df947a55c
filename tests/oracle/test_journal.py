"""The journal: kept, resumed, shared, refused. Kills stand in test_journal_kills.py."""

import gc
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, make_scorer
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, AnnealingOracle, Margin, Random, run_seeds, split
from skal.oracle import _fingerprint, _journal, read_journal
from skal.oracle._objective import Objective

BASE = {"batch_size": 3, "n_rounds": 4, "random_state": 0}
STEPS = {"n_steps": 40, "n_greedy": 8}


@pytest.fixture
def sets(blobs):
    return split(*blobs, warm_size=10, val_size=30, test_size=30, random_state=0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "search.db"


@pytest.fixture
def trained(monkeypatch):
    """The sets that are trained on."""
    trained = []
    train = Objective._train_and_score

    def watch(self, sets):
        trained.extend(frozenset(s.tolist()) for s in sets)
        return train(self, sets)

    monkeypatch.setattr(Objective, "_train_and_score", watch)
    return trained


def search(sets, path=None, estimator=None, learner=None, fit_params=None, **params):
    """Return the learner of a small search, with a journal."""
    oracle = AnnealingOracle(proposal="uniform", **STEPS | {"journal": path} | params)
    estimator = GaussianNB() if estimator is None else estimator
    active = ActiveLearner(estimator, oracle, **BASE | (learner or {}))
    return active.fit(**sets, **fit_params or {})


def assert_same(first, second):
    assert first.order_.tolist() == second.order_.tolist()
    assert first.curve_.tolist() == second.curve_.tolist()
    assert first.n_trainings_ == second.n_trainings_
    for name, column in first.strategy_.history_.items():
        np.testing.assert_array_equal(column, second.strategy_.history_[name])


def contents(path):
    """Return all rows of a journal."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_a_journal_changes_nothing(sets, path):
    assert_same(search(sets), search(sets, path))
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("prefetch", [0, 6])
def test_what_is_in_the_journal_is_not_trained_again(sets, path, trained, prefetch):
    first = search(sets, path, prefetch=prefetch)
    assert trained
    trained.clear()
    before = contents(path)
    assert_same(first, search(sets, path, prefetch=prefetch))
    assert not trained
    assert contents(path) == before


def test_a_search_goes_on_where_a_limit_ended_it(sets, path, trained):
    whole = search(sets)
    n_all = len(trained)
    for limit in (20, 50):
        trained.clear()
        cut = search(sets, path, max_trainings=limit).strategy_
        assert cut.n_trainings_ <= limit
    n_before = cut.n_trainings_
    trained.clear()
    assert_same(whole, search(sets, path, max_time=1000.0, prefetch=0))
    assert len(trained) == n_all - n_before


def test_ctrl_c_leaves_the_best_so_far_and_the_journal_all_of_it(sets, path, trained):
    class Interrupting(GaussianNB):
        is_interrupting, n_fits = True, 0

        def fit(self, X, y):
            type(self).n_fits += 1
            if type(self).is_interrupting and type(self).n_fits == 60:
                type(self).is_interrupting = False
                raise KeyboardInterrupt
            return super().fit(X, y)

    with pytest.warns(UserWarning, match="The search was interrupted"):
        cut = search(sets, path, Interrupting())
    assert cut.strategy_.n_trainings_ == contents_of_scores(path)
    assert len(read_journal(path)["step"]) == len(cut.strategy_.history_["step"])
    n_before = len(trained)
    resumed = search(sets, path, Interrupting())
    assert_same(search(sets, None, Interrupting()), resumed)
    assert n_before < len(trained)


def contents_of_scores(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT count(*) FROM score").fetchone()[0]
    finally:
        connection.close()


def test_searches_with_other_seeds_share_a_file(sets, path, trained):
    alone = {seed: search(sets, None, random_state=seed) for seed in (1, 2)}
    trained.clear()
    shared = {seed: search(sets, path, random_state=seed) for seed in (1, 2)}
    assert len(trained) == len(set(trained))  # the scores are shared: xi is the same
    for seed, learner in shared.items():
        assert_same(alone[seed], learner)
    table = read_journal(path)
    assert len(set(table["seed"].tolist())) == 2
    assert set(table["xi"].tolist()) == {0}


def test_seed_loops_share_a_file_with_sets_carved_anew(blobs, path):
    oracle = AnnealingOracle(proposal="uniform", **STEPS, journal=path)
    learner = ActiveLearner(GaussianNB(), oracle, **BASE)
    alone = learner.set_params(strategy__journal=None)
    expected = run_seeds(alone, *blobs, seeds=3).curves
    learner.set_params(strategy__journal=path)
    assert run_seeds(learner, *blobs, seeds=3).curves.tolist() == expected.tolist()
    again = run_seeds(learner, *blobs, seeds=3, n_jobs=2)
    assert again.curves.tolist() == expected.tolist()
    assert sorted(set(read_journal(path)["xi"].tolist())) == [0, 1, 2]


def test_without_a_seed_each_run_is_another_search(sets, path):
    for _ in range(2):
        search(sets, path, learner={"random_state": None}, n_steps=3)
    assert len(set(read_journal(path)["xi"].tolist())) == 2


def test_a_start_strategy(sets, path, trained):
    first = search(sets, path, start=Margin())
    trained.clear()
    assert_same(first, search(sets, path, start=Margin()))
    assert not trained


# What is refused.


def doubled(sets, name):
    return sets | {name: sets[name] * 2}


def relabelled(sets, name):
    return sets | {name: sets[name][::-1].copy()}


weights = {"sample_weight": np.ones(60)}

DIFFERENT = {
    "X_pool": lambda sets, path: search(doubled(sets, "X"), path),
    "X_val": lambda sets, path: search(doubled(sets, "X_val"), path),
    "X_warm": lambda sets, path: search(doubled(sets, "X_warm"), path),
    "y_pool": lambda sets, path: search(relabelled(sets, "y"), path),
    "y_val": lambda sets, path: search(relabelled(sets, "y_val"), path),
    "estimator: var_smoothing=1e-09 in the journal, var_smoothing=0.1 now": (
        lambda sets, path: search(sets, path, GaussianNB(var_smoothing=0.1))
    ),
    "estimator=sklearn.naive_bayes.GaussianNB in the journal, estimator=.*Bernoulli": (
        lambda sets, path: search(sets, path, BernoulliNB())
    ),
    "scoring=.* in the journal, scoring=.*f1_score": (
        lambda sets, path: search(sets, path, learner={"scoring": "f1_macro"})
    ),
    "batch_size=3 in the journal, batch_size=2 now": (
        lambda sets, path: search(sets, path, learner={"batch_size": 2})
    ),
    "n_rounds=4 in the journal, n_rounds=5 now": (
        lambda sets, path: search(sets, path, learner={"n_rounds": 5})
    ),
    "n_steps=40 in the journal, n_steps=41 now": (
        lambda sets, path: search(sets, path, n_steps=41)
    ),
    "n_greedy=8 in the journal, n_greedy=9 now": (
        lambda sets, path: search(sets, path, n_greedy=9)
    ),
    "gamma='auto' in the journal, gamma=0.1 now": (
        lambda sets, path: search(sets, path, gamma=0.1)
    ),
    "start='random' in the journal, start=.*Margin": (
        lambda sets, path: search(sets, path, start=Margin())
    ),
    r"start='random' in the journal, start=\[3, 2, 1, 0, 4, ": (
        lambda sets, path: search(sets, path, start=[3, 2, 1, 0, *range(4, 12)])
    ),
}


@pytest.mark.parametrize("difference", DIFFERENT)
def test_another_search_is_refused_before_training(sets, path, trained, difference):
    search(sets, path)
    before = contents(path)
    trained.clear()
    expected = f"search.db is the journal of another search: {difference}"
    with pytest.raises(ValueError, match=expected):
        DIFFERENT[difference](sets, path)
    assert not trained
    assert contents(path) == before
    assert os.listdir(path.parent) == [path.name]


def test_other_weights_are_refused(blobs, path):
    X, y = blobs

    def fit(weight):
        oracle = AnnealingOracle(proposal="uniform", **STEPS, journal=path)
        learner = ActiveLearner(GaussianNB(), oracle, **BASE)
        return learner.fit(X, y, sample_weight=weight)

    fit(np.ones(120))
    with pytest.raises(ValueError, match="fit: sample_weight=<"):
        fit(np.arange(1.0, 121.0))
    with pytest.raises(ValueError, match=r"fit: sample_weight=.*sample_weight=absent"):
        ActiveLearner(
            GaussianNB(),
            AnnealingOracle(proposal="uniform", **STEPS, journal=path),
            **BASE,
        ).fit(X, y)


def test_what_makes_no_difference_is_not_refused(sets, path):
    search(sets, path)
    search(doubled(sets, "X_test"), path)
    search(sets, path, prefetch=3, max_trainings=30, max_time=9.0, n_jobs=1)
    search(sets, path, n_greedy=8, start="random")


def test_default_n_greedy_is_what_it_stands_for(sets, path):
    search(sets, path, n_greedy=None)
    search(sets, path)


def test_other_versions_get_a_warning(sets, path, monkeypatch):
    first = search(sets, path)
    found = _fingerprint.versions()
    monkeypatch.setattr(_fingerprint, "versions", lambda: found | {"numpy": "9.9"})
    expected = f"numpy={np.__version__} in the journal, numpy=9.9 now"
    with pytest.warns(UserWarning, match=expected):
        assert_same(first, search(sets, path))


def test_a_package_that_only_one_of_both_has_loaded_is_no_difference(
    sets, path, monkeypatch
):
    found = _fingerprint.versions()
    found.pop("torch", None)
    monkeypatch.setattr(_fingerprint, "versions", lambda: found | {"torch": "2.0"})
    search(sets, path)
    monkeypatch.setattr(_fingerprint, "versions", lambda: found)
    search(sets, path)


# Files that are none.


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
    "text": (as_text, "is no journal of skal, but another file"),
    "empty": (as_nothing, "is an empty file and no journal"),
    "foreign": (as_foreign, "is no journal of skal, but another file"),
    "foreign, WAL": (lambda p: as_foreign(p, "wal"), "is no journal of skal"),
    "newer": (as_newer, "is a journal of format 99, and this version of skal reads"),
    "header cut": (cut_to(50), "is a damaged journal .* left as it is"),
    "one page": (cut_to(4096), "is a damaged journal .* left as it is"),
    "half": (cut_to(15_000), "is a damaged journal .* left as it is"),
    "schema": (overwrite(100, 3000), "is a damaged journal .* left as it is"),
    "a page": (overwrite(3 * 4096, 4096), "is a damaged journal .* left as it is"),
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
    with pytest.raises(ValueError, match="a score is not what was written"):
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
    with pytest.raises(FileNotFoundError, match="in a folder that is not there"):
        search(sets, tmp_path / "missing" / "search.db")
    with pytest.raises(FileNotFoundError, match="There is no journal at"):
        read_journal(tmp_path / "search.db")
    assert not trained
    assert os.listdir(tmp_path) == []


def test_a_journal_that_another_process_has_just_made_is_left_alone(sets, path):
    search(sets, path)
    before = contents(path)
    _journal.create(path, _journal.TABLES)
    assert contents(path) == before
    assert os.listdir(path.parent) == [path.name]


def test_a_log_without_its_journal_is_not_put_into_a_new_one(sets, path, trained):
    path.with_name("search.db-wal").write_bytes(b"left over")
    with pytest.raises(FileNotFoundError, match="the log of a journal that is gone"):
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
        with pytest.raises(OSError, match="is full: what was written before") as raised:
            search(sets, path, n_steps=400)
    assert not isinstance(raised.value.__context__.__context__, OSError)
    n_before, n_kept = len(trained), contents_of_scores(path)
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
    with pytest.raises(OSError, match=r"search.db is full: what was written before"):
        search(sets, path, n_steps=1000)
    assert len(read_journal(path)["step"]) > 1
    assert mount("-o", "remount,size=50m", str(small_disk))
    assert_same(search(sets, n_steps=1000), search(sets, path, n_steps=1000))


def test_a_disk_that_is_full_from_the_beginning(sets, small_disk, trained):
    path = small_disk / "search.db"
    free = shutil.disk_usage(small_disk).free
    (small_disk / "filler").write_bytes(bytes(free - 8192))
    with pytest.raises(OSError, match=r"search.db is full: what was written before"):
        search(sets, path)
    assert not trained
    assert mount("-o", "remount,size=50m", str(small_disk))
    assert_same(search(sets), search(sets, path))


# What is in it.


def test_the_table_is_the_history(sets, path):
    history = search(sets, path).strategy_.history_
    table = read_journal(path)
    for name, column in history.items():
        np.testing.assert_array_equal(table[name], column)
        assert table[name].dtype == column.dtype
    assert set(table["oracle"].tolist()) == {"AnnealingOracle"}
    assert table["place_a"][0] == table["place_b"][0] == -1
    assert (table["place_a"][1:] != table["place_b"][1:]).all()


def test_pandas_takes_the_table(sets, path):
    pandas = pytest.importorskip("pandas", reason="pandas is not needed")
    search(sets, path)
    frame = pandas.DataFrame(read_journal(path))
    assert len(frame) == 49
    assert frame.groupby("seed")["best"].max().tolist() == [frame["best"].max()]


def test_a_journal_in_which_no_search_has_begun(sets, path, monkeypatch):
    def fail(self, sets):
        raise FloatingPointError

    monkeypatch.setattr(Objective, "_train_and_score", fail)
    with pytest.raises(FloatingPointError):
        search(sets, path)
    assert {len(column) for column in read_journal(path).values()} == {0}


def test_parameters_are_readable_and_nothing_is_pickled(sets, path):
    search(sets, path, make_pipeline(StandardScaler(), GaussianNB()))
    connection = sqlite3.connect(path)
    given = dict(connection.execute("SELECT subject, value FROM given"))
    types = connection.execute("SELECT DISTINCT typeof(labelled) FROM score").fetchall()
    lengths = connection.execute("SELECT DISTINCT length(labelled) FROM score")
    assert lengths.fetchall() == [(16,)]
    connection.close()
    assert types == [("blob",)]
    problem = json.loads(given["problem"])
    assert problem["estimator: gaussiannb__var_smoothing"] == "1e-09"
    assert problem["n_pool"] == "50"
    assert json.loads(given["versions"])["numpy"] == np.__version__
    (parameters,) = [v for k, v in given.items() if k.startswith("AnnealingOracle, xi")]
    assert json.loads(parameters)["n_steps"] == "40"


@pytest.mark.parametrize(
    "number", [0.1 + 0.2, 1 / 3, 5e-324, 1e300, -1e-17, 1.0, -0.0, 2**53 + 1.0]
)
def test_numbers_are_exact(sets, path, monkeypatch, number):
    monkeypatch.setattr(
        Objective, "_train_and_score", lambda _, sets: [number] * len(sets)
    )
    first = search(sets, path, n_steps=2, n_greedy=0)
    monkeypatch.undo()
    second = search(sets, path, n_steps=2, n_greedy=0)
    for name in ("proposed", "best"):
        one, two = first.strategy_.history_[name], second.strategy_.history_[name]
        assert one.tobytes() == two.tobytes() == read_journal(path)[name].tobytes()
    connection = sqlite3.connect(path)
    (stored,) = connection.execute("SELECT DISTINCT value FROM score").fetchone()
    connection.close()
    assert struct.pack("d", stored) == struct.pack("d", number + 0.0)


# Fingerprints.


class Thing:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def test_descriptions_do_not_depend_on_the_object():
    for make in (
        lambda: Thing(a=1, b={"x", "y"}, c=Thing(d=np.arange(3))),
        lambda: make_pipeline(StandardScaler(), GaussianNB()),
        lambda: make_scorer(f1_score, average="macro"),
        lambda: [None, True, 1.5, "text", b"raw", (1, 2), {"k": len}],
        lambda: object(),
        lambda: np.random.RandomState(0),
    ):
        assert _fingerprint.describe(make()) == _fingerprint.describe(make())


def test_descriptions_tell_values_apart():
    loop = Thing(name="loop")
    loop.itself = loop
    values = [
        None, 0, 0.0, "0", "None", [0], [[0]], {0}, {0: 0}, len, abs, Thing, Thing(a=0),
        Thing(a=1), loop, np.zeros(2), np.zeros(3), np.zeros(2, dtype=int),
        GaussianNB(), GaussianNB(var_smoothing=0.5), GaussianNB, make_scorer(f1_score),
        make_scorer(f1_score, average="macro"), np.log, np.exp, Margin(random_state=1),
        Margin(random_state=2), Random(),
    ]  # fmt: skip
    described = [_fingerprint.describe(value) for value in values]
    assert len(set(described)) == len(values)
    assert not any(" at 0x" in text for text in described)


def test_digests_tell_rows_apart():
    pandas = pytest.importorskip("pandas", reason="pandas is not needed")
    from scipy import sparse

    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    values = [
        None, ["ab", "c"], ["a", "bc"], ["abc"], [["a", "b"], ["c"]],
        [["a"], ["b", "c"]], np.array(["ab", "c"]), np.zeros((2, 2)), np.zeros((4, 1)),
        np.zeros((1, 4)),
        np.zeros((2, 2), dtype=np.float32), np.array([1, 2]), [1, 2], ["1", "2"],
        sparse.csr_matrix(np.eye(2)), sparse.csr_matrix(np.eye(3)), np.eye(2), frame,
        frame.rename(columns={"a": "c"}), frame.assign(b=["x", "z"]),
    ]  # fmt: skip
    digests = [_fingerprint.digest(value) for value in values]
    assert len(set(digests)) == len(values)
    again = sparse.csr_matrix(np.eye(2))
    assert _fingerprint.digest(again) == digests[14]


RESUME = """
import sys
from tests.oracle.test_journal import *
from skal.oracle import _fingerprint

n_trained = []
train = Objective._train_and_score
Objective._train_and_score = lambda self, sets: n_trained.append(1) or train(self, sets)
data = {name: np.load(sys.argv[2])[name] for name in np.load(sys.argv[2]).files}
print(scored(data, sys.argv[1]).order_.tolist(), len(n_trained))
print(_fingerprint.describe(WORDS))
"""
WORDS = {"a set", "of", "several", "words"}


def scored(sets, path):
    scorer = make_scorer(f1_score, average="weighted")
    pipeline = make_pipeline(StandardScaler(), GaussianNB())
    return search(sets, path, pipeline, {"scoring": scorer})


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_and_another_hash_seed_resume(sets, path, hash_seed):
    first = scored(sets, path)
    np.savez(path.parent / "sets.npz", **sets)
    output = subprocess.run(
        [sys.executable, "-c", RESUME, str(path), str(path.parent / "sets.npz")],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    order, words = output.stdout.splitlines()
    assert order == f"{first.order_.tolist()} 0"
    assert words == _fingerprint.describe(WORDS)


# Memory.


class Memory:
    """A callback that tells how much is allocated at some steps."""

    max_propagation_depth = None

    def __init__(self, *steps):
        self.allocated = dict.fromkeys(steps)

    def setup(self, estimator, context):
        tracemalloc.start()

    def teardown(self, estimator, context):
        tracemalloc.stop()

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "step" and context.task_id in self.allocated:
            gc.collect()
            self.allocated[context.task_id] = tracemalloc.get_traced_memory()[0]

    def on_fit_task_end(self, estimator, context):
        pass


@pytest.mark.parametrize(("prefetch", "has_journal"), [(0, False), (5, True)])
def test_memory_grows_with_the_scores_alone(
    blobs, path, monkeypatch, prefetch, has_journal
):
    def score(self, sets):
        return [sum(s.tolist()) % 997 / 997 for s in sets]

    monkeypatch.setattr(Objective, "_train_and_score", score)
    oracle = AnnealingOracle(proposal="uniform",
        n_steps=10_001, n_greedy=0, prefetch=prefetch,
        journal=path if has_journal else None,
    )  # fmt: skip
    memory = Memory(2000, 6000, 10_000)
    learner = ActiveLearner(GaussianNB(), oracle, **BASE).set_callbacks(memory)
    learner.fit(*blobs)
    first, middle, last = memory.allocated.values()
    history = learner.strategy_.history_["n_trainings"]
    n_trainings = history[10_000] - history[2000]
    # A score with its key and place in a dict; a row of history, and what scikit-learn
    # keeps of each task. Nothing grows faster than that.
    n_scores = n_trainings + learner.strategy_.n_speculative_
    assert last - first < 260 * n_scores + 450 * 8000
    assert last - middle < 1.5 * (middle - first)


def test_a_journal_takes_a_path_or_a_string(sets, path):
    search(sets, str(path), n_steps=2)
    search(sets, Path(path), n_steps=2)
    with pytest.raises(ValueError, match="'journal' parameter of AnnealingOracle"):
        search(sets, 3)
