"""
The page on oracles at equal cost
=================================

Makes tables of the results of `compare_oracles.py` and `luck_of_oracles.py`, inserts
them into a page between the lines `<!-- tables -->` and `<!-- end of tables -->`, and
draws the plot next to the page.

    python examples/oracles_page.py docs/oracles.md
"""

import argparse
from collections import defaultdict
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from compare_oracles import BUDGETS, MARKS, PROBLEMS, PUBLISHED
from lines import read
from pages import insert, table
from scipy.stats import ttest_rel

from skal import optimism
from skal.studies._statistics import holm

GUIDED, BLIND, BOSS = "guided", "annealing", "boss"
RESULTS = ["validation", "test"]
# Files that `luck_of_oracles.py` writes.
LUCK, CAUGHT_UP = "luck_of_seeds.csv", "caught_up.csv"
RANDOM, SIZES = "random_orders.csv", "validation_sizes.csv"
# The file that `held_out_oracles.py` writes.
HELD_OUT = "held_out_oracles.csv"
# Colours for colour-blind readers, and markers for greyscale.
LOOKS = {
    GUIDED: ("#0072B2", "o", "-"),
    BLIND: ("#D55E00", "s", "--"),
    "greedy by point": ("#009E73", "^", ":"),
    "greedy by round": ("#CC79A7", "v", ":"),
    "beam": ("#E69F00", "D", "-."),
    "best of strategies": ("#555555", "P", "-."),
}


def gather(folder, files="oracles_*.csv"):
    """Return all runs: by problem, oracle and budget, then by seed."""
    found = defaultdict(dict)
    for path in sorted(folder.glob(files)):
        for row in read(path):
            found[row["problem"], row["oracle"], row["budget"]][int(row["seed"])] = row
    return found


def column(runs, name):
    """Return a column of some runs, one value per seed."""
    return {seed: float(row[name]) for seed, row in sorted(runs.items())}


def spell(values):
    """Format the mean and the standard deviation over seeds."""
    values = list(values.values())
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def spell_lead(lead, *pvalues):
    """Format a lead and its p-values; unknown values are left out."""
    spelled = ["<0.001" if p < 0.001 else f"{p:.3f}" for p in pvalues]
    values = [f"{lead:+z.3f}", *spelled]
    return ["" if value.endswith("nan") else value for value in values]


def spell_problem(problem):
    """Format the name of a problem."""
    return problem.replace("_", "-")


def spell_share(share):
    """Format a share of trainings; infinite if the quality was not reached yet."""
    return f"{share:.1%}" if np.isfinite(share) else "not reached"


def ahead(guided, rival):
    """Return the lead of the guided search, and p of a paired t-test."""
    seeds = sorted(guided.keys() & rival.keys())
    if not seeds:
        return np.nan, np.nan
    pairs = [[values[seed] for seed in seeds] for values in (guided, rival)]
    p = ttest_rel(*pairs).pvalue if len(seeds) > 1 else np.nan
    return np.mean(pairs[0]) - np.mean(pairs[1]), p


def at_equal_cost(found, problem, costs=("seconds",)):
    """Return the table of one problem: all oracles, budget by budget."""
    header = ["trainings", "oracle", "seeds", *costs, *RESULTS]
    header += ["guided ahead on test", "p", "p (Holm)"]
    budgets = map(str, BUDGETS)
    rows = [
        row for budget in budgets for row in at_budget(found, problem, budget, costs)
    ]
    return table(header, rows)


def at_budget(found, problem, budget, costs):
    """Yield the rows of one budget, with Holm's correction over its rivals."""
    keys = {name: (problem, name, budget) for name in LOOKS}
    runs = {name: found[key] for name, key in keys.items() if key in found}
    test = {name: column(rows, "test") for name, rows in runs.items()}
    guided = test.get(GUIDED, {})
    leads = {name: ahead(guided, test[name]) for name in runs if name != GUIDED}
    corrected = dict(zip(leads, holm([p for _, p in leads.values()]), strict=True))
    for name, rows in runs.items():
        quality = [spell(column(rows, "validation")), spell(test[name])]
        gap = ["", "", ""]
        if name in leads:
            gap = spell_lead(*leads[name], corrected[name])
        means = [np.mean(list(column(rows, cost).values())) for cost in costs]
        cost = [f"{int(budget):,}", name, str(len(rows)), *(f"{c:.0f}" for c in means)]
        yield [*cost, *quality, *gap]


