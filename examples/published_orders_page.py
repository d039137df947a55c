"""
The page on the paper's own orders
==================================

Inserts the tables of the runs of `published_orders.py` into a page between the lines
`<!-- tables -->` and `<!-- end of tables -->`.

    python examples/published_orders_page.py docs/published_orders.md

A quality is the mean test score over the rounds k = 0..K, as in the published tables.
"""

import argparse
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lines import read
from pages import insert, table
from published_orders import ORACLE, OUT, TASKS, Cell
from scipy import stats

from skal.datasets import load_published_runs

OWN = ["task", "model", "strategy", "orders", "published", "with skal"]
OWN += ["difference", "published: over random", "with skal: over random"]
SEARCHED = ["task", "model", "seeds", "trainings", "skal: validation", "skal: test"]
SEARCHED += ["paper's order: validation", "paper's order: test", "skal ahead on test"]
TRANSFERS = ["from", "to", "strategy", "published", "with skal"]
TRANSFERS += ["published: over random", "with skal: over random"]


class Quality(NamedTuple):
    """The quality of one order, or the mean over random ones."""

    valid: float
    test: float
    trainings: int = 0


def gather(rows):
    """Return the mean quality of each cell, with random orders averaged."""
    found = defaultdict(list)
    for row in rows:
        cell = Cell(*(row[field] for field in Cell._fields))
        cell = cell._replace(
            source_seed=int(cell.source_seed),
            seed=int(cell.seed),
            dropout=cell.dropout == "True",
            number=0,
        )
        curves = (np.array(row[on].split(), dtype=float) for on in ("valid", "test"))
        quality = Quality(*(curve.mean() for curve in curves), int(row["trainings"]))
        found[cell].append(quality)
    return {cell: Quality(*np.mean(found[cell], axis=0)) for cell in found}


def published():
    """Return the published quality of each cell on test, random orders among them."""
    short = {name: task for task, name in TASKS.items()}
    found = {}
    for run in load_published_runs():
        if run.on == "test":
            source = run.source_model, run.source_seed
            cell = Cell(short[run.task], run.strategy, *source, run.model, run.seed)
            found[cell._replace(dropout=run.dropout)] = run.curve.mean()
    return found


def is_own(cell):
    return (cell.source_model, cell.source_seed) == (cell.model, cell.seed)


def groups(ours):
    """Return the cells of own orders by task, model and strategy."""
    found = defaultdict(list)
    for cell in ours:
        plain = cell.dropout or cell.strategy not in ("bald", "batchbald")
        if is_own(cell) and plain and cell.strategy != ORACLE:
            found[cell.task, cell.model, cell.strategy].append(cell)
    return found


def spread(differences):
    """Return the mean of differences, with a 95 % t-interval if there are several."""
    mean = np.mean(differences)
    if len(differences) < 2:
        return f"{mean:+z.3f}"
    error = stats.sem(differences) * stats.t.ppf(0.975, len(differences) - 1)
    return f"{mean:+z.3f} ± {error:.3f}"


def random_of(cell):
    """Return the cell of the random orders that a cell is compared with."""
    own = (cell.model, cell.seed) * 2
    return Cell(cell.task, "random", *own)


def own_orders(ours, theirs):
    """Yield a row per task, model and strategy, the best published first."""
    found = groups(ours)
    means = {key: np.mean([theirs[c] for c in found[key]]) for key in found}
    models = list(dict.fromkeys(key[:2] for key in found))
    tasks = list(TASKS)
    for key in sorted(
        found, key=lambda k: (tasks.index(k[0]), models.index(k[:2]), -means[k])
    ):
        cells = found[key]
        mine = [ours[cell].test for cell in cells]
        differences = [ours[cell].test - theirs[cell] for cell in cells]
        row = [key[0].upper(), *key[1:], str(len(cells))]
        row += [f"{means[key]:.3f}", f"{np.mean(mine):.3f}", spread(differences)]
        if key[2] == "random":
            yield [*row, "", ""]
            continue
        yield [*row, *over_random(cells, ours, theirs)]


def over_random(cells, ours, theirs):
    """Return the published gain over random orders and ours, with intervals."""
    random = [random_of(cell) for cell in cells]
    gains = [
        [theirs[c] - theirs[r] for c, r in zip(cells, random, strict=True)],
        [
            ours[c].test - ours[r].test
            for c, r in zip(cells, random, strict=True)
            if r in ours
        ],
    ]
    return [spread(values) if values else "" for values in gains]


def searches(ours):
    """Yield a row per task and model: skal's search against the paper's order."""
    found = defaultdict(list)
    for cell in ours:
        if cell.strategy == ORACLE:
            found[cell.task, cell.model].append(cell)
    for (task, model), cells in found.items():
        rivals = [ours[cell._replace(strategy="optimal")] for cell in cells]
        mine = [ours[cell] for cell in cells]
        means = np.mean(
            [[*m[:2], *r[:2]] for m, r in zip(mine, rivals, strict=True)], 0
        )
        gains = [m.test - r.test for m, r in zip(mine, rivals, strict=True)]
        n_trainings = round(np.mean([m.trainings for m in mine]))
        yield [
            *(task.upper(), model, str(len(cells)), f"{n_trainings:,}"),
            *(f"{mean:.3f}" for mean in means),
            spread(gains),
        ]


def transfers(ours, theirs):
    """Yield a row per order that is followed with another model."""
    for cell, quality in ours.items():
        if cell.source_model == cell.model or random_of(cell) not in ours:
            continue
        random = random_of(cell)
        gains = theirs[cell] - theirs[random], quality.test - ours[random].test
        yield [
            *(cell.source_model, cell.model, cell.strategy),
            *(f"{theirs[cell]:.3f}", f"{quality.test:.3f}"),
            *(f"{gain:+z.3f}" for gain in gains),
        ]


def agreement(ours, theirs):
    """Return a sentence on the agreement of gains over random orders."""
    pairs = []
    for key, cells in groups(ours).items():
        ready = [c for c in cells if random_of(c) in ours and key[2] != "random"]
        if ready:
            gains = [(theirs[c] - theirs[random_of(c)]) for c in ready]
            mine = [ours[c].test - ours[random_of(c)].test for c in ready]
            pairs.append((np.mean(gains), np.mean(mine)))
    x, y = np.array(pairs).T
    same, r = np.sum(np.sign(x) == np.sign(y)), np.corrcoef(x, y)[0, 1]
    return (
        f"Of the {len(pairs)} strategies of all tasks and models, {same} are on the "
        "same side of random orders as published; the correlation of the two gains "
        f"is {r:.2f}."
    )


def write(page, runs):
    """Write the tables between two marks of a page."""
    ours, theirs = gather(read(runs)), published()
    parts = [
        "### Orders followed with their own model and seed",
        agreement(ours, theirs),
        table(OWN, own_orders(ours, theirs)),
    ]
    if rows := list(searches(ours)):
        parts += ["### skal's own search on the paper's data", table(SEARCHED, rows)]
    if rows := list(transfers(ours, theirs)):
        parts += [
            "### Orders of one model followed with another",
            table(TRANSFERS, rows),
        ]
    insert(page, parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", type=Path, default=OUT)
    args = parser.parse_args()
    write(args.page, args.runs)


if __name__ == "__main__":
    main()
