"""Seeding: every random choice of a run is derived from one integer.

The paper calls the seed xi and captures all training stochasticity in it (Zhou et al.,
AISTATS 2021, section 3.1). Each purpose draws from a stream of its own, so that drawing
one more number in one place changes nothing anywhere else.
"""

import os
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum, unique
from types import ModuleType
from typing import Any

import numpy as np

# Exclusive upper bound of drawn seeds, the one that `sklearn.ensemble` uses.
MAX_SEED = np.iinfo(np.int32).max
_get_global_generator = np.random.get_bit_generator  # type: ignore[attr-defined]
_set_global_generator = np.random.set_bit_generator  # type: ignore[attr-defined]
_globals_lock = threading.RLock()
# Generators to reuse: creating one takes far longer than seeding it.
_spare_generators = [np.random.MT19937()]


@unique
class Stream(IntEnum):
    """Purposes of random numbers. The purpose is the first part of a stream's key.

    The values are part of the seeding of stored results: never change one.
    """

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
    NOISE = 15
    AUDIT = 16
    FOLDS = 17
    BOOTSTRAP = 18
    REPLAY = 19


def as_seed(random_state: Any) -> int:
    """Turn a scikit-learn `random_state` into one integer.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        An int is the seed itself. A `RandomState` draws one number. None takes fresh
        entropy from the operating system, never from the global state.

    Returns
    -------
    int
        A seed of at least 0.
    """
    if random_state is None:
        return fresh_seed()
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(MAX_SEED))
    return int(random_state)


def fresh_seed() -> int:
    """Return a seed from fresh entropy of the operating system.

    Returns
    -------
    int
        A seed of at least 0.
    """
    return int(np.random.SeedSequence().generate_state(1)[0] >> 1)


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return a new generator for a seed and a key, the same in any process.

    Parameters
    ----------
    seed : int
        The seed that all streams of a run derive from.
    *key : int
        The purpose, a member of `Stream`, followed by numbers that distinguish several
        streams of the same purpose.

    Returns
    -------
    numpy.random.Generator
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def random_state_names(estimator: Any) -> list[str]:
    """Return the names of all `random_state` parameters inside an estimator, sorted."""
    return sorted(
        name
        for name in estimator.get_params(deep=True)
        if name == "random_state" or name.endswith("__random_state")
    )


def set_random_states(
    estimator: Any, rng: np.random.Generator, only_unset: bool = False
) -> Any:
    """Set each `random_state` inside an estimator to a different integer, in place.

    Parameters
    ----------
    estimator : estimator
        A clone that may be changed.
    rng : numpy.random.Generator
        Draws the integers.
    only_unset : bool, default=False
        Whether to set only those `random_state` parameters that are None. A strategy
        keeps the seeds that its user set; an estimator does not, since its randomness
        comes from xi alone.

    Returns
    -------
    estimator
        The estimator itself.
    """
    names = random_state_names(estimator)
    seeds = {name: int(rng.integers(MAX_SEED)) for name in names}
    if only_unset:
        params = estimator.get_params(deep=True)
        seeds = {name: seed for name, seed in seeds.items() if params[name] is None}
    # `FrozenEstimator.set_params` returns None.
    estimator.set_params(**seeds)
    return estimator


class _GlobalStates:
    """The states of all global generators, to restore them.

    Attributes
    ----------
    thread : int
        The thread that has read them.
    is_restored : bool
        Whether they are restored.
    """

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self._python = random.getstate()
        self._generator = _get_global_generator()
        # The state includes numpy's cached second Gaussian, which the generator lacks.
        self._numpy = np.random.get_state(legacy=False)  # noqa: NPY002
        torch = sys.modules.get("torch")
        # A module that another thread is importing may lack its functions still.
        self._torch = torch if hasattr(torch, "default_generator") else None
        self._of_torch = [] if self._torch is None else _states_of_torch(self._torch)
        self._spare: np.random.MT19937 | None = None
        self.is_restored = False

    def seed(self, seed: int) -> None:
        """Seed the generators, and use another one in place of numpy's."""
        self._spare = _spare_generator()
        random.seed(seed)
        _set_global_generator(self._spare)
        np.random.seed(seed)  # noqa: NPY002
        if self._torch is not None:
            _seed_torch(self._torch, seed)

    def restore(self) -> None:
        """Restore the states, unless that was done already."""
        if self.is_restored:
            return
        _set_global_generator(self._generator)
        np.random.set_state(self._numpy)  # noqa: NPY002
        random.setstate(self._python)
        if self._torch is not None:
            _restore_torch(self._torch, self._of_torch)
        self.is_restored = True
        if self._spare is not None:
            _spare_generators.append(self._spare)


# The states before each block that a thread is in, the latest last.
_before: list[_GlobalStates] = []


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed the global generators for a block, and restore them afterwards.

    Code in the block that draws from a global generator (Python's, numpy's, or torch's
    if it is imported) depends on `seed` only, and leaves the global state unchanged.
    The generators belong to the process, so blocks in several threads wait for each
    other.

    Parameters
    ----------
    seed : int
        The seed of all global generators within the block.
    """
    with _globals_lock:
        states = _GlobalStates()
        try:
            try:
                _before.append(states)
                states.seed(seed)
                yield
            finally:
                states.restore()
        finally:
            # Once more, in case that Ctrl-C has cut it short.
            states.restore()
            _before[:] = [one for one in _before if not one.is_restored]


def _spare_generator() -> np.random.MT19937:
    return _spare_generators.pop() if _spare_generators else np.random.MT19937()


def _states_of_torch(torch: ModuleType) -> list[Any]:
    """Return the states of torch's generators, of the CPU and of each GPU."""
    devices = range(torch.cuda.device_count())
    return [torch.get_rng_state(), *map(torch.cuda.get_rng_state, devices)]


def _restore_torch(torch: ModuleType, states: list[Any]) -> None:
    torch.set_rng_state(states[0])
    for device, state in enumerate(states[1:]):
        torch.cuda.set_rng_state(state, device)


def _seed_torch(torch: ModuleType, seed: int) -> None:
    # Without an accelerator, manual_seed formats a stack trace for each kind of device,
    # to seed it later, which takes 0.2 ms. torch < 2.6 has no `torch.accelerator`.
    accelerator = getattr(torch, "accelerator", None)
    if accelerator is None or accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def _leave_other_thread() -> None:
    """Leave the blocks of a thread that does not exist after a fork.

    Otherwise its lock would never be released, and its generators stay in use.
    """
    global _globals_lock
    if _before and _before[-1].thread == threading.get_ident():
        return
    _globals_lock = threading.RLock()
    # A GPU cannot be used after a fork, which torch says by a RuntimeError.
    with suppress(RuntimeError):
        while _before:
            _before.pop().restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_other_thread)
