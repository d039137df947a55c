import sqlite3
from contextlib import closing

import numpy as np
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle

BASE = {"batch_size": 3, "n_rounds": 4, "random_state": 0}
STEPS = {"n_steps": 40, "n_greedy": 8}


def search(sets, path=None, estimator=None, learner=None, fit_params=None, **params):
    """Return the learner of a small search, with a journal."""
    given = STEPS | {"proposal": "uniform", "journal": path} | params
    oracle = AnnealingOracle(**given)
    estimator = GaussianNB() if estimator is None else estimator
    active = ActiveLearner(estimator, oracle, **BASE | (learner or {}))
    return active.fit(**sets, **fit_params or {})


def assert_same(first, second):
    assert first.order_.tolist() == second.order_.tolist()
    assert first.curve_.tolist() == second.curve_.tolist()
    assert first.n_trainings_ == second.n_trainings_
    one, two = first.strategy_, second.strategy_
    assert one.quality_ == two.quality_
    assert one.n_trainings_ == two.n_trainings_
    for name, column in one.history_.items():
        np.testing.assert_array_equal(column, two.history_[name])


def contents(path):
    """Return all rows of a journal."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def known_sets(path):
    """Return the keys of all sets whose score is in a journal."""
    with closing(sqlite3.connect(path)) as connection:
        return {key for (key,) in connection.execute("SELECT labelled FROM score")}
