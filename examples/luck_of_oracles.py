"""
How much of what an oracle found is luck?
=========================================

An order was found with one seed of training and one validation set. This follows orders
of `compare_oracles.py` elsewhere: those on intents with other seeds of training, and
those of the guided search on test, when it is as good on validation as the published
one. It also scores random orders on both sets, since one set may be harder than the
other for any order: the luck of an oracle is its gain over them on validation less that
on test. Each adds a line to a file, and what is there already is not run again;
`oracles_page.py` makes tables of them.

    python examples/luck_of_oracles.py seeds
    python examples/luck_of_oracles.py caught-up --problems digits fashion_mnist
    python examples/luck_of_oracles.py random --problems digits fashion_mnist intents

With `SKAL_DATA_HOME` set, the data are taken from there and not downloaded. On one core
a line takes seconds (digits, Fashion-MNIST) or minutes (intents).
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
from compare_oracles import BUDGETS, PROBLEMS, oracles
from lines import append, read
from oracles_page import CAUGHT_UP, LUCK, RANDOM, caught_up, gather

from skal import Random, evaluate_order

SEED_COLUMNS = [
    *["problem", "oracle", "budget", "seed", "validation", "test"],
    *["other_validation", "other_test"],
]
POINT_COLUMNS = ["problem", "seed", "trainings", "validation", "test"]
RANDOM_COLUMNS = ["problem", "seed", "orders", "validation", "test"]
N_ORDERS = 20
# Of training; a search has one of 0 to 4.
OTHERS = range(5, 15)


def find(problem, name, budget, seed, **params):
    """Return the sets, and the learner after the search of `compare_oracles.py`."""
    sets, learner = PROBLEMS[problem](seed)
    size = learner.batch_size * learner.n_rounds
    oracle = oracles(budget, size, learner.n_rounds)[name]
    learner.set_params(strategy=oracle.set_params(**params))
    return sets, learner.fit(**sets)


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
    """Return the line of the guided search of most trainings, ended after fewer."""
    longest = max(BUDGETS)
    _, learner = find(problem, "guided", longest, seed, max_trainings=n_trainings)
    values = [learner.validation_quality_, learner.quality_]
    return [problem, seed, n_trainings, *(f"{value:.6f}" for value in values)]


def of_random_orders(problem, seed, n_orders):
    """Return the line of one seed: mean qualities of random orders of its own."""
    sets, learner = PROBLEMS[problem](seed)
    qualities = []
    for i in range(n_orders):
        learner.set_params(strategy=Random(random_state=seed * n_orders + i))
        learner.fit(**sets)
        qualities.append([learner.validation_quality_, learner.quality_])
    values = np.mean(qualities, axis=0)
    return [problem, seed, n_orders, *(f"{value:.6f}" for value in values)]


def work(path, columns, cells, run):
    """Add the lines of those cells that have none yet."""
    done = {tuple(row[c] for c in columns) for row in read(path)}
    for cell in cells:
        if not any(row[: len(cell)] == tuple(map(str, cell)) for row in done):
            row = run(*cell)
            append(path, columns, row)
            print(*row, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("what", choices=["seeds", "caught-up", "random"])
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
