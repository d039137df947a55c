"""The code of docs/worth_it.md, run on CSVs as its reader has them."""

import doctest
from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_digits

from skal.datasets import make_intents

PAGE = Path(__file__).parents[2] / "docs/worth_it.md"


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """A folder with the two files that the page reads."""
    X, y = make_intents(400, random_state=0)
    pd.DataFrame({"text": X, "intent": y}).to_csv(tmp_path / "requests.csv")
    pixels, digit = load_digits(return_X_y=True, as_frame=True)
    rows = digit.isin([3, 8])
    frame = pixels[rows].assign(label=digit[rows])
    frame.to_csv(tmp_path / "measurements.csv", index=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("reader")
def test_the_page_from_a_csv_to_a_verdict():
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert found.attempted >= 12
    assert found.failed == 0
