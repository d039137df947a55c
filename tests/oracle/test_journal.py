"""The journal: written, resumed, shared, refused (kills: test_journal_kills.py)."""

import json
import os
import sqlite3
import struct
from pathlib import Path

import numpy as np
import pytest
from _small_search import BASE, STEPS, assert_same, contents, known_sets, search
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, AnnealingOracle, Margin, run_seeds
from skal.identity import _fingerprint
from skal.judging import Judgement
from skal.oracle import read_journal
from skal.oracle.evaluation._objective import Objective
from skal.oracle.evaluation._workers import Jobs


def test_a_journal_changes_nothing(sets, path):
    assert_same(search(sets), search(sets, path))
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("prefetch", [0, 6])
def test_what_is_in_the_journal_is_not_trained_again(sets, path, trained, prefetch):
    first = search(sets, path, prefetch=prefetch)
    assert trained
    trained.clear()
    before = contents(path)
    assert_same(first, search(sets, path, prefetch=prefetch))
    assert not trained
    assert contents(path) == before


def test_a_search_goes_on_where_a_limit_ended_it(sets, path, trained):
    whole = search(sets)
    n_all = len(trained)
    for limit in (20, 50):
        trained.clear()
        cut = search(sets, path, max_trainings=limit).strategy_
        assert cut.n_trainings_ <= limit
    n_before = cut.n_trainings_
    trained.clear()
    assert_same(whole, search(sets, path, max_time=1000.0, prefetch=0))
    assert len(trained) == n_all - n_before


def test_a_limit_that_changes_the_start_is_named(sets, path):
    params = {"start": "strategies"}
    search(sets, path, **params, max_trainings=100)
    with pytest.raises(ValueError, match=r"as max_trainings allows=6 in .*=16 now"):
        search(sets, path, **params)


class Interrupting(GaussianNB):
    """Ends the search with the 60th training."""

    n_left = 60

    def fit(self, X, y):
        type(self).n_left -= 1
        if type(self).n_left == 0:
            raise KeyboardInterrupt
        return super().fit(X, y)


def test_ctrl_c_leaves_the_best_so_far_and_the_journal_all_of_it(sets, path, trained):
    Interrupting.n_left = 60
    with pytest.warns(UserWarning, match="The search was interrupted"):
        cut = search(sets, path, Interrupting())
    assert cut.strategy_.n_trainings_ == len(known_sets(path))
    assert len(read_journal(path)["step"]) == len(cut.strategy_.history_["step"])
    n_before = len(trained)
    resumed = search(sets, path, Interrupting())
    assert_same(search(sets, None, Interrupting()), resumed)
    assert n_before < len(trained)


def test_searches_with_other_seeds_share_a_file(sets, path, trained):
    alone = {seed: search(sets, None, random_state=seed) for seed in (1, 2)}
    trained.clear()
    shared = {seed: search(sets, path, random_state=seed) for seed in (1, 2)}
    assert len(trained) == len(set(trained))  # the scores are shared: xi is the same
    for seed, learner in shared.items():
        assert_same(alone[seed], learner)
    table = read_journal(path)
    assert len(set(table["seed"].tolist())) == 2
    assert set(table["xi"].tolist()) == {0}


def test_seed_loops_share_a_file_with_sets_carved_anew(blobs, path):
    oracle = AnnealingOracle(proposal="uniform", **STEPS, journal=path)
    learner = ActiveLearner(GaussianNB(), oracle, **BASE)
    alone = learner.set_params(strategy__journal=None)
    expected = run_seeds(alone, *blobs, seeds=3).curves
    learner.set_params(strategy__journal=path)
    assert run_seeds(learner, *blobs, seeds=3).curves.tolist() == expected.tolist()
    again = run_seeds(learner, *blobs, seeds=3, n_jobs=2)
    assert again.curves.tolist() == expected.tolist()
    assert sorted(set(read_journal(path)["xi"].tolist())) == [0, 1, 2]


def test_without_a_seed_each_run_is_another_search(sets, path):
    for _ in range(2):
        search(sets, path, learner={"random_state": None}, n_steps=3)
    assert len(set(read_journal(path)["xi"].tolist())) == 2


