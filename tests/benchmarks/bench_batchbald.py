"""BatchBALD: 20 members, 10 classes, a batch of 25; lazy against the plain form."""

import time
import tracemalloc
from statistics import median

import numpy as np
import pytest

from skal._threads import single_threaded
from skal.information import batchbald


def posterior(n_rows, dtype, sharpness):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(10) / sharpness, size=(n_rows, 20))
    return probs.astype(dtype)


def measure(function, n=5):
    seconds = []
    with single_threaded():
        for _ in range(n):
            started = time.process_time()
            result = function()
            seconds.append(time.process_time() - started)
    return median(seconds), result


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sharpness", [1, 3])
def test_lazy_is_several_times_as_fast_and_picks_the_same(sharpness, dtype):
    for n_rows in (2_000, 20_000):
        probs = posterior(n_rows, dtype, sharpness)
        kwargs = {"n_configurations": 1000, "random_state": 0}
        lazy, (rows, _) = measure(lambda: batchbald(probs, 25, **kwargs))  # noqa: B023
        plain, (expected, _) = measure(
            lambda: batchbald(probs, 25, **kwargs, lazy=False),  # noqa: B023
            n=1,
        )
        print(
            f"\n{n_rows} candidates, {np.dtype(dtype).name}, sharpness {sharpness}: "
            f"{lazy:.3f} s, {plain / lazy:.1f} times as fast as the plain form"
        )
        assert rows.tolist() == expected.tolist()
        assert plain / lazy > 4


def test_ten_thousand_configurations_fit_into_a_gibibyte():
    probs = posterior(20_000, np.float64, 1)
    tracemalloc.start()
    batchbald(probs, 25, n_configurations=10_000, random_state=0)
    peak = (probs.nbytes + tracemalloc.get_traced_memory()[1]) / 2**30
    tracemalloc.stop()
    print(f"\n10,000 configurations, 20,000 candidates: {peak:.2f} GiB at the peak")
    assert peak < 1
