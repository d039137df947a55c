"""Every public name has a page, an example, and a See Also, and is in the tables."""

import importlib.util
import inspect
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
pytest.importorskip("torch", reason="the nets are public, too")


@pytest.fixture(scope="module")
def public_names():
    spec = importlib.util.spec_from_file_location("names", DOCS / "public_names.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("section", ["Examples", "See Also"])
def test_every_name_has_both_sections(public_names, section):
    header = f"{section}\n{'-' * len(section)}"
    docs = {page: inspect.getdoc(thing) for page, thing in public_names.pages().items()}
    assert [page for page, text in docs.items() if header not in text] == []


def test_every_name_is_in_the_tables_once(public_names):
    listed, room = [], None
    for line in (DOCS / "api/index.rst").read_text().splitlines():
        if ".. currentmodule::" in line:
            room = line.split()[-1]
        elif line.startswith("   ") and line.strip().isidentifier():
            listed.append(f"{room}.{line.strip()}")
    assert sorted(listed) == sorted(public_names.pages())


def test_all_rooms_with_public_names_are_covered(public_names):
    source = DOCS.parent / "skal"
    rooms = {
        ".".join(("skal", *path.relative_to(source).parent.parts))
        for path in source.rglob("__init__.py")
        if "__all__" in path.read_text()
    }
    assert rooms - set(public_names.ROOMS) == set()


def test_a_name_is_found_from_any_room(public_names):
    assert public_names.page_of("skal.strategies.Margin") == "skal.Margin"
    assert public_names.page_of("Margin.select") == "skal.Margin.select"
    assert public_names.page_of("numpy.ndarray") is None
