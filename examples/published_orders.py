"""
The paper's own orders, followed with skal's nets
=================================================

Zhou et al. released their labelling orders: those that their search found, those of the
heuristics, and those that were carried to other seeds and models. Each one is followed
here on the paper's own data, with skal's net of the same kind and the same seed. Random
orders are followed for comparison.

    python examples/published_orders.py
    python examples/published_orders_page.py docs/published_orders.md

Each order adds a line to a file; orders that are already in the file are skipped. With
`--search N`, skal also searches an order of its own with N trainings, which is compared
with the paper's optimal order. If `SKAL_DATA_HOME` is set, the data are read from there
and not downloaded. All orders of a model and a seed are followed side by side, but for
nets with dropout, which `--dropout` asks for: BALD's own. On one core, an order takes a
few seconds for intents, and about a minute for images and entities.

With `--checkpoint`, the orders of intents that RoBERTa followed are followed, and no
others. It names a transformer, RoBERTa or a smaller one that takes its place. An order
takes about twenty minutes with a small one.
"""

import argparse
import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np

# One thread per training: more are slower, and would compete with other jobs for cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from lines import append, read
from ner_strategies import train
from reproduction.plan import NAMES

from skal import AnnealingOracle, load_task
from skal.datasets import load_published_runs
from skal.training import Trainer

OUT = Path("docs/runs/published_orders.csv")
COLUMNS = ["task", "strategy", "source_model", "source_seed", "model", "seed"]
COLUMNS += ["dropout", "number", "trainings", "seconds", "valid", "test", "order"]
KEY = COLUMNS[:8]
# Followed on request: one training takes one or two minutes.
ROBERTA = "roberta"
# The tasks by their names in skal.
SHORT = {name: task for task, name in NAMES.items()}
OPTIMAL, RANDOM, ORACLE = "optimal", "random", "skal"
N_RANDOM = 3


class Cell(NamedTuple):
    """One order to follow, or to search for; the columns of `KEY`."""

    task: str
    strategy: str
    source_model: str
    source_seed: int
    model: str
    seed: int
    dropout: bool = False
    number: int = 0

    @classmethod
    def of(cls, run):
        """Return the cell of a released run."""
        where = run.source_model, run.source_seed, run.model, run.seed
        return cls(SHORT[run.task], run.strategy, *where, run.dropout)


def published(task):
    """Return the released orders that were measured on test, by their cells."""
    return {
        Cell.of(run): run.order
        for run in load_published_runs(NAMES[task])
        if run.on == "test" and run.order is not None
    }


def own_pairs(task):
    """Return each model and seed whose own optimal order was released."""
    cells = (cell for cell in published(task) if cell.strategy == OPTIMAL)
    pairs = {(c.model, c.seed) for c in cells if c[2:4] == c[4:6]}
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))


def orders_of(task, problem, *, foreign=False, dropout=False):
    """Return the orders to follow by cell: the released ones, and random ones.

    Parameters
    ----------
    task : {"oc", "ic", "ner"}
    problem : Problem
        The data of the task.
    foreign : bool, default=False
        Whether orders are also followed with other seeds than their own.
    dropout : bool, default=False
        Whether orders are followed with nets that have dropout, too.
    """
    length, found = problem.batch_size * problem.n_rounds, {}
    for pair in own_pairs(task):
        for number in range(N_RANDOM):
            order = np.random.default_rng(number).permutation(problem.n_pool)[:length]
            found[Cell(task, RANDOM, *pair, *pair, number=number)] = order
    for cell, order in published(task).items():
        is_own_seed = foreign or cell.source_seed == cell.seed
        if is_own_seed and (dropout or not cell.dropout):
            found[cell] = order
    return found


def follow(problem, orders):
    """Follow orders side by side.

    Parameters
    ----------
    problem : Problem
        Its seed is the xi of the trainings.
    orders : list of ndarray of shape (B * K,)

    Returns
    -------
    valid, test : list of list of float
        The curves of each order, equal to those of an `ActiveLearner`.
    """
    trainer, found = Trainer(problem), ([], [])
    for k in range(problem.n_rounds + 1):
        begun = (order[: k * problem.batch_size] for order in orders)
        models = train(trainer, dict(enumerate(begun))).values()
        for curves, on in zip(found, ("val", "test"), strict=True):
            X, y = problem.sets[f"X_{on}"], problem.sets[f"y_{on}"]
            scores = {id(m): problem.scorer(m, X, y) for m in models}
            curves.append([scores[id(model)] for model in models])
    return tuple(np.transpose(curves).tolist() for curves in found)


