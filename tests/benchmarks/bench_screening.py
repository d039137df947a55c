"""Screening: quality at equal numbers of trainings, and CPU time per training.

Digits, as in `examples/plot_oracle_on_digits.py`, with scaled logistic regression and
with a random forest, on three seeds: the guided search as it is, and without the ridge
regression that screens its exchanges.
"""

import time
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, AnnealingOracle, split
from skal.oracle.annealing import _forecast
from skal.oracle.annealing._guided import GuidedChain

SEEDS = range(3)
ESTIMATORS = {
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "forest": RandomForestClassifier(20),
}
METHODS = "_draw_moves", "_learn", "_try_moves"


class Clock:
    """CPU seconds in methods of the chain, and trainings in its steps."""

    def __init__(self, patch):
        self.seconds = dict.fromkeys(METHODS, 0.0)
        for name in METHODS:
            patch.setattr(GuidedChain, name, self.timed(name))

    def timed(self, name):
        method = getattr(GuidedChain, name)

        def run(*args):
            begin = time.process_time()
            found = method(*args)
            self.seconds[name] += time.process_time() - begin
            return found

        return run


@cache
def run(name, seed, is_screened, n_trainings):
    """Return the best quality by trainings, the test quality, and ms per training."""
    X, y = load_digits(return_X_y=True)
    sets = split(X, y, warm_size=40, val_size=478, test_size=479, random_state=seed)
    oracle = AnnealingOracle(n_steps=100_000, max_trainings=n_trainings)
    learner = ActiveLearner(
        ESTIMATORS[name], oracle, batch_size=20, n_rounds=8, random_state=seed
    )
    with pytest.MonkeyPatch.context() as patch:
        if not is_screened:
            patch.setattr(_forecast, "can_screen", lambda problem: False)
        clock = Clock(patch)
        learner.fit(**sets)
    history = learner.strategy_.history_
    in_steps = history["n_trainings"][-1] - history["n_trainings"][0]
    forecasts = clock.seconds["_draw_moves"] + clock.seconds["_learn"]
    costs = 1e3 * np.array([forecasts, clock.seconds["_try_moves"]]) / in_steps
    return history["n_trainings"], history["best"], learner.quality_, costs


def best_after(found, n):
    """Return the best quality after n trainings."""
    return found[1][found[0] <= n][-1]


def needed(found, quality):
    """Return the number of trainings that reach a quality; NaN if none does."""
    reached = found[1] >= quality
    return found[0][reached][0] if reached.any() else np.nan


def test_half_of_the_trainings_on_digits():
    ratios = []
    for seed in SEEDS:
        before, now = (
            run("logistic regression", seed, is_screened, 2000)
            for is_screened in (False, True)
        )
        for n in (250, 500, 1000, 2000):
            quality = best_after(before, n)
            print(
                f"\nseed {seed}, {n} trainings: {quality:.4f} without screening, "
                f"{best_after(now, n):.4f} with it, which takes "
                f"{needed(now, quality):.0f} trainings to reach the former",
                end="",
            )
        print(f"\nseed {seed}, test: {before[2]:.4f} without, {now[2]:.4f} with")
        for n in (1000, 2000):
            ratios.append(needed(now, best_after(before, n)) / n)
    print(f"trainings needed, as shares: {np.round(ratios, 2)}")
    assert np.median(ratios) < 0.67


def test_it_costs_less_than_a_training():
    costs = [
        np.median(
            [run("logistic regression", seed, on, 2000)[3] for seed in SEEDS], axis=0
        )
        for on in (False, True)
    ]
    (before, _), (now, training) = costs
    print(
        f"\nforecasts: {before:.2f} ms per training without screening, {now:.2f} with "
        f"it; a training: {training:.2f} ms"
    )
    assert now - before < 0.5 * training


def test_nothing_is_lost_with_a_forest():
    found = {}
    for on in (False, True):
        runs = [run("forest", seed, on, 600) for seed in SEEDS]
        found[on] = np.mean([best_after(one, 600) for one in runs])
        cost = np.median([one[3] for one in runs], axis=0)
        print(
            f"\nforest, {'with' if on else 'without'} screening: {found[on]:.4f}, "
            f"forecasts {cost[0]:.2f} ms and training {cost[1]:.2f} ms a training"
        )
    assert found[True] > found[False] - 0.01
