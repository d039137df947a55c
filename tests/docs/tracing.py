"""Where the numbers of a page come from.

A claim is a phrase of the page in which `{}` stands for a number that is computed, from
a table of runs on the same page or from a file of runs. The other numbers of a phrase
say what is meant ("at a rate of 20 %"). Phrases without `{}` name settings. A number of
the prose that is in no phrase has no source.
"""

import csv
import math
import re
import sys
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "docs/runs"
# Sizes and tables of benchmarks are theirs.
sys.path.append(str(ROOT / "tests/benchmarks"))
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
WORDS += ["ten", "eleven", "twelve"]
NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+)?"
NUMBERS = re.compile(rf"(?<![\w.,])(?=[+-]?\.?\d){NUMBER}(?!\w)")
# What is no prose: its lines are blanked, and code and targets of links are masked.
BLANKED = [
    r"\A---\n.*?\n---\n",
    r"^ *```.*?^ *```",
    r"^:.*?$",
    r"^\d\. ",
    r"^(?: {4}|\|).*?$",
    r"<!-- tables? -->.*?<!-- end of (?:the )?tables? -->",
]
MASKED = [
    r"`[^`]*`",
    r"\]\([^)]*\)",
    r"!\[[^]]*\]",
    r"\b(?:19|20)\d\d\b",
    r"\b(?:Tables?|Figs?\.|equation|Machine Learning) \d+(?: (?:and|to) \d+)?",
    r"\b[01](?:\.\.| to )K\b",
    r"\b\d+\.\d+\.\d+\b",
]
# Tables that a script writes, which the test of the script compares with the runs.
WRITTEN = r"<!-- tables -->.*?<!-- end of tables -->"


def value(text):
    """Return a number that is written in digits, perhaps with commas, or in words."""
    if text.lower() in WORDS:
        return WORDS.index(text.lower())
    return float(text.replace(",", ""))


def agrees(text, expected):
    """Return whether a number in a text is another one, rounded to what is shown."""
    n_decimals = len(text.partition(".")[2])
    return abs(value(text) - expected) <= 0.5 * 10**-n_decimals + 1e-9


def without(patterns, text, blank):
    """Return a text with the matches of patterns replaced by a text of equal length."""
    for pattern in patterns:
        text = re.sub(
            pattern,
            lambda match: blank * len(match[0]),
            text,
            flags=re.MULTILINE | re.DOTALL,
        )
    return text


def rows_of(text):
    """Yield the rows of the tables of a text: what tells a row from others, its cells.

    The cells are a dict by column. The others are texts: the cells, the name of the
    first column, the line above the table, and the heading.
    """
    heading, above, header = "", "", None
    for line in text.splitlines():
        if not line.startswith("|"):
            heading = line.strip("# ") if line.startswith("#") else heading
            above, header = line.strip(" :") or above, None
            continue
        cells = [cell.strip().replace("**", "") for cell in line.split("|")[1:-1]]
        if header is None:
            header = names_of(cells)
        elif cells[0] != "---":
            by_column = dict(zip(header, cells, strict=True))
            yield {*cells, header[0], above, heading}, by_column


def cells(text):
    """Return the cells of the tables of a text that show numbers.

    Returns
    -------
    list of (str, str)
        "row: column", where a row is called by its first cell, and the cell. A second
        cell of a row and column of the same names is "row: column (2)".
    """
    found = [
        (f"{name}: {column}", cell)
        for _, by_column in rows_of(text)
        for name in [next(iter(by_column.values()))]
        for column, cell in [*by_column.items()][1:]
        if NUMBERS.search(without(MASKED, cell, "_"))
    ]
    places = names_of([place for place, _ in found])
    return [(place, cell) for place, (_, cell) in zip(places, found, strict=True)]


def names_of(things):
    """Return names, of which a second one is followed by "(2)", and so on."""
    seen = Counter()
    for i, name in enumerate(things):
        seen[name] += 1
        things[i] = f"{name} ({seen[name]})" if seen[name] > 1 else name
    return things


def measured(name):
    """Return the numbers of a benchmark by what was measured, from its file.

    What is measured is a cell ("row: column"), a phrase with `{}` for each number, or
    has a name for the claims of a page.
    """
    found = defaultdict(list)
    with (RUNS / f"benchmarks/{name}.csv").open() as file:
        for row in csv.DictReader(file):
            found[row["what"]].append(float(row["value"]))
    return dict(found)