def test_a_start_strategy(sets, path, trained):
    first = search(sets, path, start=Margin())
    trained.clear()
    assert_same(first, search(sets, path, start=Margin()))
    assert not trained


# What is refused.


def doubled(sets, name):
    return sets | {name: sets[name] * 2}


def relabelled(sets, name):
    return sets | {name: sets[name][::-1].copy()}


DIFFERENT = {
    "X_pool": lambda sets, path: search(doubled(sets, "X"), path),
    "X_val": lambda sets, path: search(doubled(sets, "X_val"), path),
    "X_warm": lambda sets, path: search(doubled(sets, "X_warm"), path),
    "y_pool": lambda sets, path: search(relabelled(sets, "y"), path),
    "y_val": lambda sets, path: search(relabelled(sets, "y_val"), path),
    "estimator: var_smoothing=1e-09 in the journal, var_smoothing=0.1 now": (
        lambda sets, path: search(sets, path, GaussianNB(var_smoothing=0.1))
    ),
    "estimator=sklearn.naive_bayes.GaussianNB in the journal, estimator=.*Bernoulli": (
        lambda sets, path: search(sets, path, BernoulliNB())
    ),
    "scoring=.* in the journal, scoring=.*f1_score": (
        lambda sets, path: search(sets, path, learner={"scoring": "f1_macro"})
    ),
    "batch_size=3 in the journal, batch_size=2 now": (
        lambda sets, path: search(sets, path, learner={"batch_size": 2})
    ),
    "n_rounds=4 in the journal, n_rounds=5 now": (
        lambda sets, path: search(sets, path, learner={"n_rounds": 5})
    ),
    "n_steps=40 in the journal, n_steps=41 now": (
        lambda sets, path: search(sets, path, n_steps=41)
    ),
    "n_greedy=8 in the journal, n_greedy=9 now": (
        lambda sets, path: search(sets, path, n_greedy=9)
    ),
    "gamma='auto' in the journal, gamma=0.1 now": (
        lambda sets, path: search(sets, path, gamma=0.1)
    ),
    "start='random' in the journal, start=.*Margin": (
        lambda sets, path: search(sets, path, start=Margin())
    ),
    r"start='random' in the journal, start=\[3, 2, 1, 0, 4, ": (
        lambda sets, path: search(sets, path, start=[3, 2, 1, 0, *range(4, 12)])
    ),
}


@pytest.mark.parametrize("difference", DIFFERENT)
def test_another_search_is_refused_before_training(sets, path, trained, difference):
    search(sets, path)
    before = contents(path)
    trained.clear()
    expected = f"search.db is the journal of another search: {difference}"
    with pytest.raises(ValueError, match=expected):
        DIFFERENT[difference](sets, path)
    assert not trained
    assert contents(path) == before
    assert os.listdir(path.parent) == [path.name]


def test_other_weights_are_refused(blobs, path):
    X, y = blobs

    def fit(weight):
        oracle = AnnealingOracle(proposal="uniform", **STEPS, journal=path)
        learner = ActiveLearner(GaussianNB(), oracle, **BASE)
        return learner.fit(X, y, sample_weight=weight)

    fit(np.ones(120))
    with pytest.raises(ValueError, match="fit: sample_weight=<"):
        fit(np.arange(1.0, 121.0))
    with pytest.raises(ValueError, match=r"fit: sample_weight=.*sample_weight=absent"):
        ActiveLearner(
            GaussianNB(),
            AnnealingOracle(proposal="uniform", **STEPS, journal=path),
            **BASE,
        ).fit(X, y)


def test_what_makes_no_difference_is_not_refused(sets, path):
    search(sets, path)
    search(doubled(sets, "X_test"), path)
    search(sets, path, prefetch=3, max_trainings=30, max_time=9.0, n_jobs=1)
    search(sets, path, n_greedy=8, start="random")


def test_default_n_greedy_is_what_it_stands_for(sets, path):
    search(sets, path, n_greedy=None)
    search(sets, path)


