"""Tables: CSV and Parquet, with a line for each row."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from skal._extras import install_hint
from skal._files import replacing
from skal.inputs._targets import Target
from skal.labeling._events import as_json
from skal.labeling.files._records import Answered, Foreign, Item, columns_of

# The columns of a session, before the columns of the rows.
COLUMNS = ["id", "label", "by", "time", "skipped"]
WORDS_FOR_TRUE = "true", "1", "yes"


def write_csv(path: Path, items: list[Item], target: Target) -> None:
    """Write rows as CSV. Labels that are lists are JSON.

    Parameters
    ----------
    path : Path
    items : list of Item
    target : Target
    """
    records = [_record(item, target) for item in items]
    names = list(dict.fromkeys([*COLUMNS, *(name for r in records for name in r)]))
    with replacing(path, "w") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _as_cell(v) for k, v in r.items()} for r in records)


def _record(item: Item, target: Target) -> dict[str, Any]:
    """Return the columns of a row."""
    row = {
        f"row_{name}" if name in (*COLUMNS, "prediction", "why") else name: part
        for name, part in columns_of(item.row).items()
    }
    own = dict(zip(COLUMNS, (*item[:1], *item[2:6]), strict=True))
    question = (
        {} if item.score is None else {"prediction": item.prediction, "why": item.why}
    )
    return own | question | row


def _as_cell(value: Any) -> Any:
    if value is None or value is False:
        return ""
    return as_json(value) if isinstance(value, list | dict) else value


def read_csv(path: Path, target: Target) -> list[Answered]:
    """Read answers from CSV with the columns "id" and "label".

    Parameters
    ----------
    path : Path
    target : Target

    Returns
    -------
    list of Answered
        Rows without a label are left out.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        _check_columns(reader.fieldnames or [])
        records = list(reader)
    texts = [record["label"] for record in records if record["label"]]
    are_whole = bool(texts) and all(map(_is_whole, texts))
    for record in records:
        record["label"] = _parsed(record["label"], target, are_whole)
    return _answers(records)


def _check_columns(names: Any) -> None:
    missing = [name for name in COLUMNS[:2] if name not in names]
    if missing:
        found = ", ".join(map(str, names))
        raise Foreign(f"it has no column {missing[0]!r}, but {found}")


def _is_whole(text: str) -> bool:
    try:
        return str(int(text)) == text
    except ValueError:
        return False


def _parsed(text: str, target: Target, are_whole: bool) -> Any:
    """Return the label that a cell holds; None if it is empty."""
    if not text:
        return None
    if target is Target.CLASS:
        return int(text) if are_whole else text
    try:
        return json.loads(text)
    except ValueError:
        raise Foreign(f"{text!r} is not {target.value}, as JSON") from None


def _answers(records: list[dict[str, Any]]) -> list[Answered]:
    found = []
    for record in records:
        is_skip = str(record.get("skipped") or "").lower() in WORDS_FOR_TRUE
        label = None if is_skip else record["label"]
        if label is not None or is_skip:
            stamp = record.get("time") or None
            by = str(record.get("by") or "")
            found.append(Answered(str(record["id"]), None, label, by, str(stamp)))
    return found


def _backend() -> str:
    """Return the library that reads and writes Parquet."""
    for name in ("pyarrow", "polars"):
        if find_spec(name) is not None:
            return name
    raise ImportError(
        "Parquet needs pyarrow or polars: install one of them, or use CSV "
        f"({install_hint('label')} installs pyarrow)."
    )


def write_parquet(path: Path, items: list[Item], target: Target) -> None:
    """Write rows as Parquet, as in `write_csv`; labels that are lists stay lists.

    Parameters
    ----------
    path : Path
    items : list of Item
    target : Target
    """
    write_records(path, [_record(item, target) for item in items])


def write_records(path: Path, records: list[dict[str, Any]]) -> None:
    """Write records with columns of any type as Parquet.

    Parameters
    ----------
    path : Path
    records : list of dict
    """
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {name: [record.get(name) for record in records] for name in names}
    library = _backend()
    with replacing(path) as file:
        if library == "polars":
            import_module("polars").DataFrame(columns).write_parquet(file)
        else:
            table = import_module("pyarrow").table(columns)
            import_module("pyarrow.parquet").write_table(table, file)


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a Parquet file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of dict
    """
    library = _backend()
    with _foreign_otherwise():
        if library == "polars":
            return import_module("polars").read_parquet(path).to_dicts()
        return import_module("pyarrow.parquet").read_table(path).to_pylist()


def read_names(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file, without reading its rows."""
    library = _backend()
    with _foreign_otherwise():
        if library == "polars":
            return list(import_module("polars").read_parquet_schema(path))
        return import_module("pyarrow.parquet").read_schema(path).names


@contextmanager
def _foreign_otherwise() -> Iterator[None]:
    """Say of a file that cannot be read that it is not Parquet."""
    try:
        yield
    except Exception as error:  # each library has errors of its own
        raise Foreign(f"it is not Parquet ({error})") from error


def read_parquet(path: Path, target: Target) -> list[Answered]:
    """Read answers from Parquet, as in `read_csv`.

    Parameters
    ----------
    path : Path
    target : Target

    Returns
    -------
    list of Answered
    """
    records = read_records(path)
    if records:
        _check_columns(list(records[0]))
    return _answers(records)
