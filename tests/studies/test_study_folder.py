"""Folders of studies: what they hold, and which other studies they refuse."""

import json
import os
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _small_study import (
    ESTIMATORS,
    SEEDS,
    STRATEGIES,
    TWO_SEEDS_ARE_ENOUGH,
    assert_same,
    half_accuracy,
    pose,
    scored,
    study,
)
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
    seed_transfer,
)
from skal.oracle import read_journal
from skal.studies.running._store import Run

pytestmark = TWO_SEEDS_ARE_ENOUGH


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
