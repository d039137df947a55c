"""The folder of a study: what it was given, and one line for each cell that is done.

A study that is killed is run again as it was: the cells that stand in the folder are
read, and not run. The lines are JSON, which `pandas.read_json(path, lines=True)` and
`polars.read_ndjson(path)` take; nothing in the folder can execute code.
"""

import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from skal import _fingerprint
from skal.studies._comparison import Comparison, samples_posterior

GIVEN = "study.json"
# What the order that a strategy finds does not depend on.
WITHOUT_EFFECT = ("n_jobs", "verbose", "journal", "prefetch")
# What may differ when a search goes on.
LIMITS = ("max_trainings", "max_time")

Given = Mapping[str, Mapping[str, str]]


class Run(NamedTuple):
    """What one cell of a study gives.

    Parameters
    ----------
    curve, validation_curve : ndarray of shape (n_rounds + 1,)
    order : ndarray of shape (n_acquired,)
        Rows of the pool.
    seconds : float, default=nan
        What it took; of a search that was resumed, what its last part took.
    n_trainings : int, default=0
        Those of a search that was resumed are counted from its beginning.
    """

    curve: NDArray[np.float64]
    validation_curve: NDArray[np.float64]
    order: NDArray[np.int64]
    seconds: float = float("nan")
    n_trainings: int = 0


class Store:
    """The cells of one study that are done, and the file that they are written to.

    Parameters
    ----------
    folder : str or path-like
        It is made where there is none. Several studies of one problem may share it.
    study : str
        The name of the study, and of its file.
    key_type : type
        The NamedTuple that names a cell.
    given : mapping of str to mapping
        What determines the cells, by subject, as `describe_study` returns it.

    Raises
    ------
    ValueError
        If the folder is that of another study, or no study's.
    OSError
        If it cannot be made, read or written.
    """

    def __init__(self, folder: Any, study: str, key_type: Any, given: Given) -> None:
        self.folder = _open_folder(folder)
        _agree(self.folder / GIVEN, given)
        self.given = given
        self.path = self.folder / f"{study}.jsonl"
        self.runs = dict(_read(self.path, key_type))

    def keep(self, key: Any, run: Run) -> None:
        """Write down a cell, at once and whole."""
        values = {name: _plain(value) for name, value in run._asdict().items()}
        line = json.dumps(key._asdict() | values) + "\n"
        with self.path.open("ab+") as file:
            if not _ends_in_newline(file):
                line = "\n" + line
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        self.runs[key] = run

    def journal_path(self, cell: Any, strategy: Any) -> Path:
        """Return the path of the journal of one search, in a folder that is made.

        It is that of a search alone: once another one is meant, one that was cut short
        is left where it is.

        Parameters
        ----------
        cell : NamedTuple
            With an estimator and a strategy.
        strategy : oracle

        Returns
        -------
        Path
        """
        place = self.folder / "searches"
        place.mkdir(exist_ok=True)
        *_, model = _subjects(self.given, cell.strategy, cell.estimator)
        search = _fingerprint.describe(strategy, (*WITHOUT_EFFECT, *LIMITS))
        # Names may hold anything: some of it is for people, the digits tell apart.
        plain = re.sub(r"[^A-Za-z0-9_.]+", "_", "-".join(map(str, cell)))[:60]
        parts = tuple(cell), search, sorted(self.given[model].items())
        return place / f"{plain}-{crc32(repr(parts).encode()):08x}.db"


def _plain(value: Any) -> Any:
    """Return what JSON can hold in the place of an array or a number."""
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    return None if np.isnan(value) else value


def _ends_in_newline(file: Any) -> bool:
    """Whether the last line is whole; one that a kill cut short is left as it is."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _read(path: Path, key_type: Any) -> Iterator[tuple[Any, Run]]:
    """Yield the cells in a file; what is no whole line is not among them."""
    for values in _lines(path):
        try:
            key = key_type(*(values[name] for name in key_type._fields))
            curve, validation_curve = (
                np.array(values[name], dtype=np.float64) for name in Run._fields[:2]
            )
            order = np.array(values["order"], dtype=np.int64)
            yield key, Run(curve, validation_curve, order, **_costs(values))
        except (ValueError, KeyError, TypeError):
            continue


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines() if path.exists() else []:
        with suppress(ValueError, TypeError):
            yield dict(json.loads(line))


def _costs(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run cost, as far as its line tells."""
    names = Run._fields[3:]
    return {name: values[name] for name in names if values.get(name) is not None}


