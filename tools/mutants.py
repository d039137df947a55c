"""
Change the code in small ways, and see whether the tests notice.
================================================================

Draws mutants of the core (see `mutations.py`). Each is judged in a copy of the project
by the tests that `mutants.toml` names for its file, and if they pass, by the tests of
the neighbouring rooms. Each outcome is written at once, so a run that was stopped goes
on where it stopped. `mutants_page.py` writes the page.

    python tools/mutants.py docs/runs/mutants.csv
"""

import argparse
import contextlib
import importlib.util
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "examples"))

from lines import append, read  # noqa: E402
from mutations import Mutant, draw  # noqa: E402

PLACES = tomllib.loads((ROOT / "tools/mutants.toml").read_text())
KEY = ("file", "line", "column", "operator", "before", "after")
COLUMNS = (*KEY, "outcome", "reason")
# Seconds of a processor for the tests of a file, which count as passed if they need
# more; for all tests of a mutant, which hang then; and bytes that they may use.
FIRST, ALL = 5, 1800
MEMORY = 12 * 2**30
# The tests of a file without those that look at all of the core at once.
QUICK = ("-k", "not scikit_learn_checks and not proved and not better_than_blind")
# Imported once, before the process of a mutant is forked. skal is not among them.
PRELOADED = (
    *("pytest", "scipy.stats", "pandas", "joblib", "torch", "skorch"),
    *("sklearn.datasets", "sklearn.ensemble", "sklearn.linear_model"),
)


def run(folder: Path, tests: list[str], limit: int) -> int:
    """Run tests in a copy of the project until one fails, in a process of their own.

    Returns the exit code: -SIGXCPU if they need more than `limit` seconds of a
    processor, -SIGKILL if they wait for long.
    """
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        os.environ["PYTHONPATH"] = str(folder)
        sys.path[:] = [str(folder), *(p for p in sys.path if str(ROOT) not in p)]
        output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        # Of the plugins only the one that setup.cfg has options for: imports take time.
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        options = ["-xq", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
        os._exit(importlib.import_module("pytest").main([*options, *tests]))
    end = time.monotonic() + 20 * limit
    while (status := os.waitpid(pid, os.WNOHANG))[0] == 0 and time.monotonic() < end:
        time.sleep(0.1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if status[0] == 0:
        status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status[1])


def judged(mutant: Mutant, folder: Path, tests: list[str], limit: int) -> int:
    """Return the exit code of tests with a mutant."""
    path = folder / mutant.file
    compiled = Path(importlib.util.cache_from_source(str(path)))
    try:
        path.write_text(mutant.text)
        compiled.unlink(missing_ok=True)
        return run(folder, tests, limit)
    finally:
        shutil.copy(ROOT / mutant.file, path)
        compiled.unlink(missing_ok=True)


def tests_of(file: str) -> tuple[list[str], list[str]]:
    """Return the tests of a file, and those of the neighbouring rooms."""
    entry = next(one for one in PLACES.values() if file in one["tests"])
    return [file, *entry["tests"][file]], entry["wider"]


def judge(sample: list[Mutant], table: Path, folder: Path) -> None:
    """Write the outcomes of mutants that the table lacks."""
    known = {key_of(row) for row in read(table)}
    for mutant in sample:
        if mutant.key not in known:
            tests = [*QUICK, *tests_of(mutant.file)[0]]
            code = judged(mutant, folder, tests, FIRST)
            passed = code in (0, -signal.SIGXCPU, -signal.SIGKILL)
            row = [*mutant.key, "passed" if passed else "caught", ""]
            append(table, COLUMNS, row)
            print(time.strftime("%X"), *row, flush=True)


def judge_again(sample: list[Mutant], table: Path, folder: Path, new: bool) -> None:
    """Judge those that passed by all tests, and if `new`, those that survived again."""
    of_key = {mutant.key: mutant for mutant in sample}
    rows = read(table)
    for row in rows:
        mutant = of_key.get(key_of(row))
        if mutant and row["outcome"] in ("passed", "survived" if new else ""):
            own, neighbours = tests_of(mutant.file)
            code = judged(mutant, folder, [*own, *neighbours], ALL)
            caught = "caught by a new test" if new else "caught by more tests"
            row["outcome"] = caught if code else "survived"
            write(table, rows)
            print(time.strftime("%X"), *row.values(), flush=True)


def check(sample: list[Mutant], folder: Path) -> None:
    """Check that the tests of the files pass as long as nothing is changed."""
    tests = {test for mutant in sample for test in tests_of(mutant.file)[0]}
    if run(folder, sorted(tests), ALL):
        sys.exit((folder / "output.txt").read_text())


def key_of(row: dict[str, str]) -> tuple[str, ...]:
    """Return the columns that identify the mutant of a line."""
    return tuple(row[name] for name in KEY)


def write(table: Path, rows: list[dict[str, str]]) -> None:
    """Replace the table."""
    new = table.with_suffix(".new")
    new.unlink(missing_ok=True)
    for row in rows:
        append(new, COLUMNS, list(row.values()))
    new.replace(table)


def main() -> None:
    """Judge the mutants that the table lacks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="judge survivors again")
    parser.add_argument("--check", action="store_true", help="check the tests first")
    parser.add_argument("table", type=Path)
    args = parser.parse_args()
    sample = draw(PLACES, args.n, args.seed)
    for name in PRELOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "skal"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "docs", "build")
        shutil.copytree(ROOT, folder, ignore=ignored)
        if args.check:
            check(sample, folder)
        judge(sample, args.table, folder)
        judge_again(sample, args.table, folder, new=args.again)


if __name__ == "__main__":
    main()
