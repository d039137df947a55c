"""The numbers of docs/many_classes.md: its tables, which show many_classes.csv."""

from itertools import chain, product

from many_classes import (
    BATCH_SIZES,
    N_CLUSTERS,
    N_COMPONENTS,
    N_POOL,
    N_RANDOM,
    N_ROUNDS,
    N_TEST,
    N_VAL,
)
from tracing import span

DATA = {"banking": "BANKING77: 77 intents, 3 splits"}
DATA["clinc"] = "CLINC150: 150 intents, 3 splits"
MODELS = ["logistic regression", "nearest centroid"]
N_CLASSES = {"banking": 77, "clinc": 150}
SETTINGS = [
    "(`C=100`)",
    "Intervals (95 %)",
    "# Many classes: 77 and 150 intents",
    "BANKING77, with 77 intents of a bank's customers, and CLINC150, with 150 intents",
    "a guided search of 300 trainings",  # --max-trainings
]


def claims(page):
    def gains(data, which):
        rows = [(DATA[data], f"Trained: {model}.", "oracle") for model in MODELS]
        return [page.at("over random", *keys, which=which) for keys in rows]

    def kept():
        for heading, (own, other) in product(DATA.values(), [MODELS, MODELS[::-1]]):
            found = [
                page.at(f"{source} order, {own}", heading, "oracle")
                for source in (own, other)
            ]
            yield 100 * found[1] / found[0]

    def both(data):
        pairs = zip(gains(data, 0), gains(data, 1), strict=True)
        return list(chain.from_iterable(pairs))

    def closed(strategy):
        return span(page.all("gap closed", strategy))

    idmr, margin = (page.all("quality", name) for name in ("IDMR, margin", "margin"))
    leads = [own - alone for own, alone in zip(idmr, margin, strict=True)]
    labels = {
        2 + N_ROUNDS * BATCH_SIZES[data] // n_classes
        for data, n_classes in N_CLASSES.items()
    }
    return {
        "{} principal components": [N_COMPONENTS],
        "{} rounds label {} sentences (BANKING77) or {} (CLINC150)": [
            *(N_ROUNDS, *BATCH_SIZES.values())
        ],
        "a pool of {} or {}; {} sentences are for validation": [
            *(*N_POOL.values(), N_VAL)
        ],
        "and {} for test": [N_TEST],
        "the mean of {} orders": [N_RANDOM],
        "over {} clusters. A quality": [N_CLUSTERS],
        "over {} clusters of the inputs": [N_CLUSTERS],
        "it is {} ± {} and {} ± {} above random": both("banking"),
        "on CLINC150 {} ± {} and {} ± {}": both("clinc"),
        "its order keeps {} to {} % of that": span(list(kept())),
        "closes {} to {} % of the gap to this short": closed("Herding"),
        "`TypiClust` {} to {} %": closed("TypiClust"),
        "`Margin` closes {} to {} % of the gap": closed("margin"),
        "there are {} labels for each class on average": labels,
        "{} are better and {} worse, by {} at most": [
            *(sum(lead > 0 for lead in leads), sum(lead < 0 for lead in leads)),
            max(map(abs, leads)),
        ],
    }
