"""Tables in Markdown, and pages that a script writes a part of."""

import numpy as np

from skal.studies import gain_interval

BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"


def table(header, rows):
    """Return a table in Markdown; the cells are texts."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def insert(page, parts):
    """Replace the part of a page between `BEGIN` and `END`.

    Parameters
    ----------
    page : Path
    parts : iterable of str
        Tables and texts, which are separated by empty lines.
    """
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(before + "\n\n".join([BEGIN, *parts, END]) + after)


def interval(differences, overlap):
    """Return the mean of differences between paired runs, with a 95 % interval.

    Parameters
    ----------
    differences : sequence of float
        One for each random split of the same rows.
    overlap : float
        Ratio of test rows to all others. Splits share rows, and the variance of the
        mean is corrected for that as in `skal.compare` (Nadeau and Bengio, 2003).
    """
    _, high = gain_interval(differences, overlap=overlap)
    mean = np.mean(differences)
    return f"{mean:+.3f} ± {high - mean:.3f}"