def against_boss(found):
    """Return the table of the guided search and BoSS, on the seeds that both have."""
    header = ["problem", "trainings", "seeds", "guided: validation", "BoSS: validation"]
    header += ["guided: test", "BoSS: test", "guided ahead on test", "p"]
    header += ["guided: seconds", "BoSS: seconds"]
    rows = []
    for problem, budget in sorted({(p, b) for p, _, b in found}, key=size_first):
        guided, boss = (found[problem, name, budget] for name in (GUIDED, BOSS))
        seeds = sorted(guided.keys() & boss.keys())
        if seeds:
            pair = [{seed: runs[seed] for seed in seeds} for runs in (guided, boss)]
            cells = [spell(column(runs, name)) for name in RESULTS for runs in pair]
            lead = spell_lead(*ahead(*(column(runs, "test") for runs in pair)))
            seconds = [
                f"{np.mean([float(run['seconds']) for run in runs.values()]):.0f}"
                for runs in pair
            ]
            first = [spell_problem(problem), f"{int(budget):,}", str(len(seeds))]
            rows.append([*first, *cells, *lead, *seconds])
    return table(header, rows)


def held_out(found):
    """Yield the tables of problems that nothing was tuned on, after a summary."""
    leads = defaultdict(list)
    for problem, name, budget in found:
        if name != GUIDED:
            pair = [found[problem, who, budget] for who in (GUIDED, name)]
            leads[budget].append(ahead(*(column(runs, "test") for runs in pair))[0])
    for budget, values in sorted(leads.items(), key=lambda pair: int(pair[0])):
        n_ahead = sum(value > 0 for value in values)
        yield (
            f"- {int(budget):,} trainings: the guided search is ahead on test of "
            f"{n_ahead} of {len(values)} rivals, by {min(values):+z.3f} to "
            f"{max(values):+z.3f}"
        )
    for problem in dict.fromkeys(key[0] for key in found):
        yield f"#### {problem}"
        yield at_equal_cost(found, problem, ["seconds", "cpu"])


def size_first(key):
    """Sort problems by name, and budgets by their size."""
    return key[0], int(key[1])


def caught_up(found, problem):
    """Yield, by seed, when the guided search catches up with the published one."""
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


def against_published(found, there=()):
    """Return the table of when the guided search catches up with the published one.

    `there` has the lines of `luck_of_oracles.py` for the guided search at that point.
    """
    header = ["problem", "seed", *(f"published: {c}" for c in ["trainings", *RESULTS])]
    header += ["guided: trainings to the same validation", "share", "test there"]
    header += [f"guided: {c}" for c in ["trainings in all", *RESULTS]]
    test_there = {(r["problem"], r["seed"], r["trainings"]): r["test"] for r in there}
    rows, results = [], defaultdict(list)
    for problem in PROBLEMS:
        for seed, row, guided, n in caught_up(found, problem):
            total = int(row["trainings"])
            test = float(test_there.get((problem, str(seed), str(n)), np.nan))
            share = n / total if n else np.inf
            results[problem].append([share, test, float(row["test"])])
            reached = [f"{n:,}" if n else "", spell_share(share)]
            reached += ["" if np.isnan(test) else f"{test:.4f}"]
            of_both = [
                [f"{int(r['trainings']):,}", *(f"{float(r[c]):.4f}" for c in RESULTS)]
                for r in (row, guided)
            ]
            cells = [spell_problem(problem), str(seed)]
            rows.append([*cells, *of_both[0], *reached, *of_both[1]])
    return table(header, rows) + "\n\n" + "\n".join(medians(results))


def medians(results):
    """Yield a line for each problem, with medians over the available seeds."""
    for problem, values in results.items():
        share, test, published = np.median(values, axis=0)
        on_test = f", test there {test:.4f} against {published:.4f}"
        yield (
            f"- {spell_problem(problem)}, median of {len(values)} seeds: share"
            f" {spell_share(share)}{'' if np.isnan(test) else on_test}"
        )


