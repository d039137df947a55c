"""The content of files: rows to label or with labels, and answers of annotators."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skal.inputs._targets import Target
from skal.labeling._events import as_json

# The name under which files keep the user's id.
ID = "skal_id"


class Item(NamedTuple):
    """A row that is written to a file.

    Parameters
    ----------
    id : str
    row : object
        The row; None if it was not added in this process.
    label : label or None
        None if it has none.
    by : str
        The annotator of the label.
    time : float or None
        When it was given, in seconds since 1970.
    is_skipped : bool
    prediction : label or None
        The label that the model predicts, for a question.
    score : float or None
        The priority of a question: 1 for the first, towards 0 for the last.
    why : str
        The reason why it is asked.
    """

    id: str
    row: Any
    label: Any = None
    by: str = ""
    time: float | None = None
    is_skipped: bool = False
    prediction: Any = None
    score: float | None = None
    why: str = ""


class Answered(NamedTuple):
    """An answer that is read from a file.

    Parameters
    ----------
    id : str or None
        None if the file does not say; the row is then found by its content.
    row : object
        The row as the file has it.
    label : label or None
        None for a row that was skipped. Tags may be `Spans`.
    by : str
    stamp : object
        Whatever tells two versions of an answer apart, such as its time.
    """

    id: str | None
    row: Any
    label: Any
    by: str = ""
    stamp: Any = None


class Spans(NamedTuple):
    """Marked parts of a sentence: begins, ends and names, in characters."""

    found: list[tuple[int, int, str]]


class Foreign(ValueError):
    """A file that is not of the format as which it was read."""


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise Foreign(f"it is not JSON ({error})") from error


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file with one JSON object per line."""
    found = []
    text = path.read_text(encoding="utf-8-sig")
    for i, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise Foreign(f"line {i} is not JSON ({error})") from error
        if not isinstance(record, dict):
            raise Foreign(f"line {i} is not an object")
        found.append(record)
    return found


def text_of(row: Any) -> str:
    """Return a row as a text: tokens joined by blanks, other rows as JSON."""
    if isinstance(row, str):
        return row
    if isinstance(row, list | tuple) and all(isinstance(part, str) for part in row):
        return " ".join(row)
    return "" if row is None else as_json(plain(row))


def plain(row: Any) -> Any:
    """Return a row as values that JSON has."""
    if hasattr(row, "tolist"):
        return row.tolist()
    if isinstance(row, dict):
        return {name: plain(part) for name, part in row.items()}
    if isinstance(row, list | tuple):
        return [plain(part) for part in row]
    if isinstance(row, np.generic):
        return row.item()
    return row if isinstance(row, str | int | float | bool | None) else str(row)


def columns_of(row: Any) -> dict[str, Any]:
    """Return a row as named columns.

    Parameters
    ----------
    row : object

    Returns
    -------
    dict of str to object
        The columns of a frame; "text" for a sentence, "tokens" for a list of tokens,
        and the numbers of the columns of an array.
    """
    if row is None:
        return {}
    row = plain(row)
    if isinstance(row, dict):
        return {str(name): part for name, part in row.items()}
    if isinstance(row, list) and not all(isinstance(part, str) for part in row):
        return {str(j): part for j, part in enumerate(row)}
    return {"tokens": row} if isinstance(row, list) else {"text": row}


def listed(label: Any, target: Target) -> list[Any]:
    """Return the classes of a label: one, or several per row."""
    return list(label) if target is not Target.CLASS else [label]


def from_list(found: list[Any], target: Target) -> Any:
    """Return a label from the classes that a tool gives for a row.

    Parameters
    ----------
    found : list
    target : Target

    Returns
    -------
    label or None
        None if a row needs one class, and has not exactly one.
    """
    if target is Target.CLASS:
        return found[0] if len(found) == 1 else None
    return found
