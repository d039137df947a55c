"""The numbers of docs/speed.md: from benchmarks, and from original_cost.csv."""

import numpy as np
import original_cost_page as cost
from pages import table
from tracing import ROOT, RUNS, Page, measured, phrases

from skal.inputs._containers import AT_ONCE
from skal.oracle.annealing._guided import N_DRAWN, N_SCREENED
from skal.oracle.annealing._screening import MIN_CORRELATION

# Sizes in the benchmarks, and in original_cost.py.
SETTINGS = [
    "a logistic regression on 120 digits",
    "nearest centroid on 77 classes",
    "MiniLM, rows of length 1)",
    "the best order after 2,000 trainings, its forecasts for 100 random exchanges",
    "reached after 500, 1,000 and 2,000 trainings",
    "was run for 9,000 trainings on digits",
    "splits and seeds 0 to 4",
    "After 6,000 trainings the mean quality",
    "as it was after 9,000",
    "pool of 800, 4,000 rows of validation, B = 20, K = 8, weighted F1",
    "ran for 5,000 trainings side by side, on splits and seeds 0 to 3",
    "had after 500, 1,000, 2,000, 3,000 and 5,000 trainings",
    "After some 1,500 trainings",
    "one split each, 2,000 to 3,000 trainings",
    "1,000,000 rows of 64 numbers, B = 1,000, K = 5",
    "torch 2.13), at most 100 epochs, patience 20, scored on 4,000 rows",
    "means over 12 sets (6 with 120 rows, 3 for objects)",
    "the aim was 6",
    "25,000 annealing and 5,000 greedy steps",
    "a line through 120 and 200 rows; for objects, the time at 200",
]
FOUND = cost.gather(RUNS / "original_cost.csv")


def tables():
    rows = cost.trainings(FOUND), cost.searches(FOUND)
    headers = cost.TRAINING, cost.SEARCH
    return [table(*pair) for pair in zip(headers, rows, strict=True)]


def cells():
    return measured("speed")


def of_search(model, way):
    """Return the seconds of a training in a whole search."""
    ways = FOUND["intent_classification", model, "60-200"]
    return next(cost.seconds(rows) for (name, _), rows in ways.items() if name == way)


def claims(page):
    oracles = Page((ROOT / "docs/oracles.md").read_text())
    needed = oracles.all("guided: trainings to the same validation", "intents")
    middle, fewest, most = np.median(needed), min(needed), max(needed)
    per_training = of_search("aoe", "guided search")
    minutes = {n: n * per_training / 60 for n in (middle, fewest, most)}
    original = page.at("core-hours", "aoe, original")
    times = [60 * original / minutes[n] for n in (middle, most, fewest)]
    fast = page.at("as fast as the original", "lstm", "200", which=2)
    return phrases("speed") | {
        "Forecasts of {} exchanges": [N_DRAWN],
        "what each of {} exchanges would do": [N_SCREENED],
        "have a correlation below {}": [MIN_CORRELATION],
        "about {} rows at a time": [AT_ONCE],
        "The BiLSTM is {} times as fast": [fast],
        "{} s a training in 100 steps": [of_search("aoe", "uniform search")],
        "{} s in 60 guided steps": [per_training],
        "{} s for the BiLSTM": [of_search("lstm", "uniform search")],
        "after {} trainings ({} to {}, {} seeds": [middle, fewest, most, len(needed)],
        "{} core-minutes ({} to {}) against {} core-hours": [
            *(*minutes.values(), original)
        ],
        "{} times ({} to {}) as cheap": [round(x, -1) for x in times],
    }
