"""Strategies that spread a batch over embeddings: memory of BADGE, growth of all."""

import time
import tracemalloc

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skal import BADGE, BAIT, ClusterMargin, CoreSet, DropQuery, TypiClust
from skal._threads import single_threaded
from skal.strategies import Labelled

MIB = 2**20
SIZES = (10_000, 100_000, 1_000_000)
STRATEGIES = [CoreSet(), BADGE(), TypiClust(), DropQuery(), ClusterMargin(), BAIT()]


def task(n_rows, n_columns, n_classes, seed=0):
    """Return rows of overlapping classes, and a model of the first thousand."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n_rows)
    X = rng.standard_normal((n_rows, n_columns), dtype=np.float32)
    X += rng.normal(size=(n_classes, n_columns)).astype(np.float32)[y] / 4
    y[:n_classes] = np.arange(n_classes)
    model = LogisticRegression(max_iter=50, tol=0.1).fit(X[:1000], y[:1000])
    return X, model, Labelled(X[:100], y[:100], np.arange(100))


def measure(strategy, X, model, labelled, n):
    """Return the CPU seconds and the peak memory in MiB of `fit` and `select`."""
    candidates = np.arange(len(labelled.positions), len(X))

    def run():
        strategy.fit(X).select(model, X, n, candidates=candidates, labelled=labelled)

    with single_threaded():
        started = time.process_time()
        run()
        seconds = time.process_time() - started
        tracemalloc.start()
        run()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return seconds, peak / MIB


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_of_badge(dtype):
    n_rows, n_columns, n_classes = 20_000, 384, 100
    X, *given = task(n_rows, n_columns, n_classes)
    seconds, peak = measure(BADGE(random_state=0), X.astype(dtype), *given, n=100)
    full = n_rows * n_columns * n_classes * 8 / MIB
    print(
        f"\nBADGE, {n_rows} rows, {n_columns} columns of {dtype.__name__}, {n_classes} "
        f"classes, batch 100: {seconds:.2f} CPU s, {peak:.0f} MiB; "
        f"the gradients have {full:.0f} MiB."
    )
    assert peak < 100


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: type(s).__name__)
def test_time_and_memory_grow_linearly(strategy):
    """In 32 columns with 5 classes, 100 labelled rows and a batch of 25."""
    strategy.set_params(random_state=0)
    # BAIT updates two matrices of each row for each of 50 rows.
    sizes = [n // 10 if isinstance(strategy, BAIT) else n for n in SIZES]
    found = [measure(strategy, *task(n_rows, 32, 5), n=25) for n_rows in sizes]
    line = ", ".join(
        f"{n_rows}: {seconds:.2f} s {mebibytes:.0f} MiB"
        for n_rows, (seconds, mebibytes) in zip(sizes, found, strict=True)
    )
    print(f"\n{type(strategy).__name__}: {line}")
    (_, _), (seconds, peak), (more_seconds, more_peak) = found
    # Ten times the rows: what is above the noise of small figures grows about tenfold.
    assert more_seconds < 20 * max(seconds, 0.05)
    assert more_peak < 12 * max(peak, 8)
