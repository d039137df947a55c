"""The code on the pages of the site and in the README runs, with the results shown."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "docs").rglob("*.md")
    if not path.is_relative_to(ROOT / "docs/_build")
    and ">>>" in path.read_text()
    and path.name != "worth_it.md"  # test_worth_it_page.py has its CSVs
)
# `make test-lowest` has no torch.
pytest.importorskip("torch", reason="the pages show results of the pinned versions")


def run(text, name):
    """Run the examples of a page, which share their names, and return the faults."""
    # The end of a block would else be expected as output.
    text = re.sub(r"^ *(```|:::).*$", "", text, flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    faults = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=faults.append)
    return "".join(faults)


@pytest.mark.parametrize("name", PAGES)
def test_page(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run((ROOT / name).read_text(), name) == ""


def test_a_wrong_result_is_found():
    assert "Expected" in run("```python\n>>> 1 + 1\n3\n```\n", "a page")
    assert run("```python\n>>> 1 + 1\n2\n```\n", "a page") == ""


@pytest.mark.parametrize(
    ("page", "links"),
    [
        ("index.md", ["(install.md)", "(worth_it.md)", "(ten_minutes.md)"]),
        ("install.md", ["(worth_it.md)"]),
        ("worth_it.md", ["(labelling.md)", "(strategies.md)"]),
    ],
)
def test_the_way_from_the_first_page_to_a_verdict(page, links):
    text = (ROOT / "docs" / page).read_text()
    places = [text.find(link) for link in links]
    assert -1 not in places
    assert places == sorted(places)
