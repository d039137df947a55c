import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import BayesianRidge, LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skal import (
    BALD,
    EPIG,
    IDMR,
    LCMD,
    ODMR,
    AnnealingOracle,
    BatchBALD,
    Committee,
    CoreSet,
    FixedOrder,
    GreedySampling,
    Herding,
    LeastConfidence,
    Margin,
    MaxEntropy,
    MaxVariance,
    PerCost,
    ProbCover,
    Proxy,
    Random,
    Stochastic,
    Then,
    TypiClust,
    VariationRatio,
)
from skal.answers._fixed_classes import FixedClasses
from skal.strategies import BaseStrategy, RankingStrategy
from skal.utils.estimator_checks import parametrize_with_strategy_checks

# Scaled rows are centred if they are dense, and not if they are sparse.
SCALED = StandardScaler(with_mean=False)
UNCERTAINTY = [MaxEntropy(), LeastConfidence(), Margin()]


class FirstColumn:
    """Costs of rows, with the same name in each process that collects the tests."""

    def __call__(self, X):
        rows = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
        return 1 + np.abs(rows[:, 0])

    def __repr__(self):
        return "FirstColumn()"


@parametrize_with_strategy_checks(
    [
        *UNCERTAINTY,
        Random(),
        FixedOrder(tuple(range(39, -1, -1))),
        AnnealingOracle(n_steps=5),
        AnnealingOracle(n_steps=5, start=Margin()),
        IDMR(MaxEntropy()),
        IDMR(Random(), bins="kmeans", n_bins=2),
        ODMR(MaxEntropy()),
        ODMR(Random(), reference="test", labels="true"),
        Proxy(MaxEntropy(), LogisticRegression()),
        Proxy(BALD(), RandomForestClassifier(5, max_depth=3)),
        Proxy(AnnealingOracle(n_steps=5), LogisticRegression(C=0.1)),
        IDMR(Proxy(Margin(), LogisticRegression(C=0.1)), n_bins=2),
        Then(Random(), Margin(), n_first=50),
        Then(Random(), Margin()),
        Herding(),
        Herding("margin"),
        Herding("entropy", n_references=9, temperature=2.0),
        ProbCover(),
        ProbCover(0.5, n_references=20),
        Then(Herding(), Margin()),
        PerCost(Margin(), cost=FirstColumn()),
        PerCost(MaxEntropy(), 0.5, cost=FirstColumn(), scale="rank"),
        Stochastic(PerCost(Margin(), cost=FirstColumn()), "softmax"),
        Stochastic(Margin()),
        Stochastic(MaxEntropy(), "softrank", strata="class"),
        IDMR(Stochastic(LeastConfidence(), "softmax", 5.0), n_bins=2),
    ]
)
def test_contract(check):
    check()


@parametrize_with_strategy_checks(
    [
        Random(),
        FixedOrder(tuple(range(39, -1, -1))),
        Herding(),
        ProbCover(),
        TypiClust(),
        CoreSet(),
        IDMR(CoreSet(), n_bins=2),
        Then(Herding(), Random()),
        Proxy(CoreSet(), Ridge(0.1)),
        GreedySampling(embedding=SCALED),
        GreedySampling("y"),
        GreedySampling("xy", embedding=SCALED),
        Then(GreedySampling(embedding=SCALED), GreedySampling("y"), n_first=15),
        LCMD(embedding=SCALED),
        IDMR(LCMD(embedding=SCALED), n_bins=2),
        Proxy(MaxVariance(), RandomForestRegressor(8, max_depth=3)),
        AnnealingOracle(n_steps=5),
    ],
    estimator=Ridge(),
)
def test_contract_with_numbers(check):
    check()


@parametrize_with_strategy_checks(
    [
        Margin(over_labels="mean"),
        IDMR(Stochastic(MaxEntropy(over_labels="sum"), "softrank"), n_bins=2),
        Then(Herding(), LeastConfidence(over_labels="max")),
        AnnealingOracle(n_steps=5),
    ],
    estimator=MultiOutputClassifier(GaussianNB()),
)
def test_contract_with_several_labels(check):
    check()


@parametrize_with_strategy_checks(
    [GreedySampling("xy", embedding=SCALED)], estimator=MultiOutputRegressor(Ridge())
)
def test_contract_with_several_numbers(check):
    check()


@parametrize_with_strategy_checks(
    [MaxVariance(), Stochastic(MaxVariance())], estimator=BayesianRidge()
)
def test_contract_of_variance(check):
    check()


@parametrize_with_strategy_checks(
    [
        BALD(),
        VariationRatio(),
        BatchBALD(n_configurations=50),
        EPIG(n_targets=15),
        Committee(),
        Committee("kl"),
        Stochastic(BALD()),
    ],
    estimator=RandomForestClassifier(10, max_depth=3),
)
def test_contract_of_disagreement(check):
    check()


@pytest.mark.parametrize("strategy", [Random(), *UNCERTAINTY])
def test_one_line_without_a_learner(strategy):
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    assert strategy.fit(X).select(model, X, 25).shape == (25,)


def test_a_strategy_alone_says_what_it_needs():
    X, y = load_iris(return_X_y=True)
    model = LinearSVC(max_iter=10_000).fit(X, y)
    with pytest.raises(TypeError, match="has none: choose an estimator with a method"):
        MaxEntropy().fit(X).select(model, X, 5)


def test_a_pool_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"X must have the 5 rows .* got 3: give"):
        Random().fit(np.ones((5, 1))).select(None, np.ones((3, 1)), 1)


@pytest.mark.parametrize("strategy", [*UNCERTAINTY, IDMR(Margin())])
def test_a_model_that_gives_no_numbers_is_named(strategy):
    class Lost(LogisticRegression):
        def predict_proba(self, X):
            return np.where(X[:, :1] > 6, np.nan, super().predict_proba(X))

    X, y = load_iris(return_X_y=True)
    model = Lost(max_iter=500).fit(X[y > 0], y[y > 0])
    for given in (model, FixedClasses(model, np.arange(3))):
        with pytest.raises(
            ValueError, match=r"finds no value for .* since Lost returns"
        ):
            strategy.fit(X).select(given, X, 5)


def test_a_parameter_out_of_range_is_refused():
    with pytest.raises(ValueError, match="'random_state' parameter"):
        Random(random_state="zero").fit(np.ones((5, 1)))


class LastRows(BaseStrategy):
    """A strategy without parameters, and without `_parameter_constraints`."""

    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[len(candidates) - n :][::-1]


@parametrize_with_strategy_checks([LastRows()])
def test_a_strategy_need_not_constrain_parameters(check):
    check()


@pytest.mark.parametrize(
    ("base", "method"), [(BaseStrategy, "_select"), (RankingStrategy, "_utility")]
)
def test_a_subclass_hears_which_method_it_must_implement(base, method):
    class Unfinished(base):
        def __init__(self, random_state=None):
            self.random_state = random_state

    strategy = Unfinished().fit(np.ones((5, 1)))
    with pytest.raises(
        NotImplementedError, match=f"must implement the method {method}"
    ):
        strategy.select(None, np.ones((5, 1)), 2)
