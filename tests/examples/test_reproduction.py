"""The reproduction of the paper: `smoke` runs of it, and what is made of them."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import reproduce_paper
import reproduction_page
from filelock import FileLock
from reproduction import findings, published, report, studies
from reproduction.plan import BUDGETS, MODELS, NAMES, make_oracle, make_plan

from skal import (
    label_distribution,
    model_transfer,
    order_overlap,
    regularization_gain,
    seed_transfer,
)
from skal.datasets import PublishedRun
from skal.studies import jackknife_pairs

SCRIPT = Path(reproduce_paper.__file__)
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)


# A net that trains for a few epochs may end at chance.
pytestmark = pytest.mark.filterwarnings("ignore:.* ends at chance")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory, worker_id):
    """A function that runs a task, once for all processes, and returns its folder."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent

    def run(task):
        folder = shared / f"smoke-{task}"
        with FileLock(shared / f"smoke-{task}.lock"):
            if not (folder / "report.html").exists():
                reproduce_paper.main(arguments(task, folder))
        return folder

    return run


def arguments(task, folder, *more):
    given = ["--task", task, "--budget", "smoke", "--out", str(folder), "--quiet"]
    return [*given, *more]


@pytest.fixture(scope="module")
def real_data():
    home = os.environ.get("SKAL_DATA_HOME")
    if not home or not Path(home).is_dir():
        pytest.skip("needs the real data sets: set SKAL_DATA_HOME to their folder")


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("task", NAMES)
def test_a_smoke_run_writes_all_tables_and_figures(real_data, smoke, task, tmp_path):
    folder = smoke(task)
    summary = json.loads((folder / "summary.json").read_text())
    found = {row["measure"] for row in summary["findings"]}
    between = {"transfer-random", "transfer-heuristic", "overlap"}
    assert found == set(findings.MEASURES) - (set() if task == "ic" else between)
    n_models = len(summary["plan"]["models"])
    rows = read(folder / "curves.csv")
    assert len(rows) == n_models * 5 * 2 * (3 + 1)
    n_searched = 2 * n_models * BUDGETS["smoke"]["trainings"]
    assert summary["costs"]["trainings"][-1] > n_searched
    assert summary["environment"]["torch"]
    for _, _, n, *grown in zip(*summary["searches"].values(), strict=True):
        assert n <= BUDGETS["smoke"]["trainings"]
        assert grown == sorted(grown)
    assert len(summary["searches"]["seed"]) == 2 * n_models
    written = tmp_path / "page.md"
    reproduction_page.write([folder], written)
    assert (
        "## Had the searches ended?\n\n| task | model | seed |" in written.read_text()
    )
    page = (folder / "report.html").read_text(encoding="utf-8")
    n_figures = len(list((folder / "figures").glob("*.png")))
    assert page.count("<img") == n_figures >= 5
    assert not re.search(r"(src|href)=\"(?!data:|#)|url\(|<script|@import", page)
    for word in ("seeds", "trainings", "minutes", "processor", "Table 2", "Fig. 10"):
        assert word in page


def test_killed_a_run_ends_in_the_same_table(real_data, tmp_path):
    whole, killed = (
        arguments("ic", tmp_path / name, "--models", "aoe") for name in "ab"
    )
    reproduce_paper.main(whole)
    kill_after(5, tmp_path / "b", killed)
    assert not (tmp_path / "b" / "curves.csv").exists()
    reproduce_paper.main(killed)
    for path in (tmp_path / "a").glob("*.csv"):
        found = tmp_path / "b" / path.name
        assert found.read_bytes() == path.read_bytes(), path.name


def kill_after(n_lines, folder, given):
    """Kill a run as soon as that many runs of the comparison are written down."""
    lines = folder / "study" / "compare.jsonl"
    command = [sys.executable, str(SCRIPT), *given]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not lines.exists() or lines.read_bytes().count(b"\n") < n_lines:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path")
def test_a_browser_shows_every_figure_and_asks_the_network_nothing(
    real_data, smoke, tmp_path
):
    folder = smoke("ic")
    page = (folder / "report.html").read_text(encoding="utf-8")
    # The page itself lets no script run; a copy is made to tell what it holds.
    allowed = page.replace("default-src 'none'", "default-src 'none' 'unsafe-inline'")
    path = tmp_path / "report.html"
    path.write_text(allowed.replace("</body>", f"{TELL}</body>"), encoding="utf-8")
    command = [
        *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()),
    ]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    n_figures = len(list((folder / "figures").glob("*.png")))
    assert f"<title>{n_figures} of {n_figures} shown, 0 requests</title>" in shown


TELL = """<script>
addEventListener("load", () => {
  const images = [...document.images];
  const shown = images.filter(i => i.complete && i.naturalWidth > 100).length;
  const asked = performance.getEntriesByType("resource").map(entry => entry.name);
  const requests = asked.filter(name => !name.startsWith("data:")).length;
  document.title = `${shown} of ${images.length} shown, ${requests} requests`;
});
</script>"""


