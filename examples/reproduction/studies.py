"""All studies of a task, from the comparison to the gain of IDMR."""

import csv
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reproduction.plan import TITLES
from skal import (
    compare,
    input_distribution,
    label_distribution,
    model_transfer,
    order_overlap,
    regularization_gain,
    seed_transfer,
)

# Largest length of each of the paper's bins, except for the last bin (Figs. 8 and 9).
ENDS = {"ic": (3, 4, 5, 6, 7, 8, 9, 10, 12), "ner": (5, 6, 7, 8, 9, 10, 12, 16)}
# Approximate seconds per training: alone, and with others in a search.
SECONDS = {"aoe": (0.3, 0.1), "cnn": (0.6, 0.4), "lstm": (1, 0.8), "roberta": (90, 90)}


@dataclass(frozen=True)
class Studies:
    """The results of all studies; None for studies that the plan does not have."""

    plan: Any
    task: Any
    comparison: Any
    seeds: Any
    models: Any
    overlap: Any
    inputs: Any
    labels: Any
    gain: Any

    @property
    def base(self):
        """The heuristics without IDMR."""
        names = self.comparison.heuristics
        return [name for name in names if not name.startswith("idmr-")]

    @property
    def led(self):
        """The heuristics that also run with IDMR."""
        return [n for n in self.comparison.heuristics if n not in self.base]


def run(plan, task, folder, *, n_jobs=None, bar=None):
    """Run all studies; runs that are already in the folder are skipped.

    Parameters
    ----------
    plan : Plan
    task : Task
    folder : path-like
    n_jobs : int, default=None
        Number of runs in parallel.
    bar : callable, default=None
        Returns a progress bar, such as `ProgressBar`.

    Returns
    -------
    Studies
    """
    common = {"path": folder, "n_jobs": n_jobs}
    costs = run_costs(plan, task)
    print(f"{TITLES[plan.task]}: {len(costs)} runs, and then replays of their orders")
    with warnings.catch_warnings():
        # The report states the number of seeds of its tests.
        warnings.filterwarnings("ignore", "A comparison over")
        comparison = compare(
            task,
            seeds=plan.seeds,
            n_orders=plan.n_orders,
            include_warm_start=True,
            callbacks=[] if bar is None else [bar(costs=costs)],
            **common,
        )
    common["callbacks"] = [] if bar is None else [bar()]
    found = Studies(plan, task, comparison, *[None] * 6)
    orders = ["oracle", *found.base]
    seeds = models = overlap = None
    if plan.seeds > 1:
        print("Seed transfer")
        seeds = seed_transfer(comparison, strategies=["oracle"], **common)
    if len(plan.models) > 1:
        print("Model transfer")
        models = model_transfer(comparison, strategies=orders, **common)
        overlap = order_overlap(comparison, strategies=orders)
    print("Distributions")
    return replace(
        found,
        seeds=seeds,
        models=models,
        overlap=overlap,
        inputs=inputs(comparison, plan.task),
        labels=label_distribution(comparison, group=without_prefix),
        gain=regularization_gain(comparison),
    )


def run_costs(plan, task):
    """Return an estimate of the seconds of each run of the comparison, by its name."""
    n_trainings = task.problem.n_rounds + 1
    costs = {}
    for seed in range(plan.seeds):
        for model in plan.models:
            alone, of_search = SECONDS.get(model, (1, 1))
            for name in task.strategies:
                costs[f"{model} {name} {seed}"] = n_trainings * alone
            # The published search needs about 60,000 trainings.
            n_searched = plan.trainings or 60_000
            costs[f"{model} oracle {seed}"] += n_searched * of_search
            for number in range(1, plan.n_orders):
                name = f"{model} random {seed}, order {number}"
                costs[name] = n_trainings * alone
    return costs


def inputs(comparison, task):
    """Return the distribution of inputs, in the plane or by the paper's lengths."""
    if task == "oc":
        return input_distribution(comparison, "tsne", reference="test")
    ends = ENDS[task]

    def bins(rows):
        words = [len(row.split() if isinstance(row, str) else row) for row in rows]
        return np.searchsorted(ends, words)

    found = input_distribution(comparison, bins, reference="test")
    names = spell_bins(ends)
    return replace(found, bins=tuple(names[int(number)] for number in found.bins))


def spell_bins(ends):
    """Return the names of the bins between some lengths."""
    starts = [1, *(end + 1 for end in ends)]
    spans = zip(starts, ends, strict=False)
    inner = [str(a) if a == b else f"{a}-{b}" for a, b in spans]
    return [*inner, f"{starts[-1]}+"]


def without_prefix(label):
    """Return a tag without "B-" or "I-", which the paper counts together."""
    return str(label).removeprefix("B-").removeprefix("I-")


def write_tables(found, folder):
    """Write the raw table of each study as CSV."""
    tables = {
        "curves": found.comparison,
        "seed_transfer": found.seeds,
        "model_transfer": found.models,
        "overlap": found.overlap,
        "inputs": found.inputs,
        "labels": found.labels,
        "idmr": found.gain,
        "against_random": found.comparison.against(),
    }
    for name, study in tables.items():
        if study is not None:
            write_table(Path(folder, f"{name}.csv"), study.table())


def write_table(path, columns):
    """Write columns as CSV, numbers in full."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        lists = [np.asarray(values).tolist() for values in columns.values()]
        writer.writerows(zip(*lists, strict=True))
