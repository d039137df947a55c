"""The numbers of docs/regression.md: from its tables, which show regression.csv."""

import numpy as np
import regression_page as shown
from original_cost_page import N_STEPS, changed
from regression import (
    BATCH_SIZE,
    N_RANDOM,
    N_ROUNDS,
    N_WARM,
    SHARES,
    TASKS,
)
from tracing import RUNS

TENTH = "with 10% of its trainings"
DIABETES, MORE = "diabetes", "diabetes, more validation"
SETTINGS = [
    "R2 on test",
    "the 442 patients",
    "25,000 annealing and 5,000 greedy steps",
    "with noise 1",
    "variance 1",
    "below 0.05",
]


def claims(page):
    found = shown.gather(RUNS / "regression.csv")

    def rows(task):
        """Return how many rows are for validation and for test."""
        shares = np.array(SHARES.get(task, (0.25, 0.3)))
        return np.round(442 * shares)

    def in_time(search, *tasks):
        """Return in how many runs a tenth was enough, and the number of runs."""
        keys = [(task, search) for task in tasks]
        return [sum(page.at(TENTH, *key, which=i) for key in keys) for i in (0, 1)]

    def gained(*tasks):
        """Return what a long uniform search gains on validation, by task."""
        for task in tasks:
            pair = found[task, "long uniform"], found[task, "uniform"]
            seeds = shown.shared(*pair)
            values = [shown.values(runs, "validation", seeds) for runs in pair]
            yield np.mean(values[0] - values[1])

    def optimism(task):
        return np.mean([page.at("optimism", task, s) for s in ("uniform", "guided")])

    long = "long guided"
    sizes = {len(TASKS[task](0)[1]) for task in ("friedman1", "houses")}
    return {
        "{} tasks, with {} labels to start with, and {} more in each of {} rounds": [
            *(len(TASKS), N_WARM, BATCH_SIZE, N_ROUNDS)
        ],
        "{} % of the rows for validation, {} in place of {}": [
            *(100 * SHARES[MORE][0], rows(MORE)[0], rows(DIABETES)[0])
        ],
        "{} rows of `make_friedman1`": sizes,
        "{} generated blocks": sizes,
        "the mean of {} orders": [N_RANDOM],
        "about {} trainings here": [round(N_STEPS * sum(changed(N_ROUNDS)[1]), -3)],
        "validation has {} rows and test {}": rows(DIABETES),
        "optimism falls from {} to {}": [optimism(DIABETES), optimism(MORE)],
        "In {} of {} runs a tenth of the trainings": in_time("guided", *TASKS),
        "a uniform search of nearly {} trainings": [
            round(page.at("trainings", DIABETES, "long uniform"), -3)
        ],
        "another {} on validation": [np.mean([*gained(DIABETES, MORE)])],
        "as good after {} trainings in the median": {
            page.at("uniform's validation quality after", task, long)
            for task in (DIABETES, MORE)
        },
        "less than a tenth in {} of {} runs": in_time(long, DIABETES, MORE),
        "On friedman1, with {} seeds, such a search gains {}": [
            *(page.at("seeds", "friedman1", long), *gained("friedman1"))
        ],
        "enough in {} of {} runs": in_time(long, "friedman1"),
    }
