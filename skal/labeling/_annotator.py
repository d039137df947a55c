"""One annotator's way through a session: a row at a time, with undo."""

import time
from typing import Any

from skal.inputs._targets import Target
from skal.labeling._questions import Question
from skal.labeling._session import LabelingSession


class Annotator:
    """Asks one row after the other, and keeps each answer at once.

    Parameters
    ----------
    session : LabelingSession
        With all rows added.
    by : str, default=""
        The annotator.
    batch_size : int, default=10
        Number of rows that the strategy chooses at once.

    Attributes
    ----------
    question : Question or None
        The row that is asked now; None if nothing is left.
    n_answers : int
        Number of rows that were answered or skipped, without those undone.
    """

    def __init__(
        self, session: LabelingSession, by: str = "", batch_size: int = 10
    ) -> None:
        self.session, self.by, self.batch_size = session, by, batch_size
        self.question: Question | None = None
        self.n_answers = 0
        self._answered: list[Question] = []
        self._waiting: list[Question] = []
        self._start = 0.0

    def go_on(self) -> Question | None:
        """Ask the next row, and return it."""
        if self._waiting:
            self.question = self._waiting.pop()
        else:
            # A batch is chosen at once, and is then open: only its first row is new.
            found = self.session.ask(self.batch_size, by=self.by)
            self.question = found[0] if found else None
        self._start = time.monotonic()
        return self.question

    def answer(self, label: Any) -> None:
        """Keep the label of the row that is asked.

        Parameters
        ----------
        label : label

        Raises
        ------
        ValueError
            If it is not a label of the session. The row is still asked.
        """
        seconds = round(time.monotonic() - self._start, 2)
        self.session.tell(self.question, label, by=self.by, seconds=seconds)
        self._done()

    def skip(self) -> None:
        """Leave the row that is asked without a label."""
        self.session.skip(self.question, by=self.by)
        self._done()

    def _done(self) -> None:
        assert self.question is not None
        self._answered.append(self.question)
        self.n_answers += 1

    def undo(self) -> bool:
        """Take back the last answer, to ask its row next. Return whether there is one.

        The row that is asked now comes after it.

        Returns
        -------
        bool
        """
        if not self._answered:
            return False
        if self.question is not None:
            self._waiting.append(self.question)
        question = self._answered.pop()
        self.session.withdraw(question)
        self.n_answers -= 1
        self._waiting.append(question)
        return True

    def parsed(self, typed: str) -> Any:
        """Return the label that a person has typed.

        Parameters
        ----------
        typed : str
            A class, a number, tags separated by blanks, or labels by commas.

        Returns
        -------
        label

        Raises
        ------
        ValueError
            If it is not of the kind of labels.
        """
        target = self.session.target
        if target is Target.NUMBER:
            return float(typed)
        if target is Target.TAGS:
            return typed.split()
        if target is Target.CLASS:
            if not typed:
                raise ValueError("Type a label, or skip the row.")
            return typed
        return [part.strip() for part in typed.split(",") if part.strip()]
