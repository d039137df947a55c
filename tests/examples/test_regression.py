"""The study of regression: short runs, and the page of the committed ones."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import regression
import regression_page
from lines import read
from scipy.stats import t as student

from skal import AnnealingOracle

DOCS = Path(regression.__file__).parents[1] / "docs"


@pytest.fixture
def short(monkeypatch):
    """Searches of a few trainings, and two random orders."""
    monkeypatch.setattr(regression, "N_RANDOM", 2)
    quick = AnnealingOracle(n_steps=5, proposal="uniform")
    monkeypatch.setitem(regression.ORACLES, "uniform", quick)


def test_runs_that_are_there_are_skipped(short, tmp_path, monkeypatch, capsys):
    args = Namespace(
        tasks=["diabetes", "houses"],
        methods=["random", "uniform"],
        seeds=[0],
        out=tmp_path,
    )
    regression.work(args)
    rows = read(tmp_path / "regression.csv")
    cells = [(row["task"], row["method"]) for row in rows]
    assert sorted(cells) == [
        (task, method) for task in args.tasks for method in args.methods
    ]
    by = {(row["task"], row["method"]): row for row in rows}
    search = by["houses", "uniform"]
    assert len(set(search["order"].split())) == 64
    assert int(search["trainings"]) > int(by["houses", "random"]["trainings"]) == 9
    monkeypatch.setattr(regression, "run", None)
    regression.work(args)
    assert read(tmp_path / "regression.csv") == rows


def test_a_run_is_repeated_exactly(short):
    one, two = (regression.run("diabetes", 3, "lcmd") for _ in range(2))
    seconds = regression.COLUMNS.index("seconds")
    del one[seconds], two[seconds]
    assert one == two


def test_houses_are_like_those_of_california():
    X, y, _ = regression.houses(0)
    assert X.shape == (800, 7)
    assert np.isfinite(X).all()
    assert y.max() == 5.0
    assert 0.01 < np.mean(y == 5.0) < 0.2  # the highest prices are cut off
    income = X[:, 2]
    assert np.mean(income) > np.median(income)  # skewed
    assert 0.4 < np.corrcoef(income, y)[0, 1] < 0.95
    assert not np.array_equal(X, regression.houses(1)[0])


def line(task, seed, method, validation, test, after=()):
    values = [task, seed, method, 100, 1.0, validation, test, test, "1 2", *after]
    values += [""] * (len(regression.COLUMNS) - len(values))
    return dict(zip(regression.COLUMNS, map(str, values), strict=True))


def gathered(rows, monkeypatch):
    monkeypatch.setattr(regression_page, "read", lambda path: rows)
    return regression_page.gather(None)


def test_when_a_search_has_caught_up(monkeypatch):
    run = line("houses", 0, "guided", 0.8, 0.7, after=(0.5, 0.6, 0.7))
    marks = regression.MARKS
    assert regression_page.caught_up(run, 0.6) == marks[1]
    assert regression_page.caught_up(run, 0.65) == marks[2]
    assert regression_page.caught_up(run, 0.75) == 100  # at its end
    assert regression_page.caught_up(run, 0.9) == np.inf
    assert regression_page.best_after(run, marks[1] + 1) == 0.6
    assert np.isnan(regression_page.best_after(run, 1))


def test_optimism_and_p(monkeypatch):
    rows = []
    for seed in range(5):
        rows.append(line("houses", seed, "random", 0.70, 0.60))
        noise = 0.01 * seed
        rows.append(line("houses", seed, "uniform", 0.90, 0.70 + noise, after=(0.9,)))
    found = gathered(rows, monkeypatch)
    (cells,) = regression_page.searches(found).splitlines()[2:]
    # It gains .20 on validation, and .12 on test.
    assert cells.split(" | ")[5:7] == ["0.720", "+0.080"]
    differences = np.array([0.10, 0.11, 0.12, 0.13, 0.14])
    t = differences.mean() / (differences.std(ddof=1) / np.sqrt(5))
    p = 2 * student.sf(t, 4)
    shown = regression_page.p_of(found, "houses", "uniform", "random")
    assert shown == f"{p:.3f}* (5)"
    verdict = regression_page.verdict(found, "houses")
    assert verdict.endswith("p below 0.05: the uniform search in 1 of 1.")


def test_the_page_shows_the_runs(tmp_path, monkeypatch):
    page = tmp_path / "regression.md"
    page.write_text((DOCS / "regression.md").read_text())
    command = ["regression_page.py", str(page), "--runs", str(DOCS / "runs")]
    monkeypatch.setattr("sys.argv", command)
    regression_page.main()
    assert page.read_text() == (DOCS / "regression.md").read_text()
