"""The paper's own orders: short runs on made data, and the page of the long ones."""

from pathlib import Path

import longer_search
import numpy as np
import published_orders as script
import published_orders_page as page
import pytest
from lines import append, read

from skal import FixedOrder, Problem
from skal.datasets import PublishedRun, make_intents
from skal.studies import Task

pytest.importorskip("torch")

DOCS = Path(page.__file__).parents[1] / "docs"
NAME = "intent_classification"


@pytest.fixture
def task(monkeypatch):
    """Return a small task on made data, with orders in place of the released ones."""
    from skal.nets import EmbeddingBagClassifier

    X, y = make_intents(160, random_state=0)
    ends = {"": 80, "_warm": 90, "_select": 100, "_val": 130, "_test": 160}
    starts = [0, *ends.values()]
    sets = {
        letter + name: data[start:end]
        for (name, end), start in zip(ends.items(), starts, strict=False)
        for letter, data in (("X", X), ("y", y))
    }
    net = EmbeddingBagClassifier(max_epochs=5, lr=0.05)
    problem = Problem.from_sets(sets, net, batch_size=5, n_rounds=3)
    made = Task(NAME, problem, "accuracy", {"aoe": net}, {})
    monkeypatch.setattr(script, "load_task", lambda name, split: made)
    monkeypatch.setattr(script, "load_published_runs", lambda name: list(released()))
    return made


def released():
    """Yield runs of two orders and two seeds, one of them carried between seeds."""
    rng = np.random.default_rng(3)
    for strategy, source, seed, dropout in (
        ("optimal", 0, 0, False),
        ("optimal", 1, 1, False),
        ("optimal", 0, 1, False),
        ("bald", 0, 0, True),
        ("optimal", 0, 0, None),
    ):
        model = "roberta" if dropout is None else "aoe"
        order = rng.permutation(80)[:15]
        where = model, source, model, seed
        yield PublishedRun(
            NAME, strategy, *where, "test", bool(dropout), order, np.full(4, 0.5)
        )


def run(out, *arguments):
    arguments = ["published_orders.py", "--tasks", "ic", "--out", str(out), *arguments]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", arguments)
        script.main()
    return read(out)


def test_curves_are_those_of_learners(task, tmp_path):
    rows = run(tmp_path / "runs.csv", "--dropout")
    assert len(rows) == 3 + 2 * script.N_RANDOM
    orders = script.orders_of("ic", task.problem, dropout=True)
    assert len({row["test"] for row in rows}) > 4
    for row in rows:
        values = [row[column] for column in script.KEY]
        cell = next(c for c in orders if [*map(str, c)] == values)
        nets = task.posterior_estimators if cell.dropout else task.estimators
        strategy = FixedOrder(orders[cell])
        learner = task.learner(strategy, nets["aoe"], random_state=cell.seed)
        learner.fit(**task.problem.sets)
        for on, curve in (
            ("valid", learner.validation_curve_),
            ("test", learner.curve_),
        ):
            np.testing.assert_allclose(
                np.array(row[on].split(), float), curve, atol=1e-6
            )


def test_runs_are_resumed_and_foreign_seeds_added(task, tmp_path):
    out = tmp_path / "runs.csv"
    first = run(out)
    text = out.read_text()
    assert run(out) == first
    assert out.read_text() == text
    assert len(first) == 2 + 2 * script.N_RANDOM
    more = run(out, "--foreign")[len(first) :]
    assert [(row["source_seed"], row["seed"]) for row in more] == [("0", "1")]


def test_a_transformer_takes_the_place_of_roberta(task, tmp_path):
    class Transformer(type(task.estimators["aoe"])):
        def __init__(self, checkpoint="large", max_epochs=5, random_state=None):
            super().__init__(max_epochs=max_epochs, random_state=random_state)
            self.checkpoint = checkpoint

    task.estimators["roberta"] = Transformer()
    out = tmp_path / "runs.csv"
    rows = run(out, "--checkpoint", "small")
    assert {row["model"] for row in rows} == {"roberta"}
    randoms = ["random"] * (script.N_RANDOM - 1)
    assert [r["strategy"] for r in rows] == ["random", "optimal", *randoms]
    assert task.estimators["roberta"].checkpoint == "small"
    assert run(out, "--checkpoint", "small") == rows


def test_a_search_has_its_order_in_the_file(task, tmp_path):
    out = tmp_path / "runs.csv"
    rows = [row for row in run(out, "--search", "12") if row["strategy"] == "skal"]
    assert [row["seed"] for row in rows] == ["0", "1"]
    for row in rows:
        order = np.array(row["order"].split(), dtype=int)
        assert len(np.unique(order)) == 15
        learner = task.learner(FixedOrder(order), "aoe", random_state=int(row["seed"]))
        learner.fit(**task.problem.sets)
        curve = np.array(row["test"].split(), dtype=float)
        np.testing.assert_allclose(curve, learner.curve_, atol=1e-6)


