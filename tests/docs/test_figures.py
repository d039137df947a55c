"""The figures of the guide are drawn from the committed runs."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def figures():
    pytest.importorskip("matplotlib").use("agg")
    path = ROOT / "tools/site_figures.py"
    spec = importlib.util.spec_from_file_location("site_figures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_is_drawn_and_shown_on_a_page(figures, tmp_path):
    figures.main(tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {path.name for path in (ROOT / "docs/images/site").iterdir()}
    pages = [ROOT / "docs/index.md", ROOT / "docs/guide/concepts.md"]
    text = "".join(path.read_text() for path in pages)
    assert [name for name in written if f"images/site/{name}" not in text] == []


def test_texts_of_figures_give_their_numbers(figures):
    text = (ROOT / "docs/guide/concepts.md").read_text()
    for on_validation, on_test in figures.oracle_gains().values():
        assert f"{on_validation:.3f} and {on_test:.3f}" in text
