"""The memory of large pools, beyond the user's own: at most two copies of the pool."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression

from skal import BALD, IDMR, ActiveLearner, AnnealingOracle, Margin, Random

N_COLUMNS, N_CLASSES = 64, 10
LOGISTIC = LogisticRegression(max_iter=100)
RUNS = {
    "Random": (Random(), LOGISTIC),
    "Margin": (Margin(), LOGISTIC),
    "IDMR": (IDMR(Margin()), LOGISTIC),
    "BALD": (BALD(), BaggingClassifier(LOGISTIC, 10)),
    "search": (AnnealingOracle(max_trainings=200), LOGISTIC),
}


def make(n_rows, seed):
    """Return normal clusters, made in place: a copy would hide a copy."""
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n_rows)
    X = rng.standard_normal((n_rows, N_COLUMNS))
    centres = np.random.default_rng(9).normal(size=(N_CLASSES, N_COLUMNS)) / 2
    for start in range(0, n_rows, 10_000):
        X[start : start + 10_000] += centres[y[start : start + 10_000]]
    return X, y


def given_sets(n_rows, is_carved):
    """Return the arguments of `fit`: one table, or a pool and other sets."""
    sets = dict(zip(("X", "y"), make(n_rows, 0), strict=True))
    for seed, name in enumerate(() if is_carved else ("warm", "val", "test"), start=1):
        sets[f"X_{name}"], sets[f"y_{name}"] = make(2000, seed)
    return sets


def resident(key):
    """Return the resident memory of this process in bytes, now or at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(x.split()[1]) for x in lines if x.startswith(key))


def measure(name, n_rows, is_carved):
    """Return the peak of a run in sizes of the pool, and its CPU time in seconds."""
    strategy, estimator = RUNS[name]
    learner = ActiveLearner(
        estimator, strategy, val_size=2000, test_size=2000, random_state=0
    )
    learner.set_params(batch_size=1000, n_rounds=5)
    sets = given_sets(n_rows, is_carved)
    ActiveLearner(estimator, Random(), random_state=0).fit(*make(400, 5))  # imports
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before, started = resident("VmRSS"), time.process_time()
    learner.fit(**sets)
    peak = resident("VmHWM") - before
    return peak / sets["X"].nbytes, time.process_time() - started


@pytest.mark.parametrize("is_carved", [False, True], ids=["given", "carved"])
@pytest.mark.parametrize("n_rows", [100_000, 1_000_000])
@pytest.mark.parametrize("name", RUNS)
def test_peak_of_a_run(name, n_rows, is_carved):
    """In a process of its own, whose memory no other run has used before."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as executor:
        peak, seconds = executor.submit(measure, name, n_rows, is_carved).result()
    sets = "carved" if is_carved else "given"
    print(f"\n{name}, {n_rows} rows, {sets}: {peak:.2f} pools, {seconds:.1f} s of CPU.")
    # At 100,000 rows, k-means looks at most of them, and copies these in turn.
    assert peak < (2 if n_rows > 100_000 else 2.5)
