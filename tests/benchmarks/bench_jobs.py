"""What a second job brings to a search, on two cores."""

import time

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, AnnealingOracle, split


def test_two_jobs_are_faster_than_one():
    X, y = load_digits(return_X_y=True)
    sets = split(X / 16, y, warm_size=40, val_size=478, test_size=479, random_state=0)

    def seconds(n_jobs, n_steps=150):
        learner = ActiveLearner(
            LogisticRegression(),
            AnnealingOracle(n_steps=n_steps, n_jobs=n_jobs),
            batch_size=20,
            n_rounds=8,
            random_state=0,
        )
        started = time.perf_counter()
        learner.fit(**sets)
        return time.perf_counter() - started

    seconds(2, n_steps=5)  # starts the workers
    ratios = sorted(seconds(1) / seconds(2) for _ in range(3))
    print(f"\nTwo jobs are {ratios[1]:.2f} times as fast as one (3 pairs: {ratios}).")
    assert ratios[1] > 1
