"""The numbers of docs/cold_start.md: its tables, and a benchmark of the cost."""

from cold_start import BATCH_SIZE, LABELS, N_RANDOM, N_SPLITS
from tracing import measured

SETTINGS = [
    "comes too early after 10 labels",
    "better up to 50 labels at least",
    "ahead at 20 labels on digits",
    # bench_coverage.py
    "A batch of 25 out of 20,000 rows of 64 columns",
    "In a pool of 2,000",
]


def cells():
    return measured("coverage")


def claims(page):
    cost = measured("coverage")

    def gains(column):
        tasks = ("digits", "Fashion-MNIST")
        return [page.at(column, task, "Herding", which=1) for task in tasks]

    def large(name):
        rows = ("100,000 rows", "1,000,000 rows")
        return [cost[f"{name}, 2,000 references: {n}"][0] for n in rows]

    return {
        "first {}, {} and {} labels, in batches of {}": [*LABELS, BATCH_SIZE],
        "the mean of {} random splits": [N_SPLITS],
        "the mean of {} orders": [N_RANDOM],
        "{} and {} above random with 10 labels": gains("10 labels"),
        "with 10 labels, {} and {} with 50": gains("50 labels"),
        "chose the same {} rows as MaxHerding, and {} of them with 2,000 references": [
            *cost["rows of MaxHerding that Herding chose"],
            *cost["rows of MaxHerding that Herding chose with 2,000 references"],
        ],
        "`ProbCover` chose the same {} as": [
            *cost["rows of ProbCover that ProbCover chose"]
        ],
        "With 2,000 references, time": (),
        "{} CPU s for 100,000 rows and {} for 1,000,000": large("Herding"),
        "at {} times the memory of the pool (`ProbCover`: {} and {} CPU s)": [
            *cost["Herding, 2,000 references: memory above the pool"],
            *large("ProbCover"),
        ],
    }
