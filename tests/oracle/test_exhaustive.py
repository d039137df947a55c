from itertools import combinations, permutations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from skal import ActiveLearner, ExhaustiveOracle, FixedOrder
from skal.oracle._exhaustive import best_chain


def test_the_best_chain_against_a_walk_through_all_orders():
    rng = np.random.default_rng(0)
    for sizes in ([1, 2, 3], [2, 4], [2, 4, 5]):
        levels = [list(combinations(range(5), size)) for size in sizes]
        scores = [rng.random(len(level)) for level in levels]
        value = {s: v for lv, sc in zip(levels, scores) for s, v in zip(lv, sc)}  # noqa: B905

        def total(order, sizes=sizes, value=value):
            return sum(value[tuple(sorted(order[:size]))] for size in sizes)

        order, found = best_chain(levels, scores)
        assert found == pytest.approx(max(map(total, permutations(range(5)))))
        assert total(tuple(order)) == pytest.approx(found)


def learner(strategy, estimator=None, **params):
    estimator = GaussianNB() if estimator is None else estimator
    return ActiveLearner(estimator, strategy, random_state=0, **params)


@pytest.mark.parametrize(
    ("kind", "estimator", "n_jobs"),
    [
        ("classes", GaussianNB(), 1),
        ("classes", GaussianNB(), 2),
        ("labels", MultiOutputClassifier(GaussianNB()), 2),
        ("labels", KNeighborsClassifier(2), 1),
        ("numbers", Ridge(), 2),
        ("numbers", KNeighborsRegressor(2), 1),
    ],
)
def test_the_optimum_against_a_walk_through_all_orders(
    tiny_sets, kind, estimator, n_jobs
):
    sets, params = tiny_sets(5, 0, kind), {"batch_size": 1, "n_rounds": 3}
    oracle = learner(ExhaustiveOracle(n_jobs=n_jobs), estimator, **params).fit(**sets)
    walked = [
        learner(FixedOrder(order), estimator, **params).fit(**sets).validation_quality_
        for order in permutations(range(5), 3)
    ]
    assert oracle.strategy_.quality_ == pytest.approx(max(walked))
    assert oracle.validation_quality_ == pytest.approx(max(walked))
    assert oracle.strategy_.n_trainings_ == 5 + 10 + 10


def test_a_problem_out_of_reach_is_refused_before_training(tiny_sets):
    oracle = ExhaustiveOracle(max_trainings=50)
    with pytest.raises(ValueError, match="takes 98 trainings, more than max_train"):
        learner(oracle, batch_size=2, n_rounds=2).fit(**tiny_sets(8, seed=0))


def test_an_oracle_needs_a_problem():
    with pytest.raises(ValueError, match="use it as the strategy of an ActiveLearner"):
        ExhaustiveOracle().fit(np.ones((4, 1)))
