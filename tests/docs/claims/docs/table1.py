"""The numbers of docs/table1.md: from the runs of each task, and the published runs."""

import heuristics_of_table1 as script
import numpy as np
from lines import read
from tracing import RUNS, down

from skal.studies._tasks import _RECIPES

SETTINGS = [
    "GloVe vectors of 50 dimensions",
    "rotated into 300 dimensions",
    "Random orders at k = 0 and k = K (300 dimensions: seed 0, one order)",
    "Qualities with 300 dimensions",
    "(MiniLM, 384 dimensions; a word is the mean of its pieces)",
    # The paper's code
    "after 20 epochs",
    "the votes of 100 dropout passes",
    "the mean of 5 dropout passes",
]
TASKS = {
    "intents, BiLSTM": ("intent_classification", "lstm"),
    "intents, average of embeddings": ("intent_classification", "aoe"),
    "intents, convolutions": ("intent_classification", "cnn"),
    "entities, BiLSTM tagger": ("named_entity_recognition", "lstm"),
}


def ends(curves):
    return list(np.mean(curves, axis=0)[[0, -1]])


def random_orders(task, model, suffix):
    return [
        np.array(row["curve"].split(), dtype=float)
        for row in read(RUNS / f"table1_{task}{suffix}.csv")
        if (row["model"], row["strategy"]) == (model, "random")
    ]


def tables():
    return [
        script.report(sorted(RUNS.glob(f"table1_*{suffix}.csv")))
        for suffix in ("[a-z]", "_300", "_384")
    ]


def cells():
    paper = script.published_curves()
    found = {}
    for name, (task, model) in TASKS.items():
        found[f"{name}: 50 dimensions"] = ends(random_orders(task, model, ""))
        found[f"{name}: 300 dimensions"] = ends(random_orders(task, model, "_300"))
        if orders := random_orders(task, model, "_384"):
            found[f"{name}: MiniLM"] = ends(orders)
        found[f"{name}: published"] = ends(paper[task, model, "random"])
    return found


def claims(page):
    short = [
        # The first are those with 300 dimensions.
        page.all("published", "intent classification", "cnn", name, "1")[0]
        - page.all("quality", "intent classification", "cnn", name, "1")[0]
        for name in ("random", "max-entropy", "bald")
    ]
    warm = [_RECIPES[task].sizes["warm"] for task, _ in TASKS.values()]
    return {
        "in the mean they come within {}": [-down(-np.max(short), 2)],
        "With {} or {} labelled sentences": [min(warm), max(warm)],
        'The row "bald" is the mutual information of {} passes': [20],
    }
