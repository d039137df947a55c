"""What a second job brings to a search, on two cores.

joblib looks for results every ten milliseconds, so two jobs pay where a training takes
longer than that. Models with a lean form do not: on 200 digits a logistic regression
takes four milliseconds, and a forest ten.
"""

import time

import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, AnnealingOracle, split


@pytest.mark.parametrize(
    ("estimator", "n_steps", "at_least"),
    [
        (LogisticRegression(), 100, 0.5),
        (HistGradientBoostingClassifier(max_iter=10), 40, 1.3),
    ],
)
def test_what_a_second_job_brings(estimator, n_steps, at_least):
    X, y = load_digits(return_X_y=True)
    sets = split(X / 16, y, warm_size=40, val_size=478, test_size=479, random_state=0)

    def measure(n_jobs, n_steps=n_steps):
        oracle = AnnealingOracle(n_steps=n_steps, proposal="uniform", n_jobs=n_jobs)
        learner = ActiveLearner(
            estimator, oracle, batch_size=20, n_rounds=8, random_state=0
        )
        started = time.perf_counter()
        learner.fit(**sets)
        return time.perf_counter() - started, learner.n_trainings_

    measure(2, n_steps=2)  # starts the workers
    ratios = []
    for _ in range(3):
        one, n_trainings = measure(1)
        ratios.append(one / measure(2)[0])
    ratio = sorted(ratios)[1]
    print(
        f"\n{type(estimator).__name__}, {1000 * one / n_trainings:.0f} ms per "
        f"training: two jobs are {ratio:.2f} times as fast as one (of 3 pairs)."
    )
    assert ratio > at_least
