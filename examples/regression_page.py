"""
The page on regression
======================

Makes tables of the results of `regression.py`, and inserts them into a page between the
lines `<!-- tables -->` and `<!-- end of tables -->`.

    python examples/regression_page.py docs/regression.md
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from lines import read
from pages import insert, table
from regression import LONG, MARKS, ORACLES, OTHERS, STRATEGIES, TASKS

from skal import optimism
from skal.studies._statistics import paired_t

# Splits of the same rows overlap, by the rows of test for each other one; the rows of
# the generated tasks are new for each seed.
OVERLAP = {task: 0.3 / 0.7 if "diabetes" in task else 0.0 for task in TASKS}
# The search that each search is to catch up with.
AIMS = dict.fromkeys(ORACLES, "uniform") | dict.fromkeys(LONG, "long uniform")
LEVEL = 0.05
SHARE = 0.1


def gather(path):
    """Return all runs: by task and method, then by seed."""
    found = defaultdict(dict)
    for row in read(path):
        found[row["task"], row["method"]][int(row["seed"])] = row
    return found


def values(runs, name, seeds):
    """Return the values of a column, one for each of the seeds."""
    return np.array([float(runs[seed][name]) for seed in seeds])


def shared(*runs):
    """Return the seeds that all of some methods have run on."""
    return sorted(set.intersection(*(set(one) for one in runs)))


def p_of(found, task, oracle, method):
    """Return the p-value of an oracle over a method, as a text with its verdict."""
    seeds = shared(found[task, oracle], found[task, method])
    if len(seeds) < 2:
        return ""
    ours, other = (values(found[task, m], "test", seeds) for m in (oracle, method))
    p = paired_t(ours, other, OVERLAP[task])
    mark = "*" if p < LEVEL and ours.mean() > other.mean() else ""
    return f"{p:.3f}{mark} ({len(seeds)})"


def qualities(found, task):
    """Return the table of all methods on a task, the best on test first."""
    oracles = [name for name in ORACLES if found[task, name]]
    header = ["method", "test", "gain over random", "last score", "validation"]
    header += [f"p, {name} above it" for name in oracles]
    rows = []
    for method in ["random", *STRATEGIES, *oracles]:
        runs = found[task, method]
        seeds = shared(runs, found[task, "random"])
        if not seeds:
            continue
        test, last, validation = (
            values(runs, name, seeds) for name in ("test", "last", "validation")
        )
        gain = test - values(found[task, "random"], "test", seeds)
        cells = [
            f"{test.mean():.3f} ± {test.std(ddof=1):.3f}"
            if len(seeds) > 1
            else f"{test[0]:.3f}"
        ]
        cells += [
            f"{gain.mean():+z.3f}",
            f"{last.mean():.3f}",
            f"{validation.mean():.3f}",
        ]
        cells += [
            "" if method in ORACLES else p_of(found, task, one, method)
            for one in oracles
        ]
        rows.append((test.mean(), [method, *cells]))
    rows.sort(key=lambda row: -row[0])
    return table(header, [cells for _, cells in rows])


def best_after(run, n):
    """Return the best quality of a search after at most `n` trainings."""
    known = [m for m in MARKS if m <= n and run[f"after {m}"]]
    return float(run[f"after {known[-1]}"]) if known else np.nan


def caught_up(run, aim):
    """Return after how many trainings a search has reached a quality; inf if never."""
    reached = [m for m in MARKS if run[f"after {m}"] and best_after(run, m) >= aim]
    if reached:
        return reached[0]
    return int(run["trainings"]) if float(run["validation"]) >= aim else np.inf


def searches(found):
    """Return the table of the searches: validation, trainings and optimism."""
    header = ["task", "search", "seeds", "trainings", "validation", "test", "optimism"]
    header += [
        "uniform's validation quality after",
        f"with {SHARE:.0%} of its trainings",
    ]
    rows = []
    for task in TASKS:
        for name, aim in AIMS.items():
            uniform, random = found[task, aim], found[task, "random"]
            seeds = shared(found[task, name], uniform, random)
            if seeds:
                cells = search_cells(found[task, name], uniform, random, seeds)
                rows.append([task, name, str(len(seeds)), *cells])
    return table(header, rows)


def search_cells(runs, uniform, random, seeds):
    """Return the figures of one search on a task."""
    means = [
        np.mean(values(one, name, seeds))
        for one in (runs, random)
        for name in ("validation", "test")
    ]
    needed = [caught_up(runs[s], float(uniform[s]["validation"])) for s in seeds]
    n = values(runs, "trainings", seeds).mean()
    within = sum(
        one <= SHARE * float(uniform[s]["trainings"])
        for one, s in zip(needed, seeds, strict=True)
    )
    cells = [f"{n:,.0f}", *(f"{value:.3f}" for value in means[:2])]
    cells += [f"{optimism(*means):+z.3f}"]
    if runs is uniform:
        return [*cells, "", ""]
    median = np.median(needed)
    spelled = f"{median:,.0f}" if np.isfinite(median) else "not reached"
    return [*cells, spelled, f"{within} of {len(seeds)}"]


def same_orders(found):
    """Return the table of skal's LCMD beside the one of `bmdal_reg`."""
    header = ["task", "seeds", "same orders", "test, skal", "test, bmdal_reg"]
    rows = []
    for task in TASKS:
        ours, other = found[task, "lcmd"], found[task, "bmdal_reg"]
        seeds = shared(ours, other)
        if seeds:
            same = sum(ours[s]["order"] == other[s]["order"] for s in seeds)
            means = [values(one, "test", seeds).mean() for one in (ours, other)]
            cells = [f"{same} of {len(seeds)}", *(f"{mean:.4f}" for mean in means)]
            rows.append([task, str(len(seeds)), *cells])
    return table(header, rows)


def verdict(found, task):
    """Return the line that counts over how many methods each oracle is better."""
    methods = ["random", *STRATEGIES]
    parts = []
    for name in ORACLES:
        cells = [c for m in methods if (c := p_of(found, task, name, m))]
        if cells:
            n = sum("*" in cell for cell in cells)
            parts.append(f"the {name} search in {n} of {len(cells)}")
    return (
        f"Better on test than another method, with p below {LEVEL}: {', '.join(parts)}."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("docs/runs"))
    args = parser.parse_args()
    found = gather(args.runs / "regression.csv")
    parts = []
    for task in TASKS:
        if not found[task, "random"]:
            continue
        parts += [f"### {task}", qualities(found, task), verdict(found, task)]
    parts += ["### The searches", searches(found)]
    if any(found[task, name] for task in TASKS for name in OTHERS):
        parts += ["### LCMD of bmdal_reg", same_orders(found)]
    insert(args.page, parts)


if __name__ == "__main__":
    main()
