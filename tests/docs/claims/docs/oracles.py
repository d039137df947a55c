"""The numbers of docs/oracles.md: its tables, its runs, and what was tried."""

import numpy as np
from compare_oracles import BUDGETS
from lines import read
from luck_of_oracles import N_ORDERS
from tracing import RUNS, measured, span

# Its tables grow: numbers of settings are not listed yet.
PARTIAL = True
SETTINGS = []
TASKS = ("digits", "fashion-mnist", "intents")
HOLM, OPTIMISM = "p (Holm)", "luck"


def cells():
    return measured("oracles")


def gap(rows):
    """Return the mean of quality on validation minus that on test."""
    return np.mean([float(row["validation"]) - float(row["test"]) for row in rows])


def gaps_of_guided():
    rows = read(RUNS / "oracles_intents.csv")
    guided = [row for row in rows if row["oracle"] == "guided"]
    return [gap([r for r in guided if r["budget"] == str(b)]) for b in BUDGETS]


def gap_of_random():
    rows = read(RUNS / "random_orders.csv")
    return gap([row for row in rows if row["problem"] == "intents"])


def worse_elsewhere():
    """Return how much worse orders are with other seeds, the mean of both sets."""
    names = ("validation", "test")
    return np.mean(
        [
            float(row[name]) - float(row[f"other_{name}"])
            for row in read(RUNS / "luck_of_seeds.csv")
            for name in names
        ]
    )


def claims(page):
    tried = measured("oracles")
    leads = [p for task in TASKS for p in page.all(HOLM, task)]
    n_significant = sum(p < 0.05 for p in leads)
    in_all = page.all("guided: trainings in all")
    known = "published: validation", "published: trainings"
    orders = "Fashion-MNIST: test of the order with the best "

    def luck(task):
        return [
            page.at(OPTIMISM, task, "guided", f"{budget:,}")
            for budget in (BUDGETS[0], BUDGETS[-1])
        ]

    return {
        "at {}, {} and {} trainings; {} of its {} leads": [
            *(*BUDGETS, n_significant, len(leads))
        ],
        "The other {} leads are below": [n_significant],
        "with 20,000 it uses {} to {}": [
            *(round(min(in_all), -3), round(max(in_all), -2))
        ],
        "random is the mean of {} orders per seed": [N_ORDERS],
        "From {} to {} trainings the difference grows": [BUDGETS[0], BUDGETS[-1]],
        "grows from {} to {} on digits": luck("digits"),
        "from {} to {} on Fashion-MNIST": luck("fashion-mnist"),
        "it is zero at first and {} at the end": luck("intents")[1:],
        "on intents that difference is {} to {}, and {} for random orders": [
            *(*span(gaps_of_guided()), gap_of_random())
        ],
        "an order is {} worse with other training seeds": [worse_elsewhere()],
        "The published search reaches {} there, in {} trainings": [
            *(page.at(column, "fashion-mnist", "0") for column in known)
        ],
        "Seeds differ by about {}": tried["digits: difference between seeds"],
        "from margins rather than scores ({} to {})": [
            *tried["digits: learned from scores alone, from margins"]
        ],
        "in the first 1,000 trainings ({} to {})": [
            *tried["digits: one move a step in the first 1,000 trainings, several"]
        ],
        "with the actual gains is {} to {}": [
            *tried["intents: correlation of predicted and actual gains"]
        ],
        "starts hot, it reaches {}": tried["intents: predictions at face value"],
        "it reaches {}; starting from the strategies' orders as well, {}": [
            *tried["intents: calibrated, cold schedule"],
            *tried["intents: calibrated, from the strategies' orders"],
        ],
        "has a test quality of {} and {}": tried[f"{orders}score"],
        "smooth share gives {} and {}": tried[f"{orders}smooth share"],
        "both together {} and {}": tried[f"{orders}of both"],
        "the last order {} and {}": tried["Fashion-MNIST: test of the last order"],
    }