@pytest.mark.parametrize("name", ["numpy", "processor"])
def test_other_versions_get_a_warning(sets, path, monkeypatch, name):
    first = search(sets, path)
    found = _fingerprint.versions()
    monkeypatch.setattr(_fingerprint, "versions", lambda: found | {name: "9.9"})
    expected = f"{name}={found[name]} in the journal, {name}=9.9 now"
    with pytest.warns(UserWarning, match=expected):
        assert_same(first, search(sets, path))


def test_a_package_that_only_one_of_both_has_loaded_is_no_difference(
    sets, path, monkeypatch
):
    found = _fingerprint.versions()
    found.pop("torch", None)
    monkeypatch.setattr(_fingerprint, "versions", lambda: found | {"torch": "2.0"})
    search(sets, path)
    monkeypatch.setattr(_fingerprint, "versions", lambda: found)
    search(sets, path)


# What is in it.


def test_the_table_is_the_history(sets, path):
    history = search(sets, path).strategy_.history_
    table = read_journal(path)
    for name, column in history.items():
        np.testing.assert_array_equal(table[name], column)
        assert table[name].dtype == column.dtype
    assert set(table["oracle"].tolist()) == {"AnnealingOracle"}
    assert table["place_a"][0] == table["place_b"][0] == -1
    assert (table["place_a"][1:] != table["place_b"][1:]).all()


def test_pandas_takes_the_table(sets, path):
    pandas = pytest.importorskip("pandas", reason="pandas is not needed")
    search(sets, path)
    frame = pandas.DataFrame(read_journal(path))
    assert len(frame) == 49
    assert frame.groupby("seed")["best"].max().tolist() == [frame["best"].max()]


def test_a_journal_in_which_no_search_has_begun(sets, path, monkeypatch):
    def fail(self, sets):
        raise FloatingPointError

    monkeypatch.setattr(Objective, "_train_and_score", fail)
    with pytest.raises(FloatingPointError):
        search(sets, path)
    assert {len(column) for column in read_journal(path).values()} == {0}


def test_parameters_are_readable_and_nothing_is_pickled(sets, path):
    search(sets, path, make_pipeline(StandardScaler(), GaussianNB()))
    connection = sqlite3.connect(path)
    given = dict(connection.execute("SELECT subject, value FROM given"))
    types = connection.execute("SELECT DISTINCT typeof(labelled) FROM score").fetchall()
    lengths = connection.execute("SELECT DISTINCT length(labelled) FROM score")
    assert lengths.fetchall() == [(16,)]
    connection.close()
    assert types == [("blob",)]
    problem = json.loads(given["problem"])
    assert problem["estimator: gaussiannb__var_smoothing"] == "1e-09"
    assert problem["n_pool"] == "50"
    assert json.loads(given["versions"])["numpy"] == np.__version__
    (parameters,) = [v for k, v in given.items() if k.startswith("AnnealingOracle, xi")]
    assert json.loads(parameters)["n_steps"] == "40"


# The scores are made up.
@pytest.mark.filterwarnings("ignore:The order that AnnealingOracle found")
@pytest.mark.parametrize(
    "number", [0.1 + 0.2, 1 / 3, 5e-324, 1e300, -1e-17, 1.0, -0.0, 2**53 + 1.0]
)
def test_numbers_are_exact(sets, path, monkeypatch, number):
    judgement = Judgement(number, None)
    monkeypatch.setattr(Jobs, "run", lambda _, sets: [judgement] * len(sets))
    first = search(sets, path, n_steps=2, n_greedy=0)
    monkeypatch.undo()
    second = search(sets, path, n_steps=2, n_greedy=0)
    for name in ("proposed", "best"):
        one, two = first.strategy_.history_[name], second.strategy_.history_[name]
        assert one.tobytes() == two.tobytes() == read_journal(path)[name].tobytes()
    connection = sqlite3.connect(path)
    (stored,) = connection.execute("SELECT DISTINCT value FROM score").fetchone()
    connection.close()
    assert struct.pack("d", stored) == struct.pack("d", number + 0.0)


def test_a_journal_takes_a_path_or_a_string(sets, path):
    search(sets, str(path), n_steps=2)
    search(sets, Path(path), n_steps=2)
    with pytest.raises(ValueError, match="'journal' parameter of AnnealingOracle"):
        search(sets, 3)
