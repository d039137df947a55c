"""How far a session is."""

from collections import Counter
from typing import Any, NamedTuple

from skal.inputs._targets import Target
from skal.labeling._events import as_json
from skal.labeling._state import State


class Progress(NamedTuple):
    """How far a session is, in numbers of rows.

    Parameters
    ----------
    n_rows : int
        Rows of the pool.
    n_labelled, n_skipped, n_open : int
        Rows with a label, left out, and asked but not answered. Equal rows count as
        one.
    n_audit : int
        Labelled rows that belong to the random sample of the audit.
    n_disagreeing : int
        Rows that have different labels by several annotators.
    classes : dict
        Number of labelled rows of each class; empty if labels are numbers. A row with
        several labels counts for each.
    annotators : dict of str to int
        Number of labels by each annotator.

    See Also
    --------
    LabelingSession.progress : Returns it.

    Examples
    --------
    >>> from skal.labeling import Progress
    >>> print(Progress(n_rows=1000, n_labelled=40, n_skipped=2, n_open=5, n_audit=4,
    ...                n_disagreeing=0, classes={"ham": 30, "spam": 10},
    ...                annotators={"anna": 40}))
    40 of 1000 rows are labelled, 4 of them as an audit; 2 were skipped and 5 are open.
    Classes: ham: 30, spam: 10.
    """

    n_rows: int
    n_labelled: int
    n_skipped: int
    n_open: int
    n_audit: int
    n_disagreeing: int
    classes: dict[Any, int]
    annotators: dict[str, int]

    def __str__(self) -> str:
        text = (
            f"{self.n_labelled} of {self.n_rows} rows are labelled, {self.n_audit} of "
            f"them as an audit; {self.n_skipped} were skipped and {self.n_open} are "
            "open."
        )
        if self.classes:
            counts = ", ".join(f"{name}: {n}" for name, n in self.classes.items())
            text += f" Classes: {counts}."
        if self.n_disagreeing:
            text += f" Annotators disagree about {self.n_disagreeing}."
        return text


def progress_of(state: State) -> Progress:
    """Return how far a session is.

    Parameters
    ----------
    state : State

    Returns
    -------
    Progress
    """
    by = Counter(name for found in state.answers.values() for name in found)
    return Progress(
        len(state.ids),
        len(state.labels),
        len(state.skipped),
        len(state.leases),
        len(audited(state)),
        len(state.disagreeing),
        _count_classes(state),
        dict(by),
    )


def _count_classes(state: State) -> dict[Any, int]:
    if state.target.is_numeric:
        return {}
    is_single = state.target is Target.CLASS
    parts = (
        [label] if is_single else {as_json(part): part for part in label}.values()
        for label in state.labels.values()
    )
    counts = Counter(part for label in parts for part in label)
    return {name: counts[name] for name in dict.fromkeys([*state.classes, *counts])}


def audited(state: State) -> list[int]:
    """Return the labelled groups of the audit, which are a random sample of the pool.

    Every row has a random number. An audit asks the rows with the lowest ones, so all
    rows up to the highest number that was asked belong to the sample, whatever the
    reason was to label them.

    Parameters
    ----------
    state : State

    Returns
    -------
    list of int
        In the order of their random numbers. Equal rows count as one.
    """
    asked = [group for group, draw in state.draws.items() if draw == "audit"]
    if not asked:
        return []
    luck = state.luck
    highest = luck[asked].max()
    found = [group for group in state.labels if luck[group] <= highest]
    return sorted(found, key=lambda group: luck[group])
