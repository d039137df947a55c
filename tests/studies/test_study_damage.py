"""Folders of studies that are damaged or of the first version."""

import json
import os
import re
import shutil
import warnings
from pathlib import Path

import pytest
from _small_study import TWO_SEEDS_ARE_ENOUGH, assert_same, pose, processes, study

from skal import AnnealingOracle, Margin, MaxEntropy
from skal.identity import _fingerprint
from skal.identity._names import OLD_NAMES, renamed_all
from skal.studies.running._jobs import Cell
from skal.studies.running._replays import Replay
from skal.studies.running._store import Store

pytestmark = TWO_SEEDS_ARE_ENOUGH


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
    for name, kind in (("compare", Cell), ("replays", Replay)):
        cells = {
            tuple(json.loads(line)[field] for field in kind._fields)
            for line in (path / f"{name}.jsonl").read_text().splitlines()
        }
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* was begun with another version")
            assert Store(path, name, kind, given).runs.keys() == cells
