"""A strategy for the first labels, and another one after it."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from skal import IDMR, ActiveLearner, AnnealingOracle, Margin, MaxEntropy, Random, Then
from skal.strategies import BaseStrategy, Labelled

X, Y = make_blobs(160, centers=4, cluster_std=2.0, random_state=1)


class Recorded(BaseStrategy):
    """Takes the first candidates, and notes how many rows were labelled."""

    seen: list = []

    def _select(self, estimator, X, n, candidates, labelled):
        self.seen.append((len(labelled.positions), estimator is None))
        return candidates[:n]


def learner(strategy, **params):
    params = {
        "warm_size": 0,
        "batch_size": 5,
        "n_rounds": 4,
        "random_state": 0,
    } | params
    return ActiveLearner(LogisticRegression(), strategy, **params)


@pytest.mark.parametrize(("n_first", "n_rounds"), [(0, 1), (1, 1), (6, 2), (10, 2)])
def test_the_first_strategy_selects_until_enough_is_labelled(n_first, n_rounds):
    Recorded.seen.clear()
    learner(Then(Recorded(), Margin(), n_first=n_first)).fit(X, Y)
    # The first round comes before any model, whatever `n_first` is.
    assert Recorded.seen == [(0, True), (5, False)][:n_rounds]


def test_the_second_strategy_is_given_the_model():
    then = Then(Recorded(), Margin(random_state=0))
    sets = {"X_test": X[100:], "y_test": Y[100:]}
    fitted = learner(then, n_rounds=2, val_size=0).fit(X[:100], Y[:100], **sets)
    model = LogisticRegression().fit(X[:5], Y[:5])
    expected = Margin(random_state=0).fit(X[:100])
    batch = expected.select(model, X[:100], 5, candidates=np.arange(5, 100))
    assert fitted.order_.tolist() == [0, 1, 2, 3, 4, *batch.tolist()]
    assert np.isnan(fitted.curve_[0])


def test_strategies_that_need_a_model_say_how_to_begin():
    with pytest.raises(ValueError, match=r"as in Then\(Herding\(\), MaxEntropy\("):
        learner(MaxEntropy()).fit(X, Y)
    with pytest.raises(ValueError, match="Then needs a model in the first round"):
        learner(Then(Margin(), Random())).fit(X, Y)


@pytest.mark.parametrize(
    "strategy",
    [
        IDMR(Then(Random(), Margin())),
        AnnealingOracle(n_steps=4, start=Then(Random(), Margin())),
    ],
)
def test_it_works_inside_other_strategies(strategy):
    fitted = learner(strategy).fit(X, Y)
    assert len(set(fitted.order_.tolist())) == 20


def test_without_a_learner_it_asks_for_the_labelled_rows():
    strategy = Then(Random(), Margin(), random_state=0).fit(X)
    with pytest.raises(ValueError, match="labelled must hold the rows labelled so far"):
        strategy.select(None, X, 3)
    nothing = Labelled(X[:0], Y[:0], np.arange(0))
    assert strategy.select(None, X, 3, labelled=nothing).shape == (3,)
