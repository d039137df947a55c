"""Annotators who are wrong: short runs, and the page made of the long ones."""

from pathlib import Path

import noisy_labels
import noisy_labels_page as page
import numpy as np
import pages
import pytest
from lines import read
from scipy.stats import ttest_1samp

from skal import FixedOrder, Random, split

DOCS = Path(page.__file__).parents[1] / "docs"


@pytest.fixture
def small(monkeypatch, digits):
    """Return 200 digits, and make runs small: two rounds of two noises."""
    sizes = {"warm_size": 20, "val_size": 60, "test_size": 60}
    values = {"SIZES": sizes, "BATCH_SIZE": 5, "N_ROUNDS": 2, "N_RANDOM": 2}
    noises = [("none", 0.0), ("uniform", 0.4)]
    for name, value in {**values, "N_OTHERS": 2, "NOISES": noises}.items():
        monkeypatch.setattr(noisy_labels, name, value)
    monkeypatch.setattr(page, "NOISES", noises)
    return digits[0][:200], digits[1][:200]


def test_from_runs_to_the_page(small, tmp_path):
    out = tmp_path / "runs.csv"
    noisy_labels.run(*small, 2, 20, out)
    rows = read(out)
    assert len(rows) == 2 * (4 + 4 + 1 + 2)

    # Runs are those of learners, and replays those of the oracle's order
    sets = split(*small, **noisy_labels.SIZES, random_state=1)
    noise = noisy_labels.noise("uniform", 0.4)
    learner = noisy_labels.learn(sets, Random(random_state=1), noise, 1)
    row = next(
        r
        for r in rows
        if (r["kind"], r["seed"], r["strategy"], r["order"])
        == ("uniform", "1", "random", "1")
    )
    np.testing.assert_allclose(
        np.array(row["curve"].split(), float), learner.curve_, atol=1e-6
    )
    assert float(row["wrong"]) == pytest.approx(learner.mislabelled_.mean())
    clean = [r["wrong"] for r in rows if "true" in r["strategy"] or r["kind"] == "none"]
    assert set(clean) == {"0.000000"}

    # A truncated noise is run again, and the file ends the same
    whole = out.read_bytes()
    out.write_bytes(whole[: whole.rfind(b"uniform,0.4,1,oracle,0")])
    noisy_labels.run(*small, 2, 20, out)
    assert out.read_bytes() == whole

    written = tmp_path / "page.md"
    written.write_text(f"Before\n{pages.BEGIN}\nold\n{pages.END}\nAfter\n")
    page.write(written, out)
    text = written.read_text()
    assert "| uniform | 40% | 2 |" in text
    assert "old" not in text


def test_an_order_is_followed_with_other_mistakes(small):
    sets = split(*small, **noisy_labels.SIZES, random_state=0)
    found = {
        (name, i): learner
        for name, i, learner in noisy_labels.runs(sets, "uniform", 0.4, 0, 20)
    }
    oracle, other = found["oracle", 0], found["oracle, other mistakes", 1]
    np.testing.assert_array_equal(oracle.order_, other.order_)
    assert (oracle.mislabelled_ != other.mislabelled_).any()
    again = noisy_labels.learn(sets, FixedOrder(oracle.order_), None, 0)
    clean = found["oracle, true labels", 0]
    np.testing.assert_array_equal(clean.curve_, again.curve_)


def test_a_noise_counts_when_all_its_runs_are_there(small):
    n = 2 + noisy_labels.N_RANDOM + 1 + noisy_labels.N_OTHERS
    row = {"kind": "uniform", "rate": "0.4", "seed": "0"}
    assert noisy_labels.whole([row] * (n - 1)) == []
    assert len(noisy_labels.whole([row] * n)) == n


def test_intervals_are_those_of_a_corrected_t_test():
    values = np.array([0.1, 0.3, 0.2, 0.5])
    low, high = ttest_1samp(values, 0).confidence_interval()
    assert pages.interval(values, 0) == f"+0.275 ± {(high - low) / 2:.3f}"
    # The variance of the mean is 1 / n + overlap in place of 1 / n.
    wide = (high - low) / 2 * np.sqrt((1 / 4 + 0.5) / (1 / 4))
    assert pages.interval(values, 0.5) == f"+0.275 ± {wide:.3f}"


def test_the_page_is_made_of_the_committed_runs(tmp_path):
    written = tmp_path / "page.md"
    written.write_text((DOCS / "noisy_labels.md").read_text())
    page.write(written, DOCS / "runs" / "noisy_labels.csv")
    assert written.read_text() == (DOCS / "noisy_labels.md").read_text()
