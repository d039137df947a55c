"""What this machine could do at best: the floor under the time of a computation."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from skal.nets.side_by_side._stack import Stack

N_REPEATS = 5
# Adam reads a weight, its gradient and two moments, and writes all but the gradient.
BYTES_PER_WEIGHT = 7 * 4

# What torch calls the parts of a training.
PARTS = {
    "products": ("mm", "addmm", "bmm", "baddbmm", "baddbmm_", "addmm_", "addbmm"),
    "convolutions": ("mkldnn_convolution", "convolution_backward"),
    "Adam": ("_fused_adam_",),
    "looking up and adding up": (
        *("index_add_", "index_select", "_embedding_bag", "index", "gather"),
        *("index_copy_", "scatter_add_", "embedding", "index_put_", "_index_put_impl_"),
    ),
}


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
    """Return the bytes per second that a copy reads and writes."""
    source = torch.zeros(n_bytes // 4)
    target = torch.empty_like(source)
    return 2 * n_bytes / best_seconds(lambda: target.copy_(source))


def floor_seconds(call: Callable[[], Any], stack: Stack) -> tuple[float, float]:
    """Return the seconds that products and steps of Adam take at least.

    Parameters
    ----------
    call : callable
        Trains with the stack.
    stack : Stack

    Returns
    -------
    of_products : float
        Operations, over the rate of a large product.
    of_adam : float
        Bytes, over the bandwidth of the memory: caches may be quicker.
    """
    n_weights, descend = [0], stack._descend

    def count(gradients: torch.Tensor) -> None:
        n_weights[0] += sum(stack.n_used[: len(gradients)])
        descend(gradients)

    stack._descend = count  # type: ignore[method-assign]
    with FlopCounterMode(display=False) as counter:
        call()
    del stack._descend
    of_adam = BYTES_PER_WEIGHT * n_weights[0] / bandwidth()
    return counter.get_total_flops() / product_rate(), of_adam


def shares(call: Callable[[], Any]) -> dict[str, float]:
    """Return which share of its time a call spends in what part, by torch's profiler.

    What torch does not see is "Python"; watching makes that part larger.
    """
    started = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        call()
        seconds = time.perf_counter() - started
    parts = {f"aten::{name}": part for part, names in PARTS.items() for name in names}
    found: Counter = Counter(dict.fromkeys([*PARTS, "other operations"], 0.0))
    for event in seen.key_averages():
        if event.device_type == DeviceType.CPU and event.key.startswith("aten::"):
            part = parts.get(event.key, "other operations")
            found[part] += event.self_cpu_time_total / 1e6 / seconds
    found["Python"] = 1 - sum(found.values())
    return {part: share for part, share in found.items() if share >= 0.005}
