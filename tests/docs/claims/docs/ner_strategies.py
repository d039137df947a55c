"""The numbers of docs/ner_strategies.md: its tables, and the published runs."""

import json

import numpy as np
from lines import read
from tracing import RUNS, down, span

from skal.datasets import load_published_runs
from skal.studies._tasks import _RECIPES

TASK = "named_entity_recognition"
RECIPE = _RECIPES[TASK]
BY_SENTENCES, BY_TOKENS = "gain over, by sentences", "gain over, by tokens"
SETTINGS = [
    "115 experiments",  # Kohl et al.
    "vectors of 50 dimensions",
    "counts of `TagCount` are 0",  # no entity is predicted
]


def published(strategy):
    """Return the mean curve of the paper's runs of a strategy."""
    runs = load_published_runs(TASK)
    chosen = [run for run in runs if (run.strategy, run.on) == (strategy, "test")]
    return np.mean([run.curve for run in chosen if run.source_seed == run.seed], axis=0)


def curves():
    """Return the test curves of all runs."""
    rows = read(RUNS / "ner_strategies.csv")
    return [np.array(row["curve"].split(), dtype=float) for row in rows]


def begin(curves):
    """Return how many sentences each run needs before its score rises."""
    rounds = [np.argmax(curve > curve[0] + 0.05) for curve in curves]
    return [RECIPE.sizes["warm"] + RECIPE.batch_size * k for k in rounds]


def claims(page):
    def over_random(strategy):
        return page.at("over random (2)", strategy)  # by tokens

    def ahead(by):
        return [-page.at(name, by, "oracle") for name in ("tag-count", "fluctuation")]

    known = curves()
    plan = json.loads((RUNS / "reproduction/ner/summary.json").read_text())["plan"]
    sizes, random = RECIPE.sizes, published("random")
    level = [over_random(name) for name in ("fluctuation", "normalized-min-confidence")]
    far = [over_random(x) for x in ("min-confidence", "token-entropy", "longest")]
    return {
        """{} sentences at first, {} rounds of {} sentences out of {}, the BiLSTM
        tagger, scored by the F1 of tags on {} test sentences""": [
            *(sizes["warm"], RECIPE.n_rounds, RECIPE.batch_size),
            *(sizes["pool"], sizes["test"]),
        ],
        "There are {} seeds so far": [page.at("seeds", "oracle")],
        "do not prefer long sentences, are {} above": [np.mean(level)],
        "`TagCount` is {} below it": [-over_random("tag-count")],
        "`TokenEntropy` and `Longest` are more than {} below": [
            down(min(-gain for gain in far), 2)
        ],
        "is {} below MNLP": [
            -page.at("tag-count", BY_TOKENS, "normalized-min-confidence")
        ],
        "is {} to {} above both by sentences, {} above `Fluctuation` and {} above": [
            *(*span(ahead(BY_SENTENCES)), *reversed(ahead(BY_TOKENS)))
        ],
        "with {} trainings per seed": [plan["trainings"]],
        "the oracle, {} by sentences": [published("optimal").mean()],
        "random selection has {} there and {} here": [
            *(random.mean(), page.at("by sentences", "random"))
        ],
        "the published curves begin at {} and these at {}": [random[0], known[0][0]],
        "until {} to {} sentences are labelled": span(begin(known)),
    }
