"""The numbers of docs/results.md: benchmarks, and the paper's search of intents."""

import numpy as np
from lines import read
from original_cost_page import changed
from tracing import RUNS, measured, span

from skal.studies._tasks import _RECIPES

HEURISTICS = ("max-entropy", "bald", "variation-ratio")
# In bench_digits.py and plot_oracle_on_fashion_mnist.py, and of the paper's schedule.
SETTINGS = [
    "A quality is the mean test accuracy over rounds 1 to K",
    "Warm start 40, pool 800, validation 478, test 479, B = 20, K = 8",
    "2,000 annealing and 400 greedy steps",
    "the mean of 100 orders",
    "with seed 4 they score higher on validation",
    "logistic regression on 30 principal components; 400 guided and 80 greedy steps",
    "25,000 annealing and 5,000 greedy steps, gamma = 0.1, one seed",
    "word vectors of 50 dimensions",
    "The published factor, gamma = 0.1, is meant for 25,000 steps; in a run of 400 it",
    "(2,500 / steps) does cool",
    "The default, 10 / (steps x typical change)",
    "divided by 16, 400 + 80 steps, seeds 0, 1, 2;",
    "(pool 6 or 8, B 1 or 2, K 2 or 3, 30 seeds) with 1,000 steps",
]
TINY = [
    "",
    ": optimum found by the default",
    ": optimum found by 40 / typical change",
    ": optimum missed with 2,500 / steps",
    ": runs with 2,500 / steps",
]


def intents(strategy):
    """Return the mean qualities of a strategy on intents: over k = 0..K, and 1..K."""
    is_oracle = strategy == "oracle"
    name = "oracle_of_table1" if is_oracle else "table1_intent_classification"
    curves = [
        np.array(row["curve"].split(), dtype=float)
        for row in read(RUNS / f"{name}.csv")
        if (row["model"], row["strategy"], row["seed"]) == ("aoe", strategy, "0")
    ]
    return [np.mean([curve[first:].mean() for curve in curves]) for first in (0, 1)]


def cells():
    best = max(HEURISTICS, key=lambda name: intents(name)[1])
    shown = {"oracle": "oracle", best: best.replace("-", " ")}
    shown |= {"max-entropy": "max-entropy", "random": "random"}
    computed = {
        f"{row}: quality, k = {first}..K": [intents(strategy)[first]]
        for strategy, row in shown.items()
        for first in (0, 1)
    }
    return measured("results") | computed


def claims(page):
    found = measured("results")
    (search,) = read(RUNS / "oracle_of_table1.csv")
    n, seconds = int(search["trainings"]), float(search["seconds"])
    recipe = _RECIPES["object_classification"]
    gaps = [
        found[f"{seed}: oracle: on validation"][0] - found[f"{seed}: oracle"][0]
        for seed in range(5)
    ]
    val, test = (
        page.at(column, "oracle", "Fashion-MNIST") - page.at(column, "random")
        for column in ("on validation", "test quality")
    )
    tiny = [found[f"tiny problems{what}"][0] for what in TINY]
    return {
        "A step changes 5 (K + 1) / 12 = {} sets": [changed(8)[1].sum()],
        "It is {} to {}, about half": span(page.all("luck", "Digits")),
        "minus test quality, {} to {}, does not": span(gaps),
        """warm start {}, pool {}, validation and test {} each, B = {}, K = {}""": [
            *(recipe.sizes[name] for name in ("warm", "pool", "val")),
            *(recipe.batch_size, recipe.n_rounds),
        ],
        "{} over random orders on validation and {} on test, so {} is luck": [
            *(val, test, val - test)
        ],
        "The oracle has {} on validation": [float(search["validation"])],
        "needed {} sets and prefetched {} that": [n, int(search["ahead"])],
        "It took {} minutes": [seconds / 60],
        "that is {} of the needed trainings per second": [n / seconds],
        "On {} tiny problems": tiny[:1],
        "the proven optimum in all {}, and 40 / typical change in {}": tiny[1:3],
        "With 2,500 / steps and 3,000 steps, {} optimum of {} was missed": tiny[3:],
    }
