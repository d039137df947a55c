"""Reports: a web page with text, tables and figures, in a single file."""

import re
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from io import BytesIO
from pathlib import Path

from skal._files import replacing
from skal.studies._tables import spell

# The security policy keeps the page from loading or running anything.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 0.6rem; padding-top: 0.6rem;
  border-top: 1px solid #ddd; }
p, figcaption { max-width: 46rem; }
nav { color: #666; }
nav a { color: #0b57a4; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
figcaption { color: #555; font-size: 0.9rem; padding: 0.3rem 0; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #e6e6e6; }
th { border-bottom-color: #888; font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.4rem 0; }
img { max-width: 100%; height: auto; }
"""

NUMBER = re.compile(r"[-+<]?\d[\d.,]*(e-?\d+)?%?|-|")


class HTMLReport:
    """A web page of text, tables and figures, written to a single file.

    Figures are embedded in the file. The page needs no network and has no scripts.

    Parameters
    ----------
    title : str
        Title of the page.

    See Also
    --------
    PerformanceCurveDisplay : Draws the curves of a study, for a report.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from skal.plotting import GainDisplay, HTMLReport
    >>> display = GainDisplay({"margin against random": [0.01, 0.03, 0.02]}).plot()
    >>> report = HTMLReport("What margin gains")
    >>> report.add_text("Three seeds, on iris.")
    >>> report.add_table({"seed": [0, 1, 2], "gain": [0.01, 0.03, 0.02]})
    >>> report.add_figure(display.figure_, "Each dot is a seed.")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = report.write(Path(folder, "report.html")).read_text()
    >>> page.count("<img"), "http:" in page
    (1, False)
    """

    def __init__(self, title):
        self.title = title
        self._headings = []
        self._parts = []

    def add_heading(self, text):
        """Begin a section. The page links to all sections at the top.

        Parameters
        ----------
        text : str
            Heading of the section.
        """
        self._headings.append(text)
        self._parts.append(f'<h2 id="{len(self._headings)}">{escape(text)}</h2>')

    def add_text(self, text):
        """Add a paragraph.

        Parameters
        ----------
        text : str
            Plain text of the paragraph.
        """
        self._parts.append(f"<p>{escape(text)}</p>")

    def add_table(self, columns, caption="", *, digits=3):
        """Add a table.

        Parameters
        ----------
        columns : dict of str to list or ndarray
            Columns by name, as returned by `table()` of any study. Numbers are aligned
            right; NaN is shown as a dash.
        caption : str, default=""
            Text above the table.
        digits : int, default=3
            Number of decimals of floats.
        """
        if not isinstance(columns, Mapping):
            raise TypeError(
                f"columns must be a dict of columns, got {type(columns).__name__}: "
                "give what `table()` of a study returns."
            )
        spelled = {
            name: [spell(value, digits) for value in values]
            for name, values in columns.items()
        }
        looks = [_look(values) for values in spelled.values()]
        rows = [
            _row("th", (name.replace("_", " ") for name in spelled), looks),
            *(_row("td", row, looks) for row in zip(*spelled.values(), strict=True)),
        ]
        body = "\n".join(rows)
        above = f"<figcaption>{escape(caption)}</figcaption>\n" if caption else ""
        self._parts.append(
            f'<figure>\n{above}<div class="scroll">\n<table>\n{body}\n</table>\n'
            "</div>\n</figure>"
        )

    def add_figure(self, figure, caption="", *, dpi=110):
        """Add a figure.

        Parameters
        ----------
        figure : matplotlib Figure
            The figure; it is embedded as a PNG image.
        caption : str, default=""
            Text below the figure, which is also its alternative text.
        dpi : int, default=110
            Resolution in dots per inch.
        """
        file = BytesIO()
        figure.savefig(file, format="png", dpi=dpi, bbox_inches="tight")
        data, text = b64encode(file.getvalue()).decode(), escape(caption)
        self._parts.append(
            f'<figure>\n<img alt="{text}" src="data:image/png;base64,{data}">\n'
            f"<figcaption>{text}</figcaption>\n</figure>"
        )

    def write(self, path):
        """Write the page to a file.

        Parameters
        ----------
        path : str or path-like
            Path of the file. An existing file is overwritten.

        Returns
        -------
        Path
            The path of the file.
        """
        links = (
            f'<a href="#{number}">{escape(text)}</a>'
            for number, text in enumerate(self._headings, start=1)
        )
        contents = f"<nav>{' · '.join(links)}</nav>" if self._headings else ""
        body = "\n".join([contents, *self._parts])
        page = PAGE.format(title=escape(self.title), style=STYLE, body=body)
        path = Path(path)
        # A half surrogate, as in the name of a file, cannot be encoded.
        with replacing(path) as file:
            file.write(page.encode("utf-8", "replace"))
        return path


def _look(texts):
    """Return the HTML class of the cells of a column."""
    return ' class="number"' if all(map(NUMBER.fullmatch, texts)) else ""


def _row(tag, texts, looks):
    cells = (
        f"<{tag}{look}>{escape(text)}</{tag}>"
        for text, look in zip(texts, looks, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"
