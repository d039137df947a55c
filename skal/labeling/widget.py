"""A notebook widget to label with: buttons for classes, or a field to type."""

from html import escape
from typing import Any

from skal._extras import install_hint
from skal.inputs._targets import Target
from skal.labeling._annotator import Annotator
from skal.labeling._session import LabelingSession
from skal.labeling._showing import lines_of, reason_of

try:
    import ipywidgets
except ImportError as error:
    raise ImportError(
        f"The notebook widget needs ipywidgets: {install_hint('notebook')}."
    ) from error

__all__ = ["LabelingWidget"]


class LabelingWidget(ipywidgets.VBox):
    """Label the rows of a session in a notebook.

    Each answer is kept at once. Another widget, or the next run of the notebook, goes
    on with the same row.

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
    annotator : Annotator
        The way through the session, whose `question` is the row that is asked.

    See Also
    --------
    skal.LabelingSession : The session, and its other ways to label.

    Examples
    --------
    In a notebook, the last line of a cell shows the widget::

        from skal.labeling.widget import LabelingWidget
        LabelingWidget(session, by="anna")
    """

    def __init__(
        self, session: LabelingSession, by: str = "", batch_size: int = 10
    ) -> None:
        self.annotator = Annotator(session, by, batch_size)
        self._row, self._message = ipywidgets.HTML(), ipywidgets.HTML()
        self._answers = ipywidgets.HBox(layout={"flex_flow": "row wrap"})
        skip = ipywidgets.Button(description="Skip", icon="forward")
        undo = ipywidgets.Button(description="Undo", icon="undo")
        skip.on_click(lambda button: self._act(self.annotator.skip))
        undo.on_click(lambda button: self._undo())
        self._commands = ipywidgets.HBox([skip, undo])
        super().__init__([self._row, self._answers, self._commands, self._message])
        self._next()

    def _next(self) -> None:
        """Show the next row, and the ways to answer."""
        question = self.annotator.go_on()
        self._message.value = escape(str(self.annotator.session.progress()))
        if question is None:
            self._row.value, self._answers.children = "Nothing is left to label.", ()
            return
        lines = "<br>".join(map(escape, lines_of(question)))
        self._row.value = (
            f"<b>row {escape(str(question.id))}</b> "
            f"<i>{escape(reason_of(question))}</i>"
            f"<div style='font-size:120%;padding:0.5em 0'>{lines}</div>"
        )
        self._answers.children = self._choices()

    def _choices(self) -> tuple[Any, ...]:
        """Return a button for each class, or a field to type a label."""
        session = self.annotator.session
        if session.target is Target.CLASS and session.classes:
            return tuple(map(self._button, session.classes))
        field = ipywidgets.Text(placeholder="type a label and press Enter")
        field.continuous_update = False
        field.observe(self._typed, names="value")
        return (field,)

    def _button(self, name: Any) -> Any:
        wide = {"width": "auto", "min_width": "9em"}
        button = ipywidgets.Button(
            description=str(name), button_style="primary", layout=wide
        )
        button.on_click(lambda _: self._act(lambda: self.annotator.answer(name)))
        return button

    def _typed(self, change: Any) -> None:
        if change["new"]:
            annotator, typed = self.annotator, change["new"].strip()
            self._act(lambda: annotator.answer(annotator.parsed(typed)))

    def _undo(self) -> None:
        if self.annotator.undo():
            self._next()
        else:
            self._message.value = "There is nothing to undo."

    def _act(self, action: Any) -> None:
        """Keep an answer and go on, or show why it is not one."""
        if self.annotator.question is None:
            return
        try:
            action()
        except ValueError as error:
            self._message.value = (
                f"<span style='color:#b00'>{escape(str(error))}</span>"
            )
            return
        self._next()
