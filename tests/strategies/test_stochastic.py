"""Noise on utilities, against the distributions of the paper."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from skal import (
    BALD,
    IDMR,
    ActiveLearner,
    BatchBALD,
    LeastConfidence,
    Longest,
    Margin,
    MaxEntropy,
    Proxy,
    Random,
    Stochastic,
)
from skal.seeding import Stream, stream
from skal.strategies import Labelled, RankingStrategy

SCORES = np.array([0.9, 0.1, 0.0, 0.5, 0.3])


class Given(RankingStrategy):
    """Ranks rows by their first column."""

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return X[candidates, 0]


class Unbounded(Given):
    """The same for a utility without a lower bound."""

    least_utility = -np.inf


class Says:
    """A model that predicts the second column."""

    def predict(self, X):
        return X[:, 1]


def after(n_labelled):
    """Return as many labelled rows, none of which is in the pool."""
    return Labelled(
        np.zeros((n_labelled, 1)), np.zeros(n_labelled), np.full(n_labelled, -1)
    )


def noisy(scores, kind, beta, seed, n_labelled):
    """Return the scores with noise, written from the paper's definition."""
    if kind == "power":
        with np.errstate(divide="ignore"):
            scores = np.log(scores)
    elif kind == "softrank":
        scores = np.array([-np.log(1 + (scores > s).sum()) for s in scores])
    gumbel = stream(seed, Stream.STRATEGY, n_labelled).gumbel(size=len(scores))
    return scores + gumbel / beta


@pytest.mark.parametrize("kind", ["power", "softmax", "softrank"])
@pytest.mark.parametrize("beta", [0.5, 1, 8.0])
def test_selection_against_the_definition(kind, beta):
    for seed in range(20):
        X = np.random.default_rng(seed).random((30, 1))
        strategy = Stochastic(Given(), kind, beta, random_state=seed).fit(X)
        for n_labelled in (0, 3):
            chosen = strategy.select(None, X, 8, labelled=after(n_labelled))
            value = noisy(X[:, 0], kind, beta, strategy.seed_, n_labelled)
            assert chosen.tolist() == np.argsort(-value)[:8].tolist()


@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        ("power", SCORES**2),
        ("softmax", np.exp(2 * SCORES)),
        ("softrank", np.array([1, 4, 5, 2, 3.0]) ** -2),
    ],
)
def test_batches_are_samples_without_replacement(kind, weights):
    X, n_draws = SCORES[:, None], 4000
    strategy = Stochastic(Given(), kind, beta=2, random_state=1).fit(X)
    drawn = Counter(
        tuple(strategy.select(None, X, 2, labelled=after(i)).tolist())
        for i in range(n_draws)
    )
    for first, second in permutations(range(5), 2):
        p = weights[first] / weights.sum()
        p *= weights[second] / (weights.sum() - weights[first])
        error = 5 * np.sqrt(max(p * (1 - p) / n_draws, 1 / n_draws**2))
        assert abs(drawn[first, second] / n_draws - p) < error


def test_a_round_repeats_itself_and_the_next_one_draws_anew():
    X = np.ones((40, 1))
    strategy = Stochastic(Given(), random_state=0).fit(X)

    def batch(n_labelled):
        return strategy.select(None, X, 5, labelled=after(n_labelled)).tolist()

    assert batch(0) == batch(0)
    assert len({tuple(batch(i)) for i in range(10)}) == 10
    # Without `labelled`, the number of candidates tells the round.
    alone = [strategy.select(None, X, 5, candidates=range(n)) for n in (39, 40, 39)]
    assert alone[0].tolist() == alone[2].tolist() != alone[1].tolist()


def test_noise_of_a_row_does_not_depend_on_other_candidates():
    X = np.ones((40, 1))
    strategy = Stochastic(Given(), random_state=0).fit(X)
    everything = strategy.select(None, X, 40, labelled=after(2))
    part = np.arange(0, 40, 3)
    chosen = strategy.select(None, X, len(part), candidates=part, labelled=after(2))
    assert chosen.tolist() == [row for row in everything if row % 3 == 0]


def test_margin_is_counted_from_one():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    second, first = np.sort(model.predict_proba(X), axis=1)[:, -2:].T
    strategy = Stochastic(Margin(), random_state=3).fit(X)
    value = noisy(1 - (first - second), "power", 1, strategy.seed_, 0)
    chosen = strategy.select(model, X, 10, labelled=after(0))
    assert chosen.tolist() == np.argsort(-value)[:10].tolist()


def test_much_beta_is_the_ranking_itself():
    X = np.random.default_rng(0).random((50, 1))
    for kind in ("power", "softmax", "softrank"):
        strategy = Stochastic(Given(), kind, beta=1e9).fit(X)
        assert strategy.select(None, X, 50).tolist() == np.argsort(-X[:, 0]).tolist()


