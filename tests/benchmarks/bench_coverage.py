"""Coverage of the pool: time and memory against scikit-activeml, and of large pools."""

import multiprocessing
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import FunctionTransformer, normalize

from skal import Herding, ProbCover
from skal._threads import single_threaded

# A ball of this radius holds about a hundredth of the rows.
N_COLUMNS, BATCH, DELTA = 64, 25, 0.9
AS_THEY_ARE = {"embedding": FunctionTransformer(), "random_state": 0}
OURS = {
    "Herding": Herding(**AS_THEY_ARE),
    "Herding, 2,000 references": Herding(n_references=2000, **AS_THEY_ARE),
    "ProbCover": ProbCover(DELTA, **AS_THEY_ARE),
    "ProbCover, radius chosen": ProbCover(n_clusters=20, **AS_THEY_ARE),
    "ProbCover, 2,000 references": ProbCover(DELTA, n_references=2000, **AS_THEY_ARE),
}


def make(n_rows):
    """Return clusters of rows of length 1, made in place: a copy would hide a copy."""
    rng = np.random.default_rng(0)
    centres = np.random.default_rng(9).normal(size=(20, N_COLUMNS))
    X = rng.standard_normal((n_rows, N_COLUMNS))
    for start in range(0, n_rows, 10_000):
        part = X[start : start + 10_000]
        part += centres[rng.integers(20, size=len(part))]
        normalize(part, copy=False)
    return X


def resident(key):
    """Return the resident memory of this process in bytes, now or at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(x.split()[1]) for x in lines if x.startswith(key))


def ours(name):
    return lambda X: OURS[name].fit(X).select(None, X, BATCH)


def rivals(name):
    """Return the query of scikit-activeml, on a pool without a label."""
    from skactiveml import pool

    strategy = {
        "Herding": pool.MaxHerding(metric_dict={"gamma": 1.0}, random_state=0),
        "ProbCover": pool.ProbCover(n_classes=2, deltas=[DELTA], random_state=0),
    }[name]
    # ProbCover keeps the distances of its first pool otherwise.
    anew = {"update": True} if name == "ProbCover" else {}
    return lambda X: strategy.query(
        X, np.full(len(X), np.nan), batch_size=BATCH, **anew
    )


def measure(side, name, n_rows):
    """Return the rows chosen, CPU seconds, and bytes above those of the pool."""
    query, X = side(name), make(n_rows)
    query(X[:500])
    with single_threaded():
        before, started = resident("VmRSS"), time.process_time()
        batch = query(X)
        seconds = time.process_time() - started
    return batch.tolist(), seconds, resident("VmHWM") - before


def alone(*args):
    """Measure in a process of its own, whose peak of memory is that of this call."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(measure, *args).result()


@pytest.fixture(scope="module")
def of_rivals():
    """The measures of scikit-activeml, each taken once: it needs minutes and 9 GB."""
    return {}


@pytest.mark.skipif(find_spec("skactiveml") is None, reason="needs scikit-activeml")
@pytest.mark.parametrize(
    ("name", "rival", "share_of_time"),
    [
        ("Herding", "Herding", 1 / 5),
        ("Herding, 2,000 references", "Herding", 1 / 40),
        ("ProbCover", "ProbCover", 1 / 5),
    ],
)
def test_against_scikit_activeml(name, rival, share_of_time, of_rivals):
    n_rows = 20_000
    batch, seconds, peak = alone(ours, name, n_rows)
    if rival not in of_rivals:
        of_rivals[rival] = alone(rivals, rival, n_rows)
    other, other_seconds, other_peak = of_rivals[rival]
    print(
        f"\n{name}: {seconds:.2f} CPU s and {peak / 2**20:.0f} MiB, scikit-activeml "
        f"{other_seconds:.1f} s and {other_peak / 2**20:.0f} MiB: "
        f"{other_seconds / seconds:.1f} and {other_peak / peak:.1f} times as much; "
        f"{len(set(batch) & set(other))} of {BATCH} rows are the same"
    )
    assert seconds < share_of_time * other_seconds
    assert peak < other_peak / 10


def new_rows(is_near, batch):
    """Return how many rows each pick covers anew, and the most that any row would."""
    is_covered, found = np.zeros(len(is_near), dtype=bool), []
    for row in batch:
        gains = (is_near & ~is_covered).sum(axis=1)
        found.append((int(gains[row]), int(gains.max())))
        is_covered |= is_near[row]
    return found


@pytest.mark.skipif(find_spec("skactiveml") is None, reason="needs scikit-activeml")
def test_same_rows_as_scikit_activeml():
    """Balls hold whole numbers of rows, and equal ones are broken by luck."""
    X = make(2000)
    assert ours("Herding")(X).tolist() == rivals("Herding")(X).tolist()
    is_near = pairwise_distances(X) <= DELTA
    for side in ours, rivals:
        with warnings.catch_warnings():  # of the purity, which needs other radii
            warnings.simplefilter("ignore", UserWarning)
            batch = side("ProbCover")(X)
        gains = new_rows(is_near, batch)
        print(f"\n{side.__name__}: {gains[:5]} ...")
        assert all(gain == most for gain, most in gains)


@pytest.mark.parametrize(
    "name", ["Herding, 2,000 references", "ProbCover, 2,000 references"]
)
def test_time_and_memory_grow_linearly(name):
    found = {n: alone(ours, name, n)[1:] for n in (100_000, 1_000_000)}
    for n, (seconds, peak) in found.items():
        copies = peak / (8 * N_COLUMNS * n)
        print(f"\n{name}, {n:,} rows: {seconds:.1f} CPU s, {copies:.2f} pools")
        # In single precision a copy is half of the pool.
        assert peak < 2 * 8 * N_COLUMNS * n
    assert found[1_000_000][0] < 15 * found[100_000][0]


def test_choosing_the_radius_takes_little_time():
    """Of 20,000 rows: k-means, and the balls around 2,000 of them."""
    seconds = [alone(ours, f"ProbCover{s}", 20_000)[1] for s in ("", ", radius chosen")]
    print(f"\nProbCover: {seconds[0]:.2f} CPU s, radius chosen {seconds[1]:.2f} s")
    assert seconds[1] < 5 * seconds[0]
