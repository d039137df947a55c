"""
Strategies for named entities, by sentences and by tokens
=========================================================

Each strategy labels sentences of MIT Restaurant with the sizes in Table 1 of the paper.
The score after each round is kept with the number of tokens labelled until then, since
tokens are what an annotator reads and tags.

    python examples/ner_strategies.py --seeds 3
    python examples/ner_strategies_page.py docs/ner_strategies.md

Each run adds a line to a file; runs that are already in the file are skipped. Runs of
the reproduction of the paper, the oracle among them, are taken from its study folder.
All strategies of a seed that are left are trained side by side, seed by seed, so that
an early stop leaves complete seeds. If `SKAL_DATA_HOME` is set, the data are read from
there and not downloaded. A run takes one to three minutes on one core.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from lines import append, read
from sklearn.base import clone

from skal import Fluctuation, Random, TagCount, TokenEntropy, load_task
from skal.loop import labelled_by
from skal.seeding import Stream, set_random_states, stream
from skal.strategies._base import fit_strategy
from skal.training import Trainer

OUT = Path("docs/runs/ner_strategies.csv")
STUDY = Path("docs/runs/reproduction/ner/study/compare.jsonl")
COLUMNS = ["strategy", "seed", "order", "seconds", "tokens", "curve"]
N_RANDOM = 5
NEW = {
    "tag-count": TagCount(),
    "fluctuation": Fluctuation(),
    "token-entropy": TokenEntropy(),
}
PLAIN = ("min-confidence", "normalized-min-confidence", "longest")


def wanted(task):
    """Return all strategies to run, by name and number of the random order."""
    plain = {(name, 0): task.strategies[name] for name in PLAIN}
    orders = {("random", i): Random(random_state=i) for i in range(N_RANDOM)}
    return plain | {(name, 0): one for name, one in NEW.items()} | orders


def follow(problem, strategies):
    """Follow strategies round by round, with all models of a round side by side.

    Parameters
    ----------
    problem : Problem
        Its seed is the xi of the trainings.
    strategies : dict of str to strategy

    Returns
    -------
    curves, orders : dict of str to list of float, dict of str to ndarray
        The test scores after k = 0..K rounds, and the rows in their order, equal to
        those of an `ActiveLearner`.
    """
    trainer = Trainer(problem)
    fitted = {name: fit(one, problem) for name, one in strategies.items()}
    curves = {name: [] for name in fitted}
    orders = dict.fromkeys(fitted, np.empty(0, dtype=np.int64))
    for k in range(problem.n_rounds + 1):
        models = train(trainer, orders)
        for name, model in models.items():
            score = problem.scorer(model, problem.X_test, problem.y_test)
            curves[name].append(score)
            if k < problem.n_rounds:
                batch = choose(problem, fitted[name], model, trainer, orders[name])
                orders[name] = np.concatenate([orders[name], batch])
    return curves, orders


def fit(strategy, problem):
    """Return a fitted clone with the seed that a learner would give it."""
    seeds = stream(problem.seed, Stream.STRATEGY)
    seeded = set_random_states(clone(strategy), seeds, only_unset=True)
    return fit_strategy(seeded, problem.X_pool, problem)


def train(trainer, orders):
    """Return the model of each strategy; equal sets are trained only once."""
    rows = {name: trainer.rows(order) for name, order in orders.items()}
    keys = {name: chosen.tobytes() for name, chosen in rows.items()}
    names = {key: name for name, key in keys.items()}
    if trainer.many is None:  # nets with dropout are trained one at a time
        trained = [trainer.train(orders[name]) for name in names.values()]
    else:
        trained = trainer.many.fit([rows[name] for name in names.values()])
    models = dict(zip(names, trained, strict=True))
    return {name: models[key] for name, key in keys.items()}


def choose(problem, strategy, model, trainer, order):
    """Return the next batch of a strategy."""
    return strategy.select(
        model,
        problem.X_pool,
        problem.batch_size,
        candidates=np.setdiff1d(np.arange(problem.n_pool), order),
        labelled=labelled_by(trainer, order),
    )


def count_tokens(problem, order):
    """Return the number of labelled tokens after k = 0..K rounds."""
    lengths = np.array([len(problem.X_pool[row]) for row in order])
    rounds = lengths.reshape(problem.n_rounds, problem.batch_size).sum(axis=1)
    warm = sum(map(len, problem.X_warm))
    return warm + np.cumsum([0, *rounds])


def line(problem, key, seed, seconds, order, curve):
    """Return the line of one run."""
    tokens = " ".join(map(str, count_tokens(problem, order)))
    scores = " ".join(f"{score:.6f}" for score in curve)
    return [*key[:1], seed, *key[1:], f"{seconds:.1f}", tokens, scores]


def studied(problem, path, seed):
    """Return the lines of a seed in a study folder, by strategy and order."""
    runs = map(json.loads, path.read_text().splitlines()) if path else ()
    keyed = {(r["strategy"], r["number"]): r for r in runs if r["seed"] == seed}
    return {
        key: line(problem, key, seed, run["seconds"], run["order"], run["curve"])
        for key, run in keyed.items()
    }


def simulated(problem, strategies, seed):
    """Return the lines of strategies that are run now, by strategy and order."""
    begin = perf_counter()
    curves, orders = follow(problem, strategies)
    seconds = (perf_counter() - begin) / max(1, len(strategies))
    return {
        key: line(problem, key, seed, seconds, orders[key], curves[key])
        for key in strategies
    }


def run(task, n_seeds, out, study):
    """Add all runs that are not in the file yet, seed by seed."""
    for seed in range(n_seeds):
        problem = replace(task.problem, seed=seed)
        rows = [row for row in read(out) if row["seed"] == str(seed)]
        done = {(row["strategy"], int(row["order"])): row["curve"] for row in rows}
        lines = without(studied(problem, study, seed), done)
        todo = without(wanted(task), {*done, *lines})
        lines |= simulated(problem, todo, seed) if todo else {}
        check_start(seed, done.values(), lines)
        for row in lines.values():
            append(out, COLUMNS, row)
            print(*row, flush=True)


def without(runs, done):
    """Return the runs that are not done."""
    return {key: one for key, one in runs.items() if key not in done}


def check_start(seed, curves, lines):
    """Raise an error if runs of a seed begin at different scores."""
    curves = [*curves, *(row[-1] for row in lines.values())]
    starts = sorted({curve.split()[0] for curve in curves})
    if len(starts) > 1:
        raise SystemExit(
            f"Runs of seed {seed} begin at {', '.join(starts)}, so the models of the "
            "study differ from those of this machine: pass --no-study."
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--no-study", action="store_true", help="run all anew")
    args = parser.parse_args()
    study = None if args.no_study else STUDY
    run(load_task("named_entity_recognition"), args.seeds, args.out, study)


if __name__ == "__main__":
    main()
