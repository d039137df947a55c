"""The first labels: short runs, and the page that is made of the long ones."""

from pathlib import Path

import cold_start
import numpy as np
import pytest
from lines import read
from sklearn.datasets import load_iris

DOCS = Path(cold_start.__file__).parents[1] / "docs"


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(cold_start, "N_SPLITS", 2)
    monkeypatch.setattr(cold_start, "N_RANDOM", 2)
    iris = {"iris": lambda seed: load_iris(return_X_y=True)}
    monkeypatch.setattr(cold_start, "PROBLEMS", iris)


def test_runs_are_made_once_and_resumed(short, tmp_path):
    out = tmp_path / "runs.csv"
    cold_start.run(["Random", "Herding"], out)
    text = out.read_bytes()
    assert len(read(out)) == 2 * (2 + 1)
    out.write_bytes(text[:-30])
    cold_start.run(["Random", "Herding"], out)
    assert out.read_bytes() == text
    # A class of skal that the script does not know.
    cold_start.run(["ProbCover"], out)
    assert len(read(out)) == 2 * (2 + 1 + 1)


def test_scores_are_means_over_orders():
    rows = [
        {
            "problem": "digits",
            "strategy": "Random",
            "split": split,
            "order": order,
            "curve": " ".join(str(int(split) + int(order) + k) for k in range(5)),
        }
        for split in "10"
        for order in "02"
    ]
    found = cold_start.gather(rows)["digits", "Random"]
    np.testing.assert_array_equal(found, [[1, 2, 5], [2, 3, 6]])


def test_the_page_is_made_of_the_committed_runs(tmp_path):
    page = tmp_path / "page.md"
    page.write_text((DOCS / "cold_start.md").read_text())
    cold_start.write(page, DOCS / "runs" / "cold_start.csv")
    assert page.read_text() == (DOCS / "cold_start.md").read_text()


@pytest.mark.parametrize(
    ("problem", "gains"),
    [("digits", {10: 0.30, 50: 0.08}), ("Fashion-MNIST", {10: 0.12, 50: 0.05})],
)
def test_herding_is_far_above_random_in_the_committed_runs(problem, gains):
    found = cold_start.gather(read(DOCS / "runs" / "cold_start.csv"))
    gain = (found[problem, "Herding"] - found[problem, "Random"]).mean(axis=0)
    for n_labels, least in gains.items():
        assert gain[cold_start.LABELS.index(n_labels)] >= least
