"""The numbers of docs/published_orders.md: its tables, which show the runs."""

from lines import read
from published_orders import OPTIMAL, ROBERTA
from tracing import RUNS, span

from skal.datasets import load_published_runs

SETTINGS = [
    "a 95 % t-interval",
    "because their word vectors have 50 dimensions",
    "with about 1,000 trainings each",
]


def begins():
    """Return the score of RoBERTa's part before the first round, ours and published."""
    row = next(r for r in read(RUNS / "published_orders.csv") if r["model"] == ROBERTA)
    run = next(
        run
        for run in load_published_runs("intent_classification")
        if (run.model, run.strategy, run.on) == (ROBERTA, OPTIMAL, "test")
    )
    return float(row["test"].split()[0]), run.curve[0]


def claims(page):
    ahead = "skal ahead on test"
    searched = [page.at(ahead, "IC", model) for model in ("aoe", "cnn", "lstm")]
    entities = page.at("trainings", "NER", "lstm"), -page.at(ahead, "NER", "lstm")
    over = "test: over random"
    grown = [page.at(over, "skal's search", n) for n in ("439", "1,151")]
    ours, theirs = "with skal: over random", "published: over random"
    optimal = [
        page.at(column, "OC", "optimal", which=which)
        for column in (ours, theirs)
        for which in (0, 1)
    ]
    matched = [
        abs(page.at(column, "OC", strategy))
        for column in (ours, theirs)
        for strategy in ("max-entropy", "idmr-max-entropy")
    ]
    transformer = [page.at(c, "IC", ROBERTA, OPTIMAL) for c in (ours, theirs)]
    return {
        "It begins at {} (published: {})": begins(),
        "order is {} above a random one (published: {}, over many)": transformer,
        "is {} above random ones after 439 trainings and {} after 1,151": grown,
        "order is {} above them": [page.at(over, "optimal")],
        "of all strategies are within {}": [
            max(map(abs, page.all("difference", "OC", "cnn")))
        ],
        "are {} ± {} above random orders (published: {} ± {})": optimal,
        "from {} below random orders to {} above them (published: from {} to {})": (
            matched
        ),
        "orders are {} to {} above the paper's optimal": span(searched),
        "one seed and {} trainings, the order is {} below": entities,
        "which is {} above random ones; that": [page.at(ours, "NER", OPTIMAL)],
    }
