"""Results as HTML in a notebook, as data frames, Markdown and LaTeX."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

from skal._extras import install_hint
from skal.studies._tables import is_empty, lay_out, spell

# Escapes for LaTeX. A bare "<" is another character in LaTeX's default font encoding.
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        **{char: f"\\{char}" for char in "&%$#_{}"},
    }
)
NUMBER = re.compile(r"[-+]?[\d.,]+|<[\d.]+|-|")
# Colours of the page around it are kept, so that dark notebooks stay readable.
CELL = "padding: 0.15em 0.8em; text-align: "


class Part(NamedTuple):
    """A part of a printed result: a title, a text, and a table.

    Parameters
    ----------
    title, text : str
        Either may be empty.
    columns : mapping of str to sequence
        The table by column; empty for no table.
    """

    title: str
    text: str
    columns: Mapping[str, Any]


class Exports:
    """A mixin for results that print as tables."""

    def _parts(self) -> list[Part]:
        """Return the parts of the printed result."""
        raise NotImplementedError

    def _main(self) -> Mapping[str, Any]:
        """Return the columns that are exported: by default, all of `table()`."""
        return self.table()  # type: ignore[attr-defined]

    def to_frame(self) -> Any:
        """Return the main table as a data frame.

        Returns
        -------
        pandas.DataFrame
            Its numbers are not rounded.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return _pandas("to_frame").DataFrame(
            {k: list(v) for k, v in self._main().items()}
        )

    def to_markdown(self, *, digits: int = 4) -> str:
        """Return the main table in Markdown.

        Parameters
        ----------
        digits : int, default=4
            Number of decimals of floats.

        Returns
        -------
        str

        Raises
        ------
        ImportError
            If pandas or tabulate is not installed.
        """
        frame = _pandas("to_markdown").DataFrame(_spelled(self._main(), digits))
        aligned = ["right" if _is_number(frame[name]) else "left" for name in frame]
        safe = frame.map(lambda text: text.replace("|", "\\|"))
        with _hinted("to_markdown"):
            return str(
                safe.to_markdown(index=False, disable_numparse=True, colalign=aligned)
            )

    def to_latex(self, *, digits: int = 4, caption: str | None = None) -> str:
        """Return the main table in LaTeX, for the package booktabs.

        Parameters
        ----------
        digits : int, default=4
            Number of decimals of floats.
        caption : str, default=None
            The caption, in LaTeX.

        Returns
        -------
        str
            Names are escaped.

        Raises
        ------
        ImportError
            If pandas or jinja2 is not installed.
        """
        frame = _pandas("to_latex").DataFrame(_spelled(self._main(), digits))
        aligned = "".join("r" if _is_number(frame[name]) else "l" for name in frame)
        safe = frame.map(_latex).rename(columns=_latex)
        with _hinted("to_latex"):
            return str(
                safe.to_latex(
                    index=False, escape=False, column_format=aligned, caption=caption
                )
            )

    def __str__(self) -> str:
        return "\n\n".join(map(_text, self._parts()))

    def _repr_html_(self) -> str:
        return "\n".join(map(_html, self._parts()))


class _hinted:
    """Say how to install the packages that pandas needs for an export."""

    def __init__(self, method: str) -> None:
        self.method = method

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, ImportError):
            raise ImportError(
                f"{self.method} needs tabulate and jinja2: {install_hint('tables')}."
            ) from error


def _pandas(method: str) -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{method} needs pandas: {install_hint('tables')}."
        ) from error
    return pandas


def _spelled(columns: Mapping[str, Any], digits: int = 4) -> dict[str, list[str]]:
    """Return the cells of a table as texts, without columns of NaN."""
    return {
        name.replace("_", " "): [spell(value, digits) for value in values]
        for name, values in columns.items()
        if not is_empty(list(values))
    }


def _is_number(texts: Any) -> bool:
    """Return whether all cells of a column are numbers or dashes."""
    return all(NUMBER.fullmatch(text) for text in texts)


def _latex(text: str) -> str:
    """Return a cell in LaTeX, with a true minus sign."""
    escaped = text.translate(LATEX)
    if text != "-" and text.startswith("-") and NUMBER.fullmatch(text):
        return f"$-${escaped[1:]}"
    return escaped


def _text(part: Part) -> str:
    """Return a part as plain text."""
    table = lay_out(part.columns) if part.columns else ""
    return "\n".join(filter(None, [part.title, table, part.text]))


def _html(part: Part) -> str:
    """Return a part in HTML."""
    title = f"<p><strong>{escape(part.title)}</strong></p>" if part.title else ""
    lines = "<br>\n".join(escape(line) for line in part.text.splitlines())
    text = f"<p>{lines}</p>" if lines else ""
    return "\n".join(filter(None, [title, _html_table(part.columns), text]))


def _html_table(columns: Mapping[str, Any]) -> str:
    """Return a table in HTML, which scrolls if it is too wide."""
    spelled = _spelled(columns)
    if not spelled:
        return ""
    sides = ["right" if _is_number(cells) else "left" for cells in spelled.values()]
    rows = [_html_row("th", list(spelled), sides)]
    rows += [_html_row("td", row, sides) for row in zip(*spelled.values(), strict=True)]
    return (
        '<div style="overflow-x: auto"><table style="border-collapse: collapse">\n'
        + "\n".join(rows)
        + "\n</table></div>"
    )


def _html_row(tag: str, cells: Any, sides: list[str]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return "<tr>{}</tr>".format(
        "".join(
            f'<{tag}{scope} style="{CELL}{side}">{escape(cell)}</{tag}>'
            for cell, side in zip(cells, sides, strict=True)
        )
    )
