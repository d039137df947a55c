"""
Oracles at equal cost
=====================

Which search finds the best labelling order with the same number of trainings? Every
oracle searches three problems with several seeds and budgets. Each run adds a line to a
file; runs that are already in the file are skipped. `oracles_page.py` makes tables and
a plot of the results.

    python examples/compare_oracles.py digits
    python examples/compare_oracles.py digits --budgets published --oracles annealing
    python examples/oracles_page.py docs/oracles.md

With `--journal search.db`, an interrupted search is resumed. Each search has a file of
its own, named `search-` followed by its parameters.

If `SKAL_DATA_HOME` is set, the data are read from there and not downloaded. On one
core, a search of 20,000 trainings takes one to six minutes (digits, Fashion-MNIST) or
twenty to fifty minutes (intents); the published search takes up to forty minutes or two
hours.
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
from lines import append, read
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, AnnealingOracle, Random, load_task, split, xi_quality
from skal.oracle import BeamOracle, BestOfStrategiesOracle, GreedyOracle

COLUMNS = [
    *["problem", "oracle", "budget", "seed"],
    *["trainings", "seconds", "validation", "test", "test_with_warm", "reached"],
]
BUDGETS = [1000, 5000, 20000]
# Smallest budget. The greedy search needs at least one training per row of an order,
# and Fashion-MNIST's orders have 300 rows.
FEWEST = 300
# Budget of the published search: 25,000 steps of annealing and 5,000 greedy steps.
PUBLISHED = "published"
# Numbers of trainings after which the validation quality of a search is recorded.
MARKS = np.unique(np.geomspace(100, 200_000, 100).astype(int))


def digits(seed):
    """Return 1,797 images of 8 x 8 pixels, split by the seed, and a learner."""
    X, y = load_digits(return_X_y=True)
    sets = split(X, y, warm_size=40, val_size=478, test_size=479, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return sets, ActiveLearner(
        model, Random(), batch_size=20, n_rounds=8, random_state=seed
    )


def fashion_mnist(seed):
    """Return Table 1's images as 50 principal components of the pool, and a learner."""
    sets = dict(load_task("object_classification").problem.sets)
    project = PCA(50, random_state=0).fit(sets["X"]).transform
    del sets["X_select"], sets["y_select"]  # for nets that stop early
    sets |= {name: project(sets[name]) for name in sets if name.startswith("X")}
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)
    return sets, ActiveLearner(
        model, Random(), batch_size=25, n_rounds=12, random_state=seed
    )


def intents(seed):
    """Return Table 1's intents, and a learner with the average of word embeddings."""
    task = load_task("intent_classification")
    return task.problem.sets, task.learner("random", "aoe", random_state=seed)


PROBLEMS = {"digits": digits, "fashion_mnist": fashion_mnist, "intents": intents}


def oracles(budget, size, n_rounds):
    """Return the oracles, each with a budget of `budget` trainings."""
    if budget == PUBLISHED:
        search = AnnealingOracle(n_steps=25_000, gamma=0.1, proposal="uniform")
        return {"annealing": search}
    # A uniform step retrains 46 % of the rounds on average, a guided step all of them;
    # one sixth of the steps are greedy.
    n_guided = int(budget / (n_rounds * 1.2))
    n_steps = int(n_guided / 0.46)
    limit = {"max_trainings": budget}
    per_round, of_beam = budget // n_rounds, budget // (4 * n_rounds - 3)
    return {
        "guided": AnnealingOracle(n_steps=n_guided, **limit),
        "annealing": AnnealingOracle(n_steps=n_steps, proposal="uniform", **limit),
        "greedy by point": GreedyOracle(n_candidates=budget // size),
        "greedy by round": GreedyOracle(n_candidates=per_round, by="round"),
        "beam": BeamOracle(width=4, n_candidates=of_beam, by="round"),
        "best of strategies": BestOfStrategiesOracle(n_candidates=per_round),
        "boss": BestOfStrategiesOracle(strategies="boss", n_candidates=per_round),
        "guided from boss": AnnealingOracle(n_steps=n_guided, start="boss", **limit),
    }


def equip(learner, name, budget, **params):
    """Give a learner one of the oracles, with a budget, and return the learner."""
    size = learner.batch_size * learner.n_rounds
    oracle = oracles(budget, size, learner.n_rounds)[name]
    return learner.set_params(strategy=oracle.set_params(**params))


def cells(args):
    """Yield all runs, seed by seed, so that an early stop leaves complete seeds."""
    for seed in args.seeds:
        for budget in args.budgets:
            for name in oracles(budget, 1, 1):
                if name in (args.oracles or [name]):
                    yield name, budget, seed


def journal_of(path, *cell):
    """Return the journal of one search; a journal holds searches of one oracle."""
    name = "-".join(map(str, cell)).replace(" ", "_")
    return path and path.with_name(f"{path.stem}-{name}{path.suffix}")


def run(problem, name, budget, seed, n_jobs, journal):
    """Return the line of one search."""
    sets, learner = PROBLEMS[problem](seed)
    equip(learner, name, budget, n_jobs=n_jobs, journal=journal)
    found = search(sets, learner)
    qualities = [found[name] for name in COLUMNS[6:9]]
    history = learner.strategy_.history_
    steps = np.searchsorted(history["n_trainings"], MARKS, side="right") - 1
    n_marks = np.searchsorted(MARKS, learner.n_trainings_, side="right")
    best = [history["best"][step] if step >= 0 else np.nan for step in steps[:n_marks]]
    return [
        *[problem, name, budget, seed, found["trainings"], found["seconds"]],
        *[f"{quality:.6f}" for quality in qualities],
        " ".join(f"{quality:.6f}" for quality in best),
    ]


def search(sets, learner):
    """Search with a learner's oracle, and return what was found, by column."""
    begin = perf_counter()
    learner.fit(**sets)
    return {
        "trainings": learner.strategy_.n_trainings_,
        "seconds": round(perf_counter() - begin, 1),
        "validation": learner.validation_quality_,
        "test": learner.quality_,
        "test_with_warm": xi_quality(learner.curve_, include_warm_start=True),
    }


def work(args):
    path = args.out / f"oracles_{args.problem}.csv"
    done = {tuple(row[c] for c in COLUMNS[1:4]) for row in read(path)}
    for cell in cells(args):
        if tuple(map(str, cell)) in done:
            continue
        journal = journal_of(args.journal, args.problem, *cell)
        row = run(args.problem, *cell, args.jobs, journal)
        append(path, COLUMNS, row)
        print(*row[:9], flush=True)


def budget(text):
    """Parse a budget, which must be large enough for one candidate per oracle."""
    if text == PUBLISHED:
        return text
    if int(text) < FEWEST:
        raise argparse.ArgumentTypeError(f"{text} is less than {FEWEST} trainings")
    return int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("problem", choices=PROBLEMS)
    names = list(oracles(FEWEST, 1, 1))
    parser.add_argument("--oracles", nargs="+", choices=names, help="all by default")
    parser.add_argument(
        "--budgets", nargs="+", type=budget, default=BUDGETS, help="or 'published'"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--journal", type=Path, help="keeps steps (default: none)")
    parser.add_argument("--out", type=Path, default=Path("docs/runs"))
    work(parser.parse_args())


if __name__ == "__main__":
    main()
