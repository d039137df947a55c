"""The numbers of docs/guide/oracles.md: from the runs of docs/oracles.md."""

import numpy as np
from lines import read
from tracing import RUNS, span

from skal.oracle.annealing._oracle import N_STEPS

SETTINGS = []


def quality(problem, budget):
    """Return the mean test quality of the guided search."""
    return np.mean(
        [
            float(row["test"])
            for row in read(RUNS / f"oracles_{problem}.csv")
            if (row["oracle"], row["budget"]) == ("guided", budget)
        ]
    )


def gains(fewer, more):
    """Return what more trainings gain on test: the least and the most."""
    problems = ("digits", "fashion_mnist", "intents")
    return span([quality(p, more) - quality(p, fewer) for p in problems])


def claims(page):
    return {
        "`AnnealingOracle()` takes {} steps": [N_STEPS],
        "a search of 5,000 gains {} to {} more on test than one of 1,000": [
            *gains("1000", "5000")
        ],
        "and one of 20,000 another {} to {}": gains("5000", "20000"),
    }