def _open_folder(path: Any) -> Path:
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(
            f"path={str(folder)!r} is a file: give the path of a folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    files = [file.name for file in folder.iterdir() if not file.name.startswith(".")]
    if files and GIVEN not in files:
        raise ValueError(
            f"path={str(folder)!r} is a folder with other things in it, such as "
            f"{sorted(files)[0]}: give an empty one, or that of a study."
        )
    return folder


def _agree(path: Path, given: Given) -> None:
    """Compare what a study is given with what the folder knows, and add what is new."""
    stored = _read_given(path)
    # What failed at its first run can be put right: no cell depends on it.
    in_use = _in_use(path.parent, stored)
    bound = {subject: stored[subject] for subject in stored if subject in in_use}
    for subject in [name for name in given if name in bound and name != "versions"]:
        difference = _difference(bound[subject], given[subject])
        if difference is not None:
            raise ValueError(
                f"{path.parent} is the folder of another study: {subject} differs, "
                f"{difference}. Give what it was made with to go on with it, or "
                "another path to begin anew."
            )
    _warn_of_versions(path, stored.get("versions", {}), given["versions"])
    known = {**stored, **given, **bound}
    if known != stored:
        _write(path, known)


def _in_use(folder: Path, given: Given) -> set[str]:
    """Return the subjects that hold for all cells in a folder, or for any of them."""
    subjects = {"data", "versions"}
    for path in folder.glob("*.jsonl"):
        for values in _lines(path):
            model = values.get("estimator")
            source = values.get("source_estimator", model)
            subjects.update(_subjects(given, values.get("strategy"), source))
            if "source_estimator" in values:
                subjects.add(f"estimator {model!r}")
    return subjects


def _subjects(given: Given, strategy: Any, estimator: Any) -> tuple[str, str]:
    """Return the subjects that describe a strategy, and the model that it asks."""
    subject = f"strategy {strategy!r}"
    model = given.get(subject, {}).get("model", "estimator")
    return subject, f"{model} {estimator!r}"


def _warn_of_versions(
    path: Path, before: Mapping[str, str], now: Mapping[str, str]
) -> None:
    shared = before.keys() & now.keys()
    difference = _difference(
        *({name: v[name] for name in shared} for v in (before, now))
    )
    if difference is not None:
        warnings.warn(
            f"{path.parent} was begun with another version: {difference}. The last "
            "digits of scores may differ between its cells: begin anew with another "
            "path if that matters.",
            stacklevel=2,
        )


def _read_given(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    try:
        return {
            str(subject): dict(v) for subject, v in json.loads(path.read_text()).items()
        }
    except (ValueError, AttributeError, TypeError):
        raise ValueError(
            f"{path} is damaged: put it back as it was, or give another path."
        ) from None


def _write(path: Path, given: Given) -> None:
    """Replace a file by a whole one, whenever the process is killed."""
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    fresh.write_text(json.dumps(given, indent=2) + "\n")
    fresh.replace(path)


def _difference(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """Name the first difference; None if there is none."""
    for name in [*now, *(name for name in before if name not in now)]:
        pair = before.get(name, "absent"), now.get(name, "absent")
        if pair[0] != pair[1]:
            return f"{name}={pair[0]} there, {name.rpartition(': ')[2]}={pair[1]} now"
    return None


def describe_study(study: Comparison) -> Given:
    """Describe all that the cells of a study depend on, but for the seeds.

    Parameters
    ----------
    study : Comparison
        Its results are not used.

    Returns
    -------
    mapping of str to mapping of str to str
    """
    held_out = {name: getattr(study.problem, name) for name in ("X_test", "y_test")}
    digests = {name: _fingerprint.digest(part) for name, part in held_out.items()}
    given = {
        "data": _fingerprint.of_data(study.problem) | digests,
        "versions": _fingerprint.versions(),
    }
    kinds = {"estimator": study.estimators}
    if any(map(samples_posterior, study.strategies.values())):
        # Where there is none, the estimator itself is sampled.
        sampled = {**study.estimators, **study.posterior_estimators}
        kinds["posterior estimator"] = sampled
    for kind, models in kinds.items():
        for name, model in models.items():
            problem = replace(study.problem, estimator=model)
            given[f"{kind} {name!r}"] = _fingerprint.of_problem(problem)
    for name, strategy in study.strategies.items():
        text = _fingerprint.describe(strategy, WITHOUT_EFFECT)
        model = "posterior estimator" if samples_posterior(strategy) else "estimator"
        given[f"strategy {name!r}"] = {"strategy": text, "model": model}
    return given
