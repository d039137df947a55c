"""The numbers of docs/tabular_benchmark.md: its tables, which show its runs."""

import tabular_benchmark_page as shown
from tracing import RUNS, span

SETTINGS = [
    "compare 17 strategies on 26 tables of two classes",  # Lu et al.
    # The call of `compare` in tabular_benchmark.py
    "40 % of the rows are the test set, 20 rows are labelled at first",
    "With 40 % of the rows for test",
]


def claims(page):
    areas, p_values = shown.gather(RUNS / "tabular_benchmark.csv")
    verdicts = list(shown.verdicts(areas, p_values))
    differ = [row for row in verdicts if row[3] != row[4]]
    others = [row for row in differ if row[0] != "tic"]
    published = [float(row[2].split(", ")[0]) for row in others]
    above = [
        page.at(f"{strategy}: published, ours", table, which=1)
        - page.at(f"{strategy}: published, ours", table)
        for table in ("breast", "ionosphere")
        for strategy in shown.STRATEGIES
    ]
    n_splits = len(areas["tic"]["random"])
    return {
        "skal repeats {} of them on the {} tables": [
            *(len(shown.STRATEGIES), len(areas))
        ],
        "has p below {}, as in the benchmark": [shown.LEVEL],
        "{} splits are hardly more evidence than one": [n_splits],
        "are {} to {} above the published means under all {} strategies": [
            *(*span(above), len(shown.STRATEGIES))
        ],
        "Of the {} verdicts that differ, {} are those of Tic": [
            *(len(differ), len(differ) - len(others))
        ],
        "In the other {} the published gain is {} to {}, ours has the same sign": [
            *(len(others), *span(published))
        ],
        "{} splits do not show it where {} did": [n_splits, shown.N_PUBLISHED],
    }
