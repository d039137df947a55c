"""The strategies of BoSS as proposers of an oracle."""

import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skal import (
    BAIT,
    ActiveLearner,
    AnnealingOracle,
    BestOfStrategiesOracle,
    Problem,
    split,
)
from skal.oracle import _best_of
from skal.oracle._best_of import boss_strategies


@pytest.fixture
def sets():
    X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
    return split(X, y, warm_size=9, val_size=40, test_size=25, random_state=0)


def learn(oracle, sets, estimator):
    learner = ActiveLearner(estimator, oracle, batch_size=3, n_rounds=3, random_state=0)
    return learner.fit(**sets)


def test_the_strategies_of_boss(sets):
    oracle = BestOfStrategiesOracle(strategies="boss", n_candidates=10)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    first, again = (learn(clone(oracle), sets, model) for _ in range(2))
    assert first.order_.tolist() == again.order_.tolist()
    assert 9 * 3 <= first.strategy_.n_trainings_ <= 10 * 3 + 1
    with pytest.raises(TypeError, match="BestOfStrategiesOracle needs class prob"):
        learn(oracle, sets, LinearSVC())
    with pytest.raises(TypeError, match="has no linear layer"):
        learn(oracle, sets, DecisionTreeClassifier())


def test_bait_is_left_out_if_there_are_many_columns(sets, monkeypatch):
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=3, n_rounds=2)
    assert len(boss_strategies(problem)) == 10
    monkeypatch.setattr(_best_of, "MAX_WEIGHTS", 5)
    found = boss_strategies(problem)
    assert len(found) == 9
    assert not any(isinstance(one, BAIT) for one in found)


def test_a_guided_search_may_start_from_them(sets):
    model = LogisticRegression()
    plain, boss = (
        AnnealingOracle(max_trainings=80, start=start)
        for start in ("strategies", "boss")
    )
    assert set(boss.needs) == {
        "class_scores",
        "classes",
        "embedding",
        "predict_proba",
        "predict",
    }
    assert not boss.from_nothing
    orders = [learn(one, sets, model).strategy_.order_ for one in (plain, boss)]
    assert orders[0].tolist() != orders[1].tolist()
    with pytest.raises(TypeError, match="AnnealingOracle needs class prob"):
        learn(boss, sets, LinearSVC())
