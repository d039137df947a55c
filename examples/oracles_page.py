"""
The page on oracles at equal cost
=================================

Puts tables of what `compare_oracles.py` wrote into a page, between the lines
`<!-- tables -->` and `<!-- end of tables -->`, and draws the picture beside it.

    python examples/oracles_page.py docs/oracles.md
"""

import argparse
from collections import defaultdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from compare_oracles import BUDGETS, MARKS, PROBLEMS, PUBLISHED
from lines import read
from scipy.stats import ttest_rel

BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"
GUIDED, BLIND = "guided", "annealing"
RESULTS = ["validation", "test"]
# Colours that the colour-blind can tell apart, and marks that need none.
LOOKS = {
    GUIDED: ("#0072B2", "o", "-"),
    BLIND: ("#D55E00", "s", "--"),
    "greedy by point": ("#009E73", "^", ":"),
    "greedy by round": ("#CC79A7", "v", ":"),
    "beam": ("#E69F00", "D", "-."),
    "best of strategies": ("#555555", "P", "-."),
}


def gather(folder):
    """Return all runs: by problem, oracle and budget, then by seed."""
    found = defaultdict(dict)
    for path in sorted(folder.glob("oracles_*.csv")):
        for row in read(path):
            found[row["problem"], row["oracle"], row["budget"]][int(row["seed"])] = row
    return found


def column(runs, name):
    """Return a column of some runs, one value per seed."""
    return {seed: float(row[name]) for seed, row in sorted(runs.items())}


def spell(values):
    """Write the mean, and the standard deviation over seeds."""
    values = list(values.values())
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def spell_p(p):
    """Write the p-value of a test, to three digits."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def spell_share(share):
    """Write a share of trainings; an infinite one was not reached so far."""
    return f"{share:.1%}" if np.isfinite(share) else "not reached"


def ahead(guided, rival):
    """Write how far the guided search is ahead, and the paired t-test over seeds."""
    seeds = sorted(guided.keys() & rival.keys())
    if not seeds:
        return ["", ""]
    pairs = [[values[seed] for seed in seeds] for values in (guided, rival)]
    lead = f"{np.mean(pairs[0]) - np.mean(pairs[1]):+.3f}"
    return [lead, spell_p(ttest_rel(*pairs).pvalue) if len(seeds) > 1 else ""]


def table(header, rows):
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def at_equal_cost(found, problem):
    """Return the table of one problem: all oracles, budget by budget."""
    header = [
        "trainings",
        "oracle",
        "seeds",
        "validation",
        "test",
        "guided: ahead",
        "p",
    ]
    rows = []
    for budget in map(str, BUDGETS):
        guided = column(found.get((problem, GUIDED, budget), {}), "test")
        for name in LOOKS:
            runs = found.get((problem, name, budget))
            if runs:
                test = column(runs, "test")
                gap = ["", ""] if name == GUIDED else ahead(guided, test)
                quality = [spell(column(runs, "validation")), spell(test)]
                rows.append([budget, name, str(len(runs)), *quality, *gap])
    return table(header, rows)


def caught_up(found, problem):
    """Yield, seed by seed, when the guided search is as far as the published one."""
    guided = longest(found, problem)
    for seed, row in sorted(found.get((problem, BLIND, PUBLISHED), {}).items()):
        if seed in guided:
            aim = float(row["validation"])
            reached = np.array(guided[seed]["reached"].split(), dtype=float)
            there = np.flatnonzero(reached >= aim)
            yield seed, row, guided[seed], MARKS[there[0]] if len(there) else None


def longest(found, problem):
    """Return the longest guided search of each seed."""
    runs = {}
    for budget in map(str, BUDGETS):
        runs |= found.get((problem, GUIDED, budget), {})
    return runs


def against_published(found):
    """Return a table: how soon the search as published is caught up with."""
    header = ["problem", "seed", "published: trainings", "validation", "test"]
    header += ["guided: trainings to the same validation", "share"]
    header += ["guided: trainings in all", "validation", "test"]
    rows, shares = [], defaultdict(list)
    for problem in PROBLEMS:
        for seed, row, guided, n in caught_up(found, problem):
            total = int(row["trainings"])
            shares[problem].append(n / total if n else np.inf)
            share = [f"{n:,}", f"{n / total:.1%}"] if n else ["not reached", ""]
            scores = [f"{float(r[c]):.4f}" for r in (row, guided) for c in RESULTS]
            n_guided = f"{int(guided['trainings']):,}"
            cells = [problem, str(seed), f"{total:,}", *scores[:2], *share]
            cells += [n_guided, *scores[2:]]
            rows.append(cells)
    medians = [
        f"{problem}: {spell_share(np.median(values))} over {len(values)} seeds"
        for problem, values in shares.items()
    ]
    return table(header, rows) + "\n\nMedian share: " + "; ".join(medians) + "."


def draw(found, path):
    """Draw quality against trainings: a column per problem, validation above test."""
    problems = [p for p in PROBLEMS if any(key[0] == p for key in found)]
    figure, axes = plt.subplots(
        2, len(problems), figsize=(4.2 * len(problems), 6.4), sharex=True, squeeze=False
    )
    for panel, problem in zip(axes.T, problems, strict=True):
        panel[0].set_title(problem.replace("_", "-"))
        panel[1].set_xlabel("Trainings")
        for ax, result in zip(panel, RESULTS, strict=True):
            draw_panel(ax, found, problem, result)
    for ax, result in zip(axes[:, 0], RESULTS, strict=True):
        ax.set_ylabel(f"Quality on {result}")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    figure.savefig(path, dpi=150)


def draw_panel(ax, found, problem, result):
    """Draw one result of one problem: a line with its spread for each oracle."""
    ax.set_xscale("log")
    ax.grid(alpha=0.3)
    for i, (name, (colour, mark, line)) in enumerate(LOOKS.items()):
        points = [
            (budget * 1.03 ** (i - 2.5), list(column(runs, result).values()))
            for budget in BUDGETS
            if (runs := found.get((problem, name, str(budget))))
        ]
        if points:
            x, y = zip(*points, strict=True)
            spread = [np.std(v, ddof=1) if len(v) > 1 else 0 for v in y]
            ax.errorbar(
                *(x, [np.mean(v) for v in y], spread),
                color=colour, marker=mark, linestyle=line, capsize=2, label=name,
            )  # fmt: skip
    published = found.get((problem, BLIND, PUBLISHED), {})
    if published:
        x = np.mean(list(column(published, "trainings").values()))
        y = np.mean(list(column(published, result).values()))
        ax.plot(x, y, "*", color="#D55E00", markersize=13, label="annealing, published")
        ax.axhline(y, color="#D55E00", linewidth=0.8)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("docs/runs"))
    args = parser.parse_args()
    found = gather(args.runs)
    parts = [against_published(found)]
    for problem in dict.fromkeys(key[0] for key in found):
        parts += [f"### {problem.replace('_', '-')}", at_equal_cost(found, problem)]
    before, rest = args.page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    body = "\n\n".join([BEGIN, *parts, END])
    args.page.write_text(before + body + after)
    draw(found, args.page.parent / "images" / "oracles.png")


if __name__ == "__main__":
    main()
