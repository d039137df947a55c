"""The folder of a study: descriptions of its inputs, and one line per finished cell.

To resume a study that was killed, run it again: cells that are in the folder are read
instead of run. Lines are JSON, for `pandas.read_json(path, lines=True)` and
`polars.read_ndjson(path)`; nothing in the folder can execute code.

Each line has a digest of everything that its run depends on. If a strategy, an
estimator or the scorer has changed, in its parameters or in its code, the lines that
depend on it are ignored. They are used again if the change is undone.
"""

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zlib import crc32

from skal._files import replacing
from skal.identity import _fingerprint
from skal.identity._names import formerly, renamed, renamed_all
from skal.studies.running._described import (
    DATA,
    N_ROWS,
    WITHOUT_EFFECT,
    Given,
    add_roles,
    describe_study,
    is_data,
    subject_of,
)
from skal.studies.running._lines import (
    Line,
    Run,
    Shape,
    append,
    encode,
    loose_values,
    migrate,
    read_lines,
)

__all__ = ["Run", "Store", "describe_study"]

GIVEN = "study.json"
# Parameters that may differ when a search is resumed.
LIMITS = ("max_trainings", "max_time")
# Entries of an estimator's description that must not change within a folder.
SIZES = ("batch_size", "n_rounds", "n_pool", "n_warm", "n_select", "n_val")
# Strategies that sampled a posterior in the oldest folders, which do not record it.
SAMPLING = re.compile(r"\bskal\.(BALD|BatchBALD|VariationRatio)\(")


class Store:
    """The finished cells of one study, and the file that stores them.

    Parameters
    ----------
    folder : str or path-like
        The folder; it is created if it does not exist. Several studies of one problem
        may share it.
    study : str
        The name of the study and, without suffix, of its file.
    key_type : type
        The NamedTuple of cell keys.
    given : mapping of str to mapping
        Descriptions of everything that cells depend on, by subject, as returned by
        `describe_study`.

    Attributes
    ----------
    runs : dict of NamedTuple to Run
        The stored runs that are valid for the current descriptions.

    Warns
    -----
    UserWarning
        If cells are run again, because something they depend on has changed or their
        lines are damaged.

    Raises
    ------
    ValueError
        If the folder belongs to another study, or contains other files.
    OSError
        If the folder cannot be created, read or written.
    """

    def __init__(self, folder: Any, study: str, key_type: Any, given: Given) -> None:
        self.folder = _open_folder(folder)
        stored = _with_models(read_given(self.folder / GIVEN), given)
        given = add_roles(given, stored)
        in_use = _in_use(self.folder, stored)
        _refuse_another(self.folder, stored, given, in_use)
        _warn_of_versions(self.folder, stored)
        for path in self.folder.glob("*.jsonl"):
            migrate(path, lambda values: _made_by(stored, values))
        self.given, self._stored = {**stored, **given}, stored
        self.path = self.folder / f"{study}.jsonl"
        lines = read_lines(
            self.path,
            key_type,
            shape_of(given),
            lambda values: _made_by(stored, values),
        )
        self.runs = {line.key: line.run for line in lines if is_valid(self.given, line)}
        self._warn_of_changes(stored, lines)
        _write_given(self.folder / GIVEN, stored, given, in_use)

    def keep(self, key: Any, run: Run) -> None:
        """Save the run of a cell immediately.

        Parameters
        ----------
        key : NamedTuple
            The cell.
        run : Run
        """
        made_by = _made_by(self.given, key._asdict())
        append(self.path, encode(key, run, made_by))
        self.runs[key] = run

    def journal_path(self, cell: Any, strategy: Any) -> Path:
        """Return the path of the journal of one search.

        The folder is created. Each search has a journal of its own: if the strategy or
        the model changes, the path changes, and an unfinished journal is kept.

        Parameters
        ----------
        cell : NamedTuple
            The cell, with an estimator and a strategy.
        strategy : oracle

        Returns
        -------
        Path
        """
        folder = self.folder / "searches"
        folder.mkdir(exist_ok=True)
        *_, model = _subjects(self.given, cell.strategy, cell.estimator)
        search = _fingerprint.describe(strategy, (*WITHOUT_EFFECT, *LIMITS))
        items = renamed_all(self.given[model])
        # A search that failed goes on once `error_score` is set.
        items.pop("error_score", None)
        path = folder / _file_name(cell, search, items)
        before = self._stored.get(model, {})
        if renamed_all(before) != items:
            return path
        # A journal from before classes were recorded by their public names.
        old = folder / _file_name(cell, formerly(search), before)
        return old if old.exists() and not path.exists() else path

    def _warn_of_changes(self, stored: Given, lines: list[Line]) -> None:
        """Warn which cells are run again, and why."""
        stale = {line.key for line in lines} - self.runs.keys()
        needs = {key: _depends_on(self.given, key._asdict()) for key in stale}
        models = [name for name in self.given if "estimator " in name]
        for names, change in _changes(stored, self.given, models):
            n = sum(not needs[key].isdisjoint(names) for key in stale)
            if n:
                its, kept = _counted(n, "cell"), _counted(len(self.runs), "other")
                text = (
                    f"its {its} run again; {kept} kept"
                    if self.runs
                    else (f"all {its} run again")
                )
                warnings.warn(f"{change}: {text}.", stacklevel=4)


