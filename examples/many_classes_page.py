"""
The page on many intents
========================

Inserts the tables of the runs of `many_classes.py` into a page between the lines
`<!-- tables -->` and `<!-- end of tables -->`.

    python examples/many_classes_page.py PAGE.md

A quality is the mean test accuracy over the rounds k = 1..K. Gains are paired by split,
and have an interval if there are three splits or more.
"""

from collections import defaultdict

import numpy as np
from intents import SIZES
from lines import read
from many_classes import MODELS, N_POOL, N_TEST, N_VAL, OUT, strategies
from pages import insert, interval, run, table

NAMES = {"banking": "BANKING77", "clinc": "CLINC150"}
COLUMNS = ["strategy", "quality", "over random", "gap closed", "on validation"]
# Splits from which an interval is shown: of two, it would be very wide.
MIN_SPLITS = 3
COLUMNS += ["last accuracy", "distance of inputs", "distance of labels"]


def gather(rows):
    """Return the runs by data, source, target and strategy.

    Returns
    -------
    dict of (data, source, target, strategy) to ndarray of shape (n_seeds, 5)
        Quality, quality on validation, last accuracy, and distances of inputs and
        labels; means over the orders of a seed.
    """
    runs = defaultdict(lambda: defaultdict(list))
    for row in rows:
        key = row["data"], row["found with"], row["model"], row["strategy"]
        curve = np.array(row["curve"].split(), dtype=float)
        numbers = (
            float(row[name])
            for name in ("validation", "input distance", "label distance")
        )
        validation, *distances = numbers
        run = [curve[1:].mean(), validation, curve[-1], *distances]
        runs[key][int(row["seed"])].append(run)
    return {
        key: np.array([np.mean(seeds[seed], axis=0) for seed in sorted(seeds)])
        for key, seeds in runs.items()
    }


def gain_text(gain, data):
    """Return the mean of gains, with an interval if there are enough of them."""
    return interval(gain, overlap(data), enough=MIN_SPLITS)


def overlap(data):
    """Return the ratio of test rows to all others of a split."""
    return N_TEST / (2 * SIZES[data][1] + N_POOL[data] + N_VAL)


def compared(found, data, model):
    """Yield a row for each strategy, the best first."""
    of = {name: found[data, model, model, name] for name in strategies(1)}
    random, oracle = of["random"][:, 0], of["oracle"][:, 0]
    for name in sorted(of, key=lambda name: -of[name][:, 0].mean()):
        mean, gain = of[name].mean(axis=0), of[name][:, 0] - random
        plain = name == "random"
        yield [
            name,
            f"{mean[0]:.3f}",
            "" if plain else gain_text(gain, data),
            "" if plain else f"{gain.mean() / (oracle - random).mean():.0%}",
            "" if plain else f"{mean[1]:.3f}",
            *(f"{value:.3f}" for value in mean[2:]),
        ]


def transferred(found, data):
    """Yield a row for each strategy: gains over random by source and target."""
    for name in list(strategies(1))[1:]:
        cells = []
        for target in MODELS:
            random = found[data, target, target, "random"][:, 0]
            for source in MODELS:
                gain = found[data, source, target, name][:, 0] - random
                cells.append(gain_text(gain, data))
        yield [name, *cells]


def parts(found):
    """Yield the tables of each data set that has runs."""
    pairs = [f"{source} order, {target}" for target in MODELS for source in MODELS]
    for data, name in NAMES.items():
        if not any(key[0] == data for key in found):
            continue
        n = len(found[data, *list(MODELS)[:1] * 2, "oracle"])
        splits = "1 split" if n == 1 else f"{n} splits"
        yield f"### {name}: {SIZES[data][1]} intents, {splits}"
        for model in MODELS:
            yield f"Trained: {model}."
            yield table(COLUMNS, compared(found, data, model))
        yield "Gains over random of an order that was found with one of the models:"
        yield table(["strategy", *pairs], transferred(found, data))


def write(page, runs):
    """Write the tables between two marks of a page."""
    insert(page, parts(gather(read(runs))))


if __name__ == "__main__":
    run(write, OUT, __doc__)
