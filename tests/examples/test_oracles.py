"""Oracles at equal cost: short runs, and the page that is made of the long ones."""

import shutil
from argparse import Namespace
from pathlib import Path

import compare_oracles
import luck_of_oracles
import numpy as np
import oracles_page
import pytest
from lines import read
from scipy import stats
from sklearn.ensemble import RandomForestClassifier

from skal import ActiveLearner, AnnealingOracle, Random
from skal.oracle import read_journal

DOCS = Path(compare_oracles.__file__).parents[1] / "docs"


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
    args = digits(tmp_path)
    compare_oracles.work(args)
    path = tmp_path / "oracles_digits.csv"
    first = path.read_text()
    # The last line is cut short, as by a machine that went down.
    path.write_text(first[: first.rindex("\n", 0, -1) + 20])
    ran = []
    run = compare_oracles.run
    monkeypatch.setattr(compare_oracles, "run", lambda *a: ran.append(a[1]) or run(*a))
    compare_oracles.work(args)
    assert ran == ["greedy by round"]
    names = [row["oracle"] for row in read(path)]
    assert names == ["guided", "greedy by round"]


def test_each_search_has_a_journal_of_its_own(tmp_path):
    names = ["guided", "annealing", "greedy by round", "beam", "best of strategies"]
    args = digits(
        tmp_path, oracles=names, budgets=[40, 80], journal=tmp_path / "search.db"
    )
    compare_oracles.work(args)
    assert len(read(tmp_path / "oracles_digits.csv")) == 10
    journals = {path.name for path in tmp_path.glob("search*.db")}
    assert len(journals) == 10
    assert "search-digits-greedy_by_round-80-0.db" in journals
    steps = read_journal(tmp_path / "search-digits-greedy_by_round-80-0.db")
    assert set(steps["oracle"]) == {"GreedyOracle"}


@pytest.mark.parametrize("argument", ["--oracles=best", "--budgets=299"])
def test_a_slip_is_met_before_anything_is_trained(argument, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["compare_oracles.py", "digits", argument])
    with pytest.raises(SystemExit):
        compare_oracles.main()
    expected = "less than 300" if "budgets" in argument else "'best of strategies'"
    assert expected in capsys.readouterr().err


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
    command = ["oracles_page.py", page, "--runs", str(DOCS / "runs")]
    monkeypatch.setattr("sys.argv", command)
    oracles_page.main()
    assert Path(page).read_text() == (DOCS / "oracles.md").read_text()
    assert (tmp_path / "images" / "oracles.png").stat().st_size > 10_000


def test_leads_are_over_seeds_that_both_have():
    guided, rival = {0: 0.9, 1: 0.8, 2: 0.9}, {0: 0.8, 1: 0.75, 5: 0.1}
    p = stats.ttest_rel([0.9, 0.8], [0.8, 0.75]).pvalue
    assert oracles_page.ahead(guided, rival) == pytest.approx((0.075, p))
    assert np.isnan(oracles_page.ahead(guided, {5: 0.1})).all()
    assert oracles_page.spell_lead(0.075, 0.02, 1e-9) == ["+0.075", "0.020", "<0.001"]
    assert oracles_page.spell_lead(np.nan, np.nan) == ["", ""]


def test_p_values_are_corrected_for_the_rivals_of_a_budget():
    rng = np.random.default_rng(0)
    found = {
        ("digits", name, "1000"): {
            seed: line("digits", name, 1000, seed, 0.9 - i / 50 + rng.normal() / 50)
            for seed in range(5)
        }
        for i, name in enumerate(["guided", "annealing", "beam"])
    }
    first, *rivals = oracles_page.at_budget(found, "digits", "1000", ["seconds"])
    assert first[-3:] == ["", "", ""]
    ps = [float(row[-2]) for row in rivals]
    corrected = [float(row[-1]) for row in rivals]
    assert min(corrected) == pytest.approx(2 * min(ps), abs=0.002)
    assert max(corrected) == pytest.approx(max(*ps, 2 * min(ps)), abs=0.002)


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
    assert f"digits, median of 1 seeds: share {marks[3] / 1000:.1%}" in text
    there = [dict(problem="digits", seed="0", trainings=str(marks[3]), test="0.8765")]
    text = oracles_page.against_published(found, there)
    assert "test there 0.8765 against 0.9000" in text
    assert np.isinf(
        [n or np.inf for *_, n in oracles_page.caught_up(worse(found), "digits")]
    ).all()


def worse(found):
    """Return the same runs, the guided one cut off before it is as good."""
    guided = dict(found["digits", "guided", "1000"][0], reached="nan 0.5 0.8")
    return found | {("digits", "guided", "1000"): {0: guided}}


