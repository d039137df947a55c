"""Every number in the prose of a page has a source: a table, a file or a setting."""

import importlib
from pathlib import Path

import pytest
from tracing import NUMBERS, ROOT, Page, cell_faults, faults

CLAIMS = Path(__file__).parent / "claims"
# The pages whose numbers are traced: claims/docs/oracles.py is about docs/oracles.md.
PAGES = [
    path.relative_to(CLAIMS).with_suffix("").as_posix()
    for path in sorted(CLAIMS.rglob("*.py"))
]


def module_of(name):
    return importlib.import_module(f"claims.{name.replace('/', '.')}")


def read(name):
    """Return a page, and its claims by phrase."""
    page = Page((ROOT / f"{name}.md").read_text())
    return page, module_of(name).claims(page)


def tables_of(name):
    """Return the tables of a page, or their numbers, that no script writes to it."""
    module = module_of(name)
    return module.tables() if hasattr(module, "tables") else {}


def changed(text, place):
    """Return a text with another digit in a place."""
    return f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"


@pytest.mark.parametrize("name", PAGES)
def test_every_number_has_a_source(name):
    assert list(faults(*read(name))) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_cell_has_a_source(name):
    page, _ = read(name)
    assert list(cell_faults(page, tables_of(name))) == []


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
    (page, _), tables, missed = read(name), tables_of(name), []
    for i, (place, cell) in enumerate(own := page.own):
        for number in NUMBERS.finditer(cell):
            other = place, changed(cell, number.end() - 1)
            page.own = [*own[:i], other, *own[i + 1 :]]
            if not list(cell_faults(page, tables)):
                missed.append(f"{place}: {cell}")
    assert missed == []
