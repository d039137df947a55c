"""What a long search keeps in memory: 10,000 steps, of which hardly one is work."""

import gc
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle
from skal.oracle.annealing._uniform import UniformChain
from skal.oracle.evaluation._objective import Objective

N_STEPS, FIRST = 10_000, 1000


def resident():
    """Return the bytes of memory that the process has."""
    n_pages = int(Path("/proc/self/statm").read_text().split()[1])
    return 4096 * n_pages


# Scores are invented, so those of the rounds differ.
@pytest.mark.filterwarnings("ignore:The order that AnnealingOracle found")
@pytest.mark.parametrize("prefetch", [0, 8])
@pytest.mark.parametrize("is_traced", [False, True])
def test_bytes_per_step(monkeypatch, is_traced, prefetch):
    """Resident memory by itself, since what traces memory takes much of it."""
    measure = (lambda: tracemalloc.get_traced_memory()[0]) if is_traced else resident
    take, marks = UniformChain.step, []

    def watch(chain, t):
        moved = take(chain, t)
        if t >= FIRST and t % 1000 == 0:
            gc.collect()
            marks.append((t, measure(), chain.objective.n_trainings))
        return moved

    def score(self, sets):
        return {key: sum(s.tolist()) % 997 / 997 for key, s in sets.items()}

    monkeypatch.setattr(UniformChain, "step", watch)
    monkeypatch.setattr(Objective, "_train_and_score", score)
    # As long as Table 1's search for intents, so each step asks for several sets.
    oracle = AnnealingOracle(
        n_steps=N_STEPS, n_greedy=0, proposal="uniform", prefetch=prefetch
    )
    learner = ActiveLearner(
        GaussianNB(), oracle, batch_size=20, n_rounds=8, random_state=0
    )
    if is_traced:
        tracemalloc.start()
    try:
        learner.fit(*make_blobs(800, random_state=3))
    finally:
        tracemalloc.stop()
    steps, used, trainings = np.array(marks).T
    rate = (used[-1] - used[0]) / (steps[-1] - steps[0])
    new = (trainings[-1] - trainings[0]) / (steps[-1] - steps[0])
    name = "traced" if is_traced else "resident"
    print(
        f"\n{name}, prefetch={prefetch}: {rate:.0f} bytes per step and {new:.1f} "
        f"trainings, {rate / new:.0f} bytes per training; from {used[0] / 2**20:.1f} "
        f"to {used[-1] / 2**20:.1f} MiB over {steps[-1] - steps[0]} steps."
    )
    if is_traced:
        assert rate < 60 + 30 * (new + prefetch)
    else:
        assert used[-1] - used[0] < 8 * 2**20