def test_an_order_is_followed_with_other_seeds(monkeypatch):
    """What does not draw is as good with each; a forest is not."""
    row = luck_of_oracles.with_other_seeds("digits", "greedy by round", 40, 0)
    named = dict(zip(luck_of_oracles.SEED_COLUMNS, row, strict=True))
    assert named["validation"] == named["other_validation"]
    assert named["test"] == named["other_test"]
    sets, learner = compare_oracles.digits(0)
    forest = learner.set_params(estimator=RandomForestClassifier(3), n_rounds=2)
    monkeypatch.setitem(compare_oracles.PROBLEMS, "digits", lambda seed: (sets, forest))
    row = luck_of_oracles.with_other_seeds("digits", "greedy by round", 40, 0)
    named = dict(zip(luck_of_oracles.SEED_COLUMNS, row, strict=True))
    assert float(named["other_validation"]) < float(named["validation"])


def test_the_guided_search_ends_where_it_has_caught_up(tmp_path):
    row = luck_of_oracles.when_caught_up("digits", 0, 120)
    path = tmp_path / "caught_up.csv"
    cells, ran = [("digits", 0, 120)], []
    for _ in range(2):
        luck_of_oracles.work(
            path, luck_of_oracles.POINT_COLUMNS, cells, lambda *a: ran.append(a) or row
        )
    assert ran == cells
    (found,) = read(path)
    assert list(found.values()) == list(map(str, row))


def test_luck_is_what_is_gained_on_validation_and_not_on_test():
    """Whichever set is harder: that shows for random orders, too."""
    baseline = [
        {"problem": "digits", "seed": str(seed), "validation": "0.8", "test": "0.85"}
        for seed in (0, 1)
    ]
    found = {
        ("digits", "guided", "1000"): {
            0: line("digits", "guided", 1000, 0, 0.87),  # 0.9 on validation
            1: line("digits", "guided", 1000, 1, 0.89),
            2: line("digits", "guided", 1000, 2, 0.1),  # without random orders
        }
    }
    header, _, row = oracles_page.with_luck(found, baseline).splitlines()
    assert header.endswith("| luck |")
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["digits", "1,000", "guided", "2"]
    assert cells[4:] == ["0.100 ± 0.000", "0.030 ± 0.014", "0.070 ± 0.014"]


def test_random_orders_are_scored_on_both_sets():
    row = luck_of_oracles.of_random_orders("digits", 0, 2)
    named = dict(zip(luck_of_oracles.RANDOM_COLUMNS, row, strict=True))
    sets, learner = compare_oracles.digits(0)
    found = []
    for i in range(2):
        learner.set_params(strategy=Random(random_state=i)).fit(**sets)
        found.append([learner.validation_quality_, learner.quality_])
    on_val, on_test = np.mean(found, axis=0)
    assert float(named["validation"]) == pytest.approx(on_val, abs=1e-6)
    assert float(named["test"]) == pytest.approx(on_test, abs=1e-6)
    other = luck_of_oracles.of_random_orders("digits", 1, 2)
    assert other[:3] == ["digits", 1, 2]


def test_a_search_with_fewer_rows_of_validation(monkeypatch):
    row = luck_of_oracles.with_fewer_rows("digits", 40, 60, 1)
    named = dict(zip(luck_of_oracles.SIZE_COLUMNS, row, strict=True))
    sets, learner = compare_oracles.digits(1)
    sets |= {name: sets[name][:60] for name in ("X_val", "y_val")}
    oracle = compare_oracles.oracles(40, 160, 8)["guided"]
    found = learner.set_params(strategy=oracle).fit(**sets)
    assert float(named["validation"]) == pytest.approx(
        found.validation_quality_, abs=1e-6
    )
    assert float(named["test"]) == pytest.approx(found.quality_, abs=1e-6)
    # Random orders are judged on the same rows.
    random = luck_of_oracles.of_random_orders("digits", 1, luck_of_oracles.N_ORDERS)
    assert named["random_test"] == random[-1]
    assert named["random_validation"] != random[-2]


def test_luck_by_the_size_of_validation():
    values = [0.9, 0.85, 0.8, 0.8]
    rows = [
        dict(zip(luck_of_oracles.SIZE_COLUMNS, map(str, row), strict=True))
        for row in (
            ["digits", 1000, 478, 0, *values],
            ["digits", 1000, 50, 0, 0.95, *values[1:]],
            ["digits", 1000, 50, 1, 0.97, *values[1:]],
        )
    ]
    *_, few, many = oracles_page.with_fewer_rows(rows).splitlines()
    assert "| 50 | 2 | 0.160 ± 0.014 | 0.050 ± 0.000 | 0.110 ± 0.014 |" in few
    assert "| 478 | 1 | 0.100 | 0.050 | 0.050 |" in many
