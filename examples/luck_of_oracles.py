"""
How much of what an oracle found is luck?
=========================================

An order is found with one training seed and one validation set. This script replays the
orders of `compare_oracles.py` elsewhere: the orders for intents under other training
seeds, and the orders of the guided search on test data, at the point where it is as
good on validation as the published search. It also scores random orders on both sets,
since one set may be harder than the other: the luck of an oracle is its gain over
random orders on validation minus its gain on test. Last, it searches with fewer rows
of validation, to show how the luck depends on their number. Each run adds a line to a
file; runs that are already in the file are skipped. `oracles_page.py` makes tables of
the results.

    python examples/luck_of_oracles.py seeds
    python examples/luck_of_oracles.py caught-up --problems digits fashion_mnist
    python examples/luck_of_oracles.py random --problems digits fashion_mnist intents
    python examples/luck_of_oracles.py sizes --problems digits fashion_mnist

If `SKAL_DATA_HOME` is set, the data are read from there and not downloaded. On one
core, a line takes seconds (digits, Fashion-MNIST) or minutes (intents).
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
from compare_oracles import BUDGETS, PROBLEMS, equip
from lines import work
from oracles_page import CAUGHT_UP, LUCK, RANDOM, SIZES, caught_up, gather

from skal import Random, evaluate_order

SEED_COLUMNS = [
    *["problem", "oracle", "budget", "seed", "validation", "test"],
    *["other_validation", "other_test"],
]
POINT_COLUMNS = ["problem", "seed", "trainings", "validation", "test"]
RANDOM_COLUMNS = ["problem", "seed", "orders", "validation", "test"]
SIZE_COLUMNS = ["problem", "budget", "rows", "seed", "validation", "test"]
SIZE_COLUMNS += ["random_validation", "random_test"]
N_ORDERS = 20
# Numbers of validation rows to search with; the last are all rows.
ROWS = {"digits": [50, 120, 240, 478], "fashion_mnist": [100, 400, 1000, 4000]}
# Training seeds of the replays; the searches use seeds 0 to 4.
OTHERS = range(5, 15)


def find(problem, name, budget, seed, **params):
    """Return the sets, and the learner after the search of `compare_oracles.py`."""
    sets, learner = PROBLEMS[problem](seed)
    return sets, equip(learner, name, budget, **params).fit(**sets)


def with_other_seeds(problem, name, budget, seed):
    """Return the line of one order: its qualities, and their means over other seeds."""
    sets, learner = find(problem, name, budget, seed)
    others = evaluate_order(learner.order_, learner, **sets, seeds=OTHERS).table()
    values = [
        *[learner.validation_quality_, learner.quality_],
        *[others["validation_quality"].mean(), others["quality"].mean()],
    ]
    return [problem, name, budget, seed, *(f"{value:.6f}" for value in values)]


def when_caught_up(problem, seed, n_trainings):
    """Return the line of the longest guided search, stopped after fewer trainings."""
    longest = max(BUDGETS)
    _, learner = find(problem, "guided", longest, seed, max_trainings=n_trainings)
    values = [learner.validation_quality_, learner.quality_]
    return [problem, seed, n_trainings, *(f"{value:.6f}" for value in values)]


def of_random_orders(problem, seed, n_orders):
    """Return the line of one seed: mean qualities of its random orders."""
    values = random_qualities(*PROBLEMS[problem](seed), seed, n_orders)
    return [problem, seed, n_orders, *(f"{value:.6f}" for value in values)]


def random_qualities(sets, learner, seed, n_orders=N_ORDERS):
    """Return the mean qualities of random orders on validation and test."""
    qualities = []
    for i in range(n_orders):
        learner.set_params(strategy=Random(random_state=seed * n_orders + i))
        learner.fit(**sets)
        qualities.append([learner.validation_quality_, learner.quality_])
    return np.mean(qualities, axis=0)


def with_fewer_rows(problem, budget, n_rows, seed):
    """Return the line of a search with the first rows of validation only."""
    sets, learner = PROBLEMS[problem](seed)
    sets |= {name: sets[name][:n_rows] for name in ("X_val", "y_val")}
    baseline = random_qualities(sets, learner, seed)
    equip(learner, "guided", budget).fit(**sets)
    values = [learner.validation_quality_, learner.quality_, *baseline]
    return [problem, budget, n_rows, seed, *(f"{value:.6f}" for value in values)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("what", choices=["seeds", "caught-up", "random", "sizes"])
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=["intents"])
    parser.add_argument("--runs", type=Path, default=Path("docs/runs"))
    args = parser.parse_args()
    if args.what == "seeds":
        names = ["guided", "best of strategies"]
        cells = product(args.problems, names, [1000], range(5))
        work(args.runs / LUCK, SEED_COLUMNS, cells, with_other_seeds)
    elif args.what == "random":
        cells = product(args.problems, range(5), [N_ORDERS])
        work(args.runs / RANDOM, RANDOM_COLUMNS, cells, of_random_orders)
    elif args.what == "sizes":
        cells = [
            (problem, budget, n_rows, seed)
            for budget in BUDGETS[:2]
            for problem in args.problems
            for n_rows, seed in product(ROWS[problem], range(5))
        ]
        work(args.runs / SIZES, SIZE_COLUMNS, cells, with_fewer_rows)
    else:
        found = gather(args.runs)
        cells = [
            (p, seed, n)
            for p in args.problems
            for seed, _, _, n in caught_up(found, p)
            if n
        ]
        work(args.runs / CAUGHT_UP, POINT_COLUMNS, cells, when_caught_up)


if __name__ == "__main__":
    main()
