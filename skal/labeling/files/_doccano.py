"""doccano: JSON lines, with classes or marked spans.

doccano keeps other columns of an import as metadata, and writes them beside the text in
its export: https://doccano.github.io/doccano/
"""

from pathlib import Path
from typing import Any

from skal._files import replacing
from skal.inputs._targets import Target
from skal.labeling._events import as_json
from skal.labeling.files._records import (
    ID,
    Answered,
    Foreign,
    Item,
    Spans,
    from_list,
    listed,
    read_lines,
    text_of,
)
from skal.labeling.files._spans import spans_of

# The names under which versions of doccano write labels.
NAMES = "label", "labels", "entities", "cats"


def write_doccano(path: Path, items: list[Item], target: Target) -> None:
    """Write a line for each row. The prediction of a question is its first label.

    Parameters
    ----------
    path : Path
    items : list of Item
    target : Target
    """
    with replacing(path, "w") as file:
        for item in items:
            label = item.prediction if item.label is None else item.label
            record = {"text": text_of(item.row), "label": _labels(label, item, target)}
            file.write(as_json(record | {ID: item.id}) + "\n")


def _labels(label: Any, item: Item, target: Target) -> list[Any]:
    if label is None:
        return []
    if target is Target.TAGS:
        return [list(span) for span in spans_of(label, item.row)]
    return [str(one) for one in listed(label, target)]


def read_doccano(path: Path, target: Target) -> list[Answered]:
    """Read the answers of an export.

    Parameters
    ----------
    path : Path
        The JSON lines of a project; of one annotator, unless annotators share labels.
    target : Target

    Returns
    -------
    list of Answered
        Rows without labels are left out, since doccano does not say whether anybody
        has seen them.
    """
    found = []
    for i, record in enumerate(read_lines(path), 1):
        name = next((name for name in NAMES if name in record), None)
        if "text" not in record or name is None:
            raise Foreign(f"line {i} has no `text` and `label`")
        label = _label(record[name], target, i)
        if label is not None and record[name]:
            id = record.get(ID, (record.get("meta") or {}).get(ID))
            known = None if id is None else str(id)
            found.append(Answered(known, record["text"], label))
    return found


def _label(labels: list[Any], target: Target, line: int) -> Any:
    if target is not Target.TAGS:
        return from_list(labels, target)
    parts = [
        (one["start_offset"], one["end_offset"], one["label"])
        if isinstance(one, dict)
        else one
        for one in labels
    ]
    if not all(isinstance(one, list | tuple) and len(one) == 3 for one in parts):
        raise Foreign(f"line {line} has labels that are not [start, end, name]")
    return Spans([(start, end, name) for start, end, name in parts])
