"""Every number in the prose of a page has a source: a table, a file or a setting."""

import importlib
from pathlib import Path

import pytest
from tracing import ROOT, Page, faults

CLAIMS = Path(__file__).parent / "claims"
# The pages whose numbers are traced: claims/docs/oracles.py is about docs/oracles.md.
PAGES = [
    path.relative_to(CLAIMS).with_suffix("").as_posix()
    for path in sorted(CLAIMS.rglob("*.py"))
]


def read(name):
    """Return a page, and its claims by phrase."""
    page = Page((ROOT / f"{name}.md").read_text())
    return page, claims_of(name, page)


def claims_of(name, page):
    return importlib.import_module(f"claims.{name.replace('/', '.')}").claims(page)


def changed(text, place):
    """Return a text with another digit in a place."""
    return f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"


@pytest.mark.parametrize("name", PAGES)
def test_every_number_has_a_source(name):
    assert list(faults(*read(name))) == []


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
