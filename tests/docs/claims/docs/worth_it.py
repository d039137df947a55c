"""The numbers of docs/worth_it.md: its table, which shows verdict.csv.

Its code, with the verdicts that it prints, is run by a test of its own; the verdict on
digits was printed by examples/worth_it.py.
"""

import csv

import bench_verdict as bench
from tracing import RUNS, phrases

SETTINGS = [
    "The 21 problems have 150 to 1,000 rows",  # PROBLEMS of bench_verdict.py
    "than the 95 % that they promise",
    "With all 1,797 digits",
]


def lines():
    with (RUNS / "verdict.csv").open() as file:
        return list(csv.DictReader(file))


def tables():
    rows = [bench.HEADER, ["---"] * len(bench.HEADER), *bench.rows_of(lines())]
    return ["\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)]


def claims(page):
    spoken = [right for speaks, right in map(bench.same_rows, lines()) if speaks]
    return phrases("worth_it") | {
        "judged on {} other splits": [bench.N_FRESH],
        "{} of the {} verdicts would have spoken": [len(spoken), len(lines())],
    }
