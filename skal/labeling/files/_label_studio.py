"""Label Studio: tasks with predictions, and its JSON export back.

The form of tasks is described at https://labelstud.io/guide/task_format.
"""

import json
from pathlib import Path
from typing import Any

from skal._files import replacing
from skal.inputs._targets import Target
from skal.labeling.files._records import (
    ID,
    Answered,
    Foreign,
    Item,
    Spans,
    columns_of,
    from_list,
    listed,
    read_json,
    text_of,
)
from skal.labeling.files._spans import spans_of

# The names of the tags in the labelling configuration, and the column with the text.
FROM, TO, TEXT = "label", "text", "text"


def write_label_studio(path: Path, items: list[Item], target: Target) -> None:
    """Write tasks: labels as annotations, and predictions with a score.

    The score is the priority that the strategy gives, so that tasks sorted by it, the
    highest first, are in the order in which they should be labelled.

    Parameters
    ----------
    path : Path
    items : list of Item
    target : Target
    """
    tasks = [_task(item, target) for item in items]
    with replacing(path, "w") as file:
        json.dump(tasks, file, ensure_ascii=False, indent=1)


def _task(item: Item, target: Target) -> dict[str, Any]:
    data = columns_of(item.row)
    if "tokens" in data or not data:
        data = {TEXT: text_of(item.row)}
    task: dict[str, Any] = {"data": data | {ID: item.id}, "meta": {ID: item.id}}
    if item.label is not None or item.is_skipped:
        result = [] if item.is_skipped else _result(item.label, item.row, target)
        task["annotations"] = [{"result": result, "was_cancelled": item.is_skipped}]
    if item.prediction is not None:
        result = _result(item.prediction, item.row, target)
        version = {"model_version": "skal", "score": item.score}
        task["predictions"] = [version | {"result": result}]
    return task


def _result(label: Any, row: Any, target: Target) -> list[dict[str, Any]]:
    """Return a label as the result of an annotation or a prediction."""
    if target is Target.TAGS:
        return [
            _part("labels", {"start": start, "end": end, "labels": [name]})
            for start, end, name in spans_of(label, row)
        ]
    if target is Target.NUMBER:
        return [_part("number", {"number": label})]
    choices = [str(one) for one in listed(label, target)]
    return [_part("choices", {"choices": choices})]


def _part(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": FROM, "to_name": TO, "type": kind, "value": value}


def read_label_studio(path: Path, target: Target) -> list[Answered]:
    """Read the annotations of an export as JSON (not JSON-MIN).

    Parameters
    ----------
    path : Path
    target : Target

    Returns
    -------
    list of Answered
        An annotation with `was_cancelled` is a skip. Drafts are left out.
    """
    tasks = read_json(path)
    is_task = isinstance(tasks, list) and all(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in tasks
    )
    if not is_task:
        raise Foreign("it has no list of tasks with `data`; export it as JSON")
    return [
        answer
        for task in tasks
        for annotation in task.get("annotations") or []
        if (answer := _answer(task, annotation, target)) is not None
    ]


def _answer(task: dict, annotation: dict, target: Target) -> Answered | None:
    name = task["data"].get(ID, (task.get("meta") or {}).get(ID))
    by = annotation.get("completed_by", "")
    if isinstance(by, dict):
        by = by.get("email") or by.get("id", "")
    stamp = annotation.get("updated_at") or annotation.get("created_at")
    given = None if name is None else str(name), task["data"].get(TEXT)
    if annotation.get("was_cancelled"):
        return Answered(*given, None, str(by), stamp)
    label = _label(annotation.get("result") or [], target)
    return None if label is None else Answered(*given, label, str(by), stamp)


def _label(result: list[dict], target: Target) -> Any:
    """Return the label that a result holds; None if it has none."""
    values = [part.get("value") or {} for part in result]
    if target is Target.TAGS:
        return Spans(
            [
                (value["start"], value["end"], name)
                for value in values
                for name in value.get("labels", ())
            ]
        )
    if target.is_numeric:
        numbers = [v.get("number", v.get("rating")) for v in values]
        return next((number for number in numbers if number is not None), None)
    found = [name for value in values for name in value.get("choices", ())]
    return from_list(found, target)
