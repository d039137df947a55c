"""What this machine could do at best: the floor under the time of a computation."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

N_REPEATS = 5


def best_seconds(call: Callable[[], Any]) -> float:
    """Return the shortest of a few runs."""
    seconds = []
    for _ in range(N_REPEATS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def product_rate(size: int = 1024) -> float:
    """Return the operations per second of a large product of float32 matrices."""
    a, b = torch.randn(2, size, size)
    return 2 * size**3 / best_seconds(lambda: a @ b)


def bandwidth(n_bytes: int = 2**28) -> float:
    """Return the bytes per second that are read and written by a copy."""
    source = torch.zeros(n_bytes // 4)
    target = torch.empty_like(source)
    return 2 * n_bytes / best_seconds(lambda: target.copy_(source))


def operations(call: Callable[[], Any]) -> int:
    """Count the operations of the matrix products in a call."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()
