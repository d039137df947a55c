"""
The first labels: which strategy to begin with when nothing is labelled
=======================================================================

Each strategy labels 50 rows in batches of 10, from nothing, and logistic regression is
scored on test after each batch, over ten random splits. Random selection is the mean of
ten orders in each split.

    python examples/cold_start.py run
    python examples/cold_start.py run --strategies CoreSet Then
    python examples/cold_start.py page docs/cold_start.md

Each run adds a line to a file; runs that are already in the file are skipped. `page`
writes the tables into a page. Any strategy of skal that works from nothing with its
default parameters can be named. If `SKAL_DATA_HOME` is set, Fashion-MNIST is read from
there and not downloaded. All runs take a few minutes on one core.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from lines import append, read
from pages import insert, table
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skal
from skal import ActiveLearner, Herding, Random, Then
from skal.datasets import fetch_fashion_mnist

OUT = Path("docs/runs/cold_start.csv")
COLUMNS = ["problem", "strategy", "split", "order", "curve"]
N_SPLITS, N_RANDOM = 10, 10
BATCH_SIZE, N_ROUNDS = 10, 5
LABELS = (10, 20, 50)
STRATEGIES = {
    "Random": Random(),
    "Herding": Herding(),
    "Herding, rows as they are": Herding(embedding=FunctionTransformer()),
    "Herding, all columns scaled": Herding(embedding=StandardScaler()),
    "Herding, weighted by margin": Herding("margin"),
    "Herding, then Margin": Then(Herding(), skal.Margin()),
}
DEFAULT = [*STRATEGIES, "ProbCover"]


def digits(seed):
    """Return digits with pixels between 0 and 1."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def fashion_mnist(seed):
    """Return 50 principal components of 3,500 images, drawn anew for each split."""
    images = fetch_fashion_mnist()
    rows = np.random.default_rng(seed).permutation(len(images.data))[:3500]
    X = images.data[rows].reshape(len(rows), -1) / 255
    return PCA(50, random_state=0).fit_transform(X), images.target[rows]


PROBLEMS = {"digits": digits, "Fashion-MNIST": fashion_mnist}


def find(name):
    """Return a strategy by its name: one of this script, or a class of skal."""
    return STRATEGIES[name] if name in STRATEGIES else getattr(skal, name)()


def curve(X, y, strategy, split, order):
    """Return the test accuracy after each batch."""
    if isinstance(strategy, Random):
        strategy = Random(random_state=order)
    learner = ActiveLearner(
        LogisticRegression(max_iter=1000),
        strategy,
        warm_size=0,
        val_size=0,
        batch_size=BATCH_SIZE,
        n_rounds=N_ROUNDS,
        random_state=split,
    )
    return learner.fit(X, y).curve_[1:]


def run(names, out):
    """Run all that is not in the file yet."""
    done = {tuple(row[c] for c in COLUMNS[:4]) for row in read(out)}
    for problem, load in PROBLEMS.items():
        for split in range(N_SPLITS):
            X, y = load(split)
            for name in names:
                for order in range(N_RANDOM if name == "Random" else 1):
                    cell = [problem, name, str(split), str(order)]
                    if tuple(cell) in done:
                        continue
                    scores = curve(X, y, find(name), split, order)
                    append(out, COLUMNS, [*cell, " ".join(f"{s:.4f}" for s in scores)])
                    print(*cell, scores.round(3), flush=True)


def gather(rows):
    """Return the scores after some numbers of labels, by problem and strategy.

    Each is an array of shape (n_splits, n_labels), with the mean over orders.
    """
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        scores = np.array(row["curve"].split(), dtype=float)
        at = [scores[n // BATCH_SIZE - 1] for n in LABELS]
        found[row["problem"], row["strategy"]][int(row["split"])].append(at)
    return {
        key: np.array([np.mean(splits[s], axis=0) for s in sorted(splits)])
        for key, splits in found.items()
    }


def tables(found):
    """Yield a table for each problem: means, and gains over random with their sd."""
    for problem in PROBLEMS:
        base = found[problem, "Random"]
        yield f"### {problem}"
        header = ["first labels", *(f"{n} labels" for n in LABELS)]
        rows = []
        names = [name for of, name in found if of == problem]
        for name in dict.fromkeys([*STRATEGIES, *names]):
            scores = found[problem, name]
            gains = None if name == "Random" else scores - base
            rows.append([name, *spelled(scores, gains)])
        yield table(header, rows)


def spelled(scores, gains):
    """Yield each mean, with the gain over random and its sd over splits."""
    for i, mean in enumerate(scores.mean(axis=0)):
        if gains is None:
            yield f"{mean:.3f}"
        else:
            gain, sd = gains[:, i].mean(), gains[:, i].std(ddof=1)
            yield f"{mean:.3f} ({gain:+z.3f} ± {sd:.3f})"


def write(page, out):
    """Write the tables between two marks of a page."""
    insert(page, tables(gather(read(out))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--out", type=Path, default=OUT)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("--strategies", nargs="+", default=DEFAULT)
    commands.add_parser("page").add_argument("page", type=Path)
    args = parser.parse_args()
    if args.command == "run":
        run(args.strategies, args.out)
    else:
        write(args.page, args.out)


if __name__ == "__main__":
    main()
