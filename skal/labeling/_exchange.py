"""Files: the part of a session that writes questions and labels, and reads answers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skal.inputs._targets import Target
from skal.labeling._events import as_json
from skal.labeling._ids import key_of
from skal.labeling._opened import Opened
from skal.labeling._rows import digests_of
from skal.labeling.files._formats import format_of
from skal.labeling.files._records import Answered, Foreign, Item, Spans
from skal.labeling.files._spans import tags_of


class Exchange(Opened):
    """The part of a session that exchanges files with other tools."""

    def export(
        self,
        path: Any,
        format: str | None = None,
        *,
        questions: Iterable[Any] | None = None,
    ) -> int:
        """Write labels to a file, or questions for another tool.

        Parameters
        ----------
        path : str or path-like
            The file. It is replaced only when the new one is complete.
        format : str, default=None
            "csv", "parquet", "label-studio", "doccano", "argilla" or "conll" (tags
            only); None to decide by the end of the path: .csv, .parquet, .json (Label
            Studio), .jsonl (doccano) or .conll.
        questions : iterable of Question, default=None
            Write these, as `ask` returns them, with the predictions of the model; by
            default, all rows that have a label or were skipped.

        Returns
        -------
        int
            Number of rows written.

        Raises
        ------
        ValueError
            If the format is unknown, or does not hold such labels.
        OSError
            If the file cannot be written.
        """
        path, state = Path(path), self._read()
        found = format_of(path, format, is_there=False)
        items = self._labelled() if questions is None else self._asked(list(questions))
        with _named(path, "written"):
            found.write(path, items, state.target)
        return len(items)

    def _labelled(self) -> list[Item]:
        """Return all rows that have a label or were skipped."""
        state, items = self._state, []
        for row, group in enumerate(state.group):
            skipped = group in state.skipped
            if group not in state.labels and not skipped:
                continue
            label = state.labels.get(group)
            by, time = "", None
            for name, answer in state.answers.get(group, {}).items():
                if as_json(answer.label) == as_json(label):
                    by, time = name, answer.time
            content = self._rows.row(row)
            items.append(Item(state.ids[row], content, label, by, time, skipped))
        return items

    def _asked(self, questions: list[Any]) -> list[Item]:
        """Return questions, the first with the highest score."""
        n = len(questions)
        return [
            Item(
                key_of(one.id),
                one.row,
                prediction=one.prediction,
                score=round(1 - i / n, 6),
                why=one.why,
            )
            for i, one in enumerate(questions)
        ]

    def read(
        self,
        path: Any,
        format: str | None = None,
        *,
        by: str | None = None,
        source: str | None = None,
    ) -> int:
        """Read the answers of people from a file that another tool has written.

        Either all answers of the file are kept, or none. Answers that were read before
        are not kept twice, and do not undo later corrections.

        Parameters
        ----------
        path : str or path-like
            The file.
        format : str, default=None
            As in `export`. Files of Argilla are recognised by their columns.
        by : str, default=None
            The annotator, if the file does not name one.
        source : str, default=None
            The name of the source. Two versions of one export need the same, by default
            the format's.

        Returns
        -------
        int
            Number of answers that are new.

        Raises
        ------
        ValueError
            If the file is not of this format, names an unknown row, or holds a label
            that is not one of the session. Nothing is read then.
        OSError
            If the file cannot be read.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                f"{str(path)!r} does not exist, so it cannot be read."
            )
        found, state = format_of(path, format, is_there=True), self._read()
        with _named(path, "read"):
            answers = found.read(path, state.target)
            rows = [self._row_of(answer) for answer in answers]
            labels = [
                None if answer.label is None else self._named_label(answer, row)
                for answer, row in zip(answers, rows, strict=True)
            ]
        name = found.read.__name__.removeprefix("read_") if source is None else source
        given = [
            (row, label, answer.by or by or "", answer.stamp)
            for answer, row, label in zip(answers, rows, labels, strict=True)
        ]
        return self._import(given, name)[0]

    def _row_of(self, answer: Answered) -> int:
        """Return the position of the row that an answer is about."""
        if answer.id is not None:
            return self._position(answer.id)
        tokens = isinstance(answer.row, str) and self._state.target is Target.TAGS
        row = answer.row.split(" ") if tokens else answer.row
        found = self._state.group_with(digests_of([row])[0])
        if found is None:
            raise ValueError(
                f"the row {str(row)[:60]!r} has no id, and no row of the session is "
                "equal to it: export the rows with skal, so that their ids are kept"
            )
        return found

    def _named_label(self, answer: Answered, row: int) -> Any:
        """Return the label of an answer as one of the session."""
        label, content = answer.label, self._rows.row(row)
        if isinstance(label, Spans):
            tokens = content
            if tokens is None:
                given = answer.row
                tokens = given.split(" ") if isinstance(given, str) else given
            is_bio = any(str(one)[:2] in ("B-", "I-") for one in self._known_classes())
            label = tags_of(label.found, tokens, is_bio or not self._known_classes())
        known = {str(one): one for one in self._known_classes()}
        if isinstance(label, list):
            label = [known.get(str(one), one) for one in label]
        elif not self._state.target.is_numeric:
            label = known.get(str(label), label)
        return self._checked(label, content)

    def _known_classes(self) -> list[Any]:
        return [] if self._state.target.is_numeric else self._state.known_classes


class _named:
    """Names the file in the errors of a block."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, Foreign):
            raise ValueError(
                f"{self._path} cannot be {self._what} in this format: {error}."
            ) from error
        if isinstance(error, ValueError):
            raise ValueError(f"{self._path} was not {self._what}: {error}") from error