def find_journal(folder: Any, cell: Any) -> Path:
    """Return the latest journal of one search in the folder of a study.

    Parameters
    ----------
    folder : str or path-like
        The `path` of the study.
    cell : tuple
        The cell of the search: estimator, strategy, seed and number.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    searches = Path(folder) / "searches"
    found = sorted(
        (path.stat().st_mtime_ns, path)
        for path in searches.glob("*.db")
        if path.name.startswith(f"{_readable(cell)}-")
    )
    if not found:
        raise FileNotFoundError(
            f"{searches} has no journal of {' '.join(map(str, cell[:3]))}: give the "
            "path that was given to compare, or use SearchDisplay.from_journal if the "
            "oracle has a journal of its own."
        )
    return found[-1][1]


def pending(store: Store | None, cells: Iterable[Any]) -> list[Any]:
    """Return the cells that must be run; a cell that is done is skipped.

    Parameters
    ----------
    store : Store or None
        Where valid runs are found.
    cells : iterable of NamedTuple

    Returns
    -------
    list of NamedTuple
    """
    return [cell for cell in cells if store is None or cell not in store.runs]


def _file_name(cell: Any, search: str, items: Mapping[str, str]) -> str:
    # The first part is for people to read, and the checksum makes the name unique.
    parts = tuple(cell), search, sorted(items.items())
    return f"{_readable(cell)}-{crc32(repr(parts).encode()):08x}.db"


def _readable(cell: Any) -> str:
    """Return the first part of the name of a journal: names may have any characters."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", "-".join(map(str, cell)))[:60]


def _changes(
    stored: Given, given: Given, models: list[str]
) -> Iterator[tuple[set[str], str]]:
    """Yield subjects that have changed, with a description; the scorer comes first."""
    for name in models:
        before, now = (_scoring_of(known, name) for known in (stored, given))
        change = _fingerprint.difference(before, now, "there")
        if name in stored and change is not None:
            yield set(models), f"The scorer has changed ({_noun(change)})"
            break
    for name in [name for name in given if name in stored]:
        before, now = (_without_scoring(known[name]) for known in (stored, given))
        change = _fingerprint.difference(before, now, "there")
        if not is_data(name) and name != "versions" and change is not None:
            yield {name}, f"{name} has changed ({_noun(change)})"


def _scoring_of(given: Given, model: str) -> dict[str, str]:
    return {"scoring": given.get(model, {}).get("scoring", "")}


def _without_scoring(described: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in described.items() if name != "scoring"}


def _counted(n: int, name: str) -> str:
    return f"1 {name} is" if n == 1 else f"{n} {name}s are"


def _noun(change: str) -> str:
    return change.removesuffix(" has changed")


def _subjects(given: Given, strategy: Any, estimator: Any) -> tuple[str, str]:
    """Return the subjects that describe a strategy and the model it is used with."""
    subject = subject_of(strategy)
    model = given.get(subject, {}).get("model", "estimator")
    return subject, f"{model} {estimator!r}"


def _depends_on(given: Given, cell: Mapping[str, Any]) -> set[str]:
    """Return the subjects that a cell depends on, in addition to the data."""
    model = cell.get("estimator")
    source = cell.get("source_estimator", model)
    subjects = set(_subjects(given, cell.get("strategy"), source))
    return subjects | (
        {f"estimator {model!r}"} if "source_estimator" in cell else set()
    )


def _made_by(given: Given, cell: Mapping[str, Any]) -> str | None:
    """Return a digest of everything a cell depends on; None if it is not known."""
    subjects = sorted(_depends_on(given, cell))
    if not all(subject in given for subject in subjects):
        return None
    parts = [
        (subject, sorted(renamed_all(given[subject]).items())) for subject in subjects
    ]
    return blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


