"""
The page of the reproduction
============================

Reads the results of `reproduce_paper.py` for each task, and writes
`docs/reproduction.md`: for each table and figure of the paper, the published numbers,
our numbers, and whether the finding holds. No number is written by hand;
`reproduction/notes.md` explains the differences.

    python examples/reproduction_page.py runs/oc runs/ic runs/ner

The published numbers are computed from the curves that were released with the paper.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
from reproduction import findings
from reproduction.plan import NAMES, TITLES
from reproduction.summary import signed, spell, spell_p
from scipy import stats

from skal.studies import detectable_gain, seeds_needed

NOTES = Path(__file__).parent / "reproduction" / "notes.md"
# Sections of the page and of the notes: title, measures, figures of the main model.
PARTS = {
    "results": (
        "Table 2 and Fig. 3: the oracle, heuristics and random orders",
        ["oracle-random", "oracle-heuristic", "oracle-idmr"],
        ["curves_{}"],
    ),
    "seeds": (
        "Fig. 4: training stochasticity",
        ["own-foreign"],
        ["seed_transfer_{}"],
    ),
    "models": (
        "Figs. 5 and 6: transfer between models",
        ["transfer-random", "transfer-heuristic", "overlap"],
        ["model_transfer", "overlap"],
    ),
    "distributions": (
        "Figs. 7 to 9: distributions",
        ["inputs", "labels"],
        ["embedding", "inputs", "labels"],
    ),
    "idmr": (
        "Fig. 10: distribution-matching regularization",
        ["idmr"],
        ["idmr_curves_{}"],
    ),
}
INTRODUCTION = """# The paper, reproduced

Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
Algorithms" (AISTATS 2021), run again with skal. Each finding is a difference that is
positive if the finding is true; the tables show its mean over seeds. A finding
**holds** if the mean is positive with p < {alpha} in a paired t-test over the seeds; a
few seeds can hardly show that. A quality is the mean test score over k = 0..K, as in
the published tables. All numbers come from the files of these runs:

{commands}

## Do the findings hold?

{findings}

## How many seeds does it take?

{seeds}

{power}

## Runs

{runs}

{note}"""
# Name of each section's table in a summary, and the titles of its columns on the page.
DETAILS = {
    **{"results": "qualities", "seeds": "seeds"},
    **{"models": "transfer", "idmr": "gains"},
}
COLUMNS = {"test": "ours", "paper": "published", "over_random": "over random"}
# Numbers of seeds for which the page says what they show.
N_SEEDS = (3, 5, 10)
MEASURED = [
    *("measure", "task", "model", "published", "p"),
    *("ours", "p", "seeds", "verdict", "ours in detail"),
]


def read_run(folder):
    """Return the summary of a run, with its folder."""
    summary = json.loads((folder / "summary.json").read_text())
    return summary | {"folder": folder, "task": summary["plan"]["task"]}


def read_notes(path):
    """Return the text under each heading."""
    _, *parts = path.read_text().split("\n## ")
    return {name: text.strip() for name, text in (p.split("\n", 1) for p in parts)}


def table(names, rows):
    """Return a table in Markdown."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def measured(runs, measure):
    """Yield our and the published findings, by run and model."""
    for run in runs:
        paper = {(row["measure"], row["model"]): row for row in run["published"]}
        for row in run["findings"]:
            if row["measure"] == measure:
                yield run, row, paper.get((measure, row["model"]), {})


def is_main(run, row):
    """Return whether a measure belongs to the main model of a run, or to all models."""
    return row["model"] in (run["plan"]["models"][0], "all")


def overview(runs):
    """Return the verdict on each finding for each task."""
    rows = []
    for measure, (finding, where, _) in findings.MEASURES.items():
        cells = {
            run["task"]: f"{row['verdict']} ({signed(row['mean'])}; "
            f"published {signed(paper.get('mean'))})"
            for run, row, paper in measured(runs, measure)
            if is_main(run, row)
        }
        rows.append([finding, where, *(cells.get(task, "-") for task in NAMES)])
    return table(["finding", "in the paper", *map(str.upper, NAMES)], rows)


def deviation(row):
    """Return the standard deviation over seeds behind a mean and its p-value."""
    if row.get("p") is None:
        return None
    t = stats.t.isf(row["p"] / 2, row["seeds"] - 1)
    return abs(row["mean"]) * np.sqrt(row["seeds"]) / t


def power_table(runs):
    """Return which differences a number of seeds shows, with a power of 80 %."""
    rows = []
    for measure in findings.MEASURES:
        for run, row, paper in measured(runs, measure):
            spread = deviation(row)
            if spread is None or not is_main(run, row):
                continue
            found = [signed(detectable_gain(spread, n)) for n in N_SEEDS]
            aim = paper.get("mean")
            needed = "-" if aim is None else f"{seeds_needed(aim, spread):,}"
            cells = [measure, run["task"].upper(), row["seeds"], f"{spread:.3f}"]
            rows.append([*cells, *found, signed(row["mean"]), signed(aim), needed])
    names = ["measure", "task", "seeds", "standard deviation over seeds"]
    names += [f"shown by {n} seeds" for n in N_SEEDS]
    names += ["ours", "published", "seeds for the published one"]
    return table(names, rows)