def test_a_search_that_stops_and_goes_on_is_the_whole_search(
    task, tmp_path, monkeypatch
):
    task.estimators["cnn"] = task.estimators["aoe"]
    monkeypatch.setattr(longer_search, "load_task", lambda name, split: task)
    monkeypatch.setattr(longer_search, "EVERY", 4)
    monkeypatch.setattr(longer_search, "LONGEST", 12)
    out = tmp_path / "stops.csv"
    arguments = ["longer_search.py", "--journal", str(tmp_path / "journals")]
    monkeypatch.setattr("sys.argv", [*arguments, "--out", str(out)])
    longer_search.main()
    text, stops = out.read_text(), read(out)
    longer_search.main()
    assert out.read_text() == text
    assert [stop["steps"] for stop in stops] == ["4", "8", "12"]
    n_trainings = [int(stop["trainings"]) for stop in stops]
    assert n_trainings[0] < n_trainings[1] < n_trainings[2]
    whole = script.search(task, script.Cell("oc", "skal", "cnn", 0, "cnn", 0), 36, None)
    assert stops[-1]["order"] == whole[-1]
    assert stops[0]["order"] != whole[-1]


def test_the_page_shows_how_a_search_grows(tmp_path):
    of_orders, of_stops = tmp_path / "runs.csv", tmp_path / "longer_search.csv"
    written = tmp_path / "page.md"
    where = "cnn", 0, "cnn", 0, False, 0
    for strategy, score in (("optimal", ".8"), ("random", ".6")):
        row = ["oc", strategy, *where, 13, 1.0, score, score, ""]
        append(of_orders, script.COLUMNS, row)
    for steps, valid, test in ((8, ".9", ".7"), (4, ".8", ".5")):
        row = [steps, "oc", "skal", *where, 3 * steps, 1.0, valid, test, ""]
        append(of_stops, ["steps", *script.COLUMNS], row)
    written.write_text("<!-- tables --><!-- end of tables -->")
    page.write(written, of_orders)
    table = written.read_text().split("by its length\n\n")[1].splitlines()[2:6]
    assert table == [
        "| random |  | 0.600 | 0.600 |  |",
        "| skal's search | 12 | 0.800 | 0.500 | -0.100 |",
        "| skal's search | 24 | 0.900 | 0.700 | +0.100 |",
        "| optimal |  | 0.800 | 0.800 | +0.200 |",
    ]


def test_gains_on_the_page_are_those_over_random_orders(tmp_path, monkeypatch):
    out, written = tmp_path / "runs.csv", tmp_path / "page.md"
    scores = {"optimal": ".8", "random": ".6", "bald": ".5", "skal": ".9"}
    for seed in (0, 1):
        for strategy, score in scores.items():
            for number in range(2 if strategy == "random" else 1):
                cell = ["ic", strategy, "aoe", seed, "aoe", seed, strategy == "bald"]
                curve = " ".join([score] * 9)
                row = [*cell, number, 9, 1.0, curve, curve, ""]
                append(out, script.COLUMNS, row)
    theirs = {
        script.Cell("ic", strategy, "aoe", seed, "aoe", seed, strategy == "bald"): q
        for seed in (0, 1)
        for strategy, q in {
            "optimal": 0.85 + seed / 50,
            "random": 0.7,
            "bald": 0.8,
        }.items()
    }
    monkeypatch.setattr(page, "published", lambda: theirs)
    written.write_text("<!-- tables --><!-- end of tables -->")
    page.write(written, out)
    text = written.read_text()
    optimal = "| IC | aoe | optimal | 2 | 0.860 | 0.800 | -0.060 ± 0.127 |"
    assert f"{optimal} +0.160 ± 0.127 | +0.200 ± 0.000 |" in text
    assert "| IC | aoe | random | 2 | 0.700 | 0.600 | -0.100 ± 0.000 |  |  |" in text
    assert "- IC, means of each strategy: 1 of 2 gains over random orders have" in text
    assert (
        "| IC | aoe | 2 | 9 | 0.900 | 0.900 | 0.800 | 0.800 | +0.100 ± 0.000 |" in text
    )


def test_the_page_holds_the_tables_of_its_runs(tmp_path):
    copy = tmp_path / "published_orders.md"
    committed = (DOCS / "published_orders.md").read_text()
    copy.write_text(committed)
    page.write(copy, DOCS / "runs" / "published_orders.csv")
    assert copy.read_text() == committed


def test_each_order_is_followed_once():
    rows = read(DOCS / "runs" / "published_orders.csv")
    cells = [tuple(row[column] for column in script.KEY) for row in rows]
    assert len(set(cells)) == len(cells)
