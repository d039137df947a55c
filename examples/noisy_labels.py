"""
The optimal labelling order if annotators are wrong
===================================================

Annotators give a share of the digits another class. An oracle, margin sampling and
random orders label them for a scaled logistic regression, over several splits. The
oracle's orders are then followed again with other mistakes of the same annotators, and
with true labels.

    python examples/noisy_labels.py --seeds 5
    python examples/noisy_labels_page.py docs/noisy_labels.md

Each run adds a line to a file; runs that are already in the file are skipped. The
noises of one rate are run on all splits before the next rate. All take about six
minutes on one core.
"""

import argparse
from pathlib import Path

from lines import append, read
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import (
    ActiveLearner,
    AnnealingOracle,
    FixedOrder,
    Margin,
    NoisyLabels,
    Random,
    split,
)

OUT = Path("docs/runs/noisy_labels.csv")
COLUMNS = ["kind", "rate", "seed", "strategy", "order", "wrong", "validation", "curve"]
# Rates in the order in which they are run, so that an early stop leaves whole rates.
KINDS, RATES = ("uniform", "class", "boundary"), (0.2, 0.4, 0.1)
NOISES = [("none", 0.0), *((kind, rate) for rate in RATES for kind in KINDS)]
SIZES = {"warm_size": 40, "val_size": 478, "test_size": 479}
BATCH_SIZE, N_ROUNDS = 20, 8
# Random orders of a split, and other mistakes with which an oracle's order is followed.
N_RANDOM, N_OTHERS = 5, 3


def noise(kind, rate, seed=None):
    """Return the annotators; None if they are always right."""
    return None if kind == "none" else NoisyLabels(rate, kind, random_state=seed)


def learn(sets, strategy, annotators, seed):
    """Return a fitted learner."""
    learner = ActiveLearner(
        make_pipeline(StandardScaler(), LogisticRegression()),
        strategy,
        batch_size=BATCH_SIZE,
        n_rounds=N_ROUNDS,
        noise=annotators,
        random_state=seed,
    )
    return learner.fit(**sets)


def runs(sets, kind, rate, seed, max_trainings):
    """Yield the strategy, the number of the run and the learner of all runs."""
    own = noise(kind, rate)
    oracle = learn(sets, AnnealingOracle(max_trainings=max_trainings), own, seed)
    yield "oracle", 0, oracle
    yield "margin", 0, learn(sets, Margin(), own, seed)
    for i in range(N_RANDOM):
        yield "random", i, learn(sets, Random(random_state=i), own, seed)
    if own is None:
        return
    order = FixedOrder(oracle.order_)
    yield "oracle, true labels", 0, learn(sets, order, None, seed)
    for i in range(N_OTHERS):
        others = noise(kind, rate, seed=1000 + i)
        yield "oracle, other mistakes", i, learn(sets, order, others, seed)


def run(X, y, n_seeds, max_trainings, out):
    """Add all runs that are not in the file yet."""
    done = {tuple(row[c] for c in COLUMNS[:3]) for row in whole(read(out))}
    for rate in dict.fromkeys(rate for _, rate in NOISES):
        for seed in range(n_seeds):
            for kind in [kind for kind, one in NOISES if one == rate]:
                if (kind, str(rate), str(seed)) not in done:
                    sets = split(X, y, **SIZES, random_state=seed)
                    add(sets, [kind, rate, seed], max_trainings, out)


def add(sets, cell, max_trainings, out):
    """Run all strategies on a noise and a split, and add their lines to the file."""
    made = [line([*cell, *key], one) for *key, one in runs(sets, *cell, max_trainings)]
    for row in made:
        append(out, COLUMNS, row)
    print(*made[0], flush=True)


def whole(rows):
    """Return the rows of noises that have all their runs in the file."""
    n = {False: 2 + N_RANDOM + 1 + N_OTHERS, True: 2 + N_RANDOM}
    cells = [(row["kind"], row["rate"], row["seed"]) for row in rows]
    return [
        row
        for row, cell in zip(rows, cells, strict=True)
        if cells.count(cell) >= n[row["kind"] == "none"]
    ]


def line(key, learner):
    """Return the line of one run; `wrong` is the share of wrong labels in the order."""
    scores = " ".join(f"{score:.6f}" for score in learner.curve_)
    numbers = learner.mislabelled_.mean(), learner.validation_quality_
    return [*key, *(f"{value:.6f}" for value in numbers), scores]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--max-trainings", type=int, default=300)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    X, y = load_digits(return_X_y=True)
    run(X, y, given.seeds, given.max_trainings, given.out)


if __name__ == "__main__":
    main()
