"""
The page on the paper's own orders
==================================

Inserts the tables of the runs of `published_orders.py` into a page between the lines
`<!-- tables -->` and `<!-- end of tables -->`.

    python examples/published_orders_page.py docs/published_orders.md

A quality is the mean test score over the rounds k = 0..K, as in the published tables.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from lines import read
from longer_search import OUT as LONGER
from pages import insert, interval, run, table
from published_orders import OPTIMAL, ORACLE, OUT, RANDOM, Cell
from reproduction.plan import NAMES
from reproduction.published import is_of_one_model

from skal.datasets import load_published_runs

OWN = ["task", "model", "strategy", "orders", "published", "with skal"]
OWN += ["difference", "published: over random", "with skal: over random"]
SEARCHED = ["task", "model", "seeds", "trainings", "skal: validation", "skal: test"]
SEARCHED += ["paper's order: validation", "paper's order: test", "skal ahead on test"]
GROWN = ["order", "trainings", "validation", "test", "test: over random"]
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
    runs = [run for run in load_published_runs() if run.on == "test"]
    return {Cell.of(run): run.curve.mean() for run in runs}


def groups(ours):
    """Return the cells of own orders by task, model and strategy."""
    found = defaultdict(list)
    for cell in ours:
        is_own = is_of_one_model(cell) and cell.source_seed == cell.seed
        if is_own and cell.strategy != ORACLE:
            found[cell.task, cell.model, cell.strategy].append(cell)
    return found


def spread(differences):
    """Return the mean of differences, with a 95 % t-interval if there are several."""
    return interval(differences, overlap=0)


def random_of(cell):
    """Return the cell of the random orders that a cell is compared with."""
    own = (cell.model, cell.seed) * 2
    return Cell(cell.task, RANDOM, *own)


def own_orders(ours, theirs):
    """Yield a row per task, model and strategy, the best published first."""
    found = groups(ours)
    means = {key: np.mean([theirs[c] for c in found[key]]) for key in found}
    models = list(dict.fromkeys(key[:2] for key in found))
    tasks = list(NAMES)
    for key in sorted(
        found, key=lambda k: (tasks.index(k[0]), models.index(k[:2]), -means[k])
    ):
        cells = found[key]
        mine = [ours[cell].test for cell in cells]
        differences = [ours[cell].test - theirs[cell] for cell in cells]
        row = [key[0].upper(), *key[1:], str(len(cells))]
        row += [f"{means[key]:.3f}", f"{np.mean(mine):.3f}", spread(differences)]
        if key[2] == RANDOM:
            yield [*row, "", ""]
            continue
        yield [*row, *over_random(cells, ours, theirs)]


def over_random(cells, ours, theirs):
    """Return the published gain over random orders and ours, with intervals."""
    ready = [cell for cell in cells if random_of(cell) in ours]
    pairs = [gains(cell, ours, theirs) for cell in ready]
    return [spread(values) for values in zip(*pairs, strict=True)] or ["", ""]


def searches(ours):
    """Yield a row per task and model: skal's search against the paper's order."""
    found = defaultdict(list)
    for cell in ours:
        if cell.strategy == ORACLE:
            found[cell.task, cell.model].append(cell)
    for (task, model), cells in found.items():
        pairs = [(ours[c], ours[c._replace(strategy=OPTIMAL)]) for c in cells]
        means = np.mean([[*mine[:2], *rival[:2]] for mine, rival in pairs], axis=0)
        n_trainings = round(np.mean([mine.trainings for mine, _ in pairs]))
        yield [
            *(task.upper(), model, str(len(cells)), f"{n_trainings:,}"),
            *(f"{mean:.3f}" for mean in means),
            spread([mine.test - rival.test for mine, rival in pairs]),
        ]


def grown(ours, stops):
    """Yield the rows of a search by its length, between those of other orders.

    Parameters
    ----------
    ours : dict of Cell to Quality
    stops : list of dict
        The lines of `longer_search.py`.
    """
    stops = sorted(stops, key=lambda stop: int(stop["steps"]))
    found = [pair for stop in stops for pair in gather([stop]).items()]
    searched, _ = found[0]
    random = ours[random_of(searched)]
    orders = [(RANDOM, "", random)]
    orders += [("skal's search", f"{q.trainings:,.0f}", q) for _, q in found]
    orders.append((OPTIMAL, "", ours[searched._replace(strategy=OPTIMAL)]))
    for name, trainings, quality in orders:
        gain = quality.test - random.test
        row = [name, trainings, f"{quality.valid:.3f}", f"{quality.test:.3f}"]
        yield [*row, f"{gain:+z.3f}" if name != RANDOM else ""]


def transferred(ours):
    """Return the cells of orders that are followed with another model."""
    return [
        cell
        for cell in ours
        if cell.source_model != cell.model and random_of(cell) in ours
    ]


def transfers(ours, theirs):
    """Yield a row per order that is followed with another model."""
    for cell in transferred(ours):
        yield [
            *(cell.source_model, cell.model, cell.strategy),
            *(f"{theirs[cell]:.3f}", f"{ours[cell].test:.3f}"),
            *(f"{gain:+z.3f}" for gain in gains(cell, ours, theirs)),
        ]


def gains_of_strategies(ours, theirs, task):
    """Return the published gain over random orders and ours, for each strategy."""
    pairs = []
    for (of, _, strategy), cells in groups(ours).items():
        ready = [cell for cell in cells if random_of(cell) in ours]
        if of == task and strategy != RANDOM and ready:
            pairs.append(np.mean([gains(c, ours, theirs) for c in ready], axis=0))
    return pairs


def gains(cell, ours, theirs):
    """Return the published gain of a cell over random orders, and ours."""
    random = random_of(cell)
    return theirs[cell] - theirs[random], ours[cell].test - ours[random].test


def agreement(what, pairs):
    """Return a line on how well published gains and ours agree."""
    x, y = np.transpose(pairs)
    n_same, r = np.sum(np.sign(x) == np.sign(y)), np.corrcoef(x, y)[0, 1]
    return (
        f"- {what}: {n_same} of {len(pairs)} gains over random orders have the sign of "
        f"the published ones, and they correlate by {r:.2f}"
    )


def agreements(ours, theirs):
    """Yield a line for each task, and one for orders that were carried."""
    for task in NAMES:
        if len(pairs := gains_of_strategies(ours, theirs, task)) > 1:
            yield agreement(f"{task.upper()}, means of each strategy", pairs)
    carried = [gains(cell, ours, theirs) for cell in transferred(ours)]
    if len(carried) > 1:
        yield agreement("IC, orders carried to other models", carried)


def write(page, runs):
    """Write the tables between two marks of a page."""
    ours, theirs = gather(read(runs)), published()
    parts = ["\n".join(agreements(ours, theirs))]
    title = "### Orders followed with their own model and seed"
    parts += [title, table(OWN, own_orders(ours, theirs))]
    if rows := list(searches(ours)):
        parts += ["### skal's own search on the paper's data", table(SEARCHED, rows)]
    if stops := read(runs.with_name(LONGER.name)):
        title = "### The search on images by its length"
        parts += [title, table(GROWN, grown(ours, stops))]
    if rows := list(transfers(ours, theirs)):
        parts += [
            "### Orders of one model followed with another",
            table(TRANSFERS, rows),
        ]
    insert(page, parts)


if __name__ == "__main__":
    run(write, OUT, __doc__)
