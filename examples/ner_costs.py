"""
Strategies for named entities where a sentence costs its tokens
===============================================================

Rounds spend a number of tokens, or label a number of sentences, on MIT Restaurant
with the sizes in Table 1 of the paper, except that validation is a third of it. The
tagger is linear (`linear_tagger.py`), since a search with the BiLSTM takes hours;
`--bilstm` takes that one.

    python examples/ner_costs.py --seeds 3
    python examples/ner_costs_page.py docs/ner_costs.md

Each run adds a line to a file; runs that are already in the file are skipped. A seed is
a split of the data and the seed of the strategies. The oracle has a journal if
`--journals` names a folder for it. If `SKAL_DATA_HOME` is set, the data are read from
there and not downloaded.
"""

import argparse
import os
from pathlib import Path
from time import perf_counter

import numpy as np
from linear_tagger import LinearTagger
from lines import append, read

from skal import (
    ActiveLearner,
    AnnealingOracle,
    FixedOrder,
    Fluctuation,
    Longest,
    MinConfidence,
    PerCost,
    Random,
    TagCount,
    load_task,
)

OUT = Path("docs/runs/ner_costs.csv")
COLUMNS = ["unit", "strategy", "seed", "order", "seconds", "trainings"]
COLUMNS += ["sentences", "tokens", "curve", "validation"]
# A round labels 25 sentences or, as they have 9.24 tokens on average, spends as many
# tokens.
SIZES = {"tokens": 231, "sentences": 25}
N_ROUNDS, N_RANDOM, N_VAL, MAX_TRAININGS = 10, 5, 1000, 300
STRATEGIES = {
    "min-confidence": MinConfidence(),
    "normalized-min-confidence": MinConfidence(normalize=True),
    "tag-count": TagCount(),
    "fluctuation": Fluctuation(),
    "longest": Longest(),
}
PER_TOKEN = {
    "tag-count per token": PerCost(TagCount(), cost="tokens"),
    "min-confidence per root of tokens": PerCost(
        MinConfidence(), power=0.5, cost="tokens"
    ),
}
ORACLE, REPLAY = "oracle", "oracle by sentences"


def sets_of(seed):
    """Return the data sets of a seed, and the tagger of the paper."""
    problem = load_task("named_entity_recognition", data_seed=seed).problem
    sets = problem.sets
    for letter in "Xy":
        sets[f"{letter}_val"] = sets[f"{letter}_val"][:N_VAL]
    return sets, problem.estimator


def wanted(unit, journal):
    """Return the strategies of a unit by name and number of the order."""
    oracle = AnnealingOracle(max_trainings=MAX_TRAININGS, journal=journal)
    runs = {(ORACLE, 0): oracle}
    runs |= {("random", i): Random(random_state=i) for i in range(N_RANDOM)}
    runs |= {(name, 0): one for name, one in STRATEGIES.items()}
    if unit == "tokens":
        runs |= {(name, 0): one for name, one in PER_TOKEN.items()}
    return runs


def run(sets, tagger, unit, seed, out, journals=None):
    """Add all runs of a seed that are not in the file yet."""
    rows = read(out)
    done = {
        (row["strategy"], int(row["order"]))
        for row in rows
        if (row["unit"], row["seed"]) == (unit, str(seed))
    }
    journal = journals and journals / f"{type(tagger).__name__}_{unit}_{seed}.db"
    for key, strategy in wanted(unit, journal).items():
        if key not in done:
            learner, seconds = fit(sets, tagger, unit, seed, strategy)
            add(out, (unit, *key[:1], seed, *key[1:]), learner, seconds, sets)
            if (unit, *key) == ("sentences", ORACLE, 0):
                replay(sets, tagger, seed, learner.order_, out)


def replay(sets, tagger, seed, order, out):
    """Add the run that follows an order found by sentences in rounds of tokens."""
    others = np.setdiff1d(np.arange(len(sets["X"])), order)
    rest = np.random.default_rng(seed).permutation(others)
    strategy = FixedOrder(np.concatenate([order, rest]))
    learner, seconds = fit(sets, tagger, "tokens", seed, strategy)
    add(out, ("tokens", REPLAY, seed, 0), learner, seconds, sets)


def fit(sets, tagger, unit, seed, strategy):
    """Return a fitted learner, and how long it took."""
    begin = perf_counter()
    learner = ActiveLearner(
        tagger,
        strategy,
        cost="tokens" if unit == "tokens" else None,
        batch_size=SIZES[unit],
        n_rounds=N_ROUNDS,
        scoring="f1_weighted",
        random_state=seed,
    )
    return learner.fit(**sets), perf_counter() - begin


def add(out, key, learner, seconds, sets):
    """Add the line of one run."""
    lengths = np.array([len(tokens) for tokens in sets["X"]])[learner.order_]
    rounds = range(learner.n_rounds + 1)
    counts = [(learner.rounds_ <= k).sum() for k in rounds]
    tokens = [lengths[learner.rounds_ <= k].sum() for k in rounds]
    curves = learner.curve_, learner.validation_curve_
    columns = [counts, tokens, *([f"{s:.6f}" for s in curve] for curve in curves)]
    texts = [" ".join(map(str, column)) for column in columns]
    line = [*key, f"{seconds:.1f}", learner.n_trainings_, *texts]
    append(out, COLUMNS, line)
    print(*line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", type=int, help="run this seed alone")
    parser.add_argument("--units", nargs="+", default=[*SIZES], choices=[*SIZES])
    parser.add_argument("--bilstm", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--journals", type=Path)
    args = parser.parse_args()
    seeds = range(args.seeds) if args.only is None else [args.only]
    if args.journals:
        os.makedirs(args.journals, exist_ok=True)
    for seed in seeds:
        sets, bilstm = sets_of(seed)
        # A list of words would take longer to clone than a tagger to predict.
        vectors = {name: np.asarray(part) for name, part in bilstm.vectors.items()}
        linear = LinearTagger(vectors)
        for unit in args.units:
            tagger = bilstm if args.bilstm else linear
            run(sets, tagger, unit, seed, args.out, args.journals)


if __name__ == "__main__":
    main()
