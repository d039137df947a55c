"""Rounds that spend an amount: what rows cost, and what a learner labels."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skal import (
    IDMR,
    ActiveLearner,
    CoreSet,
    FixedOrder,
    Margin,
    PerCost,
    Problem,
    Random,
    TypiClust,
    compare,
    evaluate_order,
    order_overlap,
    run_seeds,
    split,
)
from skal.oracle.annealing._guided import GuidedChain
from skal.oracle.annealing._moves import exchange
from skal.plotting import OverlapDisplay, PerformanceCurveDisplay
from skal.strategies import RankingStrategy
from skal.studies import label_distribution

STRATEGIES = [Random(), Margin(), CoreSet(), TypiClust(), IDMR(Margin(), n_bins=3)]


def far(X):
    """Return costs between 1 and about 4: the distance from the middle."""
    return 1 + np.linalg.norm(np.asarray(X), axis=1) / 5


@pytest.fixture
def sets(blobs):
    return split(*blobs, warm_size=10, val_size=25, test_size=25, random_state=0)


@pytest.fixture
def costs(sets):
    return np.random.default_rng(2).integers(1, 8, len(sets["X"]))


def make_learner(strategy=None, **params):
    given = {"batch_size": 15, "n_rounds": 4, "random_state": 0} | params
    return ActiveLearner(GaussianNB(), strategy or Margin(), **given)


class Given(RankingStrategy):
    """Rank by given numbers."""

    def __init__(self, utility=(), *, random_state=None):
        self.utility = utility
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return np.asarray(self.utility)[candidates]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rounds_spend_all_that_they_can(strategy, sets, costs):
    learner = make_learner(strategy).fit(**sets, cost=costs)
    order = learner.order_
    assert len(set(order.tolist())) == len(order)
    for k in range(5):
        labelled = order[learner.rounds_ <= k]
        others = np.setdiff1d(np.arange(len(costs)), labelled)
        assert learner.spent_[k] == costs[labelled].sum() <= 15 * k
        # Another row would not have fitted.
        assert k == 0 or costs[labelled].sum() + costs[others].min() > 15 * k


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_of_equal_cost_are_labelled_as_without_a_cost(strategy, sets):
    plain = make_learner(strategy, batch_size=4).fit(**sets)
    for cost, size in ((1, 4), (2.5, 10)):
        costs = np.full(len(sets["X"]), cost)
        same = make_learner(strategy, batch_size=size).fit(**sets, cost=costs)
        for name in ("curve_", "order_", "rounds_", "validation_curve_"):
            assert getattr(plain, name).tolist() == getattr(same, name).tolist()


def test_a_ranking_is_followed_as_in_a_walk_through_it(sets, costs):
    n = len(costs)
    for seed in range(10):
        utility = np.random.default_rng(seed).random(n)
        learner = make_learner(Given(utility)).fit(**sets, cost=costs)
        walked, spent = [], 0
        for k in range(1, 5):
            for row in np.argsort(-utility):
                if row not in walked and spent + costs[row] <= 15 * k:
                    walked.append(row)
                    spent += costs[row]
        assert learner.order_.tolist() == walked


def test_an_order_is_followed_until_a_row_does_not_fit(sets):
    costs = np.ones(len(sets["X"]))
    costs[[3, 5]] = 4, 100
    order = np.concatenate([[0, 5, 3], np.delete(np.arange(len(costs)), [0, 3, 5])])
    learner = make_learner(FixedOrder(order), batch_size=3).fit(**sets, cost=costs)
    # Row 5 costs more than all rounds, and row 3 more than round 1 has left.
    assert learner.order_.tolist() == [0, 3, 1, 2, 4, 6, 7, 8, 9]
    assert learner.rounds_.tolist() == [1, 2, 2, 3, 3, 3, 4, 4, 4]
    assert learner.spent_.tolist() == [0, 1, 6, 9, 12]


def test_an_order_is_replayed(sets, costs):
    first = make_learner().fit(**sets, cost=costs)
    again = make_learner(FixedOrder(first.order_)).fit(**sets, cost=costs)
    assert again.curve_.tolist() == first.curve_.tolist()
    assert again.rounds_.tolist() == first.rounds_.tolist()
    with pytest.raises(ValueError, match="rounds of batch_size=15 label more: give a"):
        make_learner(FixedOrder(first.order_[:-3])).fit(**sets, cost=costs)


def test_a_round_may_label_nothing(sets):
    costs = np.full(len(sets["X"]), 10.0)
    costs[7] = 2
    learner = make_learner(Random(), batch_size=4).fit(**sets, cost=costs)
    assert learner.rounds_.tolist() == [1, 3]
    assert learner.spent_.tolist() == [0, 2, 2, 12, 12]
    assert learner.curve_[1] == learner.curve_[2]


def test_a_cost_is_counted_computed_or_given(sets):
    X = sets["X"]
    given = make_learner().fit(**sets, cost=far(X))
    computed = make_learner(cost=far).fit(**sets)
    assert given.order_.tolist() == computed.order_.tolist()
    # An array given to `fit` takes the place of the parameter.
    other = make_learner(cost=np.ones_like).fit(**sets, cost=far(X).tolist())
    assert given.order_.tolist() == other.order_.tolist()
    assert clone(computed).cost is far


def test_costs_follow_their_rows(blobs):
    X, y = blobs
    whole = make_learner(cost=far).fit(X, y)
    np.testing.assert_allclose(whole.spent_[-1], far(X)[whole.order_].sum())
    frame = make_learner(cost=far).fit(pd.DataFrame(X, columns=["a", "b"]), y)
    assert whole.order_.tolist() == frame.order_.tolist()
    params = {"batch_size": 15, "n_rounds": 4, "random_state": 0}
    problem = Problem.from_data(X, y, GaussianNB(), cost=far, **params)
    np.testing.assert_allclose(problem.costs, far(problem.X_pool))
    again = Problem.from_sets(
        problem.sets, GaussianNB(), batch_size=15, n_rounds=4, cost=None
    )
    assert again.costs.tolist() == problem.costs.tolist()


def test_tokens_are_counted():
    X = ["a", "a b", "a b c"] * 10 + [""]
    model = make_pipeline(HashingVectorizer(), DecisionTreeClassifier())
    y, rounds = [0, 1, 1] * 10 + [0], {"batch_size": 5, "n_rounds": 2}
    problem = Problem.from_sets({"X": X, "y": y}, model, cost="tokens", **rounds)
    assert problem.costs.tolist() == [1, 2, 3] * 10 + [1]


def test_the_usual_warm_start_is_two_rounds(blobs):
    X, y = blobs
    learner = make_learner(batch_size=12, cost=lambda X: np.full(len(X), 3.0)).fit(X, y)
    assert learner.n_warm_ == 8


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (np.zeros(60), "cost must be positive and finite, got 0"),
        (np.full(60, np.nan), "cost must be positive and finite, got nan"),
        (np.full(60, np.inf), "cost must be positive and finite, got inf"),
        (np.ones(59), r"one value per row of X, shape \(60,\), got shape \(59,\)"),
        (np.ones((60, 1)), r"got shape \(60, 1\)"),
        (["a"] * 60, "cost must hold numbers"),
        (np.full(60, 16), "cheapest costs 16: increase batch_size"),
    ],
)
def test_costs_that_are_none_are_refused(sets, cost, message):
    with pytest.raises(ValueError, match=message):
        make_learner().fit(**sets, cost=cost)


def test_a_function_of_costs_is_named_if_it_is_wrong(sets):
    def price(X):
        return np.zeros(len(X))

    with pytest.raises(ValueError, match=r"price\(X\) must be positive"):
        make_learner(cost=price).fit(**sets)
    with pytest.raises(ValueError, match='cost="tokens" counts the words'):
        make_learner(cost="tokens").fit(**sets)
    with pytest.raises(ValueError, match="'tokens', a callable, an array or None"):
        Problem.from_sets(sets, GaussianNB(), batch_size=5, n_rounds=2, cost="words")


def test_a_cheap_pool_ends_early(sets):
    costs = np.full(len(sets["X"]), 0.5)
    with pytest.warns(UserWarning, match="the pool costs 30: stopping early, after 3"):
        learner = make_learner(batch_size=12).fit(**sets, cost=costs)
    assert len(learner.order_) == 60
    assert learner.spent_.tolist() == [0, 12, 24, 30]


def test_the_round_of_an_error_is_that_of_the_amount(sets, costs):
    class Fails(GaussianNB):
        def fit(self, X, y):
            if len(X) > 16:
                raise ValueError("too many")
            return super().fit(X, y)

    learner = ActiveLearner(
        Fails(), Random(), batch_size=15, n_rounds=4, random_state=0
    )
    with pytest.raises(ValueError, match="too many") as caught:
        learner.fit(**sets, cost=costs)
    k = int(np.flatnonzero(np.isnan(learner.curve_))[0])
    assert any(note.startswith(f"In round {k},") for note in caught.value.__notes__)


def test_seeds_and_replays_take_costs(sets, costs):
    found = run_seeds(make_learner(Random()), **sets, cost=costs, seeds=3).learners
    assert len({one.order_.tobytes() for one in found}) == 3
    learner = make_learner().fit(**sets, cost=costs)
    again = evaluate_order(learner.order_, learner, **sets, cost=costs, seeds=2)
    assert again.learners[0].rounds_.tolist() == learner.rounds_.tolist()


def test_a_comparison_is_over_what_is_spent(sets, costs, tmp_path):
    problem = Problem.from_sets(
        sets, DecisionTreeClassifier(), batch_size=15, n_rounds=4, cost=costs
    )
    strategies = {"random": Random(), "margin": Margin(), "per": PerCost(Margin())}
    run = partial(compare, problem, strategies, n_orders=2, path=tmp_path / "study")
    found = run()
    assert found.n_labelled.tolist() == [0, 15, 30, 45, 60]
    again = run()
    np.testing.assert_array_equal(found.curves, again.curves)
    for key, orders in found.orders.items():
        alone = ActiveLearner(
            DecisionTreeClassifier(),
            FixedOrder(orders[0][orders[0] >= 0]),
            batch_size=15,
            n_rounds=4,
            random_state=key[2],
        ).fit(**problem.sets)
        if key[1] != "random":
            row = list(strategies).index(key[1]), key[2]
            np.testing.assert_array_equal(alone.curve_, found.curves[0][row])
        counts = np.bincount(np.asarray(sets["y"])[alone.order_], minlength=3)
        warm = np.bincount(sets["y_warm"], minlength=3)
        shares = label_distribution(found).frequencies[0]
        if key[1] != "random":
            np.testing.assert_allclose(
                shares[row][-1], (counts + warm) / (counts + warm).sum()
            )
    display = PerformanceCurveDisplay.from_study(found)
    assert display.ax_.get_xlabel() == "Cost"
    overlap = order_overlap(found, between="strategies")
    for *keys, shared, sizes in zip(
        overlap.first, overlap.second, overlap.shared, overlap.sizes, strict=True
    ):
        orders = [set(found.orders[key][0].tolist()) - {-1} for key in keys]
        assert sizes.tolist() == list(map(len, orders))
        assert shared == len(set.intersection(*orders))
    assert len(set(overlap.sizes.ravel().tolist())) > 1
    drawn = OverlapDisplay.from_study(overlap)
    assert drawn.ax_.get_ylim()[0] == overlap.sizes[0].max() + 0.5


def test_points_that_move_because_rounds_end_elsewhere(sets, costs):
    problem = Problem.from_sets(
        sets, DecisionTreeClassifier(), batch_size=15, n_rounds=4, cost=costs
    )
    rng = np.random.default_rng(0)
    order = rng.permutation(problem.n_pool)
    last = problem.ends(order)[-1]
    places = np.array(
        [np.sort(rng.choice(last + 9, 2, replace=False)) for _ in range(40)]
    )
    chain = SimpleNamespace(
        problem=problem, current=SimpleNamespace(order=order), _ends=problem.ends
    )
    moved = GuidedChain._moved(chain, places)
    assert len(moved.points) > 40
    for i, pair in enumerate(places):
        after = exchange(order, pair)
        for k in range(1, 5):
            n_before, n_after = problem.ends(order)[k], problem.ends(after)[k]
            of = (moved.exchanges == i) & (moved.rounds == k)
            added, removed = (
                set(moved.points[of & (moved.is_added == flag)].tolist())
                for flag in (True, False)
            )
            found = (set(after[:n_before].tolist()) | added) - removed
            assert found == set(after[:n_after].tolist())


def test_curves_of_learners_are_drawn_over_cost(sets, costs):
    learners = {
        name: make_learner(strategy).fit(**sets, cost=costs)
        for name, strategy in {"random": Random(), "margin": Margin()}.items()
    }
    display = PerformanceCurveDisplay.from_estimators(learners)
    assert display.ax_.get_xlabel() == "Cost"
    assert display.lines_["margin"].get_xdata().tolist() == [0, 15, 30, 45, 60]


class TestPerCost:
    def test_it_ranks_by_utility_per_cost(self, sets, costs):
        utility = np.random.default_rng(0).random(60)
        for power in (0, 0.5, 1, 3):
            strategy = PerCost(Given(utility), power)
            learner = make_learner(strategy).fit(**sets, cost=costs)
            value = utility / costs**power
            expected = make_learner(Given(value)).fit(**sets, cost=costs)
            assert learner.order_.tolist() == expected.order_.tolist()

    def test_ranks_are_shares_of_the_candidates(self):
        X, utility = np.arange(4.0)[:, None], [-3.0, -1.0, -2.0, -9.0]
        strategy = PerCost(Given(utility), scale="rank", cost=lambda X: 1 + X[:, 0])
        # 3/4 to cost 1, 4/4 to cost 2, 3/4 to cost 3, 1/4 to cost 4
        chosen = strategy.fit(X).select(None, X, 4)
        shares = np.array([2, 4, 3, 1]) / np.array([1, 2, 3, 4])
        assert set(chosen[:2].tolist()) == {0, 1}
        assert chosen[2:].tolist() == np.argsort(-shares, kind="stable")[2:].tolist()

    def test_margins_are_counted_from_the_lowest(self, sets, costs):
        model = LogisticRegression(max_iter=300).fit(sets["X_warm"], sets["y_warm"])
        proba = np.sort(model.predict_proba(sets["X"]), axis=1)
        value = (1 - (proba[:, -1] - proba[:, -2])) / costs
        strategy = PerCost(Margin(), cost=lambda X: costs).fit(sets["X"])
        chosen = strategy.select(model, sets["X"], 10)
        assert chosen.tolist() == np.argsort(-value)[:10].tolist()

    @pytest.mark.parametrize(
        ("strategy", "message"),
        [
            (PerCost(CoreSet()), "CoreSet gives none: choose a strategy"),
            (PerCost(IDMR(Margin())), "IDMR gives none: choose a strategy"),
        ],
    )
    def test_a_strategy_without_utilities_is_refused(
        self, sets, costs, strategy, message
    ):
        with pytest.raises(TypeError, match=message):
            make_learner(strategy).fit(**sets, cost=costs)

    def test_a_run_without_a_cost_is_refused(self, sets):
        with pytest.raises(ValueError, match="set `cost` of the learner or of PerCost"):
            make_learner(PerCost(Margin())).fit(**sets)

    def test_utilities_without_a_bound_are_ranked(self, sets, costs):
        below = Given(-np.ones(60))
        unbounded = PerCost(PerCost(Margin()))  # the inner one gives logarithms
        with pytest.raises(ValueError, match=r"names no bound .*: set scale=.rank"):
            make_learner(unbounded).fit(**sets, cost=costs)
        with pytest.raises(ValueError, match="below 0, its `least_utility`: set scale"):
            make_learner(PerCost(below)).fit(**sets, cost=costs)
        make_learner(PerCost(below, scale="rank")).fit(**sets, cost=costs)


def test_utilities_of_labels_have_a_bound_by_their_probabilities():
    inner = Margin(over_labels="mean")
    assert PerCost(inner).needs == ("label_probabilities",)
    assert PerCost(inner, scale="rank").needs == ("label_scores",)
