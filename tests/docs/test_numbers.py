"""Every number of a page has a source: a table of runs, a file, or a setting.

The sources of docs/oracles.md are in claims/docs/oracles.py, and may be

- `SETTINGS`, phrases of the page that say how something was run;
- `claims(page)`, phrases with `{}` for the numbers that are computed;
- `tables()`, tables in Markdown that the page has to show;
- `cells()`, the numbers of its other tables, by "row: column".

Tables between the marks of `examples/pages.py` are compared by tests of their scripts.
"""

import importlib
from functools import cache
from pathlib import Path

import pytest
from tracing import (
    MASKED,
    NUMBERS,
    ROOT,
    WRITTEN,
    Page,
    cell_faults,
    faults,
    without,
)

CLAIMS = Path(__file__).parent / "claims"
PAGES = [
    path.relative_to(CLAIMS).with_suffix("").as_posix()
    for path in sorted(CLAIMS.rglob("*.py"))
]


def module_of(name):
    return importlib.import_module(f"claims.{name.replace('/', '.')}")


def read(name):
    """Return a page, and its claims by phrase."""
    page, module = Page((ROOT / f"{name}.md").read_text()), module_of(name)
    claims = module.claims(page) if hasattr(module, "claims") else {}
    return page, dict.fromkeys(module.SETTINGS, ()) | claims


@cache
def faults_of_cells(name):
    """Return the function that finds the faults of the tables of a page's text."""
    module = module_of(name)
    given = [getattr(module, part, list)() for part in ("tables", "cells")]
    return lambda text: list(cell_faults(text, given[0], dict(given[1])))


def changed(text, place):
    """Return a text with another digit in a place; halves might round to the next."""
    return f"{text[:place]}{(int(text[place]) + 5) % 10}{text[place + 1 :]}"


@pytest.mark.parametrize("name", PAGES)
def test_every_number_has_a_source(name):
    assert list(faults(*read(name))) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_cell_has_a_source(name):
    assert faults_of_cells(name)((ROOT / f"{name}.md").read_text()) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_changed_digit_is_found(name):
    page, claims = read(name)
    assert list(faults(page, claims)) == []
    prose, missed = page.prose, []
    for number in list(page.numbers()):
        page.prose = changed(prose, number.end() - 1)
        if not list(faults(page, claims)):
            missed.append(prose[number.start() - 40 : number.end() + 20])
    assert missed == []


@pytest.mark.parametrize("name", PAGES)
def test_a_changed_digit_of_a_cell_is_found(name):
    text, faults_in = (ROOT / f"{name}.md").read_text(), faults_of_cells(name)
    assert faults_in(text) == []
    by_hand = without([WRITTEN, r"^[^|].*?$", *MASKED], text, "_")
    numbers = list(NUMBERS.finditer(by_hand))
    missed = [
        text[number.start() - 20 : number.end() + 20]
        for number in numbers[:: 1 + len(numbers) // 40]  # all would take a minute
        if not faults_in(changed(text, number.end() - 1))
    ]
    assert missed == []
