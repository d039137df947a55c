"""Strategies for named entities: short runs, and the page made of the long ones."""

import json
from pathlib import Path

import ner_strategies
import ner_strategies_page as page
import numpy as np
import pytest
from lines import read

from skal import Longest, MinConfidence, Problem
from skal.datasets import make_tagged_sentences
from skal.nets import BiLSTMTagger
from skal.studies import Task

DOCS = Path(page.__file__).parents[1] / "docs"


@pytest.fixture
def task(monkeypatch):
    """Return a small task on made data, with two random orders."""
    monkeypatch.setattr(ner_strategies, "N_RANDOM", 2)
    X, y = make_tagged_sentences(120, random_state=0)
    ends = {"": 60, "_warm": 70, "_select": 80, "_val": 90, "_test": 120}
    starts = [0, *ends.values()]
    sets = {
        letter + name: data[start:end]
        for (name, end), start in zip(ends.items(), starts, strict=False)
        for letter, data in (("X", X), ("y", y))
    }
    tagger = BiLSTMTagger(max_epochs=4, lr=0.05)
    problem = Problem.from_sets(
        sets, tagger, batch_size=5, n_rounds=3, scoring="f1_weighted"
    )
    strategies = {
        "min-confidence": MinConfidence(),
        "normalized-min-confidence": MinConfidence(normalize=True),
        "longest": Longest(),
    }
    return Task("made", problem, "f1_weighted", {"lstm": tagger}, strategies)


def test_runs_are_those_of_learners(task, tmp_path):
    out = tmp_path / "runs.csv"
    ner_strategies.run(task, 2, out, study=None)
    rows = [row for row in read(out) if row["seed"] == "1"]
    wanted = ner_strategies.wanted(task)
    assert [(row["strategy"], int(row["order"])) for row in rows] == [*wanted]
    assert len({row["curve"] for row in rows}) > 4
    for row, strategy in zip(rows, wanted.values(), strict=True):
        learner = task.learner(strategy, random_state=1).fit(**task.problem.sets)
        curve = np.array(row["curve"].split(), float)
        np.testing.assert_allclose(curve, learner.curve_, atol=1e-6)
        for k, n_tokens in enumerate(map(int, row["tokens"].split())):
            labelled = [task.problem.X_pool[i] for i in learner.order_[: 5 * k]]
            assert n_tokens == sum(map(len, [*task.problem.X_warm, *labelled]))


def test_runs_are_resumed(task, tmp_path):
    out = tmp_path / "runs.csv"

    def kept():
        return [{**row, "seconds": None} for row in read(out)]

    ner_strategies.run(task, 1, out, study=None)
    whole = kept()
    out.write_bytes(out.read_bytes()[:-20])
    assert kept() == whole[:-1]
    ner_strategies.run(task, 1, out, study=None)
    assert kept() == whole


def test_runs_of_a_study_are_taken_over(task, tmp_path):
    out, study = tmp_path / "runs.csv", tmp_path / "compare.jsonl"
    order = np.arange(15)
    learner = task.learner(Longest(), random_state=0).fit(**task.problem.sets)

    def save(curve):
        run = {"strategy": "oracle", "seed": 0, "number": 0, "seconds": 7.0}
        study.write_text(json.dumps({**run, "order": order.tolist(), "curve": curve}))

    save([learner.curve_[0] + 0.1, 0.6, 0.7, 0.8])
    with pytest.raises(SystemExit, match="pass --no-study"):
        ner_strategies.run(task, 1, out, study)
    save([learner.curve_[0], 0.6, 0.7, 0.8])
    ner_strategies.run(task, 1, out, study)
    oracle, *others = read(out)
    assert oracle["strategy"] == "oracle"
    assert oracle["curve"].endswith(" 0.600000 0.700000 0.800000")
    assert len(others) == len(ner_strategies.wanted(task))


def test_qualities_are_compared_at_equal_numbers_of_tokens():
    rows = [
        {"strategy": "random", "seed": 0, "tokens": "10 20 30", "curve": ".2 .4 .6"},
        {"strategy": "longest", "seed": 0, "tokens": "10 50 90", "curve": ".2 .6 .8"},
    ]
    found = page.gather(rows)
    # Up to 30 tokens: the second curve is at .4 there.
    assert found["tokens"]["random"][0] == pytest.approx(0.4)
    assert found["tokens"]["longest"][0] == pytest.approx(0.3)
    assert found["at equal tokens"]["longest"][0] == pytest.approx(0.4)
    assert found["sentences"]["longest"][0] == pytest.approx(1.6 / 3)
    assert found["labelled"]["longest"][0] == 90


def test_gains_are_paired_by_seed():
    first, second = {0: 0.5, 1: 0.8, 2: 0.9}, {0: 0.3, 2: 0.8, 3: 0.1}
    assert page.gain(first, second) == "+0.150 (p 0.205)"


def test_the_page_is_made_of_the_committed_runs(tmp_path):
    written = tmp_path / "page.md"
    written.write_text((DOCS / "ner_strategies.md").read_text())
    page.write(written, DOCS / "runs" / "ner_strategies.csv")
    assert written.read_text() == (DOCS / "ner_strategies.md").read_text()
