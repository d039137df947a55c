"""A folder of finished runs, opened without the data."""

import json
import pickle
import shutil

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skal import (
    AnnealingOracle,
    Margin,
    Problem,
    Random,
    compare,
    label_distribution,
    open_study,
    order_overlap,
    split,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:A comparison over 2 seeds"),
    pytest.mark.filterwarnings("ignore:Seeds do not differ"),
]
STRATEGIES = {
    "luck": Random(),
    "it's margin": Margin(),
    "best": AnnealingOracle(n_steps=5, n_greedy=0),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder of a comparison, and the comparison."""
    path = tmp_path_factory.mktemp("study")
    return path, run(path, STRATEGIES)


@pytest.fixture
def folder(kept, tmp_path):
    """A copy of the folder, to change."""
    return shutil.copytree(kept[0], tmp_path / "copy")


def run(folder, strategies):
    """Compare strategies in a folder, on the data of `kept`."""
    X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
    return compare(
        *(X, y, {"bayes": GaussianNB(), "tree": DecisionTreeClassifier()}, strategies),
        **dict(seeds=2, n_orders=2, path=folder, batch_size=4, n_rounds=2),
    )


def lines_of(folder):
    return (folder / "compare.jsonl").read_text().splitlines(keepends=True)


def test_it_gives_the_same_results(kept):
    path, found = kept
    before = sorted(path.rglob("*"))
    opened = open_study(path)
    assert str(opened) == str(found)
    for name, column in found.table().items():
        np.testing.assert_array_equal(opened.table()[name], column)
    for name, column in found.oracle_gains().table().items():
        np.testing.assert_array_equal(opened.oracle_gains().table()[name], column)
    np.testing.assert_array_equal(opened.baseline_curves, found.baseline_curves)
    np.testing.assert_array_equal(opened.n_labelled, found.n_labelled)
    for key, order in found.orders.items():
        np.testing.assert_array_equal(opened.orders[key], order)
    assert opened.heuristics == found.heuristics == ("it's margin",)
    assert opened.splits.overlap == found.splits.overlap > 0
    assert sorted(path.rglob("*")) == before
    assert str(pickle.loads(pickle.dumps(opened))) == str(found)


def test_an_older_folder_has_no_roles(kept, folder):
    given = json.loads((folder / "study.json").read_text())
    assert json.loads(given.pop("study")["baseline"]) == "luck"
    (folder / "study.json").write_text(json.dumps(given))
    assert str(open_study(folder)) == str(kept[1])


@pytest.mark.parametrize("left", [["luck", "it's margin"], ["it's margin"]])
def test_a_smaller_study_in_the_folder_keeps_the_roles(kept, folder, left):
    smaller = {name: STRATEGIES[name] for name in left}
    assert run(folder, smaller).oracle is None
    opened = open_study(folder)
    assert str(opened) == str(kept[1])
    assert opened.heuristics == ("it's margin",)
    assert (opened.baseline, opened.oracle) == ("luck", "best")


def test_a_study_gives_its_own_strategies_their_roles(folder):
    with pytest.warns(UserWarning, match="strategy 'luck' has changed"):
        run(folder, {"luck": Margin(), "best": STRATEGIES["best"]})
    opened = open_study(folder)
    assert (opened.baseline, opened.oracle) == (None, "best")


def test_a_study_on_one_split_is_opened_too(tmp_path):
    X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
    sets = split(X, y, warm_size=10, val_size=25, test_size=25, random_state=0)
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=4, n_rounds=2)
    strategies = {"margin": Margin(), "best": STRATEGIES["best"]}
    found = compare(
        problem, strategies, seeds=2, path=tmp_path, include_warm_start=True
    )
    opened = open_study(tmp_path)
    assert opened.include_warm_start
    np.testing.assert_array_equal(opened.qualities, found.qualities)
    assert opened.splits.overlap == 0
    overlaps = [order_overlap(one, between="strategies") for one in (opened, found)]
    np.testing.assert_array_equal(overlaps[0].shares, overlaps[1].shares)
    assert overlaps[0].chance == overlaps[1].chance
    with pytest.raises(ValueError, match=r"opened without its data, and .* needs them"):
        label_distribution(opened)


def test_seeds_that_are_not_finished_are_left_out(folder):
    lines = lines_of(folder)
    kept_lines = [one for one in lines if '"margin"' not in one]
    last = [i for i, one in enumerate(kept_lines) if json.loads(one)["seed"] == 1][-1]
    (folder / "compare.jsonl").write_text("".join(kept_lines[:last]))
    with pytest.warns(UserWarning, match="seed 1 left out, since some of their runs"):
        opened = open_study(folder)
    assert opened.seeds == (0,)
    (folder / "compare.jsonl").write_text("")
    with pytest.raises(ValueError, match="call compare again with the same data"):
        open_study(folder)


def test_runs_of_a_strategy_that_has_changed_are_left_out(folder):
    given = json.loads((folder / "study.json").read_text())
    given['strategy "it\'s margin"']["strategy"] = "skal.Margin(random_state=7)"
    (folder / "study.json").write_text(json.dumps(given))
    assert list(open_study(folder).strategies) == ["luck", "best"]


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileNotFoundError, match="give the path that was given to"):
            open_study(path)
    assert list(tmp_path.iterdir()) == []
