"""Tests whether a module can be trained side by side, by trying it."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.dropout import _DropoutNd

from skal.nets.side_by_side._module_stack import ModuleStack, Rows, trained
from skal.nets.side_by_side._stack import NotSideBySide

# Maximum number of weights in all models of a stack together, which limits its memory.
MAX_WEIGHTS = 2**24
# Scale of the noise by which the probe's models differ, so that they do not share the
# same dead units, and layers that are initialized with zeros have an effect.
NOISE = 0.1
# Number of attempts to find differing bits, which only appear for some numbers.
N_TRIALS = 3

_DTYPES = "has parameters that are not all of one floating-point dtype"
_RANDOM = "draws random numbers, or keeps state between calls, in training"
_BUFFERS = "changes its buffers in training, as batch norm does"
_ROWS_DEPEND = "computes the output of a row from other rows of its minibatch"
_VMAP = "has a forward method that torch.func.vmap cannot take"


def make_module_stack(
    make: Callable[..., ModuleStack],
    module: nn.Module,
    width: int | None,
    batch_size: int,
    lr: float,
    data: Rows,
    rows_at_once: int,
) -> ModuleStack:
    """Return a stack of a module, if the module can be stacked.

    This is tested by one training step on the available rows.

    Parameters
    ----------
    make : callable
        Returns a stack; takes the arguments of `ModuleStack`.
    module, batch_size, lr, data, rows_at_once
        As in `ModuleStack`.
    width : int or None
        Maximum number of models trained side by side. None uses the best value.

    Returns
    -------
    ModuleStack
        The stack.

    Raises
    ------
    NotSideBySide
        If the module cannot be stacked. The message is empty if dropout is the reason,
        because the user has chosen it.
    """
    if any(isinstance(m, _DropoutNd) and m.p > 0 for m in module.modules()):
        raise NotSideBySide
    dtypes = {value.dtype for value in trained(module).values()}
    if len(dtypes) != 1 or not dtypes.pop().is_floating_point:
        raise NotSideBySide(_message(module, _DTYPES))
    given = batch_size, lr, data, rows_at_once
    best = _best_width(module)
    # A copy, because the forward pass may change the state of a module.
    probe = make(deepcopy(module), best, *given)
    reason = _obstacle(probe)
    if reason is not None:
        raise NotSideBySide(_message(module, reason))
    # Models that are stepped in turn gain nothing from a width above 1.
    is_stacked = probe.always_full or _is_invariant(probe)
    width = min(width or best, best) if is_stacked else width or 1
    stack = make(module, width, *given)
    stack.is_stacked = is_stacked
    return stack


def _message(module: nn.Module, reason: str) -> str:
    return (
        f"{type(module).__name__} {reason}, so its models are trained one by one: "
        "change that to train many side by side, or ignore this warning."
    )


def _best_width(module: nn.Module) -> int:
    """Return the width to use: smaller for modules with many weights."""
    n_weights = sum(value.numel() for value in trained(module).values())
    return max(2, min(ModuleStack.default_width, MAX_WEIGHTS // max(n_weights, 1)))


def _obstacle(probe: ModuleStack) -> str | None:
    """Return the reason reason the module of a stack cannot be stacked, or None."""
    try:
        reason = _nondeterminism(probe.module, probe.data.X[: probe.n_rows])
        return reason or (None if _matches_single_models(probe) else _ROWS_DEPEND)
    # Any error here means that vmap does not support the module; `fit` may.
    except Exception:
        return _VMAP


def _nondeterminism(module: nn.Module, X: torch.Tensor) -> str | None:
    """Return the reason reason the same rows give different outputs, or None."""
    buffers = [value.clone() for value in module.buffers()]
    state = torch.get_rng_state()
    with torch.no_grad():
        first, again = module(X), module(X)
    if not all(map(torch.equal, buffers, module.buffers())):
        return _BUFFERS
    is_same = torch.allclose(first, again, rtol=0, atol=0, equal_nan=True)
    if not is_same or not torch.equal(state, torch.get_rng_state()):
        return _RANDOM
    return None


def _load(stack: ModuleStack, size: int) -> list[NDArray[np.int64]]:
    """Fill a stack with differing models; return minibatches of at most `size` rows."""
    n = len(stack.data.targets)
    for slot in range(stack.width):
        stack.load(slot, np.arange(n))
    with torch.no_grad():
        stack.rows.add_(torch.randn_like(stack.rows), alpha=NOISE)
    # Not the first row, which is the padding of minibatches.
    order = 1 + torch.randperm(n - 1).numpy() if n > 1 else np.arange(n)
    order = np.resize(order, stack.width * size)
    return [order[i * size : i * size + size - i % 2] for i in range(stack.width)]


def _matches_single_models(stack: ModuleStack) -> bool:
    """Return whether two stacked models have the same losses and gradients as alone."""
    size = max(2, 3 * stack.n_rows // 4 - 1)
    batches = [np.unique(rows) for rows in _load(stack, size)[:2]]
    leaves = {k: v.requires_grad_() for k, v in stack.weights(range(2)).items()}
    pairs = zip(stack.together(leaves, batches), stack.in_turn(batches), strict=True)
    tolerance = torch.finfo(stack.rows.dtype).eps ** 0.5
    if stack.always_full:
        tolerance *= 30  # a GPU may round products to fewer digits
    return all(
        bool((found - plain).abs().max() <= tolerance * plain.abs().max())
        for found, plain in pairs
    )


def _is_invariant(stack: ModuleStack) -> bool:
    """Return whether a model gets the same bits beside any number of other models.

    For matrices of odd sizes, stacked products use other kernels, whose result depends
    on the position of a matrix in memory.
    """
    if any(isinstance(m, _ConvNd) for m in stack.module.modules()):
        return False
    return all(_agrees_once(stack) for _ in range(N_TRIALS))


def _agrees_once(stack: ModuleStack) -> bool:
    """Return whether gradients are the same alone and in stacks of any size."""
    batches = _load(stack, stack.n_rows)
    rows = stack.rows.clone()

    def gradients(first: int, last: int) -> torch.Tensor:
        n = last - first
        stack.rows[:n] = rows[first:last]
        return stack.together(stack._leaves_of(n), batches[first:last])[1]

    alone = torch.cat([gradients(i, i + 1) for i in range(stack.width)])
    return all(
        torch.equal(gradients(i, i + n), alone[i : i + n])
        for n in range(stack.width, 1, -1)
        for i in {0, stack.width - n}
    )
