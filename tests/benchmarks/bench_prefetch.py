"""What prefetching brings to a search, and what a journal costs it.

Of a second job much depends on whether a second core is free. A training that waits
(for another device, say) does not need one: it shows what prefetching does by itself.
"""

import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, AnnealingOracle, split
from skal.oracle.evaluation._objective import Objective


class Waiting(ClassifierMixin, BaseEstimator):
    """The nearest centroid, found after waiting for some milliseconds."""

    def __init__(self, milliseconds=10):
        self.milliseconds = milliseconds

    def fit(self, X, y):
        time.sleep(self.milliseconds / 1000)
        self.classes_ = np.unique(y)
        means = np.array([X[y == label].mean(axis=0) for label in self.classes_])
        self.means_, self.squares_ = means, (means**2).sum(axis=1)
        return self

    def predict(self, X):
        distances = self.squares_ - 2 * X @ self.means_.T
        return self.classes_[distances.argmin(axis=1)]


@pytest.fixture(scope="module")
def sets():
    X, y = load_digits(return_X_y=True)
    sizes = {"warm_size": 40, "val_size": 478, "test_size": 479}
    return split(X / 16, y, **sizes, random_state=0)


def search(sets, estimator, **params):
    """Return the oracle of a search, and the seconds it took."""
    oracle = AnnealingOracle(proposal="uniform", **params)
    learner = ActiveLearner(
        estimator, oracle, batch_size=20, n_rounds=8, random_state=0
    )
    started = time.perf_counter()
    learner.fit(**sets)
    return learner.strategy_, time.perf_counter() - started


@pytest.mark.parametrize(
    ("estimator", "n_steps", "n_jobs", "at_least"),
    [
        # On two busy cores all that is trained too many costs time.
        (LogisticRegression(C=0.01), 100, 2, 0.6),
        (LogisticRegression(), 50, 2, 0.7),
        (RandomForestClassifier(40), 30, 2, 0.8),
        (Waiting(3), 100, 2, 0.9),
        (Waiting(10), 50, 2, 0.9),
        (Waiting(40), 30, 2, 0.9),
        (Waiting(3), 100, 8, 0.9),
        (Waiting(10), 50, 8, 1.0),
        (Waiting(40), 30, 8, 1.0),
    ],
)
def test_what_prefetching_brings(sets, estimator, n_steps, n_jobs, at_least):
    search(sets, estimator, n_steps=2, n_jobs=n_jobs)  # starts the workers
    _, alone = search(sets, estimator, n_steps=n_steps)
    ratios = []
    for _ in range(3):
        params = {"n_steps": n_steps, "n_jobs": n_jobs}
        off, seconds = search(sets, estimator, **params, prefetch=0)
        on, with_prefetch = search(sets, estimator, **params)
        assert on.order_.tolist() == off.order_.tolist()
        ratios.append((seconds / with_prefetch, alone / seconds, alone / with_prefetch))
    gain, without, with_ = np.median(ratios, axis=0)
    print(
        f"\n{estimator}, {1000 * alone / off.n_trainings_:.0f} ms per training, "
        f"{n_jobs} jobs: {without:.2f} times as fast as one job without prefetching, "
        f"{with_:.2f} with it, a gain of {gain:.2f} (of 3 pairs); accepted "
        f"{on.history_['accepted'].mean():.0%} of the steps, trained "
        f"{on.n_speculative_ / on.n_trainings_:.0%} too many."
    )
    assert gain > at_least


@pytest.mark.parametrize("prefetch", [1, 4, 16, 64])
@pytest.mark.parametrize("phase", ["annealing", "greedy"])
def test_how_much_of_what_is_trained_ahead_is_used(sets, monkeypatch, prefetch, phase):
    n_ahead = []
    choose = Objective._choose

    def count(self, missing, likely):
        chosen = choose(self, missing, likely)
        n_ahead.append(len(chosen))
        return chosen

    monkeypatch.setattr(Objective, "_choose", count)
    n_steps = {"n_steps": 400, "n_greedy": 0}
    if phase == "greedy":
        n_steps = {"n_steps": 0, "n_greedy": 400}
    search(sets, Waiting(0), **n_steps, prefetch=0)
    n_batches = len(n_ahead)
    n_ahead.clear()
    oracle, _ = search(sets, Waiting(0), **n_steps, prefetch=prefetch)
    used = 1 - oracle.n_speculative_ / sum(n_ahead)
    print(
        f"\n{phase}, up to {prefetch} ahead: {used:.0%} of what was trained ahead was "
        f"used; {n_batches / len(n_ahead):.2f} times fewer batches."
    )
    assert used > (0.3 if prefetch < 64 else 0.1)
    assert len(n_ahead) <= n_batches


# Some scores are invented, so those of the rounds differ.
@pytest.mark.filterwarnings("ignore:The order that AnnealingOracle found")
def test_what_a_journal_costs(sets, tmp_path, monkeypatch):
    def measure(journal):
        oracle, seconds = search(
            sets, LogisticRegression(), n_steps=60, journal=journal
        )
        return seconds, oracle.n_trainings_

    ratios = []
    for i in range(3):
        without, _ = measure(None)
        ratios.append(measure(tmp_path / f"{i}.db")[0] / without)
    print(
        f"\nDigits, logistic regression: a journal takes the time times "
        f"{np.median(ratios):.3f} (of 3 pairs)."
    )
    assert np.median(ratios) < 1.2

    def score(self, sets):
        return {key: sum(s.tolist()) % 997 / 997 for key, s in sets.items()}

    monkeypatch.setattr(Objective, "_train_and_score", score)
    pairs = []
    for i in range(3):
        params = {"n_steps": 3000, "n_greedy": 0}
        _, without = search(sets, LogisticRegression(), **params)
        path = tmp_path / f"trivial {i}.db"
        _, with_ = search(sets, LogisticRegression(), **params, journal=path)
        _, again = search(sets, LogisticRegression(), **params, journal=path)
        pairs.append([without, with_, again])
    without, with_, again = np.median(pairs, axis=0) / 3000 * 1e6
    size = path.stat().st_size / 3000
    print(
        f"Trivial scores: {without:.0f} us per step without a journal, {with_:.0f} "
        f"with one, {again:.0f} when it is resumed; {size:.0f} bytes per step on disk."
    )
    assert with_ - without < 2000
