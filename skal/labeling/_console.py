"""The console loop: one row after the other, answered by a key."""

from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from skal.inputs._targets import Target
from skal.labeling._annotator import Annotator
from skal.labeling._keys import QUIT, SKIP, UNDO, keys_of, read_key, read_line
from skal.labeling._questions import Question
from skal.labeling._session import LabelingSession
from skal.labeling._showing import lines_of, reason_of

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
        self.session = session
        self.annotator = Annotator(session, by, batch_size)
        self.console = Console(highlight=False) if console is None else console

    def run(self) -> int:
        """Ask until nothing is left, or the person quits.

        Returns
        -------
        int
            Number of rows that were answered or skipped, without those undone.
        """
        command = ""
        while command != QUIT:
            try:
                command = self._ask_next()
            except KeyboardInterrupt:
                command = QUIT
            if command == UNDO and not self.annotator.undo():
                self.console.print("There is nothing to undo.")
        self.console.print(Text(str(self.session.progress())))
        return self.annotator.n_answers

    def _ask_next(self) -> str:
        """Ask about the next row until there is an answer or a command; return it."""
        question = self.annotator.go_on()
        if question is None:
            self.console.print("Nothing is left to label.")
            return QUIT
        is_class = self.session.target is Target.CLASS
        keys = keys_of(self.session.classes) if is_class else {}
        self._show(question, keys)
        while True:
            typed = read_key() if keys else read_line()
            if typed in (QUIT, UNDO):
                return typed
            try:
                self._keep(typed, keys)
            except ValueError as error:
                self.console.print(Text(str(error), style="red"))
                continue
            return typed

    def _keep(self, typed: str, keys: dict[str, Any]) -> None:
        """Keep an answer, and print it."""
        if typed == SKIP:
            self.annotator.skip()
        elif keys and typed not in keys:
            raise ValueError(f"{typed!r} is not a key: press one of those above.")
        else:
            label = keys[typed] if keys else self.annotator.parsed(typed)
            self.annotator.answer(label)
            self.console.print(Text(f"  {label}", style="bold green"))
        if self.annotator.n_answers % EVERY == 0:
            self.console.print(Text(str(self.session.progress()), style="dim"))

    def _show(self, question: Question, keys: dict[str, Any]) -> None:
        """Print a row, the reason why it is asked, and the keys."""
        self.console.print(
            Panel(
                Text("\n".join(lines_of(question))),
                title=Text(f"row {question.id}"),
                subtitle=Text(reason_of(question)),
            )
        )
        # Columns keep a key and its class on one line.
        choices = [Text(f"[{key}] {name}") for key, name in keys.items()]
        how = Columns(choices, padding=(0, 2)) if keys else "type a label and Enter"
        self.console.print(how)
        self.console.print(Text("[s] skip  [u] undo  [q] quit"))