def line(cell, n_trainings, seconds, curves, order):
    """Return the line of one cell."""
    texts = [" ".join(f"{score:.6f}" for score in curve) for curve in curves]
    # The released orders are part of skal, and need not be kept again.
    is_new = cell.strategy in (RANDOM, ORACLE)
    text = " ".join(map(str, order)) if is_new else ""
    return [*cell, n_trainings, f"{seconds:.1f}", *texts, text]


def replay(task, orders):
    """Yield the lines of orders, those of a model and a seed side by side.

    Orders of RoBERTa are followed one by one, so that little is lost if it is stopped,
    with one random order first.
    """
    groups = defaultdict(dict)
    for i, (cell, order) in enumerate(orders.items()):
        alone = (cell.number, i) if cell.model == ROBERTA else ()
        groups[cell.seed, cell.model, cell.dropout, alone][cell] = order
    for (seed, model, dropout, _), group in sorted(groups.items()):
        models = task.posterior_estimators if dropout else task.estimators
        problem = replace(task.problem, estimator=models[model], seed=seed)
        begin = process_time()
        curves = zip(*follow(problem, list(group.values())), strict=True)
        seconds = (process_time() - begin) / len(group)
        for (cell, order), pair in zip(group.items(), curves, strict=True):
            yield line(cell, problem.n_rounds + 1, seconds, pair, order)


def search(task, cell, n_trainings, folder, callbacks=()):
    """Return the line of skal's own search, which callbacks may stop."""
    n_steps = n_trainings // task.problem.n_rounds
    journal = folder and folder / f"{cell.task}_{cell.model}_{cell.seed}.db"
    oracle = AnnealingOracle(
        n_steps=n_steps, max_trainings=n_trainings, journal=journal
    ).set_callbacks(*callbacks)
    begin = process_time()
    learner = task.learner(oracle, cell.model, random_state=cell.seed)
    learner.fit(**task.problem.sets)
    curves = learner.validation_curve_, learner.curve_
    seconds = process_time() - begin
    return line(cell, learner.n_trainings_, seconds, curves, learner.order_)


def lines_of(short, done, *, n_trainings=None, journal=None, checkpoint=None, **which):
    """Yield the lines of a task that are not done yet."""
    task = load_task(NAMES[short], split="published")
    if checkpoint is not None:
        task.estimators[ROBERTA].set_params(checkpoint=checkpoint)

    def is_left(cell):
        is_asked_for = (cell.model == ROBERTA) == (checkpoint is not None)
        return is_asked_for and tuple(map(str, cell)) not in done

    orders = orders_of(short, task.problem, **which)
    yield from replay(task, {c: order for c, order in orders.items() if is_left(c)})
    for model, seed in own_pairs(short) if n_trainings else ():
        cell = Cell(short, ORACLE, model, seed, model, seed)
        if is_left(cell):
            yield search(task, cell, n_trainings, journal)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--tasks", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument(
        "--foreign", action="store_true", help="follow orders with other seeds, too"
    )
    parser.add_argument(
        "--dropout", action="store_true", help="follow orders of BALD as published"
    )
    parser.add_argument(
        "--checkpoint", help="follow RoBERTa's orders alone, with this transformer"
    )
    parser.add_argument("--search", type=int, help="trainings of skal's own searches")
    parser.add_argument("--journal", type=Path, help="folder of resumable searches")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    for short in args.tasks:
        done = {tuple(row[column] for column in KEY) for row in read(args.out)}
        given = {"n_trainings": args.search, "journal": args.journal}
        given |= {"foreign": args.foreign, "dropout": args.dropout}
        given["checkpoint"] = args.checkpoint if short == "ic" else None
        for row in lines_of(short, done, **given):
            append(args.out, COLUMNS, row)
            quality = np.mean(np.array(row[11].split(), dtype=float))
            print(*row[:10], f"{quality:.4f}", flush=True)


if __name__ == "__main__":
    main()
