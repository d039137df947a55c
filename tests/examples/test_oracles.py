"""Oracles at equal cost: short runs, and the page that is made of the long ones."""

import shutil
from argparse import Namespace
from pathlib import Path

import compare_oracles
import matplotlib.pyplot as plt
import numpy as np
import oracles_page
import pytest
from lines import read
from scipy import stats

from skal import ActiveLearner, AnnealingOracle
from skal.oracle import read_journal

DOCS = Path(compare_oracles.__file__).parents[1] / "docs"


@pytest.fixture(autouse=True)
def no_windows():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def digits(folder, **kwargs):
    return Namespace(
        **{
            "problem": "digits",
            "oracles": ["guided", "greedy by round"],
            "budgets": [40],
            "seeds": [0],
            "jobs": 1,
            "journal": None,
            "out": folder,
        }
        | kwargs
    )


def line(problem, oracle, budget, seed, test, reached=""):
    """Return a line as `compare_oracles` writes it."""
    values = [problem, oracle, budget, seed, 1000, 1.0, 0.9, test, test, reached]
    return dict(zip(compare_oracles.COLUMNS, map(str, values), strict=True))


def test_what_stands_there_is_not_run_again(tmp_path, monkeypatch):
    args = digits(tmp_path, journal=tmp_path / "search.db")
    compare_oracles.work(args)
    path = tmp_path / "oracles_digits.csv"
    first = path.read_text()
    assert set(read_journal(args.journal)["oracle"]) == {
        "AnnealingOracle",
        "GreedyOracle",
    }
    # The last line is cut short, as by a machine that went down.
    path.write_text(first[: first.rindex("\n", 0, -1) + 20])
    ran = []
    run = compare_oracles.run
    monkeypatch.setattr(compare_oracles, "run", lambda *a: ran.append(a[1]) or run(*a))
    compare_oracles.work(args)
    assert ran == ["greedy by round"]
    names = [row["oracle"] for row in read(path)]
    assert names == ["guided", "greedy by round"]


def test_a_line_is_what_the_oracle_found(tmp_path):
    compare_oracles.work(digits(tmp_path, oracles=["guided"]))
    (row,) = read(tmp_path / "oracles_digits.csv")
    sets, learner = compare_oracles.digits(0)
    oracle = AnnealingOracle(n_steps=4, max_trainings=40)
    found = ActiveLearner(
        learner.estimator, oracle, batch_size=20, n_rounds=8, random_state=0
    ).fit(**sets)
    assert float(row["validation"]) == pytest.approx(
        found.validation_quality_, abs=1e-6
    )
    assert float(row["test"]) == pytest.approx(found.quality_, abs=1e-6)
    assert int(row["trainings"]) == found.strategy_.n_trainings_ <= 40


def test_the_page_has_the_numbers_of_the_runs(tmp_path, monkeypatch):
    page = shutil.copy(DOCS / "oracles.md", tmp_path)
    (tmp_path / "images").mkdir()
    command = ["oracles_page.py", page, "--runs", str(DOCS / "runs")]
    monkeypatch.setattr("sys.argv", command)
    oracles_page.main()
    assert Path(page).read_text() == (DOCS / "oracles.md").read_text()
    assert (tmp_path / "images" / "oracles.png").stat().st_size > 10_000


def test_leads_are_over_seeds_that_both_have():
    guided, rival = {0: 0.9, 1: 0.8, 2: 0.9}, {0: 0.8, 1: 0.75, 5: 0.1}
    p = stats.ttest_rel([0.9, 0.8], [0.8, 0.75]).pvalue
    assert oracles_page.ahead(guided, rival) == ["+0.075", f"{p:.3f}"]
    assert oracles_page.ahead(guided, {5: 0.1}) == ["", ""]


def test_the_share_counts_trainings_up_to_the_published_quality():
    marks = compare_oracles.MARKS
    reached = " ".join(["nan", "0.5", "0.8", "0.95"])
    found = {
        ("digits", "guided", "1000"): {
            0: line("digits", "guided", 1000, 0, 0.9, reached)
        },
        ("digits", "annealing", "published"): {
            0: line("digits", "annealing", "published", 0, 0.9)
        },
    }
    ((seed, _, _, n),) = oracles_page.caught_up(found, "digits")
    assert (seed, n) == (0, marks[3])
    text = oracles_page.against_published(found)
    assert f"Median share: digits: {marks[3] / 1000:.1%} over 1 seeds." in text
    assert np.isinf(
        [n or np.inf for *_, n in oracles_page.caught_up(worse(found), "digits")]
    ).all()


def worse(found):
    """Return the same runs, the guided one cut off before it is as good."""
    guided = dict(found["digits", "guided", "1000"][0], reached="nan 0.5 0.8")
    return found | {("digits", "guided", "1000"): {0: guided}}
