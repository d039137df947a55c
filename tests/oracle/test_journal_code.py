"""Journals and code: resuming in another process, refusing edited code."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from _small_search import search
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import (
    ActiveLearner,
    BeamOracle,
    BestOfStrategiesOracle,
    ExhaustiveOracle,
    GreedyOracle,
    Margin,
)
from skal.identity._names import OLD_NAMES

RESUME = """
import sys
sys.path.append("tests/oracle")
from test_journal_code import *
from skal.oracle.evaluation._objective import Objective

n_trained = []
train = Objective._train_and_score
Objective._train_and_score = lambda self, sets: n_trained.append(1) or train(self, sets)
data = {name: np.load(sys.argv[2])[name] for name in np.load(sys.argv[2]).files}
print(scored(data, sys.argv[1]).order_.tolist(), len(n_trained))
"""
WORDS = {"a set", "of", "several", "words"}


def weighted(y, y_pred):
    return f1_score(y, y_pred, average="weighted") + ("set" in WORDS)


def scored(sets, path):
    pipeline = make_pipeline(StandardScaler(), GaussianNB())
    return search(sets, path, pipeline, {"scoring": make_scorer(weighted)})


def test_another_process_and_another_hash_seed_resume(sets, path):
    first = scored(sets, path)
    np.savez(path.parent / "sets.npz", **sets)
    output = subprocess.run(
        [sys.executable, "-c", RESUME, str(path), str(path.parent / "sets.npz")],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert output.stdout.strip() == f"{first.order_.tolist()} 0"


def cell(text):
    """Run a cell of a notebook; return what it calls `it`."""
    names = {"__name__": "__main__"}
    exec(text, names)
    return names["it"]


NOTEBOOK = {
    "estimator": """
from sklearn.naive_bayes import GaussianNB
class it(GaussianNB):
    def predict(self, X):
        return super().predict(X) * FACTOR
FACTOR = 1
""",
    "scorer": """
import numpy as np
FACTOR = 1
def it(model, X, y):
    return float(np.mean(model.predict(X) == y)) * FACTOR
""",
    "start": """
from skal.strategies import RankingStrategy
FACTOR = 1
class it(RankingStrategy):
    _parameter_constraints = {}
    def __init__(self, random_state=None):
        self.random_state = random_state
    def _utility(self, estimator, X, candidates):
        return X[candidates, 0] * FACTOR
""",
}


def search_with(sets, path, kind, text):
    it = cell(text)
    if kind == "estimator":
        return search(sets, path, it())
    if kind == "scorer":
        return search(sets, path, learner={"scoring": it})
    return search(sets, path, start=it())


@pytest.mark.parametrize("kind", NOTEBOOK)
def test_edited_cells_are_refused_by_name(sets, path, trained, kind):
    text = NOTEBOOK[kind]
    first = search_with(sets, path, kind, text)
    trained.clear()
    assert search_with(sets, path, kind, f"\n# moved\n{text}").order_.tolist() == (
        first.order_.tolist()
    )
    expected = r"__main__.FACTOR=1 in the journal, __main__.FACTOR=2 now\. Use the"
    with pytest.raises(ValueError, match=expected):
        search_with(sets, path, kind, text.replace("FACTOR = 1", "FACTOR = 2"))
    expected = r"the code of __main__.it has changed\. Use the original data"
    with pytest.raises(ValueError, match=expected):
        search_with(sets, path, kind, text.replace("* FACTOR", "* 1 * FACTOR"))
    assert not trained


COUNTER = """
from sklearn.naive_bayes import GaussianNB
calls = []
class it(GaussianNB):
    n = 0
    def fit(self, X, y):
        calls.append(len(y))
        type(self).n += 1
        return super().fit(X, y)
