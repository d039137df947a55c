"""
The page on mutants
===================

Makes tables of the outcomes that `mutants.py` has written, and inserts them into a page
between the lines `<!-- tables -->` and `<!-- end of tables -->`.

    python tools/mutants_page.py docs/about/mutants.md
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "examples"))

from lines import read  # noqa: E402
from pages import insert, table  # noqa: E402

TABLE = ROOT / "docs/runs/mutants.csv"
OUTCOMES = ("caught", "caught by more tests", "caught by a new test", "survived")
HEADER = ["place", "mutants", *OUTCOMES, "without new tests", "score"]


def place_of(row: dict[str, str]) -> str:
    """Return the file of a mutant, or the folder of `skal` that it is in."""
    parts = row["file"].split("/")
    return "/".join(parts[:2]) if parts[1] in ("oracle", "strategies") else row["file"]


def counted(place: str, rows: list[dict[str, str]]) -> list[str]:
    """Return the line of a place in the table of outcomes."""
    counts = [sum(row["outcome"] == one for row in rows) for one in OUTCOMES]
    before, after = sum(counts[:2]) / len(rows), sum(counts[:3]) / len(rows)
    return [place, *map(str, [len(rows), *counts]), f"{before:.0%}", f"{after:.0%}"]


def outcomes(rows: list[dict[str, str]]) -> str:
    """Return the table of outcomes: the places, and all together."""
    places = sorted({place_of(row) for row in rows})
    lines = [
        counted(f"`{place}`", [row for row in rows if place_of(row) == place])
        for place in places
    ]
    return table(HEADER, [*lines, counted("all", rows)])


def survivors(rows: list[dict[str, str]]) -> str:
    """Return the table of the mutants that no test catches, with the reasons."""
    lines = [
        [
            f"`{row['file'].removeprefix('skal/')}`, line {row['line']}",
            *(f"`{row[name]}`".replace("|", r"\|") for name in ("before", "after")),
            row["reason"],
        ]
        for row in sorted(rows, key=lambda row: (row["file"], int(row["line"])))
        if row["outcome"] == "survived"
    ]
    return table(["where", "code", "mutant", "why no test catches it"], lines)


def parts(rows: list[dict[str, str]]) -> list[str]:
    """Return the tables of the page."""
    return [outcomes(rows), survivors(rows)]


def main() -> None:
    """Insert the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("page", type=Path)
    insert(parser.parse_args().page, parts(read(TABLE)))


if __name__ == "__main__":
    main()
