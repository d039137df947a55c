"""Edit, run, edit, run: always the numbers of the code that is there now.

A script with a module beside it is run in processes of its own: as it is, again, after
an edit of all of its code, and after the edit is undone. Each run makes one comparison
in a folder for each kind of code, and searches with a journal.
"""

import json
import os
import subprocess
import sys

import pytest

MODULE = """
import numpy as np
from sklearn.naive_bayes import GaussianNB
from skal.strategies import RankingStrategy

FACTOR = {edit}.0

class Mine(RankingStrategy):
    _parameter_constraints = {{}}

    def __init__(self, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return X[candidates, {edit} % 2]

class Rolled(GaussianNB):
    def predict(self, X):
        return np.roll(super().predict(X), {edit} - 1)

def share(model, X, y):
    return float(np.mean(model.predict(X) == y)) / {edit}

def sides(X):
    return (X[:, {edit} % 2] > 0).astype(int)

def power(X):
    return X ** {edit}

def tally(y, y_pred):
    return np.mean(y == y_pred) / {edit}
"""
SCRIPT = """
import json, sys, warnings
from sklearn.datasets import make_blobs
from sklearn.metrics import make_scorer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skal import (
    IDMR, ActiveLearner, AnnealingOracle, Margin, Problem, compare, seed_transfer, split
)
import mine

X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
sets = split(X, y, warm_size=10, val_size=25, test_size=25, random_state=0)

class Mine(mine.RankingStrategy):
    _parameter_constraints = {{}}

    def __init__(self, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return X[candidates, {edit} % 2]

def of_factor(model, X, y):
    return mine.FACTOR * mine.np.mean(model.predict(X) == y)

def told(messages):
    return [str(one.message) for one in messages if "again" in str(one.message)]

def run(name, strategy, estimator, scoring, path, **params):
    problem = Problem.from_sets(
        sets, GaussianNB(), batch_size=4, n_rounds=3, scoring=scoring
    )
    study = {{"mine": strategy, "margin": Margin()}}
    estimators = {{"model": estimator}}
    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        params |= {{"estimators": estimators, "seeds": 2, "path": path}}
        found = compare(problem, study, **params)
        replayed = seed_transfer(found, path=path)
    table = found.curves.tolist(), list(map(str, replayed.table().values()))
    return table, told(messages)

def search(estimator, scoring, start, journal):
    oracle = AnnealingOracle(
        n_steps=4, n_greedy=0, proposal="uniform", start=start, journal=journal
    )
    learner = ActiveLearner(
        estimator, oracle, batch_size=4, n_rounds=3, scoring=scoring, random_state=0
    )
    try:
        return learner.fit(**sets).strategy_.quality_
    except ValueError as error:
        return str(error)

plain = Margin(), GaussianNB(), "accuracy"
CASES = {{
    "strategy": (mine.Mine(), *plain[1:]),
    "estimator": (plain[0], mine.Rolled(), plain[2]),
    "scorer": (*plain[:2], mine.share),
    "bins": (IDMR(Margin(), bins=mine.sides), *plain[1:]),
    "pipeline": (
        plain[0], make_pipeline(FunctionTransformer(mine.power), GaussianNB()), plain[2]
    ),
    "make_scorer": (*plain[:2], make_scorer(mine.tally)),
    "module attribute": (*plain[:2], of_factor),
    "script": (Mine(), *plain[1:]),
}}
oracle = AnnealingOracle(n_steps=4, n_greedy=0, start=Mine())
CASES["jobs"] = oracle, mine.Rolled(), of_factor
report = {{}}
for name, case in CASES.items():
    params = {{"n_jobs": {jobs}}} if name == "jobs" else {{}}
    kept, messages = run(name, *case, path=name, **params)
    report[name] = {{
        "kept": kept,
        "messages": messages,
        "n_lines": len(open(name + "/compare.jsonl").readlines()),
    }}
    if {is_new}:
        report[name]["fresh"] = run(name, *case, path=None)[0]
    if name == "jobs":
        continue
    report[name]["search"] = search(*case[1:], case[0], name + ".db")
    if {is_new}:
        report[name]["fresh search"] = search(*case[1:], case[0], None)
print(json.dumps(report))
"""
CASES = [
    *("strategy", "estimator", "scorer", "bins", "pipeline", "make_scorer"),
    *("module attribute", "script"),
]
RUNS = {"first": (1, 2), "again": (1, 1), "edited": (2, 2), "undone": (1, 1)}
# Runs of the same code find the same, so that it is run without a folder once.
SAME = {"again": "first", "undone": "first"}


