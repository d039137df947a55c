"""`skal` on PyPI is another project: no message may send a user there."""

import re
import tomllib
from pathlib import Path

import pytest

from skal._extras import DISTRIBUTION, install_hint

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path
    for pattern in ("*.md", "pyproject.toml", "Makefile", "skal/**/*.py",
                    "docs/**/*.md", "examples/**/*.py", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)  # fmt: skip
# `skal[nets]`, and `pip install` of skal with or without options before it.
OTHER_PROJECT = (
    re.compile(r"(?<![\w.-])skal\["),
    re.compile(r"pip install[^\n]*?[\s'\"]skal(?![\w-])"),
)
SAID = re.compile(r"skal-learn\[([\w,]+)\]|install_hint\(['\"](\w+)['\"]\)")


def others(text):
    return [found.group() for wrong in OTHER_PROJECT for found in wrong.finditer(text)]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def extras_in(text):
    return {name for a, b in SAID.findall(text) for name in (a or b).split(",")}


def test_the_distribution_is_named_once(project):
    assert project["name"] == DISTRIBUTION == "skal-learn"


def test_nothing_installs_the_other_project(project):
    extras = set(project["optional-dependencies"])
    for path in FILES:
        text = path.read_text()
        assert others(text) == [], path
        assert extras_in(text) <= extras, path


@pytest.mark.parametrize(
    "text",
    [
        "pip install skal",
        "pip install 'skal[nets]'",
        "python -m pip install --upgrade skal[plot]",
        '"skal[text,plot]",',
        "Needs rich: `pip install skal[progress]`.",
    ],
)
def test_the_scan_finds_the_other_project(text):
    assert others(text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'skal-learn[nets]'",
        "pip install skal-learn",
        "pip install .",
        "import skal",
    ],
)
def test_the_scan_lets_the_right_name_pass(text):
    assert others(text) == []


def test_extras_refer_to_the_distribution_itself(project):
    extras = project["optional-dependencies"]
    requirements = [line for extra in extras.values() for line in extra]
    own = [line for line in requirements if line.startswith("skal")]
    assert own
    assert all(line.startswith(f"{DISTRIBUTION}[") for line in own)
    assert extras_in("\n".join(own)) <= set(extras)


def test_the_hint_is_a_command():
    assert install_hint("nets") == "pip install 'skal-learn[nets]'"
