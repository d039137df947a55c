"""
Write the table of strategies in docs/strategies.md.
====================================================

Finds all public strategies in `skal.strategies`, and reads from their classes what they
do, what they need of the model, and whether they work from nothing. Their cost and when
to use them are written here. A strategy without such a text is an error, and
`tests/test_strategies_table.py` checks that the page is up to date.

    python tools/strategies_table.py
"""

import inspect
from pathlib import Path
from types import SimpleNamespace

from sklearn.linear_model import LogisticRegression

import skal.strategies
from skal.answers._needs import NEEDS, strategy_needs, works_from_nothing
from skal.strategies import BaseStrategy, Margin, Random

PAGE = Path(__file__).parents[1] / "docs/strategies.md"
BASES = {"BaseStrategy", "EmbeddingStrategy", "OrderStrategy", "RankingStrategy"}
# Parameters that are strategies themselves.
INNER = ("strategy", "first", "after")
# For each strategy its cost in a round, besides the training and the answers of the
# model, and when to use it.
TEXTS = {
    "Baselines": {
        "Random": ("N", "as the baseline that every other strategy has to beat"),
        "FixedOrder": ("n", "to follow a known order, such as that of an oracle"),
    },
    "From the first label on": {
        "Herding": (
            "N J D, J references; J = N by default",
            "for the first labels and small budgets; with `weight` also later",
        ),
        "ProbCover": (
            "N J D, J references; J = N by default",
            "for the first labels, if a radius is known or clusters are clear",
        ),
        "TypiClust": (
            "N (L + n) D for each iteration of k-means",
            "for the first labels in data with clear clusters",
        ),
        "CoreSet": (
            "N (L + n) D",
            "to cover all of the pool, if it has few outliers",
        ),
    },
    "Uncertainty": {
        "Margin": ("N C", "as the first choice once there is a model"),
        "LeastConfidence": ("N C", "like `Margin`; with two classes the same"),
        "MaxEntropy": ("N C", "like `Margin`, if all classes matter"),
    },
    "Regression": {
        "GreedySampling": (
            'N (L + n) D; N (L + n) with `space="y"`',
            'with any regressor; `space="x"` for the first labels',
        ),
        "LCMD": (
            "N (L + n) D",
            "with larger batches, on the embeddings of a net",
        ),
        "MaxVariance": (
            "N T, or none",
            "with an ensemble or a model that returns `return_std`",
        ),
    },
    "Disagreement": {
        "BALD": ("N T C", "with an ensemble or a net with dropout"),
        "BatchBALD": (
            "n N T C, times the joint outcomes kept, for the rows that are looked at",
            "like `BALD`, with small batches that must not repeat themselves",
        ),
        "EPIG": (
            "N J T C^2, J targets",
            "like `BALD`, if the pool has rows that are unlike those to be predicted",
        ),
        "Committee": ("N T C", "with an ensemble; `VariationRatio` is similar"),
        "VariationRatio": ("N T C", "with an ensemble whose members only vote"),
    },
    "Uncertainty and diversity": {
        "BADGE": ("n N (C + D)", "with nets and batches of some size"),
        "BAIT": ("n N C^2 (C + D)", "with few classes and columns: C D at most 2,000"),
        "DropQuery": (
            "N C D for each pass, and k-means",
            "with a linear model on good embeddings",
        ),
        "AlfaMix": (
            "N C^2 D, and k-means",
            "with a linear model on good embeddings and few labels",
        ),
        "ClusterMargin": (
            "N C; once N D for each iteration of k-means",
            "with very large batches",
        ),
    },
    "Taggers": {
        "MinConfidence": (
            "tokens C",
            "as the usual baseline; `normalize=True` is MNLP",
        ),
        "TagCount": ("tokens", "for named entities, if most tokens are in none"),
        "Fluctuation": (
            "tokens C; remembers three rounds",
            "for named entities, after some rounds",
        ),
        "TokenEntropy": ("tokens C", "like `MinConfidence`, if all tags matter"),
        "Longest": ("tokens", "as a baseline that needs no model"),
    },
    "Around another strategy": {
        "Stochastic": (
            "N log N, and the strategy inside",
            "to make any ranking diverse in a batch, at no cost",
        ),
        "PerCost": (
            "that of the strategy inside",
            "if rows have costs, and a utility is worth the same at any cost",
        ),
        "IDMR": (
            "that of the strategy inside; once k-means",
            "if the strategy inside neglects parts of the inputs",
        ),
        "ODMR": (
            "that of the strategy inside",
            "if the strategy inside neglects some classes",
        ),
        "Proxy": (
            "that of the strategy inside, and one training of the proxy",
            "if the learner's model is slow, or lacks what the strategy needs",
        ),
        "Then": ("that of the strategy at work", "to start from nothing"),
        "SkactivemlStrategy": (
            "that of the query strategy",
            "to run a query strategy of scikit-activeml",
        ),
    },
}
HEAD = [
    "| strategy | needs | from nothing? | cost | when |",
    "| --- | --- | --- | --- | --- |",
]
INTRODUCTION = """# Strategies

This page is written by `tools/strategies_table.py` from the classes themselves.

A strategy that works from nothing selects while no row is labelled, as with
`warm_size=0`. `Then(first, after)` lets one of these begin and any other go on.

Costs are those of a round, without the training and the answers of the model: N
candidates, D columns, C classes or tags, L labelled rows, n rows to select, T members
or posterior samples, which come from an ensemble or a net with dropout. Memory is
linear in N for all but the query strategies of scikit-activeml.

With a regressor, a strategy works that needs nothing, embeddings, predictions, or
predicted numbers and their variance. Only classifiers have class probabilities,
posterior samples and classes.

With several labels per row, a strategy works that needs nothing, embeddings or
predictions, and so do `MaxEntropy`, `LeastConfidence` and `Margin` with `over_labels`,
which says how the uncertainties of the labels of a row become one number.
"""


