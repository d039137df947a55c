import shutil
from pathlib import Path

import pytest
from _small_study import scored, study


@pytest.fixture(scope="module")
def undisturbed():
    """The tables of a study without a folder, and how many models it scored."""
    scored.update(n=0, last=None)
    tables, _ = study(None)
    return tables, scored["n"]


@pytest.fixture
def lines():
    """A function that returns the whole lines of a file; none where it is not."""

    def read(path):
        return path.read_bytes().split(b"\n")[:-1] if path.exists() else []

    return read


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("study")
    study(path)
    return path


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the folder, for tests that change it."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))