def is_valid(given: Given, line: Line) -> bool:
    """Return whether a line was made by strategies and estimators as described."""
    made_by = _made_by(given, line.key._asdict())
    return line.made_by is not None and line.made_by == made_by


def _in_use(folder: Path, given: Given) -> set[str]:
    """Return the subjects that any cell in a folder depends on."""
    subjects = {name for name in given if is_data(name)} | {"versions"}
    for path in folder.glob("*.jsonl"):
        for values in loose_values(path):
            subjects |= _depends_on(given, values)
    return subjects


def shape_of(given: Given) -> Shape:
    """Return the lengths of the curves and orders of a study."""
    model = next(given[name] for name in given if name.startswith("estimator "))
    size, rounds, pool = (int(model[n]) for n in ("batch_size", "n_rounds", "n_pool"))
    # If each seed has a split of its own, orders index all rows of the data.
    last = int(model.get(N_ROWS, pool)) if "split" not in given[DATA] else None
    n_acquired = None if "costs" in model else min(size * rounds, pool)
    return Shape(rounds + 1, n_acquired, last)


def _open_folder(path: Any) -> Path:
    folder = Path(path)
    if "\0" in str(folder):
        raise ValueError(
            f"path={str(folder)!r} contains a null character: remove it from the path."
        )
    if folder.is_symlink() and not folder.exists():
        raise FileNotFoundError(
            f"path={str(folder)!r} is a link to a folder that does not exist: create "
            "the folder, or give another path."
        )
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(
            f"path={str(folder)!r} is a file: give the path of a folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    files = [file.name for file in folder.iterdir() if not file.name.startswith(".")]
    if files and GIVEN not in files:
        raise ValueError(
            f"path={str(folder)!r} is a folder with other files in it, such as "
            f"{sorted(files)[0]}: give an empty folder or the folder of a study."
        )
    return folder


def _with_models(stored: Given, given: Given) -> dict[str, dict[str, str]]:
    """Return stored descriptions with the kind of model that each strategy uses.

    The oldest folders do not record it.
    """
    whole = {subject: dict(stored[subject]) for subject in stored}
    has_sampled = any(subject.startswith("posterior") for subject in stored)
    for subject, described in whole.items():
        if subject.startswith("strategy ") and "model" not in described:
            samples = SAMPLING.search(renamed(described.get("strategy", "")))
            guess = "posterior estimator" if samples and has_sampled else "estimator"
            described["model"] = given.get(subject, {}).get("model", guess)
    return whole


def _refuse_another(
    folder: Path, stored: Given, given: Given, in_use: set[str]
) -> None:
    """Refuse a folder with other data, another B or K, or sets of other sizes."""
    for subject in given:
        if subject not in stored or subject not in in_use or subject == "versions":
            continue
        before, now = (
            {n: d[subject][n] for n in d[subject] if is_data(subject) or n in SIZES}
            for d in (stored, given)
        )
        difference = _fingerprint.difference(before, now, "there")
        if difference is not None:
            raise ValueError(
                f"{folder} is the folder of another study: {subject} differs, "
                f"{difference}. Use the same data and sizes to resume it, or another "
                "path to start a new study."
            )


def _warn_of_versions(folder: Path, stored: Given) -> None:
    difference = _fingerprint.other_versions(stored.get("versions", {}), "there")
    if difference is not None:
        warnings.warn(
            f"{folder} was begun with another version or processor: {difference}. "
            "The last digits of scores may differ between its cells: if that matters, "
            "start a new study with another path.",
            stacklevel=4,
        )


def read_given(path: Path) -> dict[str, dict[str, str]]:
    """Return the descriptions in a folder, by subject; empty without a file."""
    if not path.exists():
        return {}
    try:
        return {
            str(subject): dict(v) for subject, v in json.loads(path.read_text()).items()
        }
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise ValueError(
            f"{path} is damaged: restore it from a backup, or give another path."
        ) from None


def _write_given(path: Path, stored: Given, given: Given, in_use: set[str]) -> None:
    """Write new descriptions; unchanged ones that cells depend on are kept as is."""
    bound = {
        subject: stored[subject]
        for subject in stored
        if subject in in_use and _is_same(stored[subject], given.get(subject), subject)
    }
    known = {**stored, **given, **bound}
    if known != stored or not path.exists():
        with replacing(path, "w") as file:
            file.write(json.dumps(known, indent=2) + "\n")


def _is_same(
    before: Mapping[str, str], now: Mapping[str, str] | None, subject: str
) -> bool:
    if now is None or is_data(subject) or subject == "versions":
        return True
    return _fingerprint.difference(before, now, "there") is None
