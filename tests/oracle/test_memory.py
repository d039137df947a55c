"""The memory that a search needs for each step: numbers, not objects."""

import gc
import tracemalloc

import pytest
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle
from skal.oracle.annealing._uniform import UniformChain
from skal.oracle.evaluation._objective import Objective

FIRST, LAST = 1000, 3000


@pytest.fixture
def kept(monkeypatch):
    """The bytes in use after the first and the last measured step."""
    take, kept = UniformChain.step, []

    def score(self, sets):
        return {key: sum(s.tolist()) % 997 / 997 for key, s in sets.items()}

    def watch(chain, t):
        moved = take(chain, t)
        if t in (FIRST, LAST):
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
        return moved

    monkeypatch.setattr(Objective, "_train_and_score", score)
    monkeypatch.setattr(UniformChain, "step", watch)
    tracemalloc.start()
    yield kept
    tracemalloc.stop()


# The scores are made up.
@pytest.mark.filterwarnings("ignore:The order that AnnealingOracle found")
@pytest.mark.parametrize("is_full", [False, True])
def test_a_long_search_keeps_little_of_each_step(kept, is_full, tmp_path):
    """Alone, and with prefetching and a journal."""
    added = {"prefetch": 4, "journal": tmp_path / "search.db"} if is_full else {}
    oracle = AnnealingOracle(proposal="uniform", n_steps=LAST, n_greedy=0, **added)
    learner = ActiveLearner(
        GaussianNB(), oracle, batch_size=10, n_rounds=4, random_state=0
    )
    history = learner.fit(*make_blobs(200, random_state=3)).strategy_.history_
    trainings = history["n_trainings"][LAST] - history["n_trainings"][FIRST]
    assert trainings > LAST - FIRST
    assert (kept[1] - kept[0]) / (LAST - FIRST) < 150
