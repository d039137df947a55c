"""
The page on named entities where a sentence costs its tokens
============================================================

Inserts the tables of the runs of `ner_costs.py` into a page between the lines
`<!-- tables -->` and `<!-- end of tables -->`.

    python examples/ner_costs_page.py docs/ner_costs.md

A quality is the mean test score over the rounds k = 1..K. The share of the gap is the
gain over random selection as a part of the oracle's, on the means over seeds.
"""

from collections import defaultdict

import numpy as np
from lines import read
from ner_costs import N_ROUNDS, ORACLE, OUT
from pages import insert, run, table
from scipy.stats import ttest_rel

from skal import xi_quality

HEADER = ["strategy", "seeds", "quality", "over random", "share of the gap"]
HEADER += ["last score", "sentences labelled", "tokens spent", "trainings"]
MEASURES = ("curve", "sentences", "tokens", "trainings")


def gather(rows, unit):
    """Return the columns of each run by strategy and seed, as means over orders."""
    runs = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["unit"] == unit:
            columns = [np.array(row[name].split(), float) for name in MEASURES]
            runs[row["strategy"]][int(row["seed"])].append(columns)
    return {
        name: {
            seed: [np.mean(column, axis=0) for column in zip(*orders, strict=True)]
            for seed, orders in sorted(seeds.items())
        }
        for name, seeds in runs.items()
    }


def qualities(runs):
    """Return the quality of each seed."""
    return {seed: xi_quality(curve) for seed, (curve, *_) in runs.items()}


def gain(own, random):
    """Return the mean gain over the seeds of both, and p of a paired t-test."""
    seeds = sorted({*own} & {*random})
    pairs = np.array([[own[seed], random[seed]] for seed in seeds])
    mean = pairs[:, 0].mean() - pairs[:, 1].mean()
    if len(seeds) < 2:
        return f"{mean:+z.3f}"
    p = ttest_rel(*pairs.T).pvalue
    return f"{mean:+z.3f} (p {f'{p:.3f}' if p >= 0.001 else '<0.001'})"


def share(own, random, oracle):
    """Return the gain over random selection as a part of the oracle's."""
    seeds = sorted({*own} & {*random} & {*oracle})
    own, random, oracle = (
        np.mean([one[seed] for seed in seeds]) for one in (own, random, oracle)
    )
    return f"{(own - random) / (oracle - random):.0%}"


def spelled(values, digits=3):
    """Return the mean and the standard deviation."""
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def means(found):
    """Yield a row for each strategy, the best first."""
    quality = {name: qualities(runs) for name, runs in found.items()}
    for name in sorted(quality, key=lambda one: -np.mean([*quality[one].values()])):
        own, random = quality[name], quality["random"]
        runs = list(found[name].values())
        cells = [name, str(len(runs)), spelled([*own.values()])]
        cells.append("" if name == "random" else gain(own, random))
        cells.append(share(own, random, quality[ORACLE]) if ORACLE in quality else "")
        ends = [[column[-1] for column in run] for run in runs]
        columns = list(zip(*ends, strict=True))
        digits = (3, 0, 0, 0)
        yield [*cells, *map(spelled, columns, digits)]


def spending(found):
    """Yield the number of sentences after some rounds, for each strategy."""
    rounds = range(0, N_ROUNDS + 1, 2)
    for name, runs in found.items():
        counts = np.mean([run[1] for run in runs.values()], axis=0)
        yield [name, *(f"{counts[k]:.0f}" for k in rounds if k < len(counts))]


def write(page, runs):
    """Write the tables between two marks of a page."""
    parts = []
    for unit in ("tokens", "sentences"):
        if found := gather(read(runs), unit):
            parts += [f"By {unit}:", table(HEADER, means(found))]
    found = gather(read(runs), "tokens")
    header = ["sentences after round", *map(str, range(0, N_ROUNDS + 1, 2))]
    insert(page, [*parts, table(header, spending(found))])


if __name__ == "__main__":
    run(write, OUT, __doc__)
