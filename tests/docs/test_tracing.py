"""The tracer of numbers finds what is stale: in a sentence, in a table, in a run."""

from pathlib import Path

import noisy_labels_page
import pytest
from claims.docs import noisy_labels
from lines import read
from tracing import ROOT, RUNS, Page, agrees, cell_faults, faults, value

TEXT = """
# A page, version 2

Margin gains .05 on digits (20 rows), and five times as much on *blobs*:
1,000 of `range(7)` are [new](page_3.md), since 2021.

    python run.py 12

### By accuracy

| strategy | gain | p |
| --- | --- | --- |
| **margin** | +0.047 ± 0.010 | <0.001 |
| random | -1.5% | 3 of 4 |
"""
CLAIMS = {
    "version 2": (),
    "Margin gains {} on digits (20 rows)": [0.047],
    "and {} times as much on *blobs*: {} of": [5, 1000],
}
CELLS = {
    "margin: gain": [0.047, 0.01],
    "margin: p": [0.001],
    "random: gain": [-1.5],
    "random: p": [3, 4],
}


def found(text, claims=CLAIMS):
    return list(faults(Page(text), claims))


def test_numbers_of_the_prose_are_those_that_a_reader_sees():
    shown = [number[0] for number in Page(TEXT).numbers()]
    assert shown == ["2", ".05", "20", "1,000"]
    assert found(TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (".05", ".04", "computed 0.047: Margin gains .04 on digits"),
        ("five", "six", "computed 5, 1000: and six times"),
        ("(20 rows)", "(30 rows)", "occurs 0 times: Margin gains {}"),
        ("since 2021", "since 2021 in 6 papers", "no source for 6"),
        ("1,000 of", "1,000.5 of", "computed 5, 1000: and five"),
    ],
)
def test_a_changed_sentence_is_found(old, new, fault):
    assert any(one.startswith(fault) for one in found(TEXT.replace(old, new)))


def test_a_phrase_is_in_one_place():
    assert "occurs 2 times: version 2" in found(TEXT + "This is version 2.")


def test_a_number_agrees_if_it_is_rounded_to_what_is_shown():
    assert agrees(".05", 0.0451)
    assert not agrees(".05", 0.0449)
    assert not agrees(".050", 0.0451)
    assert agrees("+1,200", 1200.4)
    assert value("Twelve") == 12


def test_cells_are_found_by_their_row_column_and_heading():
    page = Page(TEXT)
    assert page.at("gain", "margin", which=1) == 0.010
    assert page.all("gain", "By accuracy") == [0.047, -1.5]
    with pytest.raises(KeyError, match="2 numbers in 'gain' of rows with"):
        page.at("gain", "By accuracy")


def test_a_changed_cell_is_found():
    assert list(cell_faults(TEXT, [], CELLS)) == []
    assert list(cell_faults(TEXT.replace("3 of 4", "2 of 4"), [], CELLS)) == [
        "measured [3, 4]: random: p: 2 of 4"
    ]
    written = TEXT[TEXT.index("| strategy") :].strip()
    assert list(cell_faults(TEXT, [written], {})) == []
    other = written.replace("-1.5%", "-1.4%")
    assert "| random | -1.4% | 3 of 4 |" in cell_faults(TEXT, [other], {})


def test_a_changed_run_is_found(tmp_path):
    """Noise costs less in one of the runs: the page is written anew, and its prose
    claims what its table no longer shows."""
    page, runs = tmp_path / "page.md", tmp_path / "runs.csv"
    page.write_text((ROOT / "docs/noisy_labels.md").read_text())
    lines = (RUNS / "noisy_labels.csv").read_text()
    (old, *_) = [row for row in read(RUNS / "noisy_labels.csv") if is_oracle(row)]
    runs.write_text(lines.replace(old["curve"], old["curve"].replace("0.9", "0.5")))
    noisy_labels_page.write(page, runs)
    shown = Page(page.read_text())
    claims = dict.fromkeys(noisy_labels.SETTINGS, ()) | noisy_labels.claims(shown)
    (fault, *_) = faults(shown, claims)
    assert fault.startswith("computed ")


def is_oracle(row):
    return (row["kind"], row["strategy"]) == ("none", "oracle")


def test_every_page_with_numbers_is_traced():
    claims = Path(__file__).parent / "claims"
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    pages += [*(ROOT / "docs/guide").glob("*.md"), *(ROOT / "docs/about").glob("*.md")]
    pages.remove(ROOT / "docs/strategies.md")  # written from the classes
    left = [
        path.name
        for path in pages
        if not (claims / path.relative_to(ROOT)).with_suffix(".py").exists()
        and [*Page(path.read_text()).numbers(), *cell_faults(path.read_text(), [], {})]
    ]
    assert left == []
