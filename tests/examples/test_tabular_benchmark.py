"""The published benchmark on tables, on made data."""

import keel
import numpy as np
import pages
import pytest
import tabular_benchmark
import tabular_benchmark_page as page
from lines import append
from sklearn.datasets import make_classification
from sklearn.svm import SVC

from skal import Margin, Random


@pytest.fixture
def data():
    X, y = make_classification(60, 5, random_state=0)
    return 7 * X, y


def test_a_problem_is_the_published_split(data):
    X, y = data
    problem = keel.problem(X, y, SVC(), seed=3)
    rows = np.arange(60)
    np.random.default_rng(3).shuffle(rows)
    assert (problem.n_pool, problem.n_rounds, problem.batch_size) == (16, 16, 1)
    scale = X[rows[:36]].std(axis=0)
    centred = (X[rows[36:]] - X[rows[:36]].mean(axis=0)) / scale
    np.testing.assert_allclose(problem.X_test, centred)
    np.testing.assert_array_equal(problem.y_warm, y[rows[:20]])


def test_the_area_is_that_of_trapezoids():
    assert keel.area([0.0, 1.0, 1.0]) == 0.75
    assert keel.area(np.ones((2, 4))).tolist() == [1, 1]


def test_from_the_study_to_the_page(data, tmp_path, monkeypatch):
    monkeypatch.setattr(tabular_benchmark, "read_table", lambda name: data)
    strategies = {"random": Random(), "margin": Margin(), "core-set": Random()}
    monkeypatch.setattr(tabular_benchmark, "STRATEGIES", strategies)
    found = tabular_benchmark.study("sonar", 5, tmp_path, 1)
    runs = tmp_path / "runs.csv"
    for line in tabular_benchmark.lines("sonar", found):
        append(runs, tabular_benchmark.COLUMNS, line)
    append(runs, tabular_benchmark.COLUMNS, ["heart", "random", 0, 0.5, 1])
    areas, p_values = page.gather(runs)
    assert list(areas) == ["sonar"]  # heart lacks strategies
    expected = keel.area(found.curves[0, 1])
    np.testing.assert_allclose(areas["sonar"]["margin"], expected, atol=1e-6)
    ((table, _, gain, published, ours, p, corrected), _) = page.verdicts(
        areas, p_values
    )
    assert (table, published) == ("sonar", "yes")
    assert float(p) <= float(corrected)
    assert gain.startswith("+0.0299, ")
    assert (ours == "yes") == (float(p) < 0.05 and gain.split(", ")[1][0] == "+")
    path = tmp_path / "page.md"
    path.write_text(f"Before\n{pages.BEGIN}\nold\n{pages.END}\nAfter\n")
    arguments = ["tabular_benchmark_page.py", str(path), "--runs", str(runs)]
    monkeypatch.setattr("sys.argv", arguments)
    page.main()
    text = path.read_text()
    assert text.startswith("Before\n")
    assert text.endswith("After\n")
    assert "1 tables, 5 splits each." in text
    assert "old" not in text


def test_means_within_two_standard_errors():
    ours = np.array([0.69, 0.71] * 50)  # standard error 0.001
    assert page.is_within(ours, (0.702, 0.01))
    assert not page.is_within(ours, (0.71, 0.01))