def test_the_page_has_the_numbers_of_the_runs(real_data, smoke, tmp_path):
    folders = [smoke(task) for task in ("ner", "ic")]
    page = tmp_path / "docs" / "reproduction.md"
    reproduction_page.main([*map(str, folders), "--page", str(page)])
    text = page.read_text()
    assert text.index("--task ic") < text.index("--task ner")
    for folder in folders:
        summary = json.loads((folder / "summary.json").read_text())
        for row in summary["findings"]:
            assert f"| {row['mean']:+z.3f} | " in text
        for gain in summary["gains"]["gain"] + summary["seeds"]["gain"]:
            assert f"| {gain:+z.3f} | " in text
    for link in re.findall(r"\]\((images/.*?)\)", text):
        assert (page.parent / link).is_file()
    assert "published +0.071" in text
    assert "published +0.028" in text


@pytest.fixture
def found(comparison):
    """All studies of a small problem, without real data."""
    comparison = replace(comparison, include_warm_start=True)
    orders = ["oracle", "margin", "entropy"]
    return studies.Studies(
        make_plan("oc", "laptop", models=["tree", "bayes"], seeds=5),
        SimpleNamespace(scoring="accuracy"),
        comparison,
        seed_transfer(comparison, strategies=["oracle"]),
        model_transfer(comparison, strategies=orders),
        order_overlap(comparison, strategies=orders),
        label_distribution(comparison),
        label_distribution(comparison),
        regularization_gain(comparison),
    )


def test_measures_are_what_they_say(found):
    measured = findings.of_studies(found)
    q = {name: found.comparison.of(name)[0] for name in found.comparison.strategies}
    best = max(("margin", "entropy"), key=lambda name: q[name].mean())
    assert measured["oracle-heuristic", "tree"].note == best
    expected = {"oracle-random": q["oracle"] - q["random"]}
    expected["oracle-heuristic"] = q["oracle"] - q[best]
    expected["oracle-idmr"] = q["oracle"] - q["idmr-margin"]
    expected["idmr"] = q["idmr-margin"] - q["margin"]
    matrix = found.seeds.qualities[0, 0]  # source, target
    own = np.diag(matrix)
    expected["own-foreign"] = own - jackknife_pairs(matrix)
    foreign = (matrix.sum(axis=0) - own) / 4
    assert expected["own-foreign"].mean() == pytest.approx((own - foreign).mean())
    for name, gains in expected.items():
        np.testing.assert_allclose(measured[name, "tree"].gains, gains, atol=1e-12)


def test_measures_between_models(found):
    measured = findings.of_studies(found)
    oracle = found.models.qualities[0]  # source, target, seed
    random = found.comparison.of("random")
    gains = ((oracle[0, 1] - random[1]) + (oracle[1, 0] - random[0])) / 2
    np.testing.assert_allclose(measured["transfer-random", "all"].gains, gains)
    shares = found.overlap.shares.reshape(3, 5)  # strategy, seed
    gains = shares[1:].mean(axis=0) - shares[0]
    np.testing.assert_allclose(measured["overlap", "all"].gains, gains)


def test_a_report_needs_no_real_data(found, tmp_path):
    path = report.write(found, tmp_path, study=tmp_path)
    assert path.read_text(encoding="utf-8").count("<img") > 8
    summary = json.loads((tmp_path / "summary.json").read_text())
    means = {(r["measure"], r["model"]): r["mean"] for r in summary["findings"]}
    rows = read(tmp_path / "qualities.csv")
    test = {(row["model"], row["strategy"]): float(row["test"]) for row in rows}
    expected = test["tree", "oracle"] - test["tree", "random"]
    assert means["oracle-random", "tree"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([0.1, 0.11, 0.12], "holds"),
        ([0.1, -0.05, 0.02], "same sign, not significant"),
        ([0.1], "same sign, not tested"),
        ([-0.1, 0.05, -0.02], "does not hold"),
        ([-0.1, -0.11, -0.12], "opposite"),
    ],
)
def test_verdicts(gains, verdict):
    (row,) = findings.summarize({("idmr", "cnn"): findings.Measured(gains)})
    assert row["verdict"] == verdict
    assert row["mean"] == pytest.approx(np.mean(gains))


def test_published_gains_are_those_that_the_paper_prints():
    printed = {"oc": (0.063, 0.079), "ic": (0.071, 0.029), "ner": (0.039, 0.028)}
    for task, gains in printed.items():
        first = MODELS[task][0]
        rows = {(r["measure"], r["model"]): r["mean"] for r in published.measures(task)}
        found = rows["oracle-random", first], rows["oracle-heuristic", first]
        assert found == pytest.approx(gains, abs=0.0015)


def made_runs(*of_one_model, carried=()):
    """Return made runs: (model, strategy, source seed, seed, quality), and carried."""
    for model, strategy, source, seed, quality in of_one_model:
        dropout = "bald" in strategy
        yield made_run(strategy, model, source, model, seed, dropout, quality)
    for strategy, source, model, quality in carried:
        yield made_run(strategy, source, 0, model, 0, False, quality)


