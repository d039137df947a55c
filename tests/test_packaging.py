"""Metadata: dependencies, pins, type hints, and the commands of CI."""

import ast
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Packages whose distribution has another name.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "skactiveml": "scikit-activeml"}
PINNED = ["nets", "text", "plot", "progress", "label", "notebook", "skactiveml"]
PINNED += ["test", "lint", "docs"]


@pytest.fixture(scope="module")
def config():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def lowest():
    spec = importlib.util.spec_from_file_location("lowest", ROOT / "tools/lowest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def normalized(name):
    """Return the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names_in(requirements):
    """Return the names of distributions, without versions and extras."""
    return {normalized(re.match(r"[\w.-]+", line).group()) for line in requirements}


def pins():
    """Return the versions in constraints.txt, by name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {normalized(name): version for name, version in pairs}


def imported_packages():
    """Return the packages that skal imports anywhere, other than Python's own."""
    found = set()
    for path in (ROOT / "skal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"skal"}


def test_every_imported_package_is_declared(config):
    project = config["project"]
    extras = project["optional-dependencies"].values()
    declared = names_in([*project["dependencies"], *(r for e in extras for r in e)])
    used = {normalized(DISTRIBUTIONS.get(p, p)) for p in imported_packages()}
    assert used - declared == set()


def test_every_dependency_is_pinned(config):
    project = config["project"]
    extras = (project["optional-dependencies"][name] for name in PINNED)
    declared = names_in([*project["dependencies"], *(r for e in extras for r in e)])
    assert declared - set(pins()) == {project["name"]}


def test_every_lower_bound_becomes_a_pin(config, lowest):
    project = config["project"]
    found = lowest.pins(project, ["plot", "progress", "test"])
    assert {"joblib==1.4", "matplotlib==3.10", "pandas==2.2"} <= set(found)
    assert [line for line in found if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert names_in(found).isdisjoint({"torch", project["name"]})


def test_type_hints_are_shipped(config):
    assert (ROOT / "skal/py.typed").exists()
    assert "py.typed" in config["tool"]["setuptools"]["package-data"]["skal"]


def test_pre_commit_runs_the_pinned_ruff():
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    assert f"rev: v{pins()['ruff']}\n" in text


def test_ci_runs_lint_and_ends_with_the_tests():
    commands = (ROOT / ".ci/run").read_text().splitlines()
    checked = "make --jobs 2 --output-sync lint docs-quick"
    assert commands[-2:] == [checked, "make test"]