def strategies():
    """Return all public strategies, without the base classes, by name."""
    named = {name: getattr(skal.strategies, name) for name in skal.strategies.__all__}
    return {
        name: one
        for name, one in named.items()
        if inspect.isclass(one) and issubclass(one, BaseStrategy) and name not in BASES
    }


def text_of(name):
    """Return the cost of a strategy and when to use it."""
    for texts in TEXTS.values():
        if name in texts:
            return texts[name]
    raise KeyError(
        f"{name} has no text in {Path(__file__).name}: add its cost and when to use it "
        "to TEXTS, and run the script."
    )


def made(kind, inner):
    """Return a strategy of a class, with another one inside if it takes some."""
    parameters = inspect.signature(kind.__init__).parameters.values()
    required = [p.name for p in parameters if p.default is p.empty][1:]
    needed = strategy_needs(inner)
    query = (lambda X, y, clf: None) if needed else (lambda X, y: None)
    values = dict.fromkeys(INNER, inner) | {
        "estimator": LogisticRegression(),
        "order": (0,),
        "query_strategy": SimpleNamespace(query=query),
    }
    return kind(**{name: values[name] for name in required})


def needs_of(kind):
    """Return what a strategy needs of the model, in words."""
    own = list(strategy_needs(made(kind, Random())))
    words = [NEEDS[need][0] if need in NEEDS else f"{need}s" for need in own]
    names = inspect.signature(kind.__init__).parameters
    if "query_strategy" in names:
        words.append("what the query strategy needs")
    elif any(name in names for name in INNER):
        has_own = "estimator" in names
        words.append("nothing" if has_own else "what the strategy inside needs")
    return ", ".join(words) or "nothing"


def from_nothing(kind):
    """Return whether a strategy works from nothing, in a word or two."""
    # With one inside that does, and with one that does not.
    found = {works_from_nothing(made(kind, inner)) for inner in (Random(), Margin())}
    return "as the one inside" if len(found) > 1 else "yes" if True in found else "no"


def page():
    """Return the text of docs/strategies.md."""
    found, lines = strategies(), [INTRODUCTION]
    missing = found.keys() - {name for texts in TEXTS.values() for name in texts}
    for name in sorted(missing):
        text_of(name)  # says what to do
    for title, texts in TEXTS.items():
        rows = [row_of(name, found[name]) for name in texts if name in found]
        if rows:
            lines += [f"## {title}", "", *HEAD, *rows, ""]
    return "\n".join(lines)


def row_of(name, kind):
    """Return the row of the table for a strategy."""
    summary = inspect.getdoc(kind).partition("\n")[0].rstrip(".")
    what = f"`{name}`: {summary[0].lower()}{summary[1:]}"
    cells = [what, needs_of(kind), from_nothing(kind), *text_of(name)]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page())
