import numpy as np
import pytest


def test_the_curves_of_single_orders_have_the_baselines_mean(comparison):
    of_orders = comparison.baseline_curves
    assert of_orders.shape == (2, 5, 3, 4)
    place = list(comparison.strategies).index("random")
    np.testing.assert_allclose(of_orders.mean(axis=2), comparison.curves[:, place])
    singles = comparison.single_curves("random")
    assert singles.shape == (2, 15, 4)
    np.testing.assert_array_equal(singles[:, 3:6], of_orders[:, 1])


def test_any_other_strategy_has_one_run_for_each_seed(comparison):
    singles = comparison.single_curves("oracle")
    np.testing.assert_array_equal(singles, comparison.curves[:, -1])
    with pytest.raises(ValueError, match="Unknown strategy 'bald'"):
        comparison.single_curves("bald")
