"""Strategies for regression in runs and comparisons, with regressors of many kinds."""

import numpy as np
import pytest
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import (
    LCMD,
    ActiveLearner,
    CoreSet,
    GreedySampling,
    Herding,
    MaxVariance,
    Proxy,
    Random,
    Then,
    compare,
)

X, Y = make_friedman1(120, noise=0.5, random_state=0)
FOREST = RandomForestRegressor(5, max_depth=4)
PROCESS = GaussianProcessRegressor(RBF(2.0) + WhiteKernel(0.1), optimizer=None)
STRATEGIES = {
    "random": Random(),
    "x": GreedySampling(),
    "y": GreedySampling("y"),
    "xy": GreedySampling("xy"),
    "lcmd": LCMD(),
    "core-set": CoreSet(),
    "herding": Herding(),
}
SIZES = {"batch_size": 5, "n_rounds": 3, "warm_size": 10, "random_state": 0}


def run(model, strategy, **params):
    return ActiveLearner(model, strategy, **{**SIZES, **params}).fit(X, Y)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "model",
    [Ridge(), make_pipeline(StandardScaler(), Ridge()), FOREST, PROCESS],
    ids=["ridge", "pipeline", "forest", "process"],
)
def test_every_strategy_runs_with_every_regressor(model, strategy):
    learner = run(model, STRATEGIES[strategy])
    assert len(set(learner.order_.tolist())) == 15
    assert np.isfinite(learner.curve_).all()
    again = run(model, STRATEGIES[strategy])
    assert again.order_.tolist() == learner.order_.tolist()


@pytest.mark.parametrize("model", [FOREST, make_pipeline(StandardScaler(), PROCESS)])
def test_the_variance_of_the_model_itself_chooses(model):
    learner = run(model, MaxVariance(), n_rounds=1)
    others = run(model, Random(), n_rounds=1)
    assert set(learner.order_) != set(others.order_)
    assert len(set(learner.order_.tolist())) == 5


def test_a_proxy_lends_its_variance():
    learner = run(Ridge(), Proxy(MaxVariance(), FOREST))
    assert len(set(learner.order_.tolist())) == 15


def test_a_regressor_without_variance_is_refused_before_any_training():
    with pytest.raises(TypeError, match="but Ridge has none: choose an ensemble of"):
        run(Ridge(), MaxVariance())
    with pytest.raises(TypeError, match="Ridge has none"):
        compare(X, Y, Ridge(), {"v": MaxVariance()}, seeds=2, **_sizes())


def test_a_start_from_nothing():
    for strategy in (
        GreedySampling(),
        LCMD(),
        Then(GreedySampling(), GreedySampling("xy"), n_first=6),
    ):
        learner = run(Ridge(), strategy, warm_size=0)
        assert len(set(learner.order_.tolist())) == 15
    with pytest.raises(ValueError, match="needs a model in the first round"):
        run(Ridge(), GreedySampling("y"), warm_size=0)


def _sizes():
    return {name: SIZES[name] for name in ("batch_size", "n_rounds", "warm_size")}


def test_a_comparison():
    found = compare(X, Y, Ridge(), STRATEGIES, seeds=5, **_sizes())
    assert np.isfinite(found.qualities).all()
    assert found.of("x").tolist() == found.of("core-set").tolist()


def test_a_net_in_runs_and_side_by_side():
    pytest.importorskip("torch", reason="torch is an extra")
    pytest.importorskip("skorch", reason="skorch is an extra")
    from skal import AnnealingOracle
    from skal.nets import MLP, TorchRegressor

    params = {"hidden": 8, "dropout": 0.2}
    dropout = TorchRegressor(MLP, module_params=params, max_epochs=3, lr=0.01)
    for strategy in (MaxVariance(), LCMD(), GreedySampling("xy")):
        learner = run(make_pipeline(StandardScaler(), dropout), strategy)
        assert len(set(learner.order_.tolist())) == 15
    plain = TorchRegressor(MLP, module_params={"hidden": 8}, max_epochs=3, lr=0.01)
    search = AnnealingOracle(n_steps=5)
    found = [
        run(plain, search.set_params(n_jobs=n_jobs), select_size=20)
        for n_jobs in (1, 2)
    ]
    assert found[0].order_.tolist() == found[1].order_.tolist()
    assert found[0].curve_.tolist() == found[1].curve_.tolist()
    assert found[0].estimator_.validation_scores_