def phrases(name):
    """Return the numbers of a benchmark that a page has in a phrase, by the phrase."""
    return {what: values for what, values in measured(name).items() if "{}" in what}


def cell_faults(text, tables, numbers):
    """Yield the cells of a page's tables that do not show what they have to.

    Parameters
    ----------
    text : str
        The page. Tables that a script writes between marks are passed over.
    tables : list of str
        Tables in Markdown that the page has to show.
    numbers : dict of str to sequence of float
        The numbers of the cells of its other tables, by "row: column".
    """
    text = re.sub(WRITTEN, "", text, flags=re.DOTALL)
    lines = set(text.splitlines())
    for table in tables:
        yield from set(table.splitlines()) - lines
        text = text.replace(table, "")
    for place, cell in cells(text):
        shown = NUMBERS.findall(without(MASKED, cell, "_"))
        expected = numbers.get(place, [])
        if len(shown) != len(expected) or not all(map(agrees, shown, expected)):
            yield f"measured {expected}: {place}: {cell}"


class Page:
    """The prose and the tables of a page in Markdown.

    Attributes
    ----------
    text, prose : str
        In one line: the whole page; without its code blocks and tables.
    rows : list of (set of str, dict of str to str)
        The rows of all tables, as `rows_of` gives them.
    """

    def __init__(self, text):
        self.text = " ".join(text.split())
        self.prose = " ".join(without(BLANKED, text, " ").split())
        self.rows = list(rows_of(text))

    def numbers(self):
        """Yield the matches of the numbers of the prose."""
        return NUMBERS.finditer(without(MASKED, self.prose, "_"))

    def all(self, column, *keys, which=0):
        """Return the numbers in a column, of the rows that have the keys."""
        found = [
            NUMBERS.findall(cells[column])
            for texts, cells in self.rows
            if column in cells and texts.issuperset(keys)
        ]
        return [value(numbers[which]) for numbers in found if numbers]

    def at(self, column, *keys, which=0):
        """Return the number in a column, of the only row that has the keys."""
        found = self.all(column, *keys, which=which)
        if len(found) != 1:
            raise KeyError(f"{len(found)} numbers in {column!r} of rows with {keys}")
        return found[0]


def span(numbers):
    """Return the smallest and the largest of some numbers."""
    return min(numbers), max(numbers)


def down(number, n_decimals):
    """Return a number rounded towards minus infinity, as what others are above of."""
    return math.floor(number * 10**n_decimals) / 10**n_decimals


@cache
def pattern(phrase):
    """Return the expression that finds a phrase, with a group for each number."""
    number = rf"({NUMBER}|(?i:{'|'.join(WORDS)}))"
    parts = (re.escape(part) for part in " ".join(phrase.split()).split("{}"))
    # A number at an end is a whole one. Without that, words are found faster.
    begin, end = (re.match(r"[\d{}.+-]", phrase[i]) for i in (0, -1))
    before = r"(?<![\w.,])" if begin else ""
    after = r"(?!\w|[.,]\d)" if end else ""
    return re.compile(before + number.join(parts) + after)


def faults(page, claims):
    """Yield what is wrong: claims that do not hold, and numbers without a source.

    Parameters
    ----------
    page : Page
    claims : dict of str to sequence of float
        By phrase, which may be in a code block, the numbers that it has to show.
    """
    covered = set()
    for phrase, expected in claims.items():
        in_prose = list(pattern(phrase).finditer(page.prose))
        found = in_prose or list(pattern(phrase).finditer(page.text))
        if len(found) != 1:
            yield f"occurs {len(found)} times: {phrase}"
            continue
        shown = found[0].groups()
        covered.update(*(range(*match.span()) for match in in_prose))
        same = map(agrees, shown, expected) if len(shown) == len(expected) else [False]
        if not all(same):
            computed = ", ".join(f"{number:.6g}" for number in expected)
            yield f"computed {computed}: {found[0][0]}"
    for number in page.numbers():
        if number.start() not in covered:
            about = page.prose[max(0, number.start() - 60) : number.end() + 40]
            yield f"no source for {number[0]}: {about}"
