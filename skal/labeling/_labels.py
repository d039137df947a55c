"""Labels by name: checked when they are given, and turned into `y` for training."""

from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal._choices import suggest
from skal.inputs._cells import is_missing
from skal.inputs._containers import is_list
from skal.inputs._targets import Target, predicts_numbers
from skal.labeling._events import as_json

# The kinds of target by the names that a session takes.
TARGETS = {target.name.lower(): target for target in Target}


def target_named(name: str | None, estimator: Any) -> Target:
    """Return the kind of target of a session.

    Parameters
    ----------
    name : str or None
        One of `TARGETS`; None for numbers if the estimator is a regressor, tags if it
        is a tagger, and one class per row otherwise.
    estimator : estimator

    Returns
    -------
    Target

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if name is None:
        if predicts_numbers(estimator):
            return Target.NUMBER
        is_tagger = hasattr(estimator, "predict_token_log_proba")
        return Target.TAGS if is_tagger else Target.CLASS
    if name not in TARGETS:
        raise ValueError(
            f"target must be one of {', '.join(TARGETS)}, or None, got {name!r}."
            f"{suggest(name, TARGETS)}"
        )
    return TARGETS[name]


def checked_label(
    label: Any, target: Target, classes: list, is_closed: bool, row: Any = None
) -> Any:
    """Return a label as it is stored, after a check that it is one of the session.

    Parameters
    ----------
    label : object
        A class; a list of tags; a number; a list of the names of labels that a row
        has; a list of classes or numbers, one per column.
    target : Target
    classes : list
        The classes of the session.
    is_closed : bool
        Whether a label must be one of them.
    row : object, default=None
        The row, whose tokens are counted if labels are tags.

    Returns
    -------
    str, int, float, bool, or list of them

    Raises
    ------
    ValueError
        If it is not a label of this kind, or not one of the classes.
    """
    label = _plain(label)
    if target in (Target.CLASS, Target.NUMBER):
        if isinstance(label, list | dict):
            kind = "several labels" if isinstance(label, list) else "a dict"
            raise ValueError(
                f"A label must be {target.value}, got {kind}, {label!r}: for several "
                "labels per row, open the session with target='labels', and with "
                "target='tags' for a tag per token."
            )
        return _part(label, target, classes, is_closed)
    if not isinstance(label, list):
        raise ValueError(
            f"A label must be a list, since each row has {target.value}, got {label!r}."
        )
    if target is Target.TAGS:
        _check_as_many(label, row)
    found = [_part(part, target, classes, is_closed) for part in label]
    return _in_order(found, classes) if target is Target.LABELS else found


def _plain(label: Any) -> Any:
    """Return a label as Python's own numbers, texts and lists."""
    if is_list(label) or getattr(label, "ndim", 0) == 1:
        return [_plain(part) for part in label]
    if isinstance(label, set | frozenset):
        return [_plain(part) for part in label]
    return label.item() if isinstance(label, np.generic) else label


def _part(label: Any, target: Target, classes: list, is_closed: bool) -> Any:
    """Return one class or one number, after a check."""
    if is_missing(label) or not isinstance(label, str | int | float):
        raise ValueError(
            f"A label must be a text or a number, got {label!r}: leave rows without a "
            "label out, or skip them."
        )
    if target.is_numeric:
        return _number(label)
    if isinstance(label, float) and not label.is_integer():
        raise ValueError(
            f"A class must be a text or a whole number, got {label!r}: to learn "
            "numbers, choose a regressor."
        )
    label = int(label) if isinstance(label, float) else label
    if label in classes:
        return classes[classes.index(label)]
    _check_kind(label, classes)
    if is_closed:
        raise ValueError(
            f"{label!r} is not one of the classes {_listed(classes)}: correct the "
            f"label, or add the class by add_class({label!r})."
        )
    return label


def _number(label: Any) -> float:
    try:
        number = float(label)
    except ValueError:
        number = float("nan")
    if isinstance(label, str) or not np.isfinite(number):
        raise ValueError(
            f"A label must be a finite number, since the estimator is a regressor, got "
            f"{label!r}."
        )
    return number


def _check_kind(label: Any, classes: list) -> None:
    """Check that classes are all texts, or none of them is."""
    if classes and isinstance(label, str) != isinstance(classes[0], str):
        raise ValueError(
            f"{label!r} is not of the type of the classes {_listed(classes)}: give all "
            "labels as texts, or all as numbers."
        )


def _listed(classes: list) -> str:
    shown = ", ".join(map(repr, classes[:10]))
    return shown + ", ..." * (len(classes) > 10)


def _check_as_many(label: list, row: Any) -> None:
    if row is not None and not isinstance(row, str) and len(row) != len(label):
        raise ValueError(
            f"The label has {len(label)} tags, and the row has {len(row)} tokens: give "
            "one tag for each token."
        )


def _in_order(labels: list, classes: list) -> list:
    """Return the labels of a row, each once, in the order of the classes."""
    known = [one for one in classes if one in labels]
    return known + [one for one in dict.fromkeys(labels) if one not in classes]


def resolved(labels: Iterable[Any], rule: str, target: Target) -> Any:
    """Return the one label of a row that annotators may disagree about.

    Parameters
    ----------
    labels : iterable
        The latest label of each annotator, the last given at the end.
    rule : str
        "last"; "majority", the most frequent one, or of numbers the median; or "ask",
        the most frequent one if it is alone.
    target : Target

    Returns
    -------
    label or None
        None if the rule is "ask" and several are equally frequent.
    """
    given = list(labels)
    if rule == "last" or len(given) == 1:
        return given[-1]
    if target is Target.NUMBER and rule == "majority":
        return float(median(given))
    counts = Counter(map(as_json, given))
    most = max(counts.values())
    first = [label for label in given if counts[as_json(label)] == most]
    is_tie = len(set(map(as_json, first))) > 1
    return None if is_tie and rule == "ask" else first[-1]


def classes_in(labels: Iterable[Any], target: Target) -> list:
    """Return the classes that occur in labels, in the order of their first use.

    Parameters
    ----------
    labels : iterable of labels
    target : Target

    Returns
    -------
    list
        Empty if labels are numbers.
    """
    if target.is_numeric:
        return []
    if target is Target.CLASS:
        return list(dict.fromkeys(labels))
    return list(dict.fromkeys(part for label in labels for part in label))


def as_y(
    labels: Mapping[int, Any], target: Target, classes: list, X: Any, n: int
) -> Any:
    """Return labels in the form that an estimator is trained on.

    Parameters
    ----------
    labels : mapping of int to label
        By position. Other rows get a label that is never read.
    target : Target
    classes : list
        All classes that occur, in the order of the columns if rows have labels.
    X : rows
        If labels are tags, rows are as long as these.
    n : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n,) or (n, n_columns), or list of n lists of tags
    """
    if target is Target.TAGS:
        other = classes[0] if classes else ""
        return [labels.get(i) or [other] * len(row) for i, row in enumerate(X)]
    positions, values = list(labels), list(labels.values())
    y: NDArray
    if target is Target.LABELS:
        y = np.zeros((n, len(classes)), dtype=np.int64)
        column = {one: j for j, one in enumerate(classes)}
        for i, row in labels.items():
            y[i, [column[one] for one in row]] = 1
        return y
    given = np.array(values or classes[:1] or [0.0])
    y = np.repeat(given[:1], n, axis=0)
    if values:
        y[positions] = given
    return y
