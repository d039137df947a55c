"""Any module side by side, through torch's own `vmap`."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call, vmap

from skal.nets.side_by_side._engine import padded
from skal.nets.side_by_side._ops import cross_entropy
from skal.nets.side_by_side._stack import Stack


class Rows(NamedTuple):
    """What subsets are taken from, where the models are.

    Parameters
    ----------
    X : tensor of shape (n_rows, *input_shape)
    codes : tensor of shape (n_rows,), dtype int64
    """

    X: torch.Tensor
    codes: torch.Tensor


class ModuleStack(Stack):
    """Models of any module, each with minibatches of its own.

    On the CPU a training has the same result to the last bit, whatever its place, the
    width, and the others in the stack. Where the stacked products of a module do not
    keep that up, and where it has convolutions, for which stacked ones are slower, the
    models are stepped in turn. On a GPU all places are always computed, so that a
    result depends on the width alone.

    Parameters
    ----------
    module : torch.nn.Module
        As `fit` would begin with it.
    width, batch_size, lr
        As in `Stack`.
    data : Rows
    rows_at_once : int
        Rows in one forward pass of an answer.
    """

    default_width = 16

    def __init__(
        self,
        module: nn.Module,
        width: int,
        batch_size: int,
        lr: float,
        data: Rows,
        rows_at_once: int,
    ) -> None:
        first = trained(module)
        self._is_last = {k for k, v in first.items() if has_channels_last(v)}
        in_rows = {k: self._row_order(k, v.detach(), 1) for k, v in first.items()}
        super().__init__(in_rows, width, batch_size, lr)
        self._names = names_of(module, first)
        self.module = module.train()
        self.judged = deepcopy(module).eval()
        self.data, self.rows_at_once = data, rows_at_once
        self.is_stacked = True
        self.is_filled = data.X.device.type != "cpu"

    def _row_order(self, name: str, value: torch.Tensor, channels: int) -> torch.Tensor:
        """Put the channels of a kernel last, as they lie in memory."""
        return value.movedim(channels, -1) if name in self._is_last else value

    def _views(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        views = super()._views(rows)
        return views | {name: views[name].movedim(-1, 2) for name in self._is_last}

    def _begin(self, rows: NDArray[np.int64]) -> tuple[Any, torch.Tensor]:
        return rows, self.first.new_zeros(0)

    def _differentiate(
        self, leaves: dict[str, torch.Tensor], batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_stacked:
            return self.in_turn(batches)
        n = len(batches)
        if self.is_filled:
            leaves = self._leaves_of(self.width)
            batches = [*batches, *[batches[0]] * (self.width - n)]
        losses, gradients = self.together(leaves, batches)
        return losses[:n], gradients[:n]

    def together(
        self, leaves: dict[str, torch.Tensor], batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return losses and gradients of minibatches, computed as one.

        Parameters
        ----------
        leaves : dict of str to tensor
            Stacked weights.
        batches : sequence of ndarray

        Returns
        -------
        losses : tensor of shape (n_models,)
        gradients : tensor of shape (n_models, n_weights)
        """
        positions, shares = padded(batches, self.n_rows)
        # A place without a model gets the rows of the first one.
        jobs = [self.jobs[0] if job is None else job for job in self.jobs]
        pairs = zip(jobs, positions, strict=False)
        X, codes = self._take(np.stack([job[own] for job, own in pairs]))
        weights = torch.from_numpy(shares).to(self.rows)
        logits = vmap(self._logits)(leaves, X)
        losses = cross_entropy(logits, codes, weights)
        found = gradients_of(losses.sum(), leaves)
        return losses.detach(), self._in_rows(self._in_row_order(found, 2))

    def in_turn(
        self, batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return losses and gradients of minibatches, one model after the other.

        Parameters
        ----------
        batches : sequence of ndarray

        Returns
        -------
        losses : tensor of shape (n_models,)
        gradients : tensor of shape (n_models, n_weights)
        """
        losses, gradients = [], []
        for place, batch in enumerate(batches):
            X, codes = self._take(self.jobs[place][batch])
            # Copies: where a row begins must not matter.
            state = self.state_dict(place)
            leaves = {name: value.requires_grad_() for name, value in state.items()}
            loss = nn.functional.cross_entropy(self._logits(leaves, X), codes)
            found = self._in_row_order(gradients_of(loss, leaves), 1)
            losses.append(loss.detach())
            gradients.append(self._in_rows([value.unsqueeze(0) for value in found]))
        return torch.stack(losses), torch.cat(gradients)

    def _in_row_order(
        self, found: Sequence[torch.Tensor], channels: int
    ) -> list[torch.Tensor]:
        pairs = zip(self.shapes, found, strict=True)
        return [self._row_order(name, value, channels) for name, value in pairs]

    def _take(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return rows of the data, and their class numbers."""
        chosen = torch.from_numpy(rows).to(self.rows.device)
        return self.data.X[chosen], self.data.codes[chosen]

    def _logits(self, weights: dict[str, torch.Tensor], X: torch.Tensor) -> Any:
        return call(self.module, self._names, weights, X)

    def logits(self, place: int, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits of each row."""
        weights = self.state_dict(place)
        with torch.inference_mode():
            parts = [
                call(self.judged, self._names, weights, X)
                for X in inputs.split(self.rows_at_once)
            ]
        return torch.cat(parts)

    def trained_module(self, place: int) -> nn.Module:
        """Return a copy of the module with the weights of one model."""
        module = deepcopy(self.judged)
        module.load_state_dict(self.state_dict(place), strict=False)
        return module


def trained(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return the parameters of a module that are trained, each under one name.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    dict of str to tensor
    """
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def names_of(module: nn.Module, first: dict[str, torch.Tensor]) -> dict[str, str]:
    """Return all places where a module uses its trained parameters.

    Parameters
    ----------
    module : torch.nn.Module
    first : dict of str to tensor
        Of `trained`.

    Returns
    -------
    dict of str to str
        The name of each place, and the name in `first` of what stands there. Layers
        that share a parameter have a place each; a layer that is used twice has one.
    """
    known = {id(value): name for name, value in first.items()}
    return {
        f"{layer}.{name}" if layer else name: known[id(value)]
        for layer, owner in module.named_modules()
        for name, value in owner.named_parameters(recurse=False)
        if id(value) in known
    }


def call(
    module: nn.Module,
    names: dict[str, str],
    weights: dict[str, torch.Tensor],
    X: torch.Tensor,
) -> Any:
    """Return what a module answers with other weights.

    Parameters
    ----------
    module : torch.nn.Module
    names : dict of str to str
        Of `names_of`.
    weights : dict of str to tensor
    X : tensor of shape (n_rows, *input_shape)

    Returns
    -------
    tensor of shape (n_rows, n_classes)
    """
    everywhere = {place: weights[name] for place, name in names.items()}
    # All places are named: torch's own search for ties leaves a layer that is used
    # twice with the weights of the call.
    return functional_call(module, everywhere, (X,), tie_weights=False)


def gradients_of(
    loss: torch.Tensor, leaves: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, ...]:
    """Return the gradient by each leaf; zeros where the loss does not depend on it.

    Parameters
    ----------
    loss : tensor of shape ()
    leaves : dict of str to tensor

    Returns
    -------
    tuple of tensor
    """
    return torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)


def has_channels_last(value: torch.Tensor) -> bool:
    """Whether a kernel's values for one pixel lie side by side.

    Parameters
    ----------
    value : tensor

    Returns
    -------
    bool
    """
    if value.ndim != 4 or value.stride(1) != 1:
        return False
    return value.is_contiguous(memory_format=torch.channels_last)
