"""
The page on a published benchmark on tables
===========================================

Sets the means that `tabular_benchmark.py` has found beside the published ones, and
inserts the tables into a page between the lines `<!-- tables -->` and
`<!-- end of tables -->`.

    python examples/tabular_benchmark_page.py docs/tabular_benchmark.md
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from keel import NAMES
from lines import read
from pages import insert, table
from scipy.stats import ttest_rel
from tabular_benchmark import OUT

# Lu et al. (TMLR 2025), the summary table in the repository of the paper: mean and
# standard deviation over 100 splits, and whether a paired t-test finds the strategy
# better than random selection (p below 0.01 in each case).
PUBLISHED = {
    "sonar": [(0.7463, 0.0379), (0.7762, 0.0313, True), (0.7420, 0.0353, False)],
    "heart": [(0.8051, 0.0279), (0.8157, 0.0262, True), (0.8105, 0.0260, True)],
    "haberman": [(0.7308, 0.0270), (0.7295, 0.0287, False), (0.7267, 0.0280, False)],
    "ionosphere": [(0.9180, 0.0178), (0.9300, 0.0154, True), (0.9134, 0.0166, False)],
    "breast": [(0.9616, 0.0090), (0.9632, 0.0091, True), (0.9626, 0.0090, True)],
    "wdbc": [(0.9539, 0.0130), (0.9652, 0.0103, True), (0.9586, 0.0105, True)],
    "australian": [(0.8483, 0.0158), (0.8504, 0.0157, True), (0.8478, 0.0158, False)],
    "diabetes": [(0.7424, 0.0152), (0.7479, 0.0153, True), (0.7491, 0.0138, True)],
    "mammographic": [(0.8130, 0.0198), (0.8177, 0.0195, True), (0.8162, 0.0193, True)],
    "tic": [(0.8718, 0.0153), (0.8720, 0.0158, False), (0.8716, 0.0149, False)],
    "german": [(0.7340, 0.0173), (0.7417, 0.0154, True), (0.7365, 0.0152, True)],
}
N_PUBLISHED = 100
STRATEGIES = ["random", "margin", "core-set"]
LEVEL = 0.05
MEANS = ["table", *(f"{s}: published, ours" for s in STRATEGIES), "within two errors"]
VERDICTS = ["table", "strategy", "gain: published, ours"]
VERDICTS += ["published better", "ours better", "p", "p, corrected"]


def gather(path):
    """Return the areas by table and strategy, ordered by seed, and corrected p-values.

    Only tables with all strategies are returned.
    """
    areas, p_values = defaultdict(lambda: defaultdict(list)), {}
    for row in sorted(read(path), key=lambda row: int(row["seed"])):
        areas[row["table"]][row["strategy"]].append(float(row["area"]))
        p_values[row["table"], row["strategy"]] = float(row["p"])
    whole = {name: areas[name] for name in NAMES if len(areas[name]) == len(STRATEGIES)}
    return whole, p_values


def is_within(ours, published):
    """Return whether two means differ by at most two standard errors."""
    error = np.hypot(
        np.std(ours, ddof=1) / np.sqrt(len(ours)), published[1] / np.sqrt(N_PUBLISHED)
    )
    return abs(np.mean(ours) - published[0]) <= 2 * error


def means(areas):
    """Yield a row for each table: published and own means of each strategy."""
    for name, found in areas.items():
        pairs = [
            (found[s], p) for s, p in zip(STRATEGIES, PUBLISHED[name], strict=True)
        ]
        yield [
            name,
            *(f"{theirs[0]:.4f}, {np.mean(own):.4f}" for own, theirs in pairs),
            ", ".join("yes" if is_within(*pair) else "no" for pair in pairs),
        ]


def verdicts(areas, p_values):
    """Yield a row for each strategy on each table: is it better than random?"""
    for name, found in areas.items():
        for strategy, published in zip(
            STRATEGIES[1:], PUBLISHED[name][1:], strict=True
        ):
            gain = np.mean(found[strategy]) - np.mean(found["random"])
            p = ttest_rel(found[strategy], found["random"]).pvalue
            yield [
                *[name, strategy],
                f"{published[0] - PUBLISHED[name][0][0]:+z.4f}, {gain:+z.4f}",
                "yes" if published[2] else "no",
                "yes" if p < LEVEL and gain > 0 else "no",
                *[f"{p:.3f}", f"{p_values[name, strategy]:.3f}"],
            ]


def summary(areas, rows):
    """Return a sentence that counts how often ours and the published agree."""
    n_seeds = min(len(seeds) for found in areas.values() for seeds in found.values())
    near = [row[-1].split(", ") for row in means(areas)]
    n_near = sum(answer == "yes" for row in near for answer in row)
    n_same = sum(row[3] == row[4] for row in rows)
    return (
        f"{len(areas)} tables, {n_seeds} splits each. {n_near} of {3 * len(areas)} "
        "means lie within two standard errors of the published ones. "
        f"{n_same} of {len(rows)} verdicts agree."
    )


def main():
    """Insert the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", type=Path, default=OUT)
    given = parser.parse_args()
    areas, p_values = gather(given.runs)
    rows = list(verdicts(areas, p_values))
    parts = [summary(areas, rows), table(MEANS, means(areas)), table(VERDICTS, rows)]
    insert(given.page, parts)


if __name__ == "__main__":
    main()
