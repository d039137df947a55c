"""The report of one task: all tables and figures, on a page and as files."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from reproduction import findings
from reproduction.plan import TITLES
from reproduction.studies import write_table, write_tables
from reproduction.summary import signed, spell, spell_p, summarize
from skal.plotting import (
    DistributionDisplay,
    EmbeddingDisplay,
    GainDisplay,
    HTMLReport,
    OverlapDisplay,
    PerformanceCurveDisplay,
    TransferDisplay,
)


def write(found, folder, *, study):
    """Write report.html, the tables, the figures and summary.json to a folder.

    Parameters
    ----------
    found : Studies
    folder : path-like
    study : path-like
        The folder of the study itself.

    Returns
    -------
    Path
        Path of the report.
    """
    folder = Path(folder)
    write_tables(found, folder)
    summary = summarize(found, study)
    path = folder / "summary.json"
    path.write_text(json.dumps(summary, indent=1) + "\n")
    write_table(folder / "qualities.csv", summary["qualities"])
    rows = summary["findings"]
    write_table(
        folder / "findings.csv", {name: [r[name] for r in rows] for name in rows[0]}
    )
    page = Page(found, folder)
    page.open(summary)
    for section in (results, seeds, models, distributions, idmr, how):
        section(page, found, summary)
    return page.report.write(folder / "report.html")


class Page:
    """The report, and the folder of its figures."""

    def __init__(self, found, folder):
        self.report = HTMLReport(f"Reproduction: {TITLES[found.plan.task]}")
        self.figures = folder / "figures"
        self.figures.mkdir(exist_ok=True)

    def add(self, display, name, caption):
        """Add a figure to the page, and save it to the folder."""
        figure = getattr(display, "figure_", display)
        figure.savefig(self.figures / f"{name}.png", dpi=110, bbox_inches="tight")
        self.report.add_figure(figure, caption)
        plt.close(figure)

    def open(self, summary):
        """Add the setup and the findings."""
        plan, (batch, rounds) = summary["plan"], summary["rounds"]
        pool, *others = summary["sizes"]
        names = "warm start", "selection", "validation", "test"
        sets = ", ".join(
            f"{n} for {name}" for n, name in zip(others, names, strict=True)
        )
        self.report.add_text(
            "The study of Zhou et al., Towards Understanding the Behaviors of Optimal "
            "Deep Active Learning Algorithms (AISTATS 2021), run again with skal: "
            f"budget {plan['budget']}, seeds {plan['seeds']}, models "
            f"{', '.join(plan['models'])}; {rounds} rounds of {batch} labels out of a "
            f"pool of {pool}; {sets}. A quality is the mean test score over k = 0..K, "
            "as in the published tables."
        )
        if plan["budget"] == "smoke":
            self.report.add_text(
                "This is a smoke run: it shows that all parts work, and its numbers "
                "mean nothing."
            )
        self.report.add_heading("Findings")
        main = plan["models"][0]
        self.report.add_table(
            findings_table(summary, [main, "all"]),
            f"Model {main}: the mean over seeds of a difference that is above zero if "
            "the finding is true, with p of a paired t-test. A finding holds where it "
            f"is above zero and p < {findings.ALPHA}.",
        )
        if len(plan["models"]) > 1:
            table = findings_table(summary, plan["models"][1:], with_model=True)
            self.report.add_table(table, "The same for the other models.")
        self.report.add_table(
            {
                "finding": [finding for finding, *_ in findings.MEASURES.values()],
                "difference": [what for *_, what in findings.MEASURES.values()],
            },
            "What these differences are.",
        )


def findings_table(summary, models, *, with_model=False):
    """Return our and the published findings of some models, as columns."""
    paper = {(r["measure"], r["model"]): r for r in summary["published"]}
    rows = []
    for row in summary["findings"]:
        if row["model"] not in models:
            continue
        finding, where, _ = findings.MEASURES[row["measure"]]
        known = paper.get((row["measure"], row["model"]), {})
        rows.append(
            [
                *(row["model"], finding, where),
                *(signed(row["mean"]), spell_p(row["p"]), row["verdict"]),
                *(signed(known.get("mean")), spell_p(known.get("p")), row["note"]),
            ]
        )
    names = [
        *("model", "finding", "in the paper"),
        *("ours", "p", "verdict", "paper", "p (paper)", "ours in detail"),
    ]
    table = dict(zip(names, zip(*rows, strict=True), strict=True))
    return table if with_model else {name: table[name] for name in names[1:]}


def results(page, found, summary):
    """Add Table 2 and Fig. 3."""
    page.report.add_heading("Qualities and curves")
    page.report.add_table(
        spell(summary["qualities"]),
        "Table 2 and appendix D of the paper: quality of each strategy; p of a paired "
        "t-test against random over the seeds.",
    )
    for model in found.comparison.estimators:
        page.add(
            curves(found, model, ["oracle", "random", *found.base]),
            f"curves_{model}",
            f"{model}: performance curves on validation, where the oracle searches, "
            "and on test. In the paper's Fig. 3 (and appendix E), the oracle lies "
            "above all others on both.",
        )


def curves(found, model, strategies):
    """Draw curves on validation and test side by side, with the same axes."""
    return PerformanceCurveDisplay.from_study(
        found.comparison,
        estimator=model,
        strategies=strategies,
        on="both",
        score_name=found.task.scoring,
    )


def seeds(page, found, summary):
    """Add Fig. 4."""
    if found.seeds is None:
        return
    page.report.add_heading("Training stochasticity")
    for model in found.comparison.estimators:
        page.add(
            TransferDisplay.from_study(found.seeds, estimator=model),
            f"seed_transfer_{model}",
            f"{model}: oracle orders of one seed (columns) followed under another "
            "(rows). In the paper's Fig. 4, what is off the diagonal is mostly worse.",
        )
    page.report.add_table(
        spell(summary["seeds"]),
        "Oracle orders of other seeds against those of the seed itself, and against "
        "random ones.",
    )


def models(page, found, summary):
    """Add Figs. 5 and 6."""
    if found.models is None:
        return
    page.report.add_heading("Model transfer")
    page.add(
        TransferDisplay.from_study(found.models),
        "model_transfer",
        "Orders of one model (columns) followed with another (rows), and the "
        "difference to random orders. In the paper's Fig. 5, oracle orders are above "
        "random ones everywhere, and above those of heuristics but for one pair.",
    )
    page.report.add_table(
        summary["transfer"],
        "Orders of the source followed with the target: of the oracle, of the source's "
        "best heuristic, and random ones.",
    )
    overlap(page, found)


def overlap(page, found):
    """Add Fig. 6."""
    shown = ["oracle", findings.best_heuristic(found, 0)]
    n_models = len(found.comparison.estimators)
    width = max(8, 1 + 1.7 * n_models * (n_models - 1))
    figure, axes = plt.subplots(1, 2, figsize=(width, 5), layout="constrained")
    for ax, strategy in zip(axes, shown, strict=True):
        OverlapDisplay.from_study(found.overlap, strategy=strategy, ax=ax)
    page.add(
        figure,
        "overlap",
        "Points that are in the orders of two models, of the oracle and of the best "
        f"heuristic, seed {found.comparison.seeds[0]}. In the paper's Fig. 6, oracle "
        "orders share fewer.",
    )
    page.report.add_table(
        overlap_table(found.overlap),
        "Share of points that are in the orders of both models, mean over seeds; by "
        f"chance it is {found.overlap.chance:.3f}.",
    )


def overlap_table(overlap):
    """Return the shares of each strategy, a column for each pair of models."""
    shares = {}
    for first, second, share in zip(
        overlap.first, overlap.second, overlap.shares, strict=True
    ):
        pair = shares.setdefault(f"{first[0]} and {second[0]}", {})
        pair.setdefault(first[1], []).append(share)
    strategies = next(iter(shares.values()))
    return {"strategy": list(strategies)} | {
        pair: [np.mean(values) for values in columns.values()]
        for pair, columns in shares.items()
    }


def distributions(page, found, summary):
    """Add Figs. 7 to 9."""
    page.report.add_heading("Distributions")
    model = found.plan.models[0]
    is_embedded = found.inputs.points is not None
    if is_embedded:
        embedding(page, found, model)
    titles = {"inputs": "Cluster" if is_embedded else "Words", "labels": "Label"}
    for name, title in titles.items():
        display = DistributionDisplay.from_study(
            getattr(found, name),
            estimator=model,
            strategies=["oracle", "random", *found.base],
            title=title,
        )
        page.add(
            display,
            name,
            f"{model}: {name} among what is labelled, against the test set (dashed). "
            "In the paper's Figs. 7 to 9, the oracle keeps to the dashed lines, and "
            "heuristics do not.",
        )


def embedding(page, found, model):
    """Add Fig. 7, left."""
    display = EmbeddingDisplay.from_study(
        found.inputs,
        found.comparison,
        estimator=model,
        strategies=["oracle", found.base[0]],
    )
    page.add(
        display,
        "embedding",
        f"{model}: the first batches in the t-SNE embedding, numbered by round. In the "
        "paper's Fig. 7, the oracle spreads evenly, and max-entropy does not.",
    )


def idmr(page, found, summary):
    """Add Fig. 10."""
    page.report.add_heading("Distribution-matching regularization")
    for i, model in enumerate(found.comparison.estimators):
        base = findings.best_base(found, i)
        page.add(
            curves(found, model, ["oracle", "random", base, f"idmr-{base}"]),
            f"idmr_curves_{model}",
            f"{model}: the best heuristic that IDMR was tried on, with it and without. "
            "In the paper's Fig. 10, IDMR brings it above all but the oracle.",
        )
        page.add(
            GainDisplay.from_study(found.gain, estimator=model),
            f"idmr_{model}",
            f"{model}: what IDMR adds to each heuristic, seed by seed; p-values after "
            "Holm. In the paper it adds 2.95 % on average.",
        )
    page.report.add_table(spell(summary["gains"]), "Paired t-tests over the seeds.")


def how(page, found, summary):
    """Add the sizes, the machine and the duration of the runs."""
    page.report.add_heading("How it was run")
    plan = summary["plan"]
    setting = {name: value for name, value in plan.items() if value is not None}
    setting |= {
        "seeds": ", ".join(map(str, found.comparison.seeds)),
        "models": ", ".join(plan["models"]),
        "oracle": summary["oracle"],
        "sizes": ", ".join(map(str, summary["sizes"])),
        "rounds": "B = {}, K = {}".format(*summary["rounds"]),
    }
    page.report.add_table({"setting": list(setting), "value": list(setting.values())})
    page.report.add_table(
        summary["costs"],
        "Trainings and minutes. A search that was resumed counts the minutes of its "
        "last part alone, and all of its trainings.",
        digits=1,
    )
    environment = summary["environment"]
    page.report.add_table(
        {"environment": list(environment), "": list(environment.values())}
    )
