"""Studies that are killed, go on, and refuse the folders of others."""

import json
import os
import re
import shutil
import signal
import time
import warnings
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skal import (
    BALD,
    AnnealingOracle,
    Margin,
    MaxEntropy,
    Problem,
    Random,
    compare,
    model_transfer,
    seed_transfer,
    split,
)
from skal.identity import _fingerprint
from skal.identity._names import OLD_NAMES, renamed_all
from skal.oracle import read_journal
from skal.studies.running._jobs import Cell
from skal.studies.running._replays import Replay
from skal.studies.running._store import Run, Store

# Forked from a clean process in which the imports are done: in milliseconds.
processes = get_context("forkserver")
processes.set_forkserver_preload(["skal.studies", "sklearn.naive_bayes", "pandas"])

ESTIMATORS = {"tree": DecisionTreeClassifier(max_features=1), "bayes": GaussianNB()}
# Two seeds are enough of a study to be killed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:A comparison over 2 seeds"),
    pytest.mark.filterwarnings("ignore:Seeds do not differ"),
]
SEEDS = (0, 1)
STRATEGIES = {
    "random": Random(),
    "margin": Margin(),
    "oracle": AnnealingOracle(n_steps=30, n_greedy=6),
}
# A study scores some 600 models; the process dies at one of them.
scored = {"n": 0, "last": None}


def accuracy(model, X, y):
    """Score a model, and die where it is said."""
    scored["n"] += 1
    if scored["n"] == scored["last"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return float(np.mean(model.predict(X) == y))


def half_accuracy(model, X, y):
    return accuracy(model, X, y) / 2


def pose(seed=3, **params):
    X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=seed)
    sets = split(X, y, warm_size=10, val_size=25, test_size=25, random_state=0)
    params = {"batch_size": 4, "n_rounds": 3, "scoring": accuracy} | params
    return Problem.from_sets(sets, GaussianNB(), **params)


def study(path, problem=None, strategies=STRATEGIES, **params):
    """Return the tables of a comparison and of its replays, and the comparison."""
    problem = pose() if problem is None else problem
    params = {"seeds": SEEDS, "estimators": ESTIMATORS, "n_orders": 2} | params
    found = compare(problem, strategies, path=path, **params)
    transfers = (f(found, path=path) for f in (seed_transfer, model_transfer))
    return [one.table() for one in (found, *transfers)], found


def study_and_die(path, last):
    scored.update(n=0, last=last)
    study(path)


def assert_same(tables, others):
    for table, other in zip(tables, others, strict=True):
        assert list(table) == list(other)
        for name in table:
            np.testing.assert_array_equal(table[name], other[name])


@pytest.fixture(scope="module")
def undisturbed():
    """The tables of a study without a folder, and how many models it scored."""
    scored.update(n=0, last=None)
    tables, _ = study(None)
    return tables, scored["n"]


@pytest.fixture
def lines():
    """A function that returns the whole lines of a file; none where it is not."""

    def read(path):
        return path.read_bytes().split(b"\n")[:-1] if path.exists() else []

    return read


# In a random order; in two searches; at the end of one and in the replays.
@pytest.mark.parametrize("shares", [(0.02, 0.01), (0.08, 0.1), (0.3, 0.5), (0.8, 0.18)])
def test_two_kills_give_the_table_of_an_undisturbed_run(
    undisturbed, tmp_path, lines, shares
):
    tables, n_scored = undisturbed
    n_lines = [0]
    for share in shares:
        process = processes.Process(
            target=study_and_die, args=(tmp_path, int(share * n_scored))
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        files = [tmp_path / f"{name}.jsonl" for name in ("compare", "replays")]
        n_lines.append(sum(len(lines(file)) for file in files))
    assert n_lines[0] <= n_lines[1] <= n_lines[2]
    assert n_lines[2] > 0
    scored.update(n=0, last=None)
    assert_same(study(tmp_path)[0], tables)
    # At most what was under way is done again; of a search, a round of its start, and
    # the models that strategies are asked about.
    lost = 2 * (2 * 4 + 16 + 3)
    assert scored["n"] <= n_scored - sum(int(s * n_scored) for s in shares) + lost
    scored.update(n=0)
    assert_same(study(tmp_path)[0], tables)
    assert scored["n"] == 0


def slow_accuracy(model, X, y):
    time.sleep(0.003)
    return accuracy(model, X, y)


def study_in_parallel(path):
    os.setsid()  # so that its workers are killed with it
    study(path, pose(scoring=slow_accuracy), n_jobs=2)


def test_a_kill_with_workers(undisturbed, tmp_path, lines):
    process = processes.Process(target=study_in_parallel, args=(tmp_path,))
    process.start()
    while process.is_alive() and len(lines(tmp_path / "compare.jsonl")) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "replays.jsonl").exists()
    tables, _ = study(tmp_path, pose(scoring=slow_accuracy))
    assert_same(tables, undisturbed[0])


