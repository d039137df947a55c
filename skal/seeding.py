"""Every random choice of a run, derived from one integer seed.

The paper calls the seed xi: all training stochasticity is captured in it (Zhou et al.,
AISTATS 2021, section 3.1). Each purpose draws from a stream of its own, so that asking
for one more number in one place changes nothing anywhere else.
"""

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import ModuleType
from typing import Any

import numpy as np

MAX_SEED = np.iinfo(np.int32).max
_get_global_generator = np.random.get_bit_generator  # type: ignore[attr-defined]
_set_global_generator = np.random.set_bit_generator  # type: ignore[attr-defined]
_globals_lock = threading.RLock()
# To make a generator takes far longer than to seed one that is there.
_spare_generators = [np.random.MT19937()]


class Stream(IntEnum):
    """What a stream of random numbers is for: the first part of its key."""

    SPLIT = 0
    ROW_PRIORITY = 1
    ESTIMATOR = 2
    TRAINING = 3
    STRATEGY = 4
    TIES = 5
    START = 6
    STEP = 7
    GENERATED = 8
    CONFIGURATIONS = 9
    POSTERIOR = 10
    DROPOUT = 11
    CANDIDATES = 12
    SAMPLE = 13
    OTHER_SEEDS = 14


def as_seed(random_state: Any) -> int:
    """Turn a scikit-learn `random_state` into one integer.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        An int is the seed itself, a `RandomState` is asked for one number, and None
        takes fresh entropy from the operating system: never from the global state.

    Returns
    -------
    int
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0] >> 1)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(MAX_SEED))
    return int(random_state)


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return the generator that belongs to `seed` and `key`, the same in any process.

    Parameters
    ----------
    seed : int
    *key : int
        The purpose, a member of `Stream`, then whatever tells its members apart.

    Returns
    -------
    numpy.random.Generator
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def set_random_states(
    estimator: Any, rng: np.random.Generator, only_unset: bool = False
) -> Any:
    """Give each `random_state` inside `estimator` an integer of its own, in place.

    Parameters
    ----------
    estimator : estimator
        A clone that may be changed.
    rng : numpy.random.Generator
    only_unset : bool, default=False
        Leave alone what is not None. A strategy keeps the seed its user gave it; an
        estimator does not, since xi is all of its randomness.

    Returns
    -------
    estimator
    """
    found = sorted(
        name
        for name in estimator.get_params(deep=True)
        if name == "random_state" or name.endswith("__random_state")
    )
    seeds = {name: int(rng.integers(MAX_SEED)) for name in found}
    if only_unset:
        params = estimator.get_params(deep=True)
        seeds = {name: seed for name, seed in seeds.items() if params[name] is None}
    return estimator.set_params(**seeds)


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed the global generators for a block, and put them back as they were.

    Whatever draws from a global generator in the block (Python's, numpy's, torch's when
    it is imported) depends on `seed` alone and leaves no trace. The globals belong to
    the process, so blocks in several threads wait for each other.

    Parameters
    ----------
    seed : int
    """
    with _globals_lock:
        python_state = random.getstate()
        random.seed(seed)
        try:
            with _isolated_numpy(seed), _isolated_torch(seed):
                yield
        finally:
            random.setstate(python_state)


@contextmanager
def _isolated_numpy(seed: int) -> Iterator[None]:
    generator = _get_global_generator()
    # The second of two normal numbers waits beside the generator.
    state = np.random.get_state(legacy=False)  # noqa: NPY002
    spare = _spare_generators.pop() if _spare_generators else np.random.MT19937()
    _set_global_generator(spare)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        _spare_generators.append(spare)
        _set_global_generator(generator)
        np.random.set_state(state)  # noqa: NPY002


@contextmanager
def _isolated_torch(seed: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    # Left to itself, fork_rng warns where there are several.
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        _seed_torch(torch, seed)
        yield


def _seed_torch(torch: ModuleType, seed: int) -> None:
    # Where there is no accelerator, manual_seed formats a stack trace for each kind, to
    # seed it later: 0.2 ms. Before torch 2.6 one cannot ask.
    accelerator = getattr(torch, "accelerator", None)
    if accelerator is None or accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
