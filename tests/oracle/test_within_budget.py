"""Searches whose rounds spend an amount."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from _small_search import assert_same
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
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
)
from skal.curves import ends_of_rounds, spending_limits
from skal.oracle._within_budget import affordable_sets, best_order, chains
from skal.oracle.annealing._guided import GuidedChain
from skal.oracle.annealing._moves import (
    bounds_of_exchanges,
    changed_rounds,
    ends_after,
    exchange,
    propose,
    propose_many,
)

SEARCHES = {
    "uniform": AnnealingOracle(n_steps=40, n_greedy=8, proposal="uniform"),
    "guided": AnnealingOracle(n_steps=12, n_greedy=3),
    "guided from random": AnnealingOracle(n_steps=12, n_greedy=3, start="random"),
    "guided from a strategy": AnnealingOracle(n_steps=5, n_greedy=2, start=Margin()),
    "beam": BeamOracle(width=2, n_candidates=4, by="round"),
    "greedy": GreedyOracle(n_candidates=4, by="round"),
    "best of strategies": BestOfStrategiesOracle(n_candidates=6),
}
EXACT = {"exhaustive": ExhaustiveOracle()}


def learner(strategy, estimator=None, **params):
    given = {"batch_size": 9, "n_rounds": 4, "random_state": 0} | params
    return ActiveLearner(estimator or GaussianNB(), strategy, **given)


@pytest.fixture
def costs(sets):
    """Costs between 1 and 5 for each row of the pool."""
    return np.random.default_rng(1).integers(1, 6, len(sets["X"]))


def some_order(rng, n):
    """Return a random order with costs, of which some are too high for all rounds."""
    costs = rng.choice([1.0, 2.0, 3.0, 7.5, 0.1], size=n)
    return rng.permutation(n), costs


@pytest.mark.parametrize("seed", range(40))
def test_moves_change_the_rounds_whose_set_changes(seed):
    rng = np.random.default_rng(seed)
    order, costs = some_order(rng, 9)
    size, n_rounds = int(rng.integers(8, 11)), 4
    before = ends_of_rounds(order, size, n_rounds, costs)
    drawn = [propose(before, 9, rng) for _ in range(300)]
    places = np.array(sorted({tuple(sorted(move)) for move in drawn if move}))
    if not len(places):
        return  # round 1 takes all
    limits = spending_limits(size, n_rounds)
    foretold = ends_after(places, order, costs, limits)
    bounds = zip(*bounds_of_exchanges(places, before), strict=True)
    for move, after, (begin, end) in zip(places, foretold, bounds, strict=True):
        moved = exchange(order, tuple(move))
        ends = ends_of_rounds(moved, size, n_rounds, costs)
        assert after.tolist() == ends.tolist()
        changed = [
            k
            for k in range(1, n_rounds + 1)
            if set(order[: before[k]]) != set(moved[: ends[k]])
        ]
        assert changed_rounds(tuple(move), before, ends).tolist() == changed
        if (before == ends).all():
            assert [*range(begin, end)] == changed


@pytest.mark.parametrize("seed", range(20))
def test_moves_leave_a_batch_or_what_is_labelled(seed):
    rng = np.random.default_rng(seed)
    order, costs = some_order(rng, 8)
    ends = ends_of_rounds(order, 8, 3, costs)
    batch = np.searchsorted(ends, np.arange(8), side="right")
    n = ends[-1]
    possible = {
        frozenset((i, j))
        for i in range(n)
        for j in range(i + 1, 8)
        if batch[i] != batch[j]
    }
    drawn = {frozenset(propose(ends, 8, rng) or ()) for _ in range(2000)} - {
        frozenset()
    }
    many = {frozenset(move) for move in propose_many(4000, ends, 8, rng).tolist()}
    assert drawn == many == possible


def test_a_late_first_batch_can_be_changed_from_within():
    rng = np.random.default_rng(0)
    # The first point does not fit into round 1, and all fit into round 2.
    assert {frozenset(propose([0, 0, 3], 3, rng)) for _ in range(99)} == {
        frozenset(pair) for pair in [(0, 1), (0, 2), (1, 2)]
    }
    assert propose_many(9, [0, 0, 3], 3, rng).shape == (1, 2)
    assert propose([0, 3, 3], 3, rng) is None
    assert propose([0, 0, 1], 1, rng) is None


def test_affordable_sets_are_all_of_them():
    costs = np.array([2.0, 0.5, 3.0, 1.0, 2.0])
    found = list(affordable_sets(costs, 4.0))
    masks = (np.arange(32)[:, None] >> np.arange(5)) & 1 == 1
    expected = {tuple(np.flatnonzero(m)) for m in masks if costs[m].sum() <= 4.0}
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize("seed", range(12))
def test_the_best_order_against_a_walk_through_all_orders(seed):
    rng = np.random.default_rng(seed)
    n, size, n_rounds = 6, int(rng.integers(3, 6)), 3
    costs = rng.choice([1.0, 2.0, 3.0], size=n) if seed else np.ones(n)
    levels = chains(costs, spending_limits(size, n_rounds))
    known = {}

    def total(order):
        ends = ends_of_rounds(np.array(order), size, n_rounds, costs)
        sets = [tuple(sorted(order[:end])) for end in ends[1:]]
        return sum(known.setdefault(one, float(rng.random())) for one in sets), sets

    walked = {order: total(order) for order in permutations(range(n))}
    reached = [{sets[k] for _, sets in walked.values()} for k in range(n_rounds)]
    assert all(
        set(level) >= after for level, after in zip(levels, reached, strict=True)
    )
    assert set(levels[-1]) == reached[-1]
    scores = {one: known.get(one, 2.0) for level in levels for one in level}
    order, found = best_order(levels, scores, costs)
    assert found == pytest.approx(max(value for value, _ in walked.values()))
    assert total(tuple(order))[0] == pytest.approx(found)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_optimum_against_all_orders(tiny_sets, n_jobs):
    sets, params = tiny_sets(5, seed=0), {"batch_size": 3, "n_rounds": 3}
    costs = np.array([1, 2, 3, 2, 40])
    oracle = learner(ExhaustiveOracle(n_jobs=n_jobs), **params).fit(**sets, cost=costs)
    walked = [
        learner(FixedOrder(order), **params).fit(**sets, cost=costs)
        for order in permutations(range(5))
    ]
    best = max(one.validation_quality_ for one in walked)
    assert oracle.strategy_.quality_ == pytest.approx(best)
    assert oracle.validation_quality_ == pytest.approx(best)
    assert 4 not in oracle.order_  # it costs more than all rounds


def test_too_large_a_pool_is_refused_before_training(sets, costs):
    with pytest.raises(ValueError, match="takes at least 51 trainings, more than max"):
        learner(ExhaustiveOracle(max_trainings=50)).fit(**sets, cost=costs)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_keeps_to_the_amount_and_to_its_scores(name, sets, costs):
    found = learner(SEARCHES[name]).fit(**sets, cost=costs)
    # A warning is an error here: the loop has labelled what the search has scored.
    assert found.strategy_.quality_ == pytest.approx(found.validation_quality_)
    assert found.strategy_.order_.tolist() == found.order_.tolist()
    spent = [costs[found.order_[found.rounds_ <= k]].sum() for k in range(5)]
    assert (np.array(spent) <= 9 * np.arange(5)).all()
    ends = ends_of_rounds(found.order_, 9, 4, costs)
    assert (
        np.diff(ends).tolist() == np.bincount(found.rounds_, minlength=5)[1:].tolist()
    )


@pytest.mark.parametrize("name", [n for n in SEARCHES if n not in ("beam", "greedy")])
def test_rows_of_equal_cost_are_searched_as_without_a_cost(name, sets):
    params = {"batch_size": 4, "estimator": LogisticRegression(max_iter=300)}
    plain = learner(SEARCHES[name], **params).fit(**sets)
    same = learner(SEARCHES[name], **params).fit(**sets, cost=np.ones(len(sets["X"])))
    assert_same(plain, same)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_is_the_same_on_any_number_of_jobs_and_resumed(
    name, sets, costs, path
):
    def search(**params):
        oracle = clone(SEARCHES[name]).set_params(**params)
        return learner(oracle).fit(**sets, cost=costs)

    alone = search()
    assert_same(alone, search(n_jobs=2))
    search(journal=path)
    assert_same(alone, search(journal=path))


def test_prefetching_changes_nothing(sets, costs, trained):
    def search(prefetch):
        oracle = AnnealingOracle(
            n_steps=60, proposal="uniform", prefetch=prefetch, n_jobs=2
        )
        return learner(oracle).fit(**sets, cost=costs)

    assert_same(search(0), search(6))
    assert search(6).strategy_.n_speculative_ > 0


def test_a_search_trains_on_sets_that_change_only(sets, costs, trained):
    found = learner(SEARCHES["uniform"]).fit(**sets, cost=costs)
    assert len(trained) == len(set(trained)) == found.strategy_.n_trainings_


def test_a_journal_of_other_costs_is_refused(sets, costs, path):
    oracle = AnnealingOracle(n_steps=3, proposal="uniform", journal=path)
    learner(oracle).fit(**sets, cost=costs)
    for other in (costs + 1, None):
        with pytest.raises(ValueError, match="costs="):
            learner(oracle).fit(**sets, cost=other)


def test_a_guided_search_changes_where_rounds_end(sets, costs, monkeypatch):
    kinds = []

    def watch(self, move, *args):
        kinds.append(move.shifts_ends)
        return learn(self, move, *args)

    learn = GuidedChain._learn
    monkeypatch.setattr(GuidedChain, "_learn", watch)
    found = learner(SEARCHES["guided"]).fit(**sets, cost=costs)
    assert set(kinds) == {True, False}
    random = learner(Random()).fit(**sets, cost=costs)
    assert found.validation_quality_ > random.validation_quality_


def test_points_move_where_rounds_end_elsewhere(sets, costs, monkeypatch):
    """The exchange, and then the points that move, give the sets after it."""
    n_moved, find = [], GuidedChain._moved

    def check(self, places):
        moved, order = find(self, places), self.current.order
        for i, pair in enumerate(places):
            changed = exchange(order, pair)
            for k, after in enumerate(self._sets(changed), start=1):
                mine = (moved.exchanges == i) & (moved.rounds == k)
                added = set(moved.points[mine & moved.is_added])
                removed = set(moved.points[mine & ~moved.is_added])
                before = set(changed[: self._ends(order)[k]])
                assert (before | added) - removed == set(after)
                n_moved.append(mine.sum())
        return moved

    monkeypatch.setattr(GuidedChain, "_moved", check)
    search = AnnealingOracle(n_steps=2, n_greedy=1, start="random")
    learner(search).fit(**sets, cost=costs)
    assert sum(n_moved) > 0


@pytest.mark.parametrize(("after", "rounds"), [(1.0, [1, 2]), (3.0, [2])])
def test_a_next_point_that_gets_cheaper_may_fit_after_another_move(after, rounds):
    """So no other move of the step may change the round before it."""
    costs = np.array([2.0, 2.0, 2.0, 2.0, 2.0, after])
    chain = SimpleNamespace(
        problem=SimpleNamespace(costs=costs),
        current=SimpleNamespace(order=np.arange(6)),
        _ends=lambda order: [0, 2, 4],
    )
    move = SimpleNamespace(shifts_ends=False, places=(2, 5), rounds=range(2, 3))
    assert list(GuidedChain._affected(chain, move)) == rounds


def test_annealing_finds_the_optimum_of_a_tiny_pool(tiny_sets):
    sets, costs = tiny_sets(6, seed=3), np.array([1, 2, 3, 2, 1, 3])
    params = {"batch_size": 4, "n_rounds": 2}
    best = learner(ExhaustiveOracle(), **params).fit(**sets, cost=costs)
    for name in ("uniform", "guided from random"):
        oracle = clone(SEARCHES[name]).set_params(n_steps=300)
        found = learner(oracle, **params).fit(**sets, cost=costs)
        assert found.strategy_.quality_ == pytest.approx(best.strategy_.quality_)


@pytest.mark.parametrize("oracle", [BeamOracle(), GreedyOracle()])
def test_a_search_by_points_counts_rows(oracle, sets, costs):
    with pytest.raises(ValueError, match='set by="round"'):
        learner(oracle).fit(**sets, cost=costs)


def test_a_first_round_without_a_row_needs_a_warm_start(sets, costs):
    sets |= {"X_warm": sets["X_warm"][:0], "y_warm": sets["y_warm"][:0]}
    costs[0] = 10
    oracle = AnnealingOracle(n_steps=3, proposal="uniform")
    with pytest.raises(ValueError, match="give a warm start, or increase batch_size"):
        learner(oracle).fit(**sets, cost=costs)
    learner(oracle, batch_size=10).fit(**sets, cost=costs)
