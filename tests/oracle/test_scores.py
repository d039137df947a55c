import numpy as np
import pytest

from skal.oracle.evaluation import _score_table as _scores
from skal.oracle.evaluation._score_table import ScoreTable


def keys(rng, n):
    """Digests, many of which end in zero bytes, which numpy strips."""
    return [rng.bytes(2) + bytes(14) if i % 3 else rng.bytes(16) for i in range(n)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most_recent", [1, 7, 512])
def test_it_does_as_a_dict(monkeypatch, seed, most_recent):
    monkeypatch.setattr(_scores, "MAX_RECENT", most_recent)
    rng = np.random.default_rng(seed)
    table, expected, pool = ScoreTable(), {}, keys(rng, 300)
    for _ in range(200):
        some = [pool[i] for i in rng.integers(300, size=rng.integers(6))]
        new = {key: float(rng.normal()) for key in some}
        table.add(new)
        expected = {**new, **expected}
        assert len(table) == len(expected)
    assert table.find(pool) == {k: expected[k] for k in pool if k in expected}
    assert all(type(score) is float for score in table.find(pool).values())


def test_an_empty_table_has_nothing():
    table = ScoreTable()
    assert len(table) == 0
    assert table.find([bytes(16)]) == {}
