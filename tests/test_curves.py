from itertools import permutations

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from skal import ActiveLearner, ExhaustiveOracle, FixedOrder, Random, xi_quality
from skal.curves import (
    anytime_optimal,
    dominates,
    ends_of_rounds,
    optimism,
    prefixes,
    round_of,
)


def test_quality_is_the_mean_over_rounds():
    assert xi_quality([0.9, 0.1, 0.2, 0.6]) == pytest.approx(0.3)
    assert xi_quality([0.9, 0.1, 0.2, 0.6], include_warm_start=True) == pytest.approx(
        0.45
    )


@pytest.mark.parametrize("curve", [[0.5], [], [[0.1, 0.2]]])
def test_a_curve_without_rounds_is_refused(curve):
    with pytest.raises(ValueError, match="at least one round"):
        xi_quality(curve)


def test_dominance_ignores_the_warm_start():
    assert dominates([0.0, 0.5, 0.6], [1.0, 0.5, 0.5])
    assert not dominates([0.0, 0.5, 0.6], [0.0, 0.4, 0.7])
    with pytest.raises(
        ValueError, match="compare curves over the same number of rounds"
    ):
        dominates([0.1, 0.5], [0.1, 0.4, 0.3])


def test_anytime_optimal_is_what_dominates_all_others():
    curves = np.random.default_rng(0).integers(3, size=(200, 6, 4)) / 2
    for family in curves:
        plain = [
            i for i, c in enumerate(family) if all(dominates(c, o) for o in family)
        ]
        assert anytime_optimal(family) == (plain[0] if plain else None)
    with pytest.raises(ValueError, match="No curve is given"):
        anytime_optimal([])


def test_optimism_is_the_gain_that_is_lost_on_test():
    assert optimism(0.98, 0.94, 0.88, 0.89) == pytest.approx(0.05)
    # A harder test set alone is not optimism.
    assert optimism(0.9, 0.8, 0.85, 0.75) == pytest.approx(0)
    # Neither is a harder validation set its contrary.
    assert optimism(0.8, 0.9, 0.75, 0.88) == pytest.approx(0.03)


def test_optimism_of_many_at_once():
    rng = np.random.default_rng(0)
    validation, test = rng.uniform(size=(2, 2, 3, 5))
    low_val, low_test = rng.uniform(size=(2, 2, 1, 5))
    found = optimism(validation, test, low_val, low_test)
    assert found.shape == (2, 3, 5)
    for i, j, k in np.ndindex(found.shape):
        on_val = validation[i, j, k] - low_val[i, 0, k]
        on_test = test[i, j, k] - low_test[i, 0, k]
        assert found[i, j, k] == pytest.approx(on_val - on_test)
    assert np.isnan(optimism(np.nan, 0.9, 0.8, 0.8))


def test_random_orders_are_not_optimistic(blobs):
    """Zero on average over random orders, and not for the best on validation."""
    runs = [
        ActiveLearner(GaussianNB(), Random(random_state=i), batch_size=4, n_rounds=3,
                      val_size=20, test_size=40, random_state=0).fit(*blobs)
        for i in range(40)
    ]  # fmt: skip
    val, test = np.array([[r.validation_quality_, r.quality_] for r in runs]).T
    found = optimism(val, test, val.mean(), test.mean())
    assert found.mean() == pytest.approx(0, abs=1e-12)
    assert found[np.argmax(val)] > 0


def test_prefixes_end_with_a_short_batch():
    order = np.arange(5)
    ends = ends_of_rounds(order, 2, 3)
    assert [p.tolist() for p in prefixes(order, ends, range(1, 4))] == [
        [0, 1],
        [0, 1, 2, 3],
        [0, 1, 2, 3, 4],
    ]


def test_rounds_label_what_fits_in_a_walk_through_the_order():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n, size, n_rounds = rng.integers(1, 9), int(rng.integers(1, 9)), 4
        costs, order = rng.integers(1, 7, n).astype(float), rng.permutation(n)
        ends, end, spent = [0], 0, 0.0
        for k in range(1, n_rounds + 1):
            while end < n and spent + costs[order[end]] <= k * size:
                spent += costs[order[end]]
                end += 1
            ends.append(end)
            assert round_of(end, spent, size, costs) <= k
        assert ends_of_rounds(order, size, n_rounds, costs).tolist() == ends


def test_rows_of_cost_1_are_counted():
    order = np.random.default_rng(0).permutation(11)
    for size in range(1, 13):
        plain = ends_of_rounds(order, size, 5)
        assert plain.tolist() == ends_of_rounds(order, size, 5, np.ones(11)).tolist()
        for n in range(12):
            assert round_of(n, n, size, None) == round_of(n, n, size, np.ones(11))


def test_sums_of_fractions_reach_an_amount():
    costs = np.full(40, 0.1)
    assert ends_of_rounds(np.arange(40), 1, 4, costs).tolist() == [0, 10, 20, 30, 40]
    assert round_of(30, costs[:30].sum(), 1, costs) == 3


class TestProposition1:
    """There are data and a model class with no anytime optimal order (Fig. 1).

    Four points, a max-margin linear classifier, and a vertical true boundary at 5.
    """

    X = np.array([[4.0, 7.0], [4.0, 0.0], [9.0, 4.0], [6.0, 1.0]])
    y = np.array(["red", "red", "blue", "blue"])
    axis = np.linspace(0.1, 9.9, 40)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    truth = np.where(grid[:, 0] > 5, "blue", "red")

    def fit(self, strategy):
        learner = ActiveLearner(
            SVC(kernel="linear", C=1e6),
            strategy,
            batch_size=1,
            n_rounds=3,
            warm_size=0,
            random_state=0,
        )
        # The distribution is known here: the grid is both validation and test.
        nudged = self.grid + 1e-9
        held_out = {"X_val": nudged, "X_test": self.grid}
        return learner.fit(
            self.X, self.y, **held_out, y_val=self.truth, y_test=self.truth
        )

    def test_no_order_is_anytime_optimal(self):
        orders = list(permutations(range(4), 3))
        curves = [self.fit(FixedOrder(order)).curve_ for order in orders]
        assert anytime_optimal(curves) is None

        highest = np.max(curves, axis=0)
        best_pairs = {
            frozenset(order[:2])
            for order, curve in zip(orders, curves, strict=True)
            if curve[2] == highest[2]
        }
        best_triples = {
            frozenset(order)
            for order, curve in zip(orders, curves, strict=True)
            if curve[3] == highest[3]
        }
        assert best_pairs == {frozenset({0, 2})}
        assert best_triples == {frozenset({0, 1, 3})}
        assert highest[3] > 0.99 > highest[2]

    def test_the_optimal_order_is_still_well_defined(self):
        qualities = [
            self.fit(FixedOrder(order)).quality_ for order in permutations(range(4), 3)
        ]
        assert self.fit(ExhaustiveOracle()).quality_ == max(qualities)