def test_a_line_that_is_cut_anywhere(undisturbed, tmp_path, lines):
    study(tmp_path)
    for name in ("compare", "replays"):
        file = tmp_path / f"{name}.jsonl"
        whole = file.read_bytes()
        end = whole.rindex(b"\n", 0, -1) + 1  # of the last line but one
        for cut in (end, end + 1, (end + len(whole)) // 2, len(whole) - 2):
            file.write_bytes(whole[:cut])
            n_before = len(lines(file))
            assert_same(study(tmp_path)[0], undisturbed[0])
            # What was cut is left alone, and a whole line is added.
            assert len(lines(file)) == n_before + 1 + (cut > end)
        # Without its line feed, the last line is still whole.
        file.write_bytes(whole[:-1])
        assert_same(study(tmp_path)[0], undisturbed[0])
        assert file.read_bytes() == whole[:-1]


def test_a_folder_can_be_read_without_skal(folder, lines):
    _, found = study(folder)  # that is, read
    assert sorted(os.listdir(folder)) == [
        *("compare.jsonl", "replays.jsonl", "searches", "study.json")
    ]
    table = pd.read_json(folder / "compare.jsonl", lines=True)
    assert list(table) == [
        *("estimator", "strategy", "seed", "number"),
        *("curve", "validation_curve", "order", *Run._fields[3:], "made_by", "crc"),
    ]
    query = "estimator == 'tree' and strategy == 'margin' and seed == 1"
    row = table.query(query)
    np.testing.assert_allclose(row["curve"].item(), found.curves[0, 1, 1])
    assert row["order"].item() == found.orders["tree", "margin", 1][0].tolist()
    assert row["n_trainings"].item() == 3 + 1
    assert 0 < row["seconds"].item() < 60
    assert pl.read_ndjson(folder / "compare.jsonl").height == 2 * 4 * 2
    # Each order under the other seed, and with the other estimator.
    assert len(lines(folder / "replays.jsonl")) == 2 * 2 * 2 * 2
    assert len(os.listdir(folder / "searches")) == 4
    given = json.loads((folder / "study.json").read_text())
    assert given["strategy 'oracle'"]["strategy"].count("n_steps=30") == 1


def test_a_study_can_grow(tmp_path, undisturbed):
    few = {"random": Random(), "margin": Margin()}
    tree = {"tree": ESTIMATORS["tree"]}
    with pytest.warns(UserWarning, match="over 1 seed is too small"):
        compare(pose(), few, estimators=tree, seeds=[1], n_orders=1, path=tmp_path)
    before = (tmp_path / "compare.jsonl").read_bytes()
    assert_same(study(tmp_path)[0], undisturbed[0])
    assert (tmp_path / "compare.jsonl").read_bytes().startswith(before)


def test_a_search_in_a_folder_has_a_journal(folder):
    _, found = study(folder)
    (journal,) = (folder / "searches").glob("tree_oracle_1_0-*.db")
    assert set(read_journal(journal)["xi"].tolist()) == {1}
    assert found.strategies["oracle"].journal is None


def test_a_journal_that_is_given_is_kept(tmp_path):
    own = tmp_path / "own.db"
    oracle = {"oracle": AnnealingOracle(n_steps=5, journal=own)}
    compare(pose(), oracle, seeds=SEEDS, path=tmp_path / "study")
    assert set(read_journal(own)["xi"].tolist()) == set(SEEDS)
    assert sorted(os.listdir(tmp_path / "study")) == ["compare.jsonl", "study.json"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("study")
    study(path)
    return path


def other_labels():
    problem = pose()
    return replace(problem, y_test=problem.y_test[::-1])


@pytest.mark.parametrize(
    ("params", "difference"),
    [
        (
            {"problem": pose(seed=4)},
            r"data differs, X_pool=<60 rows, digest \w+> there",
        ),
        ({"problem": other_labels()}, "data differs, y_test=<25 rows"),
        ({"problem": pose(n_rounds=2)}, "n_rounds=3 there, n_rounds=2 now"),
        ({"problem": pose(batch_size=3)}, "batch_size=4 there, batch_size=3 now"),
    ],
)
def test_the_folder_of_another_study_is_refused(folder, params, difference):
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    params = {
        "problem": pose(),
        "strategies": STRATEGIES,
        "estimators": ESTIMATORS,
        "seeds": SEEDS,
    } | params
    with pytest.raises(ValueError, match=f"folder of another study: .*{difference}"):
        compare(**params, path=folder)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the folder, for tests that change it."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


CHANGES = {
    "strategy 'margin' has changed (strategy=skal.Margin(over_labels=None, "
    "random_state=None) there, strategy=skal.MaxEntropy(over_labels=None, "
    "random_state=None) now): its 4 cells are run again; 12 others are kept.": {
        "strategies": STRATEGIES | {"margin": MaxEntropy()}
    },
    "estimator 'tree' has changed (estimator: max_depth=None there, max_depth=2 now): "
    "its 8 cells are run again; 8 others are kept.": {
        "estimators": ESTIMATORS
        | {"tree": DecisionTreeClassifier(max_features=1, max_depth=2)}
    },
    "all 16 cells are run again.": {"problem": pose(scoring=half_accuracy)},
}


@pytest.mark.parametrize("message", CHANGES)
def test_a_change_runs_the_cells_that_depend_on_it_again(copied, lines, message):
    before = [len(lines(copied / f"{name}.jsonl")) for name in ("compare", "replays")]
    fresh = study(None, **CHANGES[message])[0]
    with pytest.warns(UserWarning, match="run again") as caught:
        tables = study(copied, **CHANGES[message])[0]
    assert_same(tables, fresh)
    (told,) = [one for one in map(str, (w.message for w in caught)) if "again" in one]
    assert told.endswith(message)
    after = [len(lines(copied / f"{name}.jsonl")) for name in ("compare", "replays")]
    n_again = int(re.search(r"(\d+) cells are run", message)[1])
    assert after[0] == before[0] + n_again
    assert before[1] < after[1]
    # Nothing is run again, neither so nor when the change is undone.
    scored.update(n=0, last=None)
    assert_same(study(copied, **CHANGES[message])[0], fresh)
    study(copied)
    assert scored["n"] == 0
    assert after == [len(lines(copied / f"{n}.jsonl")) for n in ("compare", "replays")]


def test_a_change_of_nothing_that_is_asked_for_is_not_told(copied):
    compare(pose(), {"margin": Margin()}, estimators=ESTIMATORS, seeds=2, path=copied)
    given = json.loads((copied / "study.json").read_text())
    assert "strategy 'oracle'" in given


def edited_line(old, new):
    return lambda raw: raw.replace(old, new, 1)


DAMAGES = {
    "a digit": lambda raw: re.sub(
        rb"0\.(\d)", lambda m: b"0.%d" % (9 - int(m[1])), raw
    ),
    "a name": edited_line(b'"margin"', b'"random"'),
    "a field that is missing": edited_line(b'"order"', b'"other"'),
    "no checksum": lambda raw: re.sub(rb', "crc": \d+', b"", raw),
    "depth": lambda raw: b'{"a": ' + b"[" * 10**5 + b"]" * 10**5 + b"}",
    "no JSON": edited_line(b":", b";"),
    "a list": lambda raw: b'[{"a": 1}]',
    "not UTF-8": edited_line(b"margin", b"marg\xff\xfe"),
}


def opened(folder):
    """Return the store of the comparison in a folder, and what it warns of."""
    given = json.loads((folder / "study.json").read_text())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        store = Store(folder, "compare", Cell, given)
    return store, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_line_is_ignored_with_one_warning(copied, lines, damage):
    path = copied / "compare.jsonl"
    whole = lines(path)
    n = next(i for i, line in enumerate(whole) if b'"margin"' in line)
    ruined = [*whole[:n], DAMAGES[damage](whole[n]), *whole[n + 1 :]]
    path.write_bytes(b"\n".join(ruined) + b"\n")
    store, messages = opened(copied)
    lost = json.loads(whole[n])
    assert len(store.runs) == len(whole) - 1
    assert Cell(*(lost[name] for name in Cell._fields)) not in store.runs
    is_told = damage != "a list"  # as where a kill cut it
    told = f"{path} is damaged: 1 line is ignored, and the cells are run again. Remove"
    assert [message[: len(told)] for message in messages] == [told] * is_told


def test_the_cells_of_damaged_lines_are_run_again(copied, undisturbed, lines):
    path = copied / "compare.jsonl"
    whole = lines(path)
    path.write_bytes(b"\n".join([*whole[:3], b"{}", b"{}", *whole[5:]]) + b"\n")
    with pytest.warns(UserWarning, match="2 lines are ignored"):
        assert_same(study(copied)[0], undisturbed[0])
    assert len(lines(path)) == len(whole) + 2


def unsigned(lines):
    """Return lines as format 1 has them, without a digest and a checksum."""
    return [re.sub(rb', "made_by": "\w+", "crc": \d+', b"", line) for line in lines]


BAD_VALUES = {
    "a curve of another length": {"curve": [0.5] * 3},
    "a curve of texts": {"curve": ["0.5"] * 4},
    "a curve of booleans": {"curve": [True] * 4},
    "an infinite score": {"curve": [float("inf")] * 4},
    "an order of another length": {"order": [1, 2]},
    "an order with repeats": {"order": [1] * 12},
    "a row that is not there": {"order": [2**70, *range(11)]},
    "a negative row": {"order": [-1, *range(11)]},
    "an order of floats": {"order": [0.0, *range(1, 12)]},
    "a seed that is a list": {"seed": [0]},
    "a seed that is a boolean": {"seed": False},
    "a duration that is a text": {"seconds": "long"},
}


@pytest.mark.parametrize("bad", BAD_VALUES)
def test_values_that_cannot_be_are_damage_without_a_checksum(copied, lines, bad):
    path = copied / "compare.jsonl"
    first, *others = unsigned(lines(path))
    first = json.dumps(json.loads(first) | BAD_VALUES[bad]).encode()
    path.write_bytes(b"\n".join([first, *others]) + b"\n")
    store, (message,) = opened(copied)
    assert "compare.jsonl is damaged: 1 line is ignored" in message
    assert len(store.runs) == len(others)


def as_format_1(folder):
    """Put a folder back to how the first version wrote it."""
    private = {
        "sklearn.tree.Dec": "sklearn.tree._classes.Dec",
        **{new: old for old, new in OLD_NAMES.items()},
    }
    text = (folder / "study.json").read_text()
    for new, old in private.items():
        text = re.sub(rf"{re.escape(new)}\b", old, text)
    (folder / "study.json").write_text(text)
    for path in folder.glob("*.jsonl"):
        path.write_bytes(b"\n".join([*unsigned(path.read_bytes().splitlines()), b""]))


def test_a_folder_of_format_1_is_read_and_then_signed(tmp_path, lines):
    strategies = {"margin": Margin(), "oracle": AnnealingOracle(n_steps=10)}
    params = {"problem": pose(scoring="accuracy"), "strategies": strategies}
    tables = study(tmp_path, **params)[0]
    path = tmp_path / "compare.jsonl"
    signed = [sorted(lines(tmp_path / f"{n}.jsonl")) for n in ("compare", "replays")]
    as_format_1(tmp_path)
    assert b"made_by" not in path.read_bytes()
    assert (
        "skal.strategies._uncertainty.Margin" in (tmp_path / "study.json").read_text()
    )
    assert_same(study(tmp_path, **params)[0], tables)
    for name, expected in zip(("compare", "replays"), signed, strict=True):
        assert sorted(lines(tmp_path / f"{name}.jsonl")) == expected
    # A folder that is opened with a change is signed with what it was made by.
    as_format_1(tmp_path)
    changed = params | {"strategies": strategies | {"margin": MaxEntropy()}}
    with pytest.warns(UserWarning, match="strategy 'margin' has changed"):
        study(tmp_path, **changed)
    n_lines = len(lines(path))
    assert_same(study(tmp_path, **params)[0], tables)
    assert len(lines(path)) == n_lines


def test_a_folder_that_may_only_be_read(tmp_path, monkeypatch):
    params = {"problem": pose(scoring="accuracy"), "strategies": {"margin": Margin()}}
    tables = study(tmp_path, **params)[0]
    as_format_1(tmp_path)

    def refuse(*args, **kwargs):
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    assert_same(study(tmp_path, **params)[0], tables)


def test_several_processes_sign_a_folder_of_format_1(tmp_path, lines):
    study(tmp_path)
    path = tmp_path / "compare.jsonl"
    signed = sorted(lines(path))
    as_format_1(tmp_path)
    several = [processes.Process(target=study, args=(tmp_path,)) for _ in range(3)]
    for process in several:
        process.start()
    for process in several:
        process.join()
        assert process.exitcode == 0
    assert sorted(lines(path)) == signed
    assert not (tmp_path / ".lock").exists()


@pytest.mark.parametrize("task", ["oc", "ic", "ner"])
def test_published_studies_are_read_as_the_same(tmp_path, task):
    source = Path(__file__).parents[2] / f"docs/runs/reproduction/{task}/study"
    path = shutil.copytree(source, tmp_path / task)
    stored = json.loads((path / "study.json").read_text())
    given = {name: renamed_all(described) for name, described in stored.items()}
    for name, described in given.items():
        if name.startswith("strategy "):
            assert not re.search(r"skal\.\w+\._", described["strategy"])
            samples = re.search(r"BALD|VariationRatio", described["strategy"])
            described["model"] = "posterior estimator" if samples else "estimator"
    given["versions"] = _fingerprint.versions()
    for study, kind in (("compare", Cell), ("replays", Replay)):
        cells = {
            tuple(json.loads(line)[name] for name in kind._fields)
            for line in (path / f"{study}.jsonl").read_text().splitlines()
        }
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* was begun with another version")
            assert Store(path, study, kind, given).runs.keys() == cells


def test_a_study_on_a_pool_that_was_carved_is_resumed(blobs, tmp_path):
    problem = Problem.from_data(
        *blobs, GaussianNB(), batch_size=4, n_rounds=3, warm_size=10, random_state=0
    )
    strategies = {"random": Random(), "margin": Margin()}
    first = compare(problem, strategies, n_orders=2, path=tmp_path)
    before = (tmp_path / "compare.jsonl").read_bytes()
    again = compare(problem, strategies, n_orders=2, path=tmp_path)
    assert (tmp_path / "compare.jsonl").read_bytes() == before
    np.testing.assert_array_equal(again.curves, first.curves)


def test_what_has_no_effect_makes_no_other_study(folder):
    oracle = AnnealingOracle(n_steps=30, n_greedy=6, prefetch=2, n_jobs=1)
    tree = DecisionTreeClassifier(max_features=1, random_state=7)
    scored.update(n=0, last=None)
    estimators = ESTIMATORS | {"tree": tree}
    study(folder, strategies=STRATEGIES | {"oracle": oracle}, estimators=estimators)
    assert scored["n"] == 0


def test_replays_of_another_order_are_refused(folder):
    _, found = study(folder)
    key = "tree", "margin", 1
    orders = dict(found.orders) | {key: found.orders[key][:, ::-1]}
    with pytest.raises(ValueError, match="a replay of another order of 'margin'"):
        seed_transfer(replace(found, orders=orders), path=folder)


def test_other_things_in_the_way_are_refused(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(ValueError, match=r"other files in it, such as notes.txt"):
        compare(pose(), {"margin": Margin()}, path=tmp_path)
    with pytest.raises(NotADirectoryError, match="is a file: give"):
        compare(pose(), {"margin": Margin()}, path=file)
    folder = tmp_path / "made" / "for it"
    compare(pose(), {"margin": Margin()}, path=folder)
    (folder / "study.json").write_text('{"data": ')
    with pytest.raises(ValueError, match=r"study.json is damaged"):
        compare(pose(), {"margin": Margin()}, path=folder)


@pytest.mark.parametrize("name", ["numpy", "processor"])
def test_another_version_gives_a_warning(tmp_path, name):
    compare(pose(), {"margin": Margin()}, path=tmp_path)
    path = tmp_path / "study.json"
    given = json.loads(path.read_text())
    given["versions"][name] = "1.0"
    path.write_text(json.dumps(given))
    with pytest.warns(UserWarning, match=f"version or processor: {name}=1.0 there"):
        compare(pose(), {"margin": Margin()}, path=tmp_path)


def interrupt(model, X, y):
    """Press Ctrl-C in the middle of a search."""
    scored["n"] += 1
    if scored["n"] == scored["last"]:
        raise KeyboardInterrupt
    return float(np.mean(model.predict(X) == y))


def test_a_search_that_is_interrupted_is_not_taken_for_a_whole_one(tmp_path, lines):
    scored.update(n=0, last=None)
    oracle = {"oracle": AnnealingOracle(n_steps=30)}
    problem = pose(scoring=interrupt)
    expected = compare(problem, oracle, seeds=SEEDS)
    scored.update(n=0, last=30)
    with pytest.raises(KeyboardInterrupt):
        compare(problem, oracle, seeds=SEEDS, path=tmp_path / "study")
    assert lines(tmp_path / "study" / "compare.jsonl") == []
    found = compare(problem, oracle, seeds=SEEDS, path=tmp_path / "study")
    assert_same([found.table()], [expected.table()])


def test_what_samples_a_posterior_is_part_of_a_study(tmp_path):
    shallow, deep = (RandomForestClassifier(3, max_depth=depth) for depth in (1, 5))

    def run(path, strategies, **params):
        estimators = {"forest": deep}
        return compare(pose(), strategies, estimators=estimators, path=path, **params)

    bald, margin = {"bald": BALD()}, {"margin": Margin()}
    posterior = {"posterior_estimators": {"forest": shallow}}
    with_, without = tmp_path / "with", tmp_path / "without"
    for path, params in ((with_, posterior), (without, {})):
        run(path, margin)  # which samples none
        run(path, margin | bald, **params)
    with pytest.warns(UserWarning, match="max_depth=1 there, max_depth=5 now"):
        run(with_, bald)
    with pytest.warns(UserWarning, match="max_depth=5 there, max_depth=1 now"):
        run(without, bald, **posterior)


class Moody(Margin):
    """Chooses as told, or not at all."""

    def __init__(self, fails=False, random_state=None):
        super().__init__(random_state=random_state)
        self.fails = fails

    def _select(self, *args):
        if self.fails:
            raise ValueError("in no mood to choose")
        return super()._select(*args)


class Untrainable(RandomForestClassifier):
    def fit(self, X, y):
        raise ValueError("cannot be trained")


def test_what_failed_at_its_first_run_can_be_put_right(tmp_path):
    def run(fails):
        strategies = {"margin": Margin(), "moody": Moody(fails)}
        return compare(pose(), strategies, path=tmp_path, seeds=SEEDS)

    with pytest.raises(ValueError, match="in no mood"):
        run(True)
    assert run(False).curves.shape == (1, 2, 2, 4)
    with (
        pytest.warns(UserWarning, match="strategy 'moody' has changed"),
        pytest.raises(ValueError, match="in no mood"),
    ):
        run(True)


def test_a_posterior_estimator_that_failed_can_be_put_right(tmp_path):
    def run(sampled):
        return compare(
            pose(),
            {"margin": Margin(), "bald": BALD()},
            estimators={"forest": RandomForestClassifier(3)},
            posterior_estimators={"forest": sampled},
            path=tmp_path,
            seeds=SEEDS,
        )

    with pytest.raises(ValueError, match="cannot be trained"):
        run(Untrainable(3))
    assert run(RandomForestClassifier(3, max_depth=1)).curves.shape == (1, 2, 2, 4)
    with pytest.warns(UserWarning, match="posterior estimator 'forest' has changed"):
        run(RandomForestClassifier(3))


def test_a_search_that_was_cut_short_does_not_bind_the_next(tmp_path):
    def run(model=None, n_steps=20, **params):
        oracle = AnnealingOracle(n_steps=n_steps, n_greedy=4, **params)
        estimators = {"bayes": GaussianNB() if model is None else model}
        compare(
            *(pose(), {"oracle": oracle}),
            estimators=estimators,
            path=tmp_path,
            seeds=SEEDS,
        )
        (tmp_path / "compare.jsonl").unlink()  # as where it ends before the first cell
        return len(list((tmp_path / "searches").glob("*.db")))

    assert run() == 2
    assert run(n_steps=25) == 4
    assert run(GaussianNB(var_smoothing=0.1)) == 6
    assert run(max_time=1000.0) == 6  # the first ones go on
