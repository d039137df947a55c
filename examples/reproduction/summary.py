"""The numbers of the report and of the page, as saved in `summary.json`."""

from contextlib import suppress
from dataclasses import asdict
from itertools import product

import numpy as np

from reproduction import costs, findings, published
from skal.oracle import read_journal
from skal.studies.running._store import find_journal

TRANSFERS = [
    *("oracle", "best heuristic", "its quality", "random"),
    *("oracle (paper)", "heuristic (paper)", "random (paper)"),
]
# The shares of its trainings after which the quality of a search is shown.
SHARES = {"half": 0.5, "three quarters": 0.75, "all": 1.0}


def summarize(found, study):
    """Return all numbers of the report."""
    task = found.plan.task
    problem = found.comparison.problem
    sets = ("X", "X_warm", "X_select", "X_val", "X_test")
    return {
        "plan": asdict(found.plan),
        "oracle": str(found.comparison.strategies["oracle"]),
        "sizes": [
            0 if problem.sets[name] is None else len(problem.sets[name])
            for name in sets
        ],
        "rounds": [problem.batch_size, problem.n_rounds],
        "findings": findings.summarize(findings.of_studies(found)),
        "published": published.measures(task),
        "qualities": qualities(found, published.qualities(task)),
        "transfer": transfers(found, published.transfers(task)),
        "seeds": seeds(found),
        "gains": tested(found.gain),
        "searches": searches(found.comparison, study),
        "costs": costs.read(study),
        "environment": costs.environment(found.plan.device),
    }


def qualities(found, paper):
    """Return the quality of each strategy, best first for each model, as columns."""
    comparison = found.comparison
    tests = comparison.against()
    rows = []
    for i, model in enumerate(comparison.estimators):
        means = comparison.qualities[i].mean(axis=1)
        names = list(comparison.strategies)
        for j in np.argsort(-means):
            name = names[j]
            is_random = name == "random"
            place = None if is_random else (i, tests.strategies.index(name))
            rows.append(
                [
                    *(model, name, means[j], _deviation(comparison.qualities[i, j])),
                    comparison.validation_qualities[i, j].mean(),
                    None if is_random else tests.gains[place].mean(),
                    None if is_random else number(tests.t_pvalues[place]),
                    paper.get((model, name)),
                ]
            )
    names = "model", "strategy", "test", "sd", "validation", "over_random", "p", "paper"
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return {name: [number(v) for v in values] for name, values in columns.items()}


def transfers(found, paper):
    """Return the quality of orders by source and target, as columns."""
    columns = {name: [] for name in (*("source", "target"), *TRANSFERS)}
    if found.models is None:
        return columns
    strategies = found.models.strategies
    means = found.models.qualities.mean(axis=-1)
    random = found.models.baseline_qualities.mean(axis=-1)
    models = list(found.comparison.estimators)
    for (i, source), (j, target) in product(enumerate(models), repeat=2):
        best = findings.best_heuristic(found, i)
        known = paper.get((source, target), {})
        row = [
            *(source, target, means[strategies.index("oracle"), i, j]),
            *(best, means[strategies.index(best), i, j], random[j]),
            *(known.get(name) for name in ("oracle", "heuristic", "random")),
        ]
        for column, value in zip(columns.values(), row, strict=True):
            column.append(number(value))
    return columns


def seeds(found):
    """Return the tests of orders from other seeds, as columns."""
    if found.seeds is None:
        return {}
    return tested(found.seeds.against_own(), found.seeds.against_baseline())


def searches(comparison, study):
    """Return the best validation quality so far of each search, as columns.

    Searches from before studies kept their journals are left out.
    """
    columns = {name: [] for name in ("model", "seed", "trainings", "start", *SHARES)}
    for model, seed in product(sorted(comparison.estimators), comparison.seeds):
        with suppress(FileNotFoundError):
            path = find_journal(study, (model, comparison.oracle, seed, 0))
            row = [model, int(seed), *grown(read_journal(path))]
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    return columns


def grown(history):
    """Return the trainings of a search, its start, and the best so far by `SHARES`."""
    n, best = history["n_trainings"], history["best"]
    # The start alone may take more than half of the trainings.
    ends = [max(n[0], share * n[-1]) for share in SHARES.values()]
    return [int(n[-1]), float(best[0]), *(float(best[n <= end][-1]) for end in ends)]


def tested(*studies):
    """Return the paired tests of some studies, one below the other, as columns."""
    tables = [study.table() for study in studies]
    names = {name: name for name in ("estimator", "strategy", "reference", "quality")}
    names |= {"gain": "gain", "p": "p_t"}
    return {
        name: [number(v) for table in tables for v in table[key].tolist()]
        for name, key in names.items()
    }


def _deviation(values):
    return values.std(ddof=1) if len(values) > 1 else None


def number(value):
    """Return a value that can be saved as JSON."""
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    return value


def signed(value):
    """Format a difference."""
    return "-" if value is None else f"{value:+z.3f}"


def spell_p(value):
    """Format a p-value."""
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def spell(columns):
    """Return columns of a summary, with formatted differences and p-values."""
    how = {"gain": signed, "over_random": signed, "p": spell_p}
    return {
        name: [how[name](value) for value in values] if name in how else values
        for name, values in columns.items()
    }
