import numpy as np
import pytest

from skal import FixedOrder, Random

ROWS = np.arange(10)[:, None]


def test_the_order_goes_on_where_it_was():
    strategy = FixedOrder([7, 2, 9, 4]).fit(ROWS)
    assert strategy.select(None, ROWS, 2).tolist() == [7, 2]
    left = np.setdiff1d(np.arange(10), [7, 2])
    assert strategy.select(None, ROWS, 2, candidates=left).tolist() == [9, 4]


def test_an_order_that_ends_says_so():
    with pytest.raises(ValueError, match="has 2 of the candidates left and 3 rows"):
        FixedOrder([7, 2]).fit(ROWS).select(None, ROWS, 3)


@pytest.mark.parametrize("order", [[0, 10], [-1, 2]])
def test_rows_outside_the_pool_are_refused(order):
    with pytest.raises(ValueError, match="rows of the pool, 0 to 9, got rows"):
        FixedOrder(order).fit(ROWS)


def test_repeated_rows_are_refused():
    with pytest.raises(ValueError, match="repeats 1 rows, such as 3"):
        FixedOrder([3, 3]).fit(ROWS)


def test_random_orders_are_uniform():
    firsts = [
        Random(random_state=seed).fit(ROWS).select(None, ROWS, 1)[0]
        for seed in range(2000)
    ]
    counts = np.bincount(firsts, minlength=10)
    # Chi-square with 9 degrees of freedom: 27.9 is its 99.9th percentile.
    assert ((counts - 200) ** 2 / 200).sum() < 27.9
