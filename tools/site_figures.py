"""
Draw the figures of the guide from the committed runs.
======================================================

    python tools/site_figures.py docs/images/site
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skal.plotting._style import BASELINE, COLOURS, line_style

RUNS = Path(__file__).parents[1] / "docs" / "runs"
# Strategies of the picture on the first page, and what they are called there.
SHOWN = {"oracle": "oracle", "max-entropy": "strategy (max-entropy)"}


def rows_of(path):
    """Return the lines of a CSV file as dicts."""
    with open(RUNS / path, newline="") as file:
        return list(csv.DictReader(file))


def intent_curves(estimator="cnn"):
    """Return numbers of labels, and mean test curves of the intents by strategy."""
    scores = defaultdict(lambda: defaultdict(list))
    for row in rows_of("reproduction/ic/curves.csv"):
        if row["estimator"] == estimator:
            scores[row["strategy"]][int(row["n_labelled"])].append(float(row["score"]))
    counts = sorted(scores["random"])
    return counts, {
        name: [np.mean(by_count[n]) for n in counts]
        for name, by_count in scores.items()
    }


def three_curves():
    """Draw an oracle, a strategy and random choice on intents."""
    counts, curves = intent_curves()
    figure, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    for number, (name, label) in enumerate(SHOWN.items()):
        ax.plot(counts, curves[name], label=label, linewidth=2, **line_style(number))
    ax.plot(counts, curves["random"], label="random", linewidth=2, **BASELINE)
    for low, high, colour, label in [
        ("random", "max-entropy", COLOURS[1], "gained by the strategy"),
        ("max-entropy", "oracle", COLOURS[0], "left to gain"),
    ]:
        ax.fill_between(
            counts, curves[low], curves[high], color=colour, alpha=0.18, label=label,
            linewidth=0,
        )  # fmt: skip
    ax.set(xlabel="labelled sentences", ylabel="F1 on test (weighted)")
    ax.legend(loc="lower right", frameon=False)
    ax.grid(alpha=0.3)
    return figure


# Each set: its name, a share of the bar, its colour, and who uses it.
SETS = [
    ("warm start", 1.7, COLOURS[0], "labelled\nbefore round 1"),
    ("pool", 3.8, COLOURS[5], "a strategy chooses rows;\ntheir labels are looked up"),
    ("selection", 1.5, COLOURS[3], "early stopping\nof nets"),
    ("validation", 2.0, COLOURS[1], "an oracle\nsearches on it"),
    ("test", 2.0, COLOURS[4], "what is\nreported"),
]


def data_sets():
    """Draw the sets of a run, and who sees them."""
    figure, ax = plt.subplots(figsize=(7.2, 2.2), layout="constrained")
    begin = 0.0
    for name, width, colour, use in SETS:
        ax.barh(0, width - 0.06, left=begin, height=0.8, color=colour, alpha=0.45)
        middle = begin + width / 2
        ax.text(middle, 0, name, ha="center", va="center", fontsize=10, weight="bold")
        ax.text(middle, -0.55, use, ha="center", va="top", fontsize=8.5)
        begin += width
    ends = [0, 5.5, begin]
    for left, right, text in [
        (ends[0], ends[1], "trained on"),
        (ends[1], ends[2], "held out: never trained on"),
    ]:
        ax.annotate(
            "",
            (left + 0.03, 0.62),
            (right - 0.09, 0.62),
            arrowprops={"arrowstyle": "|-|,widthA=0.2,widthB=0.2"},
        )
        ax.text((left + right) / 2, 0.72, text, ha="center", va="bottom", fontsize=9)
    ax.set(xlim=(-0.1, begin + 0.05), ylim=(-1.35, 1.05))
    ax.axis("off")
    return figure


def quality():
    """Draw a curve, and its xi-quality as the mean of the rounds."""
    counts, curves = intent_curves()
    curve = np.array(curves["max-entropy"])
    mean = curve[1:].mean()
    figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
    ax.plot(counts, curve, linewidth=2, **line_style(0))
    ax.hlines(mean, counts[1], counts[-1], color=COLOURS[6], linewidth=2)
    ax.annotate(
        f"xi-quality {mean:.3f}:\nthe mean of rounds 1 to {len(curve) - 1}",
        (counts[-2], mean), (counts[-3], mean - 0.11), ha="center", fontsize=9,
        arrowprops={"arrowstyle": "->", "color": "0.3"},
    )  # fmt: skip
    ax.annotate(
        "warm start: not counted", (counts[0], curve[0]), (counts[0] + 12, curve[0]),
        va="center", fontsize=9, arrowprops={"arrowstyle": "->", "color": "0.3"},
    )  # fmt: skip
    ax.set(xlabel="labelled sentences", ylabel="F1 on test (weighted)")
    ax.grid(alpha=0.3)
    return figure


def oracle_gains(trainings="5000"):
    """Return gains of guided searches over random orders, by problem.

    Returns
    -------
    dict of str to (float, float)
        On validation and on test, means over seeds.
    """
    random = {
        (row["problem"], row["seed"]): row for row in rows_of("random_orders.csv")
    }
    gains = defaultdict(list)
    for problem in ("digits", "fashion_mnist", "intents"):
        for row in rows_of(f"oracles_{problem}.csv"):
            if (row["oracle"], row["budget"]) == ("guided", trainings):
                base = random[problem, row["seed"]]
                gains[problem].append(
                    [
                        float(row[part]) - float(base[part])
                        for part in ("validation", "test")
                    ]
                )
    return {problem: tuple(np.mean(pairs, axis=0)) for problem, pairs in gains.items()}


def optimism_gap():
    """Draw how much of an oracle's gain on validation is left on test."""
    gains = oracle_gains()
    sizes = {"digits": 478, "fashion_mnist": 4000, "intents": 4000}
    figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    places = np.arange(len(gains))
    for offset, part, colour, hatch in [
        (-0.2, "on validation, where it searched", COLOURS[1], ""),
        (0.2, "on test, what is reported", COLOURS[0], "///"),
    ]:
        values = [pair[int(offset > 0)] for pair in gains.values()]
        bars = ax.bar(
            places + offset, values, 0.38, label=part, color=colour, hatch=hatch,
            edgecolor="white",
        )  # fmt: skip
        ax.bar_label(bars, fmt="%.3f", fontsize=8.5)
    names = [
        f"{name.replace('_', '-')}\n{sizes[name]:,} rows to search on" for name in gains
    ]
    ax.set_xticks(places, names)
    ax.set(
        ylabel="gain over random orders", ylim=(0, max(map(max, gains.values())) * 1.45)
    )
    ax.legend(loc="upper right", frameon=False)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return figure


FIGURES = {
    "three_curves": three_curves,
    "data_sets": data_sets,
    "quality": quality,
    "optimism_gap": optimism_gap,
}


def main(folder):
    """Write all figures into a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        figure = draw()
        figure.savefig(folder / f"{name}.png", dpi=150)
        plt.close(figure)


if __name__ == "__main__":
    main(sys.argv[1])