def with_luck(found, random):
    """Return the table of gains over random orders on both sets, and their difference.

    `random` has the lines of `luck_of_oracles.py` with random orders, for the same
    problem and seed, and thus for the same data sets.
    """
    header = ["problem", "trainings", "oracle", "seeds"]
    header += ["over random on validation", "over random on test", "luck"]
    keys = [(GUIDED, str(budget)) for budget in BUDGETS] + [(BLIND, PUBLISHED)]
    rows = []
    for problem, (name, budget) in product(PROBLEMS, keys):
        baseline = {int(r["seed"]): r for r in random if r["problem"] == problem}
        runs = found.get((problem, name, budget), {})
        runs = {seed: row for seed, row in runs.items() if seed in baseline}
        if runs:
            gains = [spell(over(baseline, runs, result)) for result in RESULTS]
            spelled = budget if budget == PUBLISHED else f"{int(budget):,}"
            row = [spell_problem(problem), spelled, name, str(len(runs)), *gains]
            rows.append([*row, spell(luck_of(baseline, runs))])
    return table(header, rows)


def with_fewer_rows(rows):
    """Return the table of gains over random orders by the size of validation."""
    header = ["problem", "trainings", "rows of validation", "seeds"]
    header += ["over random on validation", "over random on test", "luck"]
    cells = defaultdict(dict)
    for row in rows:
        cell = row["problem"], int(row["budget"]), int(row["rows"])
        cells[cell][int(row["seed"])] = row
    lines = []
    for (problem, budget, n_rows), runs in sorted(cells.items()):
        baseline = {
            seed: {result: row[f"random_{result}"] for result in RESULTS}
            for seed, row in runs.items()
        }
        gains = [spell(over(baseline, runs, result)) for result in RESULTS]
        line = [spell_problem(problem), f"{budget:,}", f"{n_rows:,}", str(len(runs))]
        lines.append([*line, *gains, spell(luck_of(baseline, runs))])
    return table(header, lines)


def over(baseline, runs, result):
    """Return the gain over the baseline on one set, by seed."""
    below, above = column(baseline, result), column(runs, result)
    return {seed: above[seed] - below[seed] for seed in above}


def luck_of(baseline, runs):
    """Return the gain on validation minus the gain on test, by seed."""
    return {
        seed: optimism(*(float(r[seed][c]) for r in (runs, baseline) for c in RESULTS))
        for seed in sorted(runs)
    }


def with_other_seeds(rows):
    """Return the table of orders that were replayed under other training seeds."""
    header = ["problem", "trainings", "oracle", "seeds", "validation"]
    header += ["with other seeds", "test", "with other seeds"]
    orders = defaultdict(dict)
    for row in rows:
        orders[row["problem"], row["budget"], row["oracle"]][int(row["seed"])] = row
    names = ["validation", "other_validation", "test", "other_test"]
    return table(
        header,
        [
            [spell_problem(problem), f"{int(budget):,}", oracle, str(len(runs))]
            + [spell(column(runs, name)) for name in names]
            for (problem, budget, oracle), runs in orders.items()
        ],
    )


def draw(found, path):
    """Plot quality against trainings: one column per problem, validation above test."""
    problems = [p for p in PROBLEMS if any(key[0] == p for key in found)]
    figure, axes = plt.subplots(
        2, len(problems), figsize=(4.2 * len(problems), 6.4), sharex=True, squeeze=False
    )
    for panel, problem in zip(axes.T, problems, strict=True):
        panel[0].set_title(spell_problem(problem))
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
    """Plot one quality of one problem: a line and its spread for each oracle."""
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
    parts = [against_published(found, read(args.runs / CAUGHT_UP))]
    for problem in dict.fromkeys(key[0] for key in found):
        parts += [f"### {spell_problem(problem)}", at_equal_cost(found, problem)]
    if fresh := gather(args.runs, HELD_OUT):
        parts += ["### Problems that nothing was tuned on", *held_out(fresh)]
    if boss := gather(args.runs / "boss"):
        parts += ["### BoSS with its own ten strategies", against_boss(boss)]
    if random := read(args.runs / RANDOM):
        parts += ["### Luck of the validation set", with_luck(found, random)]
    if sizes := read(args.runs / SIZES):
        parts += ["### Luck by the size of validation", with_fewer_rows(sizes)]
    if luck := read(args.runs / LUCK):
        parts += ["### Luck of the seed", with_other_seeds(luck)]
    picture = args.page.parent / "images" / "oracles.png"
    picture.parent.mkdir(exist_ok=True)
    draw(found, picture)
    insert(args.page, parts)


if __name__ == "__main__":
    main()
