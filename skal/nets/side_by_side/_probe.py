"""Whether a module can be trained side by side with others: it is tried."""

from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.dropout import _DropoutNd

from skal.nets.side_by_side._module_stack import ModuleStack, Rows, trained
from skal.nets.side_by_side._stack import NotSideBySide

# So many weights may stand in all models of a stack together.
MOST_WEIGHTS = 2**24
# The probe's models differ by so much, so that they do not all have the same units
# dead, and layers which begin with zeros are seen as well.
NOISE = 0.1
# Bits differ for some numbers only, so that it is tried several times.
ROUNDS = 3

_DTYPES = "has parameters that are not all of one floating-point dtype"
_RANDOM = "draws random numbers, or remembers what it has seen, in training"
_BUFFERS = "changes its buffers in training, as batch norm does"
_ROWS = "lets the rows of a minibatch depend on one another"
_VMAP = "has a forward method that torch.func.vmap cannot take"


def make_module_stack(
    module: nn.Module,
    width: int | None,
    batch_size: int,
    lr: float,
    data: Rows,
    rows_at_once: int,
) -> ModuleStack:
    """Return a stack of a module, if it can be stacked.

    Whether it can is tried: one step on the rows that are there.

    Parameters
    ----------
    module, batch_size, lr, data, rows_at_once
        As in `ModuleStack`.
    width : int or None
        How many models stand side by side, or what is best.

    Returns
    -------
    ModuleStack

    Raises
    ------
    NotSideBySide
        If it can not. Where the module's dropout is why, there is no message: that is
        what its user wants.
    """
    if any(isinstance(m, _DropoutNd) and m.p > 0 for m in module.modules()):
        raise NotSideBySide
    dtypes = {value.dtype for value in trained(module).values()}
    if len(dtypes) != 1 or not dtypes.pop().is_floating_point:
        raise NotSideBySide(_message(module, _DTYPES))
    given = batch_size, lr, data, rows_at_once
    best = _best_width(module)
    # A copy, since some modules keep what they have seen.
    probe = ModuleStack(deepcopy(module), best, *given)
    why = _obstacle(probe)
    if why is not None:
        raise NotSideBySide(_message(module, why))
    # Nothing is gained by more models than one where they are stepped in turn.
    is_stacked = probe.is_filled or _is_invariant(probe)
    width = min(width or best, best) if is_stacked else width or 1
    stack = ModuleStack(module, width, *given)
    stack.is_stacked = is_stacked
    return stack


def _message(module: nn.Module, why: str) -> str:
    return (
        f"{type(module).__name__} {why}, so its trainings go one by one: change that "
        "to train many side by side, or ignore this warning."
    )


def _best_width(module: nn.Module) -> int:
    """Return how many models stand side by side: fewer if they are large."""
    n_weights = sum(value.numel() for value in trained(module).values())
    return max(2, min(ModuleStack.default_width, MOST_WEIGHTS // max(n_weights, 1)))


def _obstacle(probe: ModuleStack) -> str | None:
    """Return what keeps the module of a stack from being stacked, if anything."""
    try:
        why = _unsteadiness(probe.module, probe.data.X[: probe.n_rows])
        return why or (None if _is_right(probe) else _ROWS)
    # Whatever it raises, vmap does not take the module, and `fit` may.
    except Exception:
        return _VMAP


def _unsteadiness(module: nn.Module, X: torch.Tensor) -> str | None:
    """Return in what way the same rows do not give the same answers, if in any."""
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
    """Fill a stack with unlike models; return minibatches of at most some rows."""
    n = len(stack.data.codes)
    for place in range(stack.width):
        stack.load(place, np.arange(n))
    with torch.no_grad():
        stack.rows.add_(torch.randn_like(stack.rows), alpha=NOISE)
    # Not the first row, with which minibatches are filled up.
    order = 1 + torch.randperm(n - 1).numpy() if n > 1 else np.arange(n)
    order = np.resize(order, stack.width * size)
    return [order[i * size : i * size + size - i % 2] for i in range(stack.width)]


def _is_right(stack: ModuleStack) -> bool:
    """Whether two models, stacked, have the losses and gradients of each alone."""
    size = max(2, 3 * stack.n_rows // 4 - 1)
    batches = [np.unique(rows) for rows in _load(stack, size)[:2]]
    leaves = {k: v.requires_grad_() for k, v in stack.weights(range(2)).items()}
    pairs = zip(stack.together(leaves, batches), stack.in_turn(batches), strict=True)
    tolerance = torch.finfo(stack.rows.dtype).eps ** 0.5
    if stack.is_filled:
        tolerance *= 30  # products of a GPU may be rounded to fewer digits
    return all(
        bool((found - plain).abs().max() <= tolerance * plain.abs().max())
        for found, plain in pairs
    )


def _is_invariant(stack: ModuleStack) -> bool:
    """Whether all models get the same bits, however many stand beside them.

    Stacked products are computed by other kernels where matrices have odd sizes, and
    their places in memory then matter.
    """
    if any(isinstance(m, _ConvNd) for m in stack.module.modules()):
        return False
    return all(_agree_once(stack) for _ in range(ROUNDS))


def _agree_once(stack: ModuleStack) -> bool:
    """Whether unlike models have the same gradients alone and in stacks of any size."""
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
