"""Results as HTML, data frames, Markdown and LaTeX."""

import sys

import numpy as np
import pytest

from skal import model_transfer, order_overlap, seed_transfer
from skal.studies._exports import Exports, Part
from skal.studies._tables import spell


class Table(Exports):
    """A result with one table."""

    def __init__(self, **columns):
        self.columns = columns

    def table(self):
        return self.columns

    def _parts(self):
        return [Part("A title", "p < 0.05\nsecond line", self.columns)]


@pytest.fixture
def table():
    return Table(
        strategy=["max_entropy", "a|b & c"],
        mean_gain=[-0.00001, -0.0123],
        p=[0.00001, np.nan],
        nothing=[np.nan, np.nan],
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.00001, "0.0000"),
        (-0.0, "0.0000"),
        (0.0, "0.0000"),
        (-0.00006, "-0.0001"),
        (0.00001, "<0.0001"),
        (np.nan, "-"),
    ],
)
def test_zero_has_no_sign(value, text):
    assert spell(value) == text


def test_frame_keeps_numbers(table):
    frame = table.to_frame()
    assert frame["mean_gain"].tolist() == [-0.00001, -0.0123]


def test_markdown(table):
    header, rule, first, second = table.to_markdown().splitlines()
    assert [cell.strip() for cell in header.split("|")[1:-1]] == [
        *("strategy", "mean gain", "p"),
    ]
    assert [mark.strip("-") for mark in rule.split("|")[1:-1]] == [":", ":", ":"]
    assert rule.split("|")[2].endswith(":")
    assert first.split("|")[1:-1] == [
        *(" max_entropy ", "      0.0000 ", " <0.0001 "),
    ]
    assert "a\\|b & c" in second


def test_latex_escapes(table):
    text = table.to_latex(caption="Gains")
    assert r"max\_entropy & 0.0000 & \textless{}0.0001 \\" in text
    assert r"a\textbar{}b \& c & $-$0.0123 & - \\" in text
    assert r"\begin{tabular}{lrr}" in text
    assert r"\caption{Gains}" in text


def test_html_escapes(table):
    text = table._repr_html_()
    assert "<strong>A title</strong>" in text
    assert "p &lt; 0.05<br>" in text
    assert "a|b &amp; c" in text
    assert text.count('scope="col"') == 3
    assert "&lt;0.0001" in text


@pytest.mark.parametrize("method", ["to_frame", "to_markdown", "to_latex"])
def test_without_pandas(table, monkeypatch, method):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'skal-learn\[tables\]'"):
        getattr(table, method)()


@pytest.mark.parametrize("method", ["to_markdown", "to_latex"])
def test_without_what_pandas_needs(table, monkeypatch, method):
    def missing(*args, **kwargs):
        raise ImportError("pandas needs another package")

    monkeypatch.setattr(f"pandas.DataFrame.{method}", missing)
    with pytest.raises(ImportError, match=r"pip install 'skal-learn\[tables\]'"):
        getattr(table, method)()


def test_all_results_of_studies_can_be_exported(comparison):
    results = [
        comparison,
        comparison.against(),
        comparison.oracle_gains(),
        order_overlap(comparison, between="seeds"),
        seed_transfer(comparison, strategies=["margin"]),
        model_transfer(comparison, strategies=["margin"]),
    ]
    for result in results:
        shown = result._repr_html_()
        assert shown.count("<table") == shown.count("</table>") >= 1
        assert "-0.0000" not in shown + str(result)
        assert len(result.to_frame()) >= 1


def test_the_frame_of_a_comparison_has_its_strategies(comparison):
    frame = comparison.to_frame()
    assert len(frame) == 10
    assert set(frame["strategy"]) == set(comparison.strategies)
    means = comparison.qualities.mean(axis=-1)
    row = frame[(frame["estimator"] == "bayes") & (frame["strategy"] == "margin")]
    assert row["quality"].item() == pytest.approx(means[1, 1])
