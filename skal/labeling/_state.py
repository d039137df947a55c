"""The state of a session: a fold over its events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.inputs._targets import Target
from skal.labeling._events import Event, as_json
from skal.labeling._labels import classes_in, resolved
from skal.seeding import Stream, stream

# Number of latest trainings whose labels are remembered, to compare their models.
REMEMBERED = 3


class Answer(NamedTuple):
    """The latest label that an annotator gave to a row, and when."""

    label: Any
    time: float


class Lease(NamedTuple):
    """An open question: who was asked, when, and the event's value."""

    by: str
    time: float
    value: dict[str, Any]


class Refit(NamedTuple):
    """A training: its event, the number of rows and the labels at that time."""

    number: int
    n_rows: int
    labels: dict[int, Any]


@dataclass
class State:
    """All that the events of a session say, apart from the rows themselves.

    Equal rows form a group, named by the position of the first one. All of a group
    share one answer, so answers, leases and skips are kept by group.

    Parameters
    ----------
    seed : int
        The seed of the session; -1 before it began.
    target : Target
    settings : dict
        The latest parameters of the session.
    ids, position : list of str, dict of str to int
        The id of each row, and back.
    are_numbers : bool
        Whether the user's ids are integers.
    group : list of int
        The group of each row.
    digests : list of bytes
        The digest of each row.
    classes : list
        The classes that were named, in order.
    used : dict
        All classes that were ever given as labels, as keys.
    answers : dict of int to (dict of str to Answer)
        By group and annotator, the latest annotator last.
    labels : dict of int to label
        The label of each group that has one, in the order in which it got it.
    skipped : dict of int to str
        The reason, by group.
    leases : dict of int to Lease
        Open questions by group.
    draws : dict of int to str
        How each group was chosen when it was asked first: "audit", "random" or
        "chosen".
    imports : dict of (int, str) to str
        The latest label that was read for a group from a source, as JSON.
    refits : list of Refit
        The latest trainings.
    n_news : int
        Number of answers since the latest training.
    n_asked, n_batches, n_events : int
        Numbers of questions, of calls of `ask` that chose some, and of events.
    """

    seed: int = -1
    target: Target = Target.CLASS
    settings: dict[str, Any] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    position: dict[str, int] = field(default_factory=dict)
    are_numbers: bool = False
    group: list[int] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    classes: list[Any] = field(default_factory=list)
    used: dict[Any, None] = field(default_factory=dict)
    answers: dict[int, dict[str, Answer]] = field(default_factory=dict)
    labels: dict[int, Any] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)
    leases: dict[int, Lease] = field(default_factory=dict)
    draws: dict[int, str] = field(default_factory=dict)
    imports: dict[tuple[int, str], str] = field(default_factory=dict)
    refits: list[Refit] = field(default_factory=list)
    n_news: int = 0
    n_asked: int = 0
    n_batches: int = 0
    n_events: int = 0
    _first: dict[bytes, int] = field(default_factory=dict)
    _luck: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def rule(self) -> str:
        """How a row gets one label if annotators disagree."""
        return self.settings.get("resolve", "last")

    @property
    def known_classes(self) -> list[Any]:
        """The classes that were named or used, in this order."""
        return list(dict.fromkeys([*self.classes, *self.used]))

    @property
    def luck(self) -> NDArray[np.float64]:
        """A random number of each row, shape (n_rows,): audits draw the lowest."""
        self._luck = [np.concatenate([np.empty(0), *self._luck])]
        return self._luck[0]

    @property
    def for_choice(self) -> dict[int, Any]:
        """The labels at the latest training, without rows that audits may ask.

        A strategy that knew labels of the audit would not choose rows near them. A
        model without one of these rows would then be worse there than anywhere else,
        and the audit would find it worse than it is.
        """
        latest = self.refits[-1].labels if self.refits else {}
        share, luck = self.settings.get("audit", 0.0), self.luck
        return {group: y for group, y in latest.items() if luck[group] >= share}

    @property
    def disagreeing(self) -> list[int]:
        """Groups whose annotators gave different labels."""
        return [
            group
            for group, found in self.answers.items()
            if len({as_json(answer.label) for answer in found.values()}) > 1
        ]

    def fold(self, rows: list[tuple[str, bytes]], events: Iterable[Event]) -> None:
        """Take in new events, in order.

        Parameters
        ----------
        rows : list of (str, bytes)
            Ids and digests of rows that were added in these events.
        events : iterable of Event
        """
        start = len(self.ids)
        for event in events:
            self.n_events = event.number
            if event.kind == "added":
                n = event.value["n"]
                first = event.value["first"] - start
                self._add(rows[first : first + n])
            else:
                getattr(self, f"_{event.kind}")(event)

    def group_with(self, digest: bytes) -> int | None:
        """Return the group of rows with a digest; None if it is new."""
        return self._first.get(digest)

    def open_to(self, by: str) -> list[int]:
        """Return the groups that an annotator was asked and did not answer."""
        return [group for group, lease in self.leases.items() if lease.by == by]

    def _add(self, rows: list[tuple[str, bytes]]) -> None:
        start = len(self.ids)
        self._luck.append(stream(self.seed, Stream.AUDIT, start).random(len(rows)))
        for i, (name, digest) in enumerate(rows, start):
            self.position[name] = i
            self.ids.append(name)
            self.digests.append(digest)
            self.group.append(self._first.setdefault(digest, i))

    def _began(self, event: Event) -> None:
        self.seed, self.target = event.value["seed"], Target[event.value["target"]]

    def _settings(self, event: Event) -> None:
        self.settings |= event.value
        self.are_numbers = self.settings.get("ids") == "numbers"
        for group in list(self.answers):
            self._resolve(group)

    def _class(self, event: Event) -> None:
        self.classes.append(event.value["class"])

    def _asked(self, event: Event) -> None:
        group = self._group_of(event)
        self.leases[group] = Lease(event.by, event.time, event.value)
        self.draws.setdefault(group, event.value["draw"])
        self.n_asked += 1
        self.n_batches = event.value["batch"]

    def _expired(self, event: Event) -> None:
        self.leases.pop(self._group_of(event), None)

    def _told(self, event: Event) -> None:
        group = self._group_of(event)
        found = self.answers.setdefault(group, {})
        found.pop(event.by, None)
        found[event.by] = Answer(event.value["label"], event.time)
        self.used |= dict.fromkeys(classes_in([event.value["label"]], self.target))
        self._close(group)
        self.skipped.pop(group, None)
        self._resolve(group)

    def _imported(self, event: Event) -> None:
        key = self._group_of(event), event.value.get("source", "")
        self.imports[key] = event.value["stamp"]
        if event.value.get("skip"):
            self._skipped(event)
        else:
            self._told(event)

    def _skipped(self, event: Event) -> None:
        group = self._group_of(event)
        self.skipped[group] = event.value.get("reason") or ""
        self._forget(group, [event.by])

    def _withdrawn(self, event: Event) -> None:
        group = self._group_of(event)
        self.skipped.pop(group, None)
        everybody = list(self.answers.get(group, {}))
        self._forget(group, everybody if event.value["all"] else [event.by])

    def _refit(self, event: Event) -> None:
        found = Refit(event.number, len(self.ids), dict(self.labels))
        self.refits = [*self.refits, found][-REMEMBERED:]
        self.n_news = 0

    def _forget(self, group: int, annotators: list[str]) -> None:
        """Forget the answers of some annotators about a group."""
        found = self.answers.get(group, {})
        for by in annotators:
            found.pop(by, None)
        if not found:
            self.answers.pop(group, None)
        self._close(group)
        self._resolve(group)

    def _close(self, group: int) -> None:
        """Close the question about a group, and count an answer."""
        self.leases.pop(group, None)
        self.n_news += 1

    def _resolve(self, group: int) -> None:
        """Find the label of a group anew."""
        found = [answer.label for answer in self.answers.get(group, {}).values()]
        label = resolved(found, self.rule, self.target) if found else None
        if label is None:
            self.labels.pop(group, None)
        else:
            self.labels[group] = label

    def _group_of(self, event: Event) -> int:
        assert event.row is not None
        return self.group[event.row]
