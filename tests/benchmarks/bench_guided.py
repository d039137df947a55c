"""A guided search against a blind one, and the cost of a search beside its trainings.

Both take CPU time: the blind search is the other half of each pair.
"""

import time
from statistics import median
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, split
from skal.oracle.evaluation import _workers
from skal.oracle.evaluation._objective import Objective

N_TRAININGS, N_PAIRS = 1000, 3


def digits(n_val: int) -> dict[str, Any]:
    """Split digits; more rows than there are, by repeating them with noise."""
    X, y = load_digits(return_X_y=True)
    sizes = {"warm_size": 40, "val_size": n_val, "test_size": 100, "random_state": 0}
    rows = np.arange(n_val + 940) % len(X)
    noise = np.random.default_rng(0).normal(0, 0.5, (len(rows), X.shape[1]))
    return split(X[rows] + noise, y[rows], **sizes)


def search(sets: dict[str, Any], estimator: Any, seed: int, **params: Any) -> Any:
    """Run a search, and return it with its CPU seconds."""
    oracle = AnnealingOracle(max_trainings=N_TRAININGS, **params)
    learner = ActiveLearner(
        clone(estimator), oracle, batch_size=20, n_rounds=8, random_state=seed
    )
    started = time.process_time()
    learner.fit(**sets)
    return learner.strategy_, time.process_time() - started


def test_guided_against_blind_at_equal_trainings():
    sets, ratios = digits(478), []
    for seed in range(N_PAIRS):
        estimator = LinearDiscriminantAnalysis()
        blind, seconds_blind = search(sets, estimator, seed, proposal="uniform")
        guided, seconds = search(sets, estimator, seed)
        per_training = seconds / guided.n_trainings_
        ratios.append(per_training / (seconds_blind / blind.n_trainings_))
        assert guided.quality_ > blind.quality_
    print(
        f"\nLDA on digits, {N_TRAININGS} trainings: a guided search takes "
        f"{median(ratios):.2f} times the CPU of a blind one, "
        f"{1000 * per_training:.2f} ms a training."
    )
    # A blind training takes 1.3 ms here, and forecasts of exchanges take as long.
    assert median(ratios) < 2.5


@pytest.mark.parametrize(("n_val", "at_most"), [(478, 1.5), (4000, 5.0)])
def test_what_a_search_costs_beside_its_trainings(monkeypatch, n_val, at_most):
    """All but training and judging, in milliseconds of CPU a training."""
    inside = [0.0]

    def timed(function):
        def call(*args):
            started = time.process_time()
            try:
                return function(*args)
            finally:
                inside[0] += time.process_time() - started

        return call

    train = timed(_workers.train_and_judge)
    monkeypatch.setattr(_workers, "train_and_judge", train)
    monkeypatch.setattr(Objective, "train", timed(Objective.train))
    oracle, seconds = search(digits(n_val), GaussianNB(), seed=0)
    cost = 1000 * (seconds - inside[0]) / oracle.n_trainings_
    whole = 1000 * seconds / oracle.n_trainings_
    print(
        f"\nGaussian naive Bayes on digits, {n_val} rows of validation: {whole:.2f} ms "
        f"a training, of which the search takes {cost:.2f}."
    )
    assert cost < at_most
