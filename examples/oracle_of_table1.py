"""
The oracle of the paper's Table 1, on the real data
===================================================

The search of the paper with its original sizes: 25,000 steps of simulated annealing and
5,000 greedy steps, for intents with the average of embeddings. The search is kept in a
journal: if it is killed, the same command resumes it. At its end, a line is added to a
file, in the format of `heuristics_of_table1.py` with some more columns.

    python examples/oracle_of_table1.py --jobs 2 --seed 0

If `SKAL_DATA_HOME` is set, the data are read from there and not downloaded.
"""

import argparse
from pathlib import Path
from time import perf_counter

from lines import append

from skal import AnnealingOracle, load_task, xi_quality

COLUMNS = [
    *["task", "model", "strategy", "seed", "steps", "seconds", "trainings"],
    *["ahead", "validation", "curve"],
]


def search(task, args):
    """Return the learner after the search, and the duration in seconds."""
    oracle = AnnealingOracle(
        n_steps=args.steps,
        n_greedy=args.steps // 5,
        gamma=0.1,
        proposal="uniform",
        n_jobs=args.jobs,
        journal=args.journal,
    )
    learner = task.learner(oracle, args.model, random_state=args.seed)
    begin = perf_counter()
    learner.fit(**task.problem.sets)
    return learner, perf_counter() - begin


def line(task, args, learner, seconds):
    """Return the values of a line, in the order of `COLUMNS`."""
    found = learner.strategy_
    return [
        *[task.name, args.model, "oracle", args.seed],
        *[len(found.history_["step"]) - 1, round(seconds, 1), found.n_trainings_],
        *[found.n_speculative_, f"{found.quality_:.6f}"],
        " ".join(f"{score:.6f}" for score in learner.curve_),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--task", default="intent_classification")
    parser.add_argument("--model", default="aoe")
    parser.add_argument("--steps", type=int, default=25000, help="of annealing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--journal", type=Path, default="oracle_of_table1.db")
    parser.add_argument("--out", type=Path, default="oracle_of_table1.csv")
    args = parser.parse_args()
    task = load_task(args.task)
    learner, seconds = search(task, args)
    row = line(task, args, learner, seconds)
    append(args.out, COLUMNS, row)
    for name, value in zip(COLUMNS, row, strict=True):
        print(f"{name:>12} {value}")
    quality = xi_quality(learner.curve_, include_warm_start=True)
    print(f"Quality on test, k = 0..K: {quality:.3f}")


if __name__ == "__main__":
    main()
