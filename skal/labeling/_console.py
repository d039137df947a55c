"""The console loop: one row after the other, answered by a key."""

import time
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from skal.inputs._targets import Target
from skal.labeling._keys import QUIT, SKIP, UNDO, keys_of, read_key, read_line
from skal.labeling._questions import Question
from skal.labeling._session import LabelingSession
from skal.labeling.files._records import columns_of

# Numbers of answers after which the progress is printed.
EVERY = 10


class ConsoleLoop:
    """Asks a person at a terminal, and keeps each answer at once.

    It may be ended at any time: the next loop goes on with the same row.

    Parameters
    ----------
    session : LabelingSession
        With all rows added.
    by : str, default=""
        The annotator.
    batch_size : int, default=10
        Number of rows that the strategy chooses at once.
    console : rich.console.Console, default=None
        Where to print.
    """

    def __init__(
        self,
        session: LabelingSession,
        by: str = "",
        batch_size: int = 10,
        console: Any = None,
    ) -> None:
        self.session, self.by, self.batch_size = session, by, batch_size
        self.console = Console(highlight=False) if console is None else console
        self.target = session.target
        self._answered: list[Question] = []
        self.n_answers = 0

    def run(self) -> int:
        """Ask until nothing is left, or the person quits.

        Returns
        -------
        int
            Number of rows that were answered or skipped, without those undone.
        """
        waiting: list[Question] = []
        while True:
            question = waiting.pop() if waiting else self._next()
            if question is None:
                self.console.print("Nothing is left to label.")
                break
            try:
                answer = self._ask(question)
            except KeyboardInterrupt:
                answer = QUIT
            if answer == QUIT:
                break
            if answer == UNDO:
                waiting.append(question)
                waiting += self._undone()
        self.console.print(Text(str(self.session.progress())))
        return self.n_answers

    def _next(self) -> Question | None:
        # A batch is chosen at once, and is then open: only its first row is new.
        found = self.session.ask(self.batch_size, by=self.by)
        return found[0] if found else None

    def _ask(self, question: Question) -> str | None:
        """Ask about a row until there is an answer; return a command to the loop."""
        keys = self._keys()
        self._show(question, keys)
        start = time.monotonic()
        while True:
            typed = read_key() if keys else read_line()
            if typed in (QUIT, UNDO):
                return typed
            try:
                self._keep(question, typed, keys, time.monotonic() - start)
            except ValueError as error:
                self.console.print(Text(str(error), style="red"))
                continue
            return None

    def _keys(self) -> dict[str, Any]:
        """Return the keys of the classes; none if labels are typed."""
        is_class = self.target is Target.CLASS
        return keys_of(self.session.classes) if is_class else {}

    def _keep(
        self, question: Question, typed: str, keys: dict[str, Any], seconds: float
    ) -> None:
        if typed == SKIP:
            self.session.skip(question, by=self.by)
        else:
            label = self._label(typed, keys)
            self.session.tell(question, label, by=self.by, seconds=round(seconds, 2))
            self.console.print(Text(f"  {label}", style="bold green"))
        self._answered.append(question)
        self.n_answers += 1
        if self.n_answers % EVERY == 0:
            self.console.print(Text(str(self.session.progress()), style="dim"))

    def _label(self, typed: str, keys: dict[str, Any]) -> Any:
        """Return the label that was typed.

        Raises
        ------
        ValueError
            If it is not a key, or not of the kind of labels.
        """
        if keys:
            if typed not in keys:
                raise ValueError(f"{typed!r} is not a key: press one of those above.")
            return keys[typed]
        if self.target is Target.NUMBER:
            return float(typed)
        if self.target is Target.TAGS:
            return typed.split()
        if self.target is Target.CLASS:
            if not typed:
                raise ValueError("Type a label, or s to skip.")
            return typed
        return [part.strip() for part in typed.split(",") if part.strip()]

    def _undone(self) -> list[Question]:
        """Take back the last answer of this loop, to ask about its row again."""
        if not self._answered:
            self.console.print("There is nothing to undo.")
            return []
        question = self._answered.pop()
        self.session.withdraw(question)
        self.n_answers -= 1
        return [question]

    def _show(self, question: Question, keys: dict[str, Any]) -> None:
        """Print a row, what the model thinks, and the keys."""
        columns = columns_of(question.row)
        is_text = list(columns) in (["text"], ["tokens"])
        lines = [
            str(part) if is_text else f"{name}: {part}"
            for name, part in columns.items()
        ]
        subtitle = question.why
        if question.prediction is not None and not question.is_audit:
            sure = question.probability
            subtitle += f" - the model says {question.prediction}"
            subtitle += "" if sure is None else f" ({sure:.2f})"
        self.console.print(
            Panel(
                Text("\n".join(lines)),
                title=Text(f"row {question.id}"),
                subtitle=Text(subtitle),
            )
        )
        choices = "  ".join(f"[{key}] {name}" for key, name in keys.items())
        choices = choices or "type a label and Enter"
        self.console.print(Text(f"{choices}   [s] skip  [u] undo  [q] quit"))
