"""
The heuristics of the paper's Table 1, on the real data
=======================================================

Each strategy is run with the sizes in the paper, for each estimator and seed. Each run
adds a line to a file; runs that are already in the file are skipped. `--report` prints
the means over seeds, and the gains of strategies with IDMR over those without.

    python examples/heuristics_of_table1.py intent_classification --seeds 3
    python examples/heuristics_of_table1.py --report

If `SKAL_DATA_HOME` is set, the data are read from there and not downloaded. On one
core, a run takes seconds (the average of embeddings) to minutes (images).
"""

import argparse
from collections import defaultdict
from pathlib import Path
from time import perf_counter

import numpy as np
from lines import append, read
from pages import table
from reproduction.published import is_of_one_model
from scipy.stats import ttest_rel
from sklearn.utils import Bunch

from skal import Random, load_task, xi_quality
from skal.datasets import load_published_runs

COLUMNS = ["task", "model", "strategy", "seed", "order", "seconds", "curve"]
REPORT = ["task", "model", "strategy", "seeds", "quality", "published"]
REPORT += ["over base", "p"]


def cells(task, n_seeds, n_random, models):
    """Yield all runs, seed by seed, so that an early stop leaves complete seeds."""
    for seed in range(n_seeds):
        for model in models or [m for m in task.estimators if m != "roberta"]:
            for strategy in task.strategies:
                for order in range(n_random if strategy == "random" else 1):
                    yield model, strategy, seed, order


def run(task, model, strategy, seed, order):
    """Return the line of one run."""
    chosen = Random(random_state=order) if strategy == "random" else strategy
    begin = perf_counter()
    learner = task.learner(chosen, model, random_state=seed)
    curve = learner.fit(**task.problem.sets).curve_
    seconds = round(perf_counter() - begin, 1)
    text = " ".join(f"{score:.6f}" for score in curve)
    return [task.name, model, strategy, seed, order, seconds, text]


def lift(task, dimension):
    """Embed the word vectors of a task's estimators in more dimensions.

    A random rotation maps them into the larger space. They are scaled so that their
    values keep their size; relative distances between words do not change.
    """
    rotation = np.linalg.qr(
        np.random.default_rng(0).normal(size=(dimension, dimension))
    )[0]
    for estimator in task.estimators.values():
        if "vectors" in estimator.get_params():
            words, short = estimator.vectors["words"], estimator.vectors["vectors"]
            scale = np.sqrt(dimension / short.shape[1])
            longer = scale * short @ rotation[: short.shape[1]]
            estimator.set_params(vectors=Bunch(words=words, vectors=longer))


def take_from_checkpoint(task, checkpoint):
    """Replace the word vectors of a task's estimators by those of a transformer.

    The vector of a word is the mean of the token embeddings of its pieces. All are
    scaled so that their values have the size of the vectors that they replace.

    Returns
    -------
    int
        Number of dimensions.
    """
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    layer = AutoModel.from_pretrained(checkpoint).get_input_embeddings()
    embeddings = layer.weight.detach().numpy()
    for estimator in task.estimators.values():
        if "vectors" in estimator.get_params():
            words, old = estimator.vectors["words"], estimator.vectors["vectors"]
            pieces = tokenizer(list(words), add_special_tokens=False)["input_ids"]
            new = np.array([embeddings[numbers].mean(axis=0) for numbers in pieces])
            new = (new * np.std(old) / new.std()).astype(old.dtype)
            estimator.set_params(vectors=Bunch(words=words, vectors=new))
    return embeddings.shape[1]


def work(task, path, args):
    done = {tuple(row[c] for c in COLUMNS[1:5]) for row in read(path)}
    wanted = args.strategies or task.strategies
    for cell in cells(task, args.seeds, args.random_orders, args.models):
        if cell[1] not in wanted or tuple(map(str, cell)) in done:
            continue
        row = run(task, *cell)
        append(path, COLUMNS, row)
        print(*row[:6], flush=True)


def qualities(rows):
    """Return the quality of each seed, by task, model and strategy.

    As in the published tables, qualities are means over k = 0..K. Qualities of several
    random orders are averaged.
    """
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        curve = [float(score) for score in row["curve"].split()]
        quality = xi_quality(curve, include_warm_start=True)
        key = row["task"], row["model"], row["strategy"]
        found[key][int(row["seed"])].append(quality)
    return {
        key: {seed: np.mean(values) for seed, values in sorted(seeds.items())}
        for key, seeds in found.items()
    }


def report(paths):
    """Return the table of all strategies beside the published ones."""
    found = qualities([row for path in paths for row in read(path)])
    return table(REPORT, list(report_rows(found, published())))


def report_rows(found, paper):
    """Yield a row for each strategy; the paper's qualities are of the same keys."""
    for (task, model, strategy), seeds in sorted(found.items()):
        base = found.get((task, model, strategy.removeprefix("idmr-")))
        gain, p = compare(seeds, base) if strategy.startswith("idmr-") else ("", "")
        mean = f"{np.mean(list(seeds.values())):.3f}"
        known = paper.get((task, model, strategy), "")
        cells = task.replace("_", " "), model, strategy, str(len(seeds)), mean, known
        yield [*cells, gain, p]


def compare(seeds, base):
    """Return the mean gain over the base strategy, and p of a paired t-test."""
    pairs = [(seeds[seed], base[seed]) for seed in seeds if seed in (base or {})]
    if not pairs:
        return "", ""
    gains = np.diff(np.array(pairs)[:, ::-1], axis=1)
    p = f"{ttest_rel(*np.transpose(pairs)).pvalue:.3f}" if len(pairs) > 1 else ""
    return f"{gains.mean():+z.3f}", p


def published_curves():
    """Return the released test curves; of BALD, those with dropout."""
    found = defaultdict(list)
    for run in load_published_runs():
        if run.on == "test" and is_of_one_model(run):
            found[run.task, run.model, run.strategy].append(run.curve)
    return found


def published():
    """Return the published means over seeds, from the released curves."""
    return {key: f"{np.mean(runs):.3f}" for key, runs in published_curves().items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[2])
    parser.add_argument("task", nargs="?")
    parser.add_argument("--models", nargs="+", help="all but roberta by default")
    parser.add_argument("--strategies", nargs="+", help="all by default")
    parser.add_argument("--dimension", type=int, help="lift the word vectors to")
    parser.add_argument("--checkpoint", type=Path, help="take the word vectors from")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--random-orders", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs/runs"))
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    if args.task:
        task = load_task(args.task)
        if args.checkpoint:
            args.dimension = take_from_checkpoint(task, args.checkpoint)
        elif args.dimension:
            lift(task, args.dimension)
        suffix = f"_{args.dimension}" if args.dimension else ""
        work(task, args.out / f"table1_{args.task}{suffix}.csv", args)
    if args.report:
        suffix = f"_{args.dimension}" if args.dimension else "[a-z]"
        print(report(sorted(args.out.glob(f"table1_*{suffix}.csv"))))


if __name__ == "__main__":
    main()
