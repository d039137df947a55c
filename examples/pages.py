"""Tables in Markdown, and pages that a script writes a part of."""

import argparse
from pathlib import Path

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


def run(write, runs, doc):
    """Write the page that is named on the command line.

    Parameters
    ----------
    write : callable
        Writes the tables of the runs in a file into a page.
    runs : Path
        The file, if the command line names no other.
    doc : str
        The docstring of the script.
    """
    parser = argparse.ArgumentParser(description=doc.split("\n\n")[1])
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", type=Path, default=runs)
    args = parser.parse_args()
    write(args.page, args.runs)


def interval(differences, overlap, enough=2):
    """Return the mean of differences between paired runs, with a 95 % interval.

    Parameters
    ----------
    differences : sequence of float
        One for each random split of the same rows.
    overlap : float
        Ratio of test rows to all others. Splits share rows, and the variance of the
        mean is corrected for that as in `skal.compare` (Nadeau and Bengio, 2003).
        0 if all runs share one split.
    enough : int, default=2
        Number of differences below which the mean is returned alone.
    """
    mean = np.mean(differences)
    if len(differences) < enough:
        return f"{mean:+z.3f}"
    _, high = gain_interval(differences, overlap=overlap)
    return f"{mean:+z.3f} ± {high - mean:.3f}"
