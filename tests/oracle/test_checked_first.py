"""Searches whose parameters are refused before anything is trained."""

import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB

from skal import (
    ActiveLearner,
    AnnealingOracle,
    BeamOracle,
    BestOfStrategiesOracle,
    ExhaustiveOracle,
    FixedOrder,
    GreedyOracle,
    Margin,
    Random,
    compare,
)

n_trained = []


class Fails(GaussianNB):
    """Cannot be trained."""

    def fit(self, X, y):
        raise RuntimeError("no training")


class Counted(GaussianNB):
    """Counts its trainings."""

    def fit(self, X, y):
        n_trained.append(1)
        return super().fit(X, y)


REFUSED = {
    "gamma": (AnnealingOracle(gamma=-0.5), "'gamma' parameter"),
    "no jobs": (AnnealingOracle(n_jobs=0), "n_jobs == 0"),
    "no jobs, greedy": (GreedyOracle(n_jobs=0), "n_jobs == 0"),
    "no jobs, exhaustive": (ExhaustiveOracle(n_jobs=0), "n_jobs == 0"),
    "short start": (AnnealingOracle(start=[3, 1]), "start"),
    "start outside": (AnnealingOracle(start=[10**6] * 12), "start"),
    "start of an oracle": (AnnealingOracle(start=GreedyOracle()), "is itself a search"),
    "few trainings": (AnnealingOracle(max_trainings=2), "max_trainings=2"),
    "steps": (AnnealingOracle(n_steps=-3), "'n_steps' parameter"),
    "width": (BeamOracle(width=0), "'width' parameter"),
    "sets": (ExhaustiveOracle(max_trainings=10), "Proving the optimum takes"),
    "strategies": (BestOfStrategiesOracle(strategies=[]), "must not be empty"),
    "orders": (BestOfStrategiesOracle(strategies=[FixedOrder([1])]), "is fixed"),
    "folder": (BeamOracle(journal="no/folder/a.db"), "folder that does not exist"),
    "is a folder": (AnnealingOracle(journal="."), "is a folder"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_parameter_is_refused_before_the_first_training(blobs, name):
    oracle, message = REFUSED[name]
    learner = ActiveLearner(Counted(), oracle, batch_size=4, n_rounds=3, random_state=0)
    n_trained.clear()
    with pytest.raises((ValueError, OSError), match=message):
        learner.fit(*blobs)
    assert not n_trained


@pytest.mark.parametrize("oracle", [AnnealingOracle(), ExhaustiveOracle()])
def test_a_search_needs_a_problem(blobs, oracle):
    with pytest.raises(ValueError, match="needs a problem: use it as the strategy"):
        oracle.fit(*blobs)


@pytest.mark.parametrize("oracle", [AnnealingOracle(), ExhaustiveOracle()])
def test_a_search_waits_until_a_model_was_trained(blobs, oracle, monkeypatch):
    began = []
    monkeypatch.setattr(type(oracle), "_search", lambda self, _: began.append(1))
    # Of so many rows of three classes, some differ: a lone class is not trained on.
    learner = ActiveLearner(Fails(), oracle, warm_size=12, batch_size=1, n_rounds=2)
    with pytest.raises(RuntimeError, match="no training"):
        learner.fit(*blobs)
    assert not began


@pytest.mark.parametrize("name", ["gamma", "no jobs", "sets", "few trainings"])
def test_so_it_is_in_a_comparison(make_problem, name):
    oracle, message = REFUSED[name]
    n_trained.clear()
    with pytest.raises((ValueError, OSError), match=message):
        compare(make_problem(Counted()), {"random": Random(), "oracle": oracle})
    assert not n_trained


@pytest.mark.parametrize("strategy", [Random(), Margin(), AnnealingOracle(n_steps=3)])
def test_a_frozen_estimator_can_be_followed(blobs, strategy):
    frozen = FrozenEstimator(GaussianNB().fit(*blobs))
    learner = ActiveLearner(frozen, strategy, batch_size=4, n_rounds=2, random_state=0)
    assert len(set(learner.fit(*blobs).curve_)) == 1