def run(folder, edit, jobs, is_new):
    """Run the script with an edit; its lines move, too."""
    moved = "\n# moved\n" * len(os.listdir(folder))
    (folder / "mine.py").write_text(moved + MODULE.format(edit=edit))
    (folder / "script.py").write_text(
        moved + SCRIPT.format(edit=edit, jobs=jobs, is_new=is_new)
    )
    answer = subprocess.run(
        [sys.executable, "-B", "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """What each run of the script found."""
    folder = tmp_path_factory.mktemp("edited")
    found = {
        name: run(folder, edit, jobs, name not in SAME)
        for name, (edit, jobs) in RUNS.items()
    }
    for name, same in SAME.items():
        found[name] = {
            case: found[same][case] | report for case, report in found[name].items()
        }
    return found


@pytest.mark.parametrize("name", [*CASES, "jobs"])
def test_a_folder_gives_the_numbers_of_the_code_that_is_there(reports, name):
    for report in reports.values():
        assert report[name]["kept"] == report[name]["fresh"]
    assert reports["first"][name]["kept"] != reports["edited"][name]["kept"]


@pytest.mark.parametrize("name", [*CASES, "jobs"])
def test_code_that_has_only_moved_is_not_run_again(reports, name):
    first, again, edited, undone = (reports[run][name]["n_lines"] for run in RUNS)
    assert first == again < edited == undone
    for run_ in ("first", "again", "undone"):
        assert reports[run_][name]["messages"] == []


CHANGES = {
    "strategy": "strategy 'mine' has changed (the code of mine.Mine): its 2 cells are",
    "estimator": "estimator 'model' has changed (the code of mine.Rolled): all 4 cells",
    "scorer": "The scorer has changed (the code of mine.share): all 4 cells are run",
    "bins": "strategy 'mine' has changed (the code of mine.sides): its 2 cells are",
    "pipeline": "estimator 'model' has changed (the code of mine.power): all 4 cells",
    "make_scorer": "The scorer has changed (the code of mine.tally): all 4 cells are",
    "module attribute": "(mine.FACTOR=1.0 there, mine.FACTOR=2.0 now): all 4 cells",
    "script": "strategy 'mine' has changed (the code of __main__.Mine): its 2 cells",
}


@pytest.mark.parametrize("name", CASES)
def test_a_warning_names_the_code_that_has_changed(reports, name):
    (message,) = reports["edited"][name]["messages"]
    assert CHANGES[name] in message
    n_new = reports["edited"][name]["n_lines"] - reports["again"][name]["n_lines"]
    assert n_new == (2 if "its 2 cells" in message else 4)
    if n_new == 2:
        assert message.endswith("2 cells are run again; 2 others are kept.")


@pytest.mark.parametrize("name", CASES)
def test_a_journal_refuses_edited_code_by_name(reports, name):
    for run_ in ("first", "again", "undone"):
        assert reports[run_][name]["search"] == reports[run_][name]["fresh search"]
    message = reports["edited"][name]["search"]
    assert "is the journal of another search: " in message
    change = CHANGES[name].partition("(")[2].partition(")")[0]
    assert change.replace(" there", " in the journal") in message


SESSION = """
import importlib, pathlib, warnings
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from skal import ActiveLearner, AnnealingOracle, Problem, compare, run_seeds, split
import mine

warnings.simplefilter("ignore")
X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
sets = split(X, y, warm_size=10, val_size=25, test_size=25, random_state=0)
tree = DecisionTreeClassifier(max_features=1)

def study(n_jobs, path=None):
    problem = Problem.from_sets(sets, tree, batch_size=4, n_rounds=3)
    found = compare(problem, {"mine": mine.Mine()}, n_jobs=n_jobs, path=path)
    return found.curves

def seeds(n_jobs):
    learner = ActiveLearner(tree, mine.Mine(), batch_size=4, n_rounds=3)
    return run_seeds(learner, **sets, seeds=3, n_jobs=n_jobs).curves

def search(n_jobs):
    oracle = AnnealingOracle(n_steps=5, n_jobs=n_jobs)
    learner = ActiveLearner(mine.Rolled(), oracle, batch_size=4, n_rounds=3,
                            random_state=0)
    return learner.fit(**sets).strategy_.history_["current"]

def run():
    before = {f: f(1) for f in (study, seeds, search)}
    for f in before:
        np.testing.assert_array_equal(f(2), before[f])
    np.testing.assert_array_equal(study(2, "folder"), before[study])
    return before

first = run()
file = pathlib.Path(mine.__file__)
file.write_text(file.read_text().replace("1 % 2", "2 % 2").replace("1 - 1", "2 - 1"))
importlib.invalidate_caches()
importlib.reload(mine)
second = run()
assert all((first[f] != second[f]).any() for f in first)
"""


def test_a_reloaded_module_reaches_workers_that_were_kept(tmp_path):
    (tmp_path / "mine.py").write_text(MODULE.format(edit=1))
    (tmp_path / "session.py").write_text(SESSION)
    subprocess.run(
        [sys.executable, "session.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
