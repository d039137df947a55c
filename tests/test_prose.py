"""Docstrings, comments and messages read as a native speaker would write them."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef

# Most occurrences per 10,000 words. scikit-learn, optuna and skorch have next to none.
LIMITS = {
    "opens with What": 0,
    "opens with Of": 0,
    "opens with So many": 0,
    "is none, is no X": 1.3,
    "that of, those that": 1.7,
    "tells, told": 4.4,
    "stands": 0,
}


@pytest.fixture(scope="module")
def prose():
    spec = importlib.util.spec_from_file_location("prose", ROOT / "tools/prose.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def texts(prose):
    return prose.read(ROOT / "skal")


@pytest.mark.parametrize("pattern", LIMITS)
def test_odd_turns_of_phrase_are_rare(prose, texts, pattern):
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words}"
        for path, line, words in prose.find(texts, pattern)
    ]
    rate = prose.rates(texts)[pattern]
    assert rate <= LIMITS[pattern], "\n".join([f"{rate:.1f}", *found])


def test_every_pattern_has_a_limit(prose):
    assert LIMITS.keys() == prose.PATTERNS.keys()


def answers_yes_or_no(function, docstring):
    """Return whether a function returns a bool, by its annotation or its docstring."""
    hint = ast.unparse(function.returns) if function.returns else ""
    return hint == "bool" or docstring.startswith("Whether")


def says_so(docstring):
    """Return whether a docstring begins "Return whether", or ends its summary so.

    A function that also does something may say this first: "Take step t. Return
    whether there is another one."
    """
    summary = docstring.partition("\n\n")[0]
    return re.search(r"(?:^|[.;:]\s)Return whether\b", summary) is not None


def unclear(path):
    """Return the functions of a file that return a bool without saying so."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        docstring = isinstance(node, FUNCTIONS) and ast.get_docstring(node)
        if docstring and answers_yes_or_no(node, docstring) and not says_so(docstring):
            found.append(f"{path.name}:{node.lineno}: {docstring.splitlines()[0]}")
    return found


def test_a_function_that_returns_a_bool_says_return_whether():
    files = sorted((ROOT / "skal").rglob("*.py"))
    assert [line for path in files for line in unclear(path)] == []


@pytest.mark.parametrize(
    ("code", "n_found"),
    [
        ('def f() -> bool:\n    """Return whether it is."""', 0),
        ('def f() -> bool:\n    """Take a step. Return whether it was one."""', 0),
        ('def f() -> bool:\n    """Take a step; whether it was one."""', 1),
        ('def f(x):\n    """Whether it is."""', 1),
        ('def f(x) -> int:\n    """Return the number."""', 0),
    ],
)
def test_the_scan_for_unclear_docstrings(tmp_path, code, n_found):
    path = tmp_path / "module.py"
    path.write_text(code)
    assert len(unclear(path)) == n_found
