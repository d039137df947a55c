from itertools import combinations

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB

from skal import IDMR, AnnealingOracle, Margin, Problem, Random, split
from skal.studies import Comparison
from skal.studies._spec import Splits


@pytest.fixture
def overlaps():
    """A function that tells whether any two texts lie on each other."""

    def check(texts):
        texts[0].figure.canvas.draw()
        boxes = [text.get_window_extent() for text in texts]
        return any(a.overlaps(b) for a, b in combinations(boxes, 2))

    return check


@pytest.fixture
def comparison():
    """What a comparison could have found; nothing is trained."""
    X, y = make_blobs(120, centers=3, random_state=0)
    sets = split(X, y, warm_size=10, val_size=30, test_size=30, random_state=0)
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=5, n_rounds=4)
    strategies = {
        "margin": Margin(),
        "random": Random(),
        "idmr-margin": IDMR(Margin()),
        "oracle": AnnealingOracle(),
    }
    estimators = {"bayes": GaussianNB(), "naive": GaussianNB()}
    rng = np.random.default_rng(0)
    orders = {
        (estimator, strategy, seed): np.array(
            [rng.permutation(problem.n_pool)[:20] for _ in range(2)]
        )[: 2 if strategy == "random" else 1]
        for estimator in estimators
        for strategy in strategies
        for seed in range(5)
    }
    test, validation = rng.uniform(size=(2, 2, 4, 5, 5))
    of_orders = rng.uniform(size=(2, 5, 2, 5))  # two random orders for each seed
    test[:, list(strategies).index("random")] = of_orders.mean(axis=2)
    return Comparison(
        splits=Splits(problem, 0),
        estimators=estimators,
        strategies=strategies,
        seeds=tuple(range(5)),
        curves=test,
        validation_curves=validation,
        orders=orders,
        baseline="random",
        oracle="oracle",
        baseline_curves=of_orders,
    )
