"""Everything that can be read from a session."""

from typing import Any

from skal.inputs._targets import Target
from skal.labeling._log import EventLog
from skal.labeling._models import Models
from skal.labeling._progress import Progress, progress_of
from skal.labeling._rows import Rows
from skal.labeling._state import State


class Reports:
    """Labels, history and model of a session; it reads events and appends none."""

    _log: EventLog
    _state: State
    _rows: Rows
    _models: Models
    _is_closed = False
    _fit: Any = None
    _known_curve: Any = None

    def _read(self) -> State:
        """Return the state after all events of the file, whoever wrote them."""
        if not self._is_closed:
            self._state.fold(*self._log.news())
        return self._state

    def _id(self, row: int) -> Any:
        """Return the user's id of a row."""
        name = self._state.ids[row]
        return int(name) if self._state.are_numbers else name

    @property
    def model_(self) -> Any:
        """The model that is trained on all labels now."""
        state = self._read()
        if not state.labels:
            raise ValueError("Nothing is labelled yet: answer some questions first.")
        X = self._rows.pool(state.ids)
        return self._models.model(X, state.labels, state.classes)

    @property
    def classes(self) -> list[Any]:
        """The classes that were named or used, in this order."""
        state = self._read()
        return [] if state.target.is_numeric else state.known_classes

    @property
    def target(self) -> Target:
        """The kind of labels."""
        return self._state.target

    def labels(self, by: str | None = None) -> dict[Any, Any]:
        """Return the labels of all rows that have one, by id.

        Parameters
        ----------
        by : str or None, default=None
            An annotator, for the labels that this one gave; None for the one label of
            each row, as `resolve` has it.

        Returns
        -------
        dict of id to label
            Equal rows have the same label.
        """
        state = self._read()
        found = state.labels
        if by is not None:
            given = state.answers.items()
            found = {group: a[by].label for group, a in given if by in a}
        return {
            self._id(row): found[group]
            for row, group in enumerate(state.group)
            if group in found
        }

    def history(self) -> dict[str, list[Any]]:
        """Return all events, for example for `pandas.DataFrame`.

        Returns
        -------
        dict of str to list
            "number", "kind", "time" (seconds since 1970), "by", "id" (None for an
            event that is not about a row) and "value", a dict with everything else.
        """
        self._read()
        names = "number", "kind", "time", "by", "id", "value"
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for event in self._log.all():
            name = None if event.row is None else self._id(event.row)
            given = (*event[:4], name, event.value)
            for column, part in zip(columns.values(), given, strict=True):
                column.append(part)
        return columns

    def progress(self) -> Progress:
        """Return how far the session is.

        Returns
        -------
        Progress
            Numbers of rows, labels, open questions and so on. Prints as a sentence.
        """
        return progress_of(self._read())
