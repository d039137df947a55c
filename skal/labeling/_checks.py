"""Checks of the parameters of a session."""

from typing import Any

from skal.answers._needs import strategy_peeks
from skal.answers._pairing import check_pairing
from skal.inputs._cells import is_missing
from skal.inputs._targets import Target
from skal.labeling._labels import checked_label


def check_strategy(strategy: Any, estimator: Any, kind: Target) -> None:
    """Check that a strategy can work where nobody knows the labels."""
    if strategy_peeks(strategy):
        name = type(strategy).__name__
        raise ValueError(
            f"{name} looks at labels of the pool, which nobody knows here: choose a "
            f"strategy that does not, and use {name} in ActiveLearner or compare."
        )
    check_pairing(strategy, estimator, None, kind)


def class_names(classes: Any, kind: Target) -> list[Any]:
    """Return the names of classes as Python's own texts or numbers."""
    if kind.is_numeric:
        raise ValueError(
            "classes must be None, since the estimator is a regressor: its labels are "
            "numbers."
        )
    names: list[Any] = []
    for name in list(classes):
        names.append(checked_label(name, Target.CLASS, names, False))
    if len(set(names)) < len(names) or (not names):
        raise ValueError(f"classes must be different names, at least one, got {names}.")
    return names


def check_class(name: Any, known: list[Any]) -> None:
    """Check that a class is of the type of the classes that are known."""
    checked_label(name, Target.CLASS, known, False)


def is_open(label: Any) -> bool:
    """Return whether a label is missing; a list is not."""
    is_text = isinstance(label, str)
    return (is_text or not hasattr(label, "__len__")) and is_missing(label)