def made_run(strategy, source, source_seed, model, seed, dropout, quality):
    where = source, source_seed, model, seed, "test", dropout
    return PublishedRun(NAMES["ic"], strategy, *where, None, np.full(2, quality))


def test_published_curves_are_measured_the_same_way(monkeypatch):
    runs = made_runs(
        *(("lstm", "random", 0, 0, 0.5), ("lstm", "random", 1, 1, 0.6)),
        *(("lstm", "bald", 0, 0, 0.7), ("lstm", "bald", 1, 1, 0.7)),
        *(("lstm", "idmr-bald", 0, 0, 0.8), ("lstm", "idmr-bald", 1, 1, 0.7)),
        *(("aoe", "random", 0, 0, 0.4), ("aoe", "bald", 0, 0, 0.4)),
        *(("lstm", "optimal", 0, 0, 0.9), ("lstm", "optimal", 0, 1, 0.7)),
        *(("lstm", "optimal", 1, 0, 0.8), ("lstm", "optimal", 1, 1, 1.0)),
        ("aoe", "optimal", 0, 0, 0.8),
        carried=(
            *(("optimal", "lstm", "aoe", 0.7), ("bald", "lstm", "aoe", 0.6)),
            *(("optimal", "aoe", "lstm", 0.4), ("bald", "aoe", "lstm", 0.5)),
            # Without dropout, BALD's order is carried even to the same net.
            *(("bald", "lstm", "lstm", 0.65), ("bald", "aoe", "aoe", 0.4)),
        ),
    )
    kept = list(runs)
    monkeypatch.setattr(published, "load_published_runs", lambda task: kept)
    rows = published.measures("ic")
    found = {(row["measure"], row["model"]): row["mean"] for row in rows}
    expected = {
        ("oracle-random", "lstm"): 0.4,
        ("oracle-heuristic", "lstm"): 0.25,
        ("oracle-idmr", "lstm"): 0.2,
        ("own-foreign", "lstm"): 0.2,
        ("idmr", "lstm"): 0.05,
        ("oracle-random", "aoe"): 0.4,
        ("oracle-heuristic", "aoe"): 0.4,
        ("transfer-random", "all"): 0.1,
        ("transfer-heuristic", "all"): 0.0,
    }
    assert found == pytest.approx(expected)
    assert published.qualities("ic")["lstm", "oracle"] == pytest.approx(0.95)
    same = published.transfers("ic")["lstm", "lstm"]
    assert same == pytest.approx({"oracle": 0.9, "heuristic": 0.65, "random": 0.5})


def test_published_orders_of_other_seeds_are_tested_by_pseudo_values():
    matrix = np.random.default_rng(0).random((3, 3))
    runs = made_runs(
        *(("lstm", "optimal", a, b, q) for (a, b), q in np.ndenumerate(matrix)),
        *(("lstm", name, i, i, 0.1) for name in ("random", "bald") for i in range(3)),
    )
    gains = published._of_curves(list(runs))["own-foreign"].gains
    own = np.diag(matrix)
    np.testing.assert_allclose(gains, own - jackknife_pairs(matrix))
    foreign = (matrix.sum(axis=0) - own) / 2
    assert gains.mean() == pytest.approx((own - foreign).mean())


def test_bins_have_the_names_of_the_paper():
    names = studies.spell_bins(studies.ENDS["ic"])
    assert names == [*("1-3", "4", "5", "6", "7", "8", "9", "10", "11-12", "13+")]


def test_a_plan_takes_what_is_given():
    plan = make_plan("ic", "laptop", models=["aoe"], seeds=7, trainings=900)
    assert (plan.models, plan.seeds, plan.trainings) == (["aoe"], 7, 900)
    assert make_plan("ic", "laptop").models == ["lstm", "cnn", "aoe"]
    assert make_oracle(plan, 8).max_trainings == 900
    paper = make_oracle(make_plan("oc", "paper"), 12)
    assert (paper.n_steps, paper.n_greedy, paper.gamma) == (25_000, 5_000, 0.1)
    assert paper.proposal == "uniform"


def test_the_page_holds_the_numbers_of_its_runs(tmp_path):
    docs = Path(reproduction_page.__file__).parents[1] / "docs"
    page = tmp_path / "reproduction.md"
    shutil.copytree(docs / "images" / "reproduction", tmp_path / "images/reproduction")
    folders = [docs / "runs" / "reproduction" / task for task in NAMES]
    reproduction_page.main([*map(str, folders), "--page", str(page)])
    assert page.read_text() == (docs / "reproduction.md").read_text()


def test_the_deviation_behind_a_p_value():
    gains = np.array([0.02, 0.05, 0.03, 0.01])
    row = {"mean": gains.mean(), "p": findings.p_value(gains), "seeds": 4}
    assert reproduction_page.deviation(row) == pytest.approx(gains.std(ddof=1))
    assert reproduction_page.deviation({"mean": 0.1, "p": None, "seeds": 1}) is None
