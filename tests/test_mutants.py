"""Mutants: how they are made, which tests judge them, and the page on them."""

import importlib.util
import signal
from pathlib import Path

import lines
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


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        return load("mutants")


@pytest.fixture(scope="module")
def page():
    return load("mutants_page")


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


def test_every_file_of_the_core_has_tests(tool):
    core = {path for pattern in CORE for path in (ROOT / "skal").glob(pattern)}
    code = {path for path in core if path.name != "__init__.py"}
    named = [file for entry in tool.PLACES.values() for file in entry["tests"]]
    assert {str(path.relative_to(ROOT)) for path in code} == set(named)
    for entry in tool.PLACES.values():
        for tests in (*entry["tests"].values(), entry["wider"]):
            assert all((ROOT / test).exists() for test in tests)


def test_outcomes_are_kept_and_not_asked_for_again(tool, tmp_path, monkeypatch):
    table, asked = tmp_path / "mutants.csv", []
    loop = {"least": 4, "tests": {"skal/loop.py": []}}
    sample = tool.draw({"loop": loop}, 4, seed=0)
    codes = dict(zip(sample, [1, 0, -signal.SIGXCPU, 1], strict=True))

    def judged(mutant, folder, tests, limit):
        asked.append(mutant)
        return codes[mutant] if limit == tool.FIRST else int(mutant is sample[1])

    monkeypatch.setattr(tool, "judged", judged)
    tool.judge(sample[:3], table, tmp_path)
    tool.judge(sample, table, tmp_path)
    assert asked == sample
    tool.judge_again(sample, table, tmp_path, new=False)
    outcomes = ["caught", "caught by more tests", "survived", "caught"]
    assert [row["outcome"] for row in lines.read(table)] == outcomes
    monkeypatch.setattr(tool, "judged", lambda *given: 1)
    tool.judge_again(sample, table, tmp_path, new=True)
    outcomes[2] = "caught by a new test"
    assert [row["outcome"] for row in lines.read(table)] == outcomes


def test_the_page_is_up_to_date(page):
    rows = lines.read(page.TABLE)
    written = (ROOT / "docs/about/mutants.md").read_text()
    for part in page.parts(rows):
        assert part in written, "run python tools/mutants_page.py"
    assert {row["outcome"] for row in rows} <= set(page.OUTCOMES)
    assert all(bool(row["reason"]) == (row["outcome"] == "survived") for row in rows)
    assert len(rows) >= 200
    caught = sum(row["outcome"] != "survived" for row in rows)
    assert caught >= 0.9 * len(rows)


def test_shares_by_hand(page):
    row = {"file": "skal/loop.py", "line": "2", "before": "a | b", "after": "a & b"}
    outcomes = [*["caught"] * 5, "caught by more tests", "caught by a new test"]
    rows = [row | {"outcome": one, "reason": ""} for one in outcomes]
    rows.append(row | {"outcome": "survived", "reason": "it is so"})
    first, second = page.parts(rows)
    line = "| 8 | 5 | 1 | 1 | 1 | 75% | 88% |"
    assert first.splitlines()[2:] == [f"| `skal/loop.py` {line}", f"| all {line}"]
    found = r"| `loop.py`, line 2 | `a \| b` | `a & b` | it is so |"
    assert second.splitlines()[2:] == [found]
