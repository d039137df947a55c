"""The numbers of docs/reproduction.md, which a script writes from runs/reproduction."""

import re
import tempfile
from pathlib import Path

import reproduction_page
from claims.docs.ner_strategies import begin, curves
from reproduction import findings
from tracing import RUNS, span

SETTINGS = [
    "Seeds 3 and 4 were run later",
    "available have 50 dimensions",
    "counts the votes of 100 dropout passes",
    "takes more than 100,000",  # a lower bound of "published" in docs/oracles.md
]


def tables():
    folders = [RUNS / f"reproduction/{task}" for task in ("oc", "ic", "ner")]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.md"
        reproduction_page.write(folders, page)
        return re.findall(r"(?:^\|.*\n)*^\|.*$", page.read_text(), flags=re.MULTILINE)


def claims(page):
    return {
        "with p < {} in a paired": [findings.ALPHA],
        "a test with p < {} finds in": [findings.ALPHA],
        "until it has seen {} to {} sentences": span(begin(curves())),
    }
