"""
The page on annotators who are wrong
====================================

Inserts the tables of the runs of `noisy_labels.py` into a page between the lines
`<!-- tables -->` and `<!-- end of tables -->`.

    python examples/noisy_labels_page.py docs/noisy_labels.md

A quality is the mean test accuracy over the rounds k = 1..K. Gains are paired by split.
"""

from collections import defaultdict

import numpy as np
from lines import read
from noisy_labels import NOISES, OUT, SIZES, whole
from pages import insert, interval, run, table

# Test rows over all others of the 1,797 digits.
OVERLAP = SIZES["test_size"] / (1797 - SIZES["test_size"])
# Splits that an interval needs.
ENOUGH = 3
OTHERS, TRUE = "oracle, other mistakes", "oracle, true labels"
QUALITIES = ["annotators", "rate", "splits", "random", "margin", "oracle"]
QUALITIES += ["oracle over random", "margin over random", "gap closed by margin"]
WRONG = ["annotators", "rate", "wrong: random", "wrong: margin", "wrong: oracle"]
WRONG += ["oracle over random", "same order, other mistakes", "share of the gain left"]
WRONG += ["same order, true labels"]


def gather(rows):
    """Return the quality and the share of wrong labels of each strategy by noise.

    Returns
    -------
    dict of (kind, rate) to dict of str to ndarray of shape (n_seeds, 2)
        By strategy, the mean over its runs of a seed. Only seeds that have all runs.
    """
    runs = defaultdict(dict)
    for row in whole(rows):
        curve = np.array(row["curve"].split(), dtype=float)
        key = int(row["seed"]), int(row["order"])
        noise = row["kind"], float(row["rate"])
        runs[noise, row["strategy"]][key] = curve[1:].mean(), float(row["wrong"])
    found = defaultdict(dict)
    for (noise, strategy), of_seeds in runs.items():
        seeds = sorted({seed for seed, _ in of_seeds})
        found[noise][strategy] = np.array(
            [
                np.mean([run for (s, _), run in of_seeds.items() if s == seed], axis=0)
                for seed in seeds
            ]
        )
    return dict(found)


def named(noise):
    """Return the cells that name a noise."""
    return [noise[0], f"{noise[1]:.0%}"]


def ran(found):
    """Return the noises that have runs, sorted by rate."""
    return sorted(found, key=lambda noise: (noise[1], NOISES.index(noise)))


def spelled(gains):
    """Return a mean gain, with its interval if there are enough splits."""
    return interval(gains, OVERLAP, enough=ENOUGH)


def qualities(found):
    """Yield a row for each noise: qualities, gains over random, and their share."""
    for noise in ran(found):
        of = {name: runs[:, 0] for name, runs in found[noise].items()}
        gains = {name: of[name] - of["random"] for name in ("oracle", "margin")}
        share = gains["margin"].mean() / gains["oracle"].mean()
        yield [
            *named(noise),
            str(len(of["random"])),
            *(f"{of[name].mean():.3f}" for name in QUALITIES[3:6]),
            *map(spelled, gains.values()),
            f"{share:.0%}",
        ]


def mistakes(found):
    """Yield a row for each noise: wrong labels, and the same order with others."""
    for noise in ran(found)[1:]:
        of = {name: runs[:, 0] for name, runs in found[noise].items()}
        wrong = {name: runs[:, 1].mean() for name, runs in found[noise].items()}
        gains = {name: of[name] - of["random"] for name in ("oracle", OTHERS)}
        clean = of[TRUE] - found[NOISES[0]]["random"][: len(of[TRUE]), 0]
        yield [
            *named(noise),
            *(f"{wrong[name]:.1%}" for name in ("random", "margin", "oracle")),
            *map(spelled, gains.values()),
            f"{gains[OTHERS].mean() / gains['oracle'].mean():.0%}",
            spelled(clean),
        ]


def write(page, runs):
    """Write the tables between two marks of a page."""
    found = gather(read(runs))
    parts = [
        f"After ± is half a 95 % interval over splits, if there are {ENOUGH} or more.",
        table(QUALITIES, qualities(found)),
        table(WRONG, mistakes(found)),
    ]
    insert(page, parts)


if __name__ == "__main__":
    run(write, OUT, __doc__)