def measures_table(runs, measures):
    """Return some measures with their p-values."""
    rows = [
        [
            *(measure, run["task"].upper(), row["model"]),
            *(signed(paper.get("mean")), spell_p(paper.get("p"))),
            *(signed(row["mean"]), spell_p(row["p"]), row["seeds"]),
            *(f"**{row['verdict']}**", row["note"]),
        ]
        for measure in measures
        for run, row, paper in measured(runs, measure)
    ]
    return table(MEASURED, rows)


def runs_table(runs):
    """Return the sizes and costs of all runs."""
    rows = []
    for run in runs:
        plan, costs = run["plan"], run["costs"]
        search = "published" if plan["trainings"] is None else plan["trainings"]
        hours = f"{costs['minutes'][-1] / 60:.1f}"
        rows.append(
            [
                *(TITLES[run["task"]], plan["budget"], plan["seeds"]),
                *(", ".join(plan["models"]), ", ".join(map(str, run["sizes"]))),
                *(*run["rounds"], search, f"{costs['trainings'][-1]:,}", hours),
                run["environment"]["device"],
            ]
        )
    names = [
        *("task", "budget", "seeds", "models", "pool, warm, select, val, test"),
        *("B", "K", "trainings of a search", "trainings in all", "hours", "device"),
    ]
    return table(names, rows)


def searches_table(runs):
    """Return how the validation quality of each search grew; empty without journals."""
    rows = []
    for run in runs:
        columns = run.get("searches", {})
        for model, seed, n, *values in zip(*columns.values(), strict=True):
            grown = signed(values[-1] - values[-2])
            cells = [run["task"].upper(), model, seed, f"{n:,}"]
            rows.append([*cells, *map(plain, values), grown])
    names = ["task", "model", "seed", "trainings", "at the start", "after half"]
    names += ["after three quarters", "after all", "last quarter"]
    return table(names, rows) if rows else ""


def detail(name, run):
    """Return the table of a run for a section, if there is one."""
    columns = spell(run[DETAILS[name]]) if name in DETAILS else {}
    if not any(columns.values()):
        return ""
    rows = zip(*(map(plain, values) for values in columns.values()), strict=True)
    return table([COLUMNS.get(column, column) for column in columns], rows)


def plain(value):
    """Format a value of a table."""
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def pictures(run, names, page):
    """Copy a run's figures next to the page, and return the lines that show them.

    Figures of an earlier call are shown again if the run is kept without its own.
    """
    lines = []
    folder = page.parent / "images" / "reproduction"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        name = name.format(run["plan"]["models"][0])
        source = run["folder"] / "figures" / f"{name}.png"
        target = folder / f"{run['task']}_{name}.png"
        if source.exists():
            shutil.copyfile(source, target)
        if target.exists():
            what = f"{TITLES[run['task']]}: {name.replace('_', ' ')}"
            lines.append(f"![{what}]({target.relative_to(page.parent)})")
    return lines


def write_part(name, runs, notes, page):
    """Return the section of a table or figure."""
    title, measures, names = PARTS[name]
    lines = [f"## {title}"]
    lines += ["\n".join(f"- {m}: {findings.MEASURES[m][2]}" for m in measures)]
    lines += [measures_table(runs, measures)]
    for run in runs:
        if text := detail(name, run):
            lines += [f"### {TITLES[run['task']]}", text]
    lines += [notes[name]] if name in notes else []
    for run in runs:
        lines += pictures(run, names, page)
    return "\n\n".join(lines)


def command(run):
    """Return the command of a run."""
    plan = run["plan"]
    given = {name: plan[name] for name in ("task", "budget", "seeds")}
    given["models"] = " ".join(plan["models"])
    if plan["trainings"] is not None:
        given["trainings"] = plan["trainings"]
    given |= {"orders": plan["n_orders"], "out": f"runs/{plan['task']}"}
    options = " ".join(f"--{name} {value}" for name, value in given.items())
    return f"    python examples/reproduce_paper.py {options}"


def write(folders, page, notes=NOTES):
    """Write the page, tasks in the order of the paper."""
    order = list(NAMES)
    runs = sorted(map(read_run, folders), key=lambda run: order.index(run["task"]))
    places = " ".join(f"runs/{run['task']}" for run in runs)
    last = f"    python examples/reproduction_page.py {places}"
    texts = read_notes(notes)
    introduction = INTRODUCTION.format(
        alpha=findings.ALPHA,
        commands="\n".join([*map(command, runs), last]),
        findings=overview(runs),
        runs=runs_table(runs),
        seeds=texts.get("power", ""),
        power=power_table(runs),
        note=texts.get("runs", ""),
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    measured = {row["measure"] for run in runs for row in run["findings"]}
    parts = [
        write_part(name, runs, texts, page)
        for name, (_, measures, _) in PARTS.items()
        if measured.intersection(measures)
    ]
    if grown := searches_table(runs):
        parts.insert(0, f"## Had the searches ended?\n\n{grown}\n\n{texts['searches']}")
    page.write_text("\n\n".join([introduction, *parts]) + "\n")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("folders", nargs="+", type=Path, help="of reproduce_paper.py")
    parser.add_argument("--page", type=Path, default=Path("docs/reproduction.md"))
    parser.add_argument("--notes", type=Path, default=NOTES)
    args = parser.parse_args(arguments)
    write(args.folders, args.page, args.notes)
    print(f"Wrote {args.page}")


if __name__ == "__main__":
    main()
