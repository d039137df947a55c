"""Time and memory of `select` grow linearly in the pool, for every strategy."""

import time
import tracemalloc

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skal import (
    BALD,
    EPIG,
    IDMR,
    BatchBALD,
    Committee,
    FixedOrder,
    Fluctuation,
    Herding,
    LeastConfidence,
    Longest,
    Margin,
    MaxEntropy,
    MinConfidence,
    ProbCover,
    Random,
    Stochastic,
    TagCount,
    TokenEntropy,
    VariationRatio,
)
from skal._threads import single_threaded
from skal.strategies import Labelled

SIZES = (2_000, 20_000, 200_000)


class MockNet(BaseEstimator):
    """A model whose answers are there already, so that only `select` is measured."""

    def __init__(self, probs_N_T_C):
        self.probs_N_T_C = probs_N_T_C
        self.probs_N_C = probs_N_T_C[:, 0]
        self.log_probs_N_T_C = np.log(probs_N_T_C)
        names = np.array(["O", *"abcdefghi"])
        self.tags = names[probs_N_T_C.argmax(axis=2)].tolist()

    def predict_proba(self, X):
        return self.probs_N_C[: len(X)]

    def predict(self, X):
        return self.tags[: len(X)]

    def predict_token_log_proba(self, X):
        return [rows for rows in self.log_probs_N_T_C[: len(X)]]

    def sample_proba(self, X, n_samples, random_state):
        return self.probs_N_T_C[: len(X)]


@pytest.fixture(scope="module")
def net():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(10) / 2, size=(SIZES[-1], 20))
    return MockNet(probs.astype(np.float32))


def measure(strategy, net, n_rows):
    X = np.random.default_rng(0).normal(size=(n_rows, 4))
    if isinstance(strategy, Longest):
        X = ["word " * (1 + i % 20) for i in range(n_rows)]
    strategy.fit(X)
    nothing = Labelled(X[:0], np.arange(0), np.arange(0))
    with single_threaded():
        started = time.process_time()
        strategy.select(net, X, 25, labelled=nothing)
        seconds = time.process_time() - started
        tracemalloc.start()
        strategy.select(net, X, 25, labelled=nothing)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return seconds, peak / 2**20


@pytest.mark.parametrize(
    "strategy",
    [
        Random(),
        FixedOrder(range(2_000)),
        MaxEntropy(),
        LeastConfidence(),
        Margin(),
        Longest(),
        MinConfidence(),
        TokenEntropy(),
        TokenEntropy("positive"),
        TagCount(),
        Fluctuation(),
        BALD(),
        VariationRatio(),
        BatchBALD(n_configurations=1000),
        Herding(n_references=1000),
        ProbCover(n_references=1000),
        EPIG(),
        Committee(),
        Committee("kl"),
        Stochastic(Margin()),
        Stochastic(Margin(), "softrank"),
        IDMR(MaxEntropy(), bins=lambda X: np.arange(len(X)) % 5),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_time_and_memory_grow_linearly(strategy, net):
    measure(strategy, net, SIZES[0])
    found = [measure(strategy, net, n_rows) for n_rows in SIZES]
    line = ", ".join(
        f"{n_rows}: {seconds:.3f} s {mebibytes:.0f} MiB"
        for n_rows, (seconds, mebibytes) in zip(SIZES, found, strict=True)
    )
    print(f"\n{type(strategy).__name__}: {line}")
    (_, _), (seconds, peak), (more_seconds, more_peak) = found
    # Ten times the rows: what is above the noise of small figures grows about tenfold.
    assert more_seconds < 20 * max(seconds, 0.005)
    assert more_peak < 12 * max(peak, 8)