"""


def test_an_estimator_that_counts_its_trainings_can_be_resumed(sets, path, trained):
    it = cell(COUNTER)
    first = search(sets, path, it())
    assert it.n > 0
    trained.clear()
    assert search(sets, path, it()).order_.tolist() == first.order_.tolist()
    assert search(sets, path, cell(COUNTER)()).order_.tolist() == first.order_.tolist()
    assert not trained


def as_format_1(path):
    """Rename the classes in a journal to their old, private paths."""
    private = {
        "sklearn.linear_model.Log": "sklearn.linear_model._logistic.Log",
        "sklearn.preprocessing.Stand": "sklearn.preprocessing._data.Stand",
        **{new: old for old, new in OLD_NAMES.items()},
    }
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT subject, value FROM given").fetchall()
        for subject, value in rows:
            for new, old in private.items():
                value = value.replace(f"{new}(", f"{old}(").replace(
                    f'{new}"', f'{old}"'
                )
            connection.execute(
                "UPDATE given SET value=? WHERE subject=?", (value, subject)
            )
        connection.commit()
    return {subject: json.loads(value) for subject, value in rows}


def test_a_journal_of_format_1_is_gone_on_with(sets, path, trained):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    first = search(sets, path, pipeline, start=Margin())
    as_format_1(path)
    with closing(sqlite3.connect(path)) as connection:
        assert "strategies._uncertainty.Margin" in "".join(connection.iterdump())
    trained.clear()
    again = search(sets, path, pipeline, start=Margin())
    assert again.order_.tolist() == first.order_.tolist()
    assert not trained


def test_a_journal_without_the_code_is_refused(sets, path):
    """Format 1 identified the user's own classes by name only."""
    search(sets, path, Mine())
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT value FROM given WHERE subject = 'problem'"
        problem = json.loads(connection.execute(query).fetchone()[0])
        problem["estimator"] = problem["estimator"].partition(" with ")[0]
        connection.execute(
            "UPDATE given SET value=? WHERE subject='problem'", (json.dumps(problem),)
        )
        connection.commit()
    expected = r"the code of test_journal_code.Mine is not kept in the journal\. Use"
    with pytest.raises(ValueError, match=expected):
        search(sets, path, Mine())


class Mine(GaussianNB):
    pass


# Scores of other code.


def forge(path, factor):
    """Change all scores in a journal, as if by another scorer."""
    from skal.oracle.journal._checks import checksum_of_score

    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT xi, labelled, value, margins FROM score")
        for xi, key, score, margins in rows.fetchall():
            row = xi, key, score * factor, margins
            connection.execute(
                "UPDATE score SET value=?, checksum=? WHERE labelled=?",
                (score * factor, checksum_of_score(*row), key),
            )
        connection.commit()


ORACLES = {
    "annealing": lambda path: {"journal": path},
    "beam": BeamOracle(width=2, n_candidates=2),
    "greedy": GreedyOracle(n_candidates=2),
    "best of": BestOfStrategiesOracle(n_candidates=3),
}


@pytest.mark.parametrize("name", ORACLES)
def test_scores_of_other_code_are_noticed(sets, path, name):
    def run():
        if name == "annealing":
            return search(sets, path)
        oracle = ORACLES[name].set_params(journal=path)
        params = {"batch_size": 3, "n_rounds": 4, "random_state": 0}
        return ActiveLearner(GaussianNB(), oracle, **params).fit(**sets)

    run()
    run()
    forge(path, 0.5)
    expected = rf"the scores in {path} are from other code or data, so delete it and"
    with pytest.warns(UserWarning, match=expected):
        assert run().validation_quality_ > 0.5


class Moody(GaussianNB):
    """A model whose predictions are not reproducible."""

    n = 0

    def predict(self, X):
        type(self).n += 1
        return np.roll(super().predict(X), type(self).n)


def test_an_estimator_that_is_not_a_function_of_its_data_is_noticed(sets):
    with pytest.warns(UserWarning, match="estimator and the scorer give the same for"):
        search(sets, None, Moody())


def test_every_oracle_finds_the_quality_that_its_order_has(tiny_sets):
    learner = ActiveLearner(
        GaussianNB(), ExhaustiveOracle(), batch_size=2, n_rounds=2, random_state=0
    )
    learner.fit(**tiny_sets(5, 0))
    assert learner.strategy_.quality_ == pytest.approx(learner.validation_quality_)
