"""
Tables of `original_cost.py`: a training, and a whole search
============================================================

Prints what `original_cost.py` has measured, and the cost of the paper's search, which
is computed from it: 25,000 annealing steps and 5,000 greedy ones, each of which
exchanges two points of different rounds or replaces one, with equal probability. The
original code trains anew for each order of a prefix that it has not seen, skal for each
set.

    python examples/original_cost_page.py
"""

import argparse
from collections import defaultdict
from math import comb
from pathlib import Path

import numpy as np
from lines import read
from pages import table

N_STEPS = 30_000
# Rows of the warm start, B and K of each task (Table 1 of the paper).
SIZES = {"intent_classification": (40, 20, 8), "object_classification": (50, 25, 12)}
TRAINING = [
    "net",
    "rows",
    "original",
    "`fit`",
    "side by side",
    "as fast as the original",
]
TRAINING += ["score: original, `fit`", "epochs"]
SEARCH = ["net", "trainings a step", "s a training", "core-hours", "as cheap"]


def per_set(rows):
    """Return the mean over sets of the time, score and epochs of trainings alone."""
    columns = ("cpu_seconds", "score", "epochs")
    return [np.mean([float(row[column]) for row in rows]) for column in columns]


def seconds(rows):
    """Return the median over repetitions of the time of a training."""
    return float(np.median([float(row["cpu_seconds"]) for row in rows]))


def gather(path):
    """Return the lines by task, net and number of rows, then by way and sets."""
    found = defaultdict(lambda: defaultdict(list))
    for row in read(path):
        sets = row["sets"] if "-" in row["sets"] else ""
        case = row["task"], row["model"], row["n_rows"]
        found[case][row["way"], sets].append(row)
    return found


def stacks(ways):
    """Return the time side by side by number of sets, the smallest number first."""
    found = {
        int(sets.partition("-")[2]) + 1: seconds(rows)
        for (way, sets), rows in ways.items()
        if way == "side by side"
    }
    return dict(sorted(found.items()))


def trainings(found):
    """Yield the rows of the table of trainings, which is measured."""
    for (_, model, n_rows), ways in found.items():
        if not stacks(ways):
            continue
        original, fit = (per_set(ways[way, ""]) for way in ("original", "fit"))
        many = stacks(ways)
        yield [
            *[model, n_rows, f"{original[0]:.2f} s", f"{fit[0]:.2f} s"],
            ", ".join(f"{s:.3f} s ({n} sets)" for n, s in many.items()),
            ", ".join(f"{original[0] / s:.1f}" for s in [fit[0], *many.values()]),
            f"{original[1]:.3f}, {fit[1]:.3f}",
            f"{original[2]:.0f}, {fit[2]:.0f}",
        ]


def changed(n_rounds):
    """Return the probability that a step trains anew, for k = 1..K: original, skal."""
    k, pairs = np.arange(1, n_rounds + 1), comb(n_rounds, 2)
    # A replaced point is in the first k rounds; so is one of two exchanged ones, or,
    # if sets are the same for any order, exactly one.
    outside = np.array([comb(n_rounds - i, 2) for i in k])
    replaced = k / n_rounds
    original = (replaced + 1 - outside / pairs) / 2
    return original, (replaced + k * (n_rounds - k) / pairs) / 2


def step(chances, task, costs):
    """Return the trainings of a step, and the mean time of one of them.

    `costs` are times by number of rows; between and beyond them, a line is drawn. A
    single one is used for all sizes.
    """
    n_warm, batch_size, n_rounds = SIZES[task]
    degree = min(len(costs) - 1, 1)
    line = np.polyfit(list(costs), list(costs.values()), degree)
    of_round = np.polyval(line, n_warm + batch_size * np.arange(1, n_rounds + 1))
    return chances.sum(), (chances * of_round).sum() / chances.sum()


def searches(found):
    """Yield the rows of the table of searches, which is computed."""
    nets = defaultdict(dict)
    for (task, model, n_rows), ways in found.items():
        if stacks(ways):
            nets[task, model][int(n_rows)] = ways
    for (task, model), sizes in nets.items():
        both = changed(SIZES[task][2])
        shared = set.intersection(*(set(stacks(ways)) for ways in sizes.values()))
        sides = {
            "original": {n: per_set(w["original", ""])[0] for n, w in sizes.items()},
            "skal": {n: stacks(w)[max(shared)] for n, w in sizes.items()},
        }
        hours = []
        for (side, costs), chances in zip(sides.items(), both, strict=True):
            n_trainings, cost = step(chances, task, costs)
            hours.append(N_STEPS * n_trainings * cost / 3600)
            yield [
                *[f"{model}, {side}", f"{n_trainings:.2f}", f"{cost:.3f}"],
                *[f"{hours[-1]:.1f}", f"{hours[0] / hours[-1]:.1f}"],
            ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    default = Path("docs/runs/original_cost.csv")
    parser.add_argument("--runs", type=Path, default=default)
    found = gather(parser.parse_args().runs)
    print(table(TRAINING, trainings(found)), end="\n\n")
    print(table(SEARCH, searches(found)), end="\n\n")
    for (_, model, n_rows), ways in found.items():
        for (way, sets), rows in ways.items():
            if way.endswith("search"):
                count = int(sets.partition("-")[2]) + 1
                print(f"{model}, {way}, {n_rows} rows: {count} trainings", end=", ")
                print(f"{seconds(rows):.3f} s each")


if __name__ == "__main__":
    main()
