"""
The heuristics of the paper's Table 1, on the real data
=======================================================

Each strategy runs at the printed sizes, for each estimator and seed; each run adds a
line to a file, and what stands there already is not run again. `--report` prints the
means over seeds, and the gain of each strategy with IDMR over that without.

    python examples/heuristics_of_table1.py intent_classification --seeds 3
    python examples/heuristics_of_table1.py --report

With `SKAL_DATA_HOME` set, the data are taken from there and not downloaded. On one
core, a run takes seconds (the average of embeddings) to minutes (images).
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy.stats import ttest_rel

from skal import Random, load_task, xi_quality

COLUMNS = ["task", "model", "strategy", "seed", "order", "seconds", "curve"]


def cells(task, n_seeds, n_random, models):
    """Yield what there is to run, seed by seed: every seed is a whole table."""
    for seed in range(n_seeds):
        for model in models or [m for m in task.estimators if m != "roberta"]:
            for strategy in task.strategies:
                for order in range(n_random if strategy == "random" else 1):
                    yield model, strategy, seed, order


def run(task, model, strategy, seed, order):
    """Return the line of one run."""
    chosen = Random(random_state=order) if strategy == "random" else strategy
    begin = perf_counter()
    learner = task.learner(chosen, model, random_state=seed)
    curve = learner.fit(**task.problem.sets).curve_
    seconds = round(perf_counter() - begin, 1)
    text = " ".join(f"{score:.6f}" for score in curve)
    return [task.name, model, strategy, seed, order, seconds, text]


def read(path):
    """Return the lines of a file; one that was cut short is not among them."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["curve"]]


def work(name, path, n_seeds, n_random, models):
    task = load_task(name)
    done = {tuple(row[c] for c in COLUMNS[1:5]) for row in read(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    for cell in cells(task, n_seeds, n_random, models):
        if tuple(map(str, cell)) in done:
            continue
        row = run(task, *cell)
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if file.tell() == 0:
                writer.writerow(COLUMNS)
            writer.writerow(row)
        print(*row[:6], flush=True)


def qualities(rows):
    """Return the quality of each seed, by task, model and strategy.

    The published tables average k = 0..K; several random orders count as their mean.
    """
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        curve = [float(score) for score in row["curve"].split()]
        quality = xi_quality(curve, include_warm_start=True)
        key = row["task"], row["model"], row["strategy"]
        found[key][int(row["seed"])].append(quality)
    return {
        key: {seed: np.mean(values) for seed, values in sorted(seeds.items())}
        for key, seeds in found.items()
    }


def report(paths):
    found = qualities([row for path in paths for row in read(path)])
    print("| task | model | strategy | quality | seeds | over its base | p |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (task, model, strategy), seeds in found.items():
        values = list(seeds.values())
        base = found.get((task, model, strategy.removeprefix("idmr-")), {})
        paired = [(seeds[s], base[s]) for s in seeds if s in base]
        gain, p = "", ""
        if strategy.startswith("idmr-") and paired:
            with_it, without = np.transpose(paired)
            gain = f"{np.mean(with_it - without):+.4f}"
            p = f"{ttest_rel(with_it, without).pvalue:.3f}" if len(paired) > 1 else ""
        mean = f"{np.mean(values):.4f}"
        cells = task, model, strategy, mean, str(len(values)), gain, p
        print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[2])
    parser.add_argument("task", nargs="?")
    parser.add_argument("--models", nargs="+", help="all but roberta by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--random-orders", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs/runs"))
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    if args.task:
        path = args.out / f"table1_{args.task}.csv"
        work(args.task, path, args.seeds, args.random_orders, args.models)
    if args.report:
        report(sorted(args.out.glob("table1_*.csv")))


if __name__ == "__main__":
    main()