def test_no_power_no_pick_before_the_others_are_taken():
    X = np.array([[0.0], [1e-12], [0.0], [1.0], [0.0]])
    for seed in range(20):
        strategy = Stochastic(Given(), random_state=seed).fit(X)
        assert set(strategy.select(None, X, 2)) == {1, 3}
        assert len(set(strategy.select(None, X, 5))) == 5


def test_infinite_utilities():
    X = np.array([[np.inf], [1.0], [np.inf], [3.0]])
    for kind in ("power", "softmax", "softrank"):
        chosen = Stochastic(Given(), kind, beta=1e6, random_state=0).fit(X)
        assert set(chosen.select(None, X, 2)) == {0, 2}
    X[1] = -np.inf
    with pytest.raises(ValueError, match="which is below 0, its `least_utility`"):
        Stochastic(Given()).fit(X).select(None, X, 2)


def test_power_of_negative_utilities_is_refused():
    X = np.array([[-0.2], [0.4], [0.1]])
    strategy = Stochastic(Given()).fit(X)
    with pytest.raises(ValueError, match=r"Given returns -0.2, .*: set kind"):
        strategy.select(None, X, 1)
    X[0] = -1e-12  # a rounding error
    assert len(strategy.select(None, X, 3)) == 3
    for kind in ("softmax", "softrank"):
        Stochastic(Given(), kind).fit(X).select(None, X, 1)


def test_utilities_without_a_bound_have_no_power():
    X = np.ones((3, 1))
    with pytest.raises(ValueError, match="Unbounded names no lower bound"):
        Stochastic(Unbounded()).fit(X)
    assert len(Stochastic(Unbounded(), "softmax").fit(X).select(None, X, 2)) == 2


def test_power_asks_for_probabilities_before_anything_is_trained():
    X, y = make_blobs(60, centers=3, random_state=0)
    learner = ActiveLearner(SVC(), Stochastic(Margin()), batch_size=5, n_rounds=2)
    with pytest.raises(TypeError, match="Stochastic needs class probabilities"):
        learner.fit(X, y)
    learner.set_params(strategy=Stochastic(Margin(), "softrank"))
    assert learner.fit(X, y).order_.shape == (10,)


@pytest.mark.parametrize(
    "strategy",
    [
        BatchBALD(),
        IDMR(Random()),
        Proxy(Margin(), LogisticRegression()),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_a_strategy_without_utilities_is_refused(strategy):
    name = type(strategy).__name__
    with pytest.raises(TypeError, match=f"{name} gives none: choose a strategy that"):
        Stochastic(strategy).fit(np.ones((5, 1)))


@pytest.mark.parametrize("inner", [MaxEntropy(), LeastConfidence(), BALD(), Random()])
def test_inner_strategies_run_in_a_learner(inner):
    X, y = make_blobs(90, centers=3, cluster_std=3, random_state=0)
    orders = [
        ActiveLearner(
            RandomForestClassifier(10, max_depth=3),
            Stochastic(inner),
            batch_size=4,
            n_rounds=3,
            random_state=seed,
        )
        .fit(X, y)
        .order_.tolist()
        for seed in (0, 0, 1)
    ]
    assert orders[0] == orders[1] != orders[2]


def test_from_nothing_if_the_inner_strategy_needs_no_model():
    assert Stochastic(Longest()).from_nothing
    assert not Stochastic(Longest(), strata="class").from_nothing
    assert not Stochastic(Margin()).from_nothing
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(
        LogisticRegression(max_iter=500),
        Stochastic(Random(), "softrank"),
        warm_size=0,
        batch_size=5,
        n_rounds=2,
        random_state=0,
    )
    assert learner.fit(X, y).order_.shape == (10,)


def test_strata_deal_the_picks_over_the_predicted_classes():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = np.column_stack([rng.random(40), rng.choice([0, 0, 0, 1, 2], 40)])
        X[:3, 1] = 0, 1, 2
        strategy = Stochastic(Given(), strata="class", random_state=seed).fit(X)
        chosen = strategy.select(Says(), X, 40, labelled=after(1))
        value = noisy(X[:, 0], "power", 1, strategy.seed_, 1)
        ranked = np.argsort(-value)
        queues = {c: ranked[X[ranked, 1] == c] for c in range(3)}
        left = {c: len(queue) for c, queue in queues.items()}
        expected = []
        for turn in range(40):
            heads = [queues[c][turn] for c in range(3) if turn < left[c]]
            expected += sorted(heads, key=lambda row: -value[row])
        assert chosen.tolist() == expected
        first = Counter(X[chosen[:9], 1].tolist())
        assert set(first.values()) == {3} or min(left.values()) < 3


def test_bad_parameters_are_refused():
    for params in ({"kind": "gumbel"}, {"beta": 0}, {"beta": -1}, {"strata": "bins"}):
        with pytest.raises(ValueError, match="parameter of Stochastic must be"):
            Stochastic(Margin(), **params).fit(np.ones((5, 1)))
