from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from skal.curves import ends_of_rounds, prefixes
from skal.oracle.annealing._moves import (
    bounds_of_exchanges,
    changed_rounds,
    exchange,
    propose,
    propose_many,
)
from skal.oracle.annealing._uniform import mean_changed_rounds

SHAPES = [(6, 8, 2), (6, 6, 2), (2, 8, 2), (5, 7, 2), (3, 4, 1)]


def ends_in(shape):
    """Return where rounds end, and the number of points in the pool."""
    n_acquired, n_pool, batch_size = shape
    n_rounds = -(-n_acquired // batch_size)
    return ends_of_rounds(np.arange(n_acquired), batch_size, n_rounds), n_pool


def draw(shape, n=6000):
    rng = np.random.default_rng(0)
    return [propose(*ends_in(shape), rng) for _ in range(n)]


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_the_mean_number_of_rounds_that_a_move_changes(shape):
    (ends, n_pool), n_rounds = ends_in(shape), -(-shape[0] // shape[2])
    begin, end = bounds_of_exchanges(np.sort(draw(shape), axis=1), ends)
    problem = SimpleNamespace(n_rounds=n_rounds, n_pool=n_pool, n_acquired=shape[0])
    exact = 0.05 if shape[0] % shape[2] == 0 else 0.15  # rounds of one size are assumed
    mean = (end - begin).mean()
    assert mean_changed_rounds(problem) == pytest.approx(mean, rel=exact)


@pytest.mark.parametrize("shape", SHAPES)
def test_moves_are_those_of_the_paper_and_all_of_them(shape):
    n_acquired, n_pool, batch_size = shape
    expected = {
        frozenset((i, j))
        for i in range(n_acquired)
        for j in range(i + 1, n_pool)
        if j >= n_acquired or i // batch_size != j // batch_size
    }
    assert {frozenset(move) for move in draw(shape)} == expected


def test_swaps_and_replacements_are_equally_likely_and_uniform():
    moves = draw((6, 8, 2), n=40_000)
    swaps = Counter(frozenset(m) for m in moves if max(m) < 6)
    others = Counter(frozenset(m) for m in moves if max(m) >= 6)
    assert swaps.total() / len(moves) == pytest.approx(0.5, abs=0.01)
    for counts, kinds in ((swaps, 12), (others, 12)):
        shares = np.array(list(counts.values())) / counts.total()
        assert len(shares) == kinds
        np.testing.assert_allclose(shares, 1 / kinds, atol=0.01)


def test_where_one_kind_is_impossible_the_other_is_made():
    assert all(max(move) < 6 for move in draw((6, 6, 2), 200))
    assert all(max(move) >= 2 for move in draw((2, 8, 2), 200))
    assert propose([0, 3], 3, np.random.default_rng(0)) is None


def test_exchange_leaves_its_input_alone():
    order = np.arange(5)
    order.setflags(write=False)
    assert exchange(order, (1, 4)).tolist() == [0, 4, 2, 3, 1]
    assert exchange(exchange(order, (1, 4)), (1, 4)).tolist() == order.tolist()


@pytest.mark.parametrize("shape", SHAPES)
def test_changed_rounds_are_the_rounds_whose_set_changes(shape):
    n_acquired, n_pool, batch_size = shape
    n_rounds = -(-n_acquired // batch_size)
    order = np.random.default_rng(1).permutation(n_pool)

    ends, _ = ends_in(shape)

    def sets(order):
        rounds = range(1, n_rounds + 1)
        return [set(p.tolist()) for p in prefixes(order, ends, rounds)]

    for move in draw(shape, 300):
        before, after = sets(order), sets(exchange(order, move))
        changed = [k + 1 for k in range(n_rounds) if before[k] != after[k]]
        assert changed_rounds(move, ends, ends).tolist() == changed


@pytest.mark.parametrize("shape", SHAPES)
def test_many_moves_at_once_are_all_moves(shape):
    ends, n_pool = ends_in(shape)
    many = propose_many(6000, ends, n_pool, np.random.default_rng(0))
    assert [tuple(move) for move in many.tolist()] == sorted(
        {(min(move), max(move)) for move in draw(shape)}
    )
    begin, end = bounds_of_exchanges(many, ends)
    for move, i, j in zip(many.tolist(), begin, end, strict=True):
        assert changed_rounds(tuple(move), ends, ends).tolist() == [*range(i, j)]


def test_many_moves_at_once_are_as_likely_as_one_by_one():
    rng, counts = np.random.default_rng(0), np.zeros((6, 8))
    for _ in range(20_000):
        ((first, last),) = propose_many(1, [0, 2, 4, 6], 8, rng)
        counts[first, last] += 1
    swaps, others = counts[:, :6], counts[:, 6:]
    assert swaps.sum() / 20_000 == pytest.approx(0.5, abs=0.015)
    for found, n_kinds in ((swaps[swaps > 0], 12), (others[others > 0], 12)):
        assert len(found) == n_kinds
        np.testing.assert_allclose(found / found.sum(), 1 / n_kinds, atol=0.015)


def test_where_there_is_no_neighbour_none_is_proposed():
    assert propose_many(9, [0, 3], 3, np.random.default_rng(0)).shape == (0, 2)
