"""Mutants: how they are made, which tests judge them, and the page on them."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = (
    *("oracle/**/*.py", "strategies/*.py", "studies/_statistics.py"),
    *("loop.py", "problem.py", "training.py"),
)


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mutations():
    return load("mutations")


@pytest.fixture
def mutants_of(mutations, tmp_path, monkeypatch):
    """A function that returns the mutants of a source text."""
    monkeypatch.setattr(mutations, "ROOT", tmp_path)

    def mutants_of(source):
        (tmp_path / "it.py").write_text(source, encoding="utf-8")
        return list(mutations.mutants("it.py"))

    return mutants_of


@pytest.mark.parametrize(
    ("source", "mutants"),
    [
        ("x = a < b", ["x = (a <= b)"]),
        ("x = a is not b", ["x = (a is b)"]),
        ("x = 0.5 <= a", ["x = (0.5 < a)", "x = (1.5) <= a", "x = (-0.5) <= a"]),
        ("x = a and b or c", ["x = ((a and b) and c)", "x = (a or b) or c"]),
        ("x = (a + b) * c", ["x = ((a + b) / c)", "x = ((a - b)) * c"]),
        ("x = not -a", ["x = (-a)", "x = not (a)"]),
        ("a = True", ["a = (False)"]),
        ("f(a, b=c, **d)", ["pass", "(f(a, **d))"]),
        ("x = 'é' + a[i]", ["x = ('é' - a[i])"]),
        ("a.b = c", ["pass"]),
        ("a[b] += c", ["a[b] -= c", "pass"]),
        ("def f(a: 1 + 2) -> 3: return a", ["def f(a: 1 + 2) -> 3: return None"]),
        ("raise ValueError(f'{a + 1} or not b')", ["pass"]),
        ("warnings.warn('b', stacklevel=2)", ["pass", "(warnings.warn('b'))"]),
        ('"""Text."""\n@f(1)\ndef f(): return', []),
    ],
)
def test_each_mutant_is_one_change(mutants_of, source, mutants):
    assert sorted({one.text for one in mutants_of(source)}) == sorted(mutants)


def test_a_sample_has_one_mutant_a_line_and_enough_of_each_place(mutations):
    files = {"small": "skal/loop.py", "large": "skal/problem.py"}
    places = {
        place: {"least": 20, "tests": {file: []}} for place, file in files.items()
    }
    sample = mutations.draw(places, 20, seed=1)
    assert sample == mutations.draw(places, 20, seed=1)
    assert sample != mutations.draw(places, 20, seed=2)
    lines = {(one.file, one.line) for one in sample}
    assert len(lines) == len(sample)
    for file in files.values():
        assert sum(one.file == file for one in sample) == 20
