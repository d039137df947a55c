"""What the loop itself costs, over the bare fits and predictions that it makes."""

import time
from statistics import median

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, MaxEntropy, split
from skal._threads import single_threaded

BATCH_SIZE, N_ROUNDS, N_PAIRS = 20, 8, 61


def bare(sets, order):
    """The same fits and predictions, written out by hand."""
    X, y = sets["X"], sets["y"]
    for k in range(N_ROUNDS + 1):
        rows = order[: k * BATCH_SIZE]
        X_labelled = np.concatenate([sets["X_warm"], X[rows]])
        y_labelled = np.concatenate([sets["y_warm"], y[rows]])
        model = LogisticRegression(random_state=0).fit(X_labelled, y_labelled)
        model.score(sets["X_test"], sets["y_test"])
        model.score(sets["X_val"], sets["y_val"])
        if k < N_ROUNDS:
            model.predict_proba(np.delete(X, rows, axis=0))


def test_the_loop_costs_at_most_three_percent():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    sizes = {"warm_size": 40, "val_size": 478, "test_size": 479, "random_state": 0}
    sets = split(X, y, **sizes)
    learner = ActiveLearner(
        LogisticRegression(),
        MaxEntropy(),
        batch_size=BATCH_SIZE,
        n_rounds=N_ROUNDS,
        **sizes,
    )
    order = clone(learner).fit(**sets).order_

    def seconds(function, *args):
        started = time.process_time()
        function(*args)
        return time.process_time() - started

    with single_threaded():
        ratios = [
            seconds(learner.fit, X, y) / seconds(bare, sets, order)
            for _ in range(N_PAIRS)
        ]
    cost = median(ratios) - 1
    print(
        f"\nThe loop costs {cost:.1%} over bare fits and predictions ({N_PAIRS} pairs)."
    )
    assert cost <= 0.03
