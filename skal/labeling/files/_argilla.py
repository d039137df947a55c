"""Argilla: records of a Hugging Face dataset, as JSON lines or Parquet.

Columns are named as in `dataset.records(...).to_datasets()` of Argilla 2, for a field
"text" and a question "label".
"""

from pathlib import Path
from typing import Any

from skal._files import replacing
from skal.inputs._targets import Target
from skal.labeling._events import as_json
from skal.labeling.files._records import (
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
from skal.labeling.files._tables import read_records, write_records

QUESTION = "label"
RESPONSES = f"{QUESTION}.responses"


def write_argilla(path: Path, items: list[Item], target: Target) -> None:
    """Write records: labels as responses, and predictions as suggestions.

    Parameters
    ----------
    path : Path
        Parquet if it ends in ".parquet", else JSON lines. `datasets.load_dataset`
        reads both.
    items : list of Item
    target : Target
    """
    records = [_record(item, target) for item in items]
    if path.suffix == ".parquet":
        return write_records(path, records)
    with replacing(path, "w") as file:
        file.writelines(as_json(record) + "\n" for record in records)


def _record(item: Item, target: Target) -> dict[str, Any]:
    status = "discarded" if item.is_skipped else "submitted"
    is_done = item.label is not None or item.is_skipped
    value = _value(item.label, item, target)
    return {
        "id": item.id,
        "status": "completed" if is_done else "pending",
        "text": text_of(item.row),
        RESPONSES: [value] if is_done else [],
        f"{RESPONSES}.users": [item.by] if is_done else [],
        f"{RESPONSES}.status": [status] if is_done else [],
        f"{QUESTION}.suggestion": _value(item.prediction, item, target),
        f"{QUESTION}.suggestion.score": item.score,
        f"{QUESTION}.suggestion.agent": "skal" if item.prediction is not None else None,
    }


def _value(label: Any, item: Item, target: Target) -> Any:
    """Return a label as the value of a response."""
    if label is None:
        return None
    if target is Target.TAGS:
        return [
            {"start": start, "end": end, "label": name}
            for start, end, name in spans_of(label, item.row)
        ]
    if target is Target.NUMBER:
        return label
    values = [str(one) for one in listed(label, target)]
    return values[0] if target is Target.CLASS else values


def read_argilla(path: Path, target: Target) -> list[Answered]:
    """Read the responses of records.

    Parameters
    ----------
    path : Path
        Parquet or JSON lines.
    target : Target

    Returns
    -------
    list of Answered
        A response that is "discarded" is a skip, and a "draft" is left out.
    """
    is_parquet = path.suffix == ".parquet"
    records = read_records(path) if is_parquet else read_lines(path)
    found = []
    for i, record in enumerate(records, 1):
        if "id" not in record:
            raise Foreign(f"record {i} has no `id`")
        values = record.get(RESPONSES) or []
        users = record.get(f"{RESPONSES}.users") or [""] * len(values)
        status = record.get(f"{RESPONSES}.status") or ["submitted"] * len(values)
        for value, by, state in zip(values, users, status, strict=True):
            answer = _answer(value, state, target)
            if answer is not None:
                stamp = record.get("updated_at")
                given = str(record["id"]), record.get("text"), answer[0]
                found.append(Answered(*given, str(by), stamp and str(stamp)))
    return found


def _answer(value: Any, status: Any, target: Target) -> tuple[Any] | None:
    """Return the label of a response, None for a skip; no tuple for a draft."""
    if status == "discarded":
        return (None,)
    if status != "submitted" or value is None:
        return None
    if target is Target.TAGS:
        return (Spans([(one["start"], one["end"], one["label"]) for one in value]),)
    if target.has_columns:
        return (from_list(list(value), target),)
    return (value,)
