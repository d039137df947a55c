"""ModuleStack: trains any module side by side, with `torch.func.vmap`."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call, vmap

from skal.nets._weights import WeightedCrossEntropy
from skal.nets.side_by_side._engine import padded
from skal.nets.side_by_side._ops import cross_entropy
from skal.nets.side_by_side._stack import Stack


class Rows(NamedTuple):
    """The data from which the subsets are taken, on the device of the models.

    Parameters
    ----------
    X : tensor of shape (n_rows, *input_shape)
        The inputs.
    targets : tensor of shape (n_rows,), dtype int64, or ndarray of other targets
        Class codes, or the targets of a subclass of `ModuleStack`.
    """

    X: torch.Tensor
    targets: Any


class ModuleStack(Stack):
    """Models of any module, each trained on its own minibatches.

    On the CPU, the result of a training is the same to the last bit in any slot, at any
    width and beside any other models. If stacked matrix products of the module do not
    guarantee this, or if it has convolutions, which are slower when stacked, the models
    are stepped in turn. On a GPU, all slots are always computed, so that a result
    depends only on the width.

    Parameters
    ----------
    module : torch.nn.Module
        The module with the initial weights that `fit` would use.
    width, batch_size, lr
        As in `Stack`.
    data : Rows
        The data from which the subsets are taken.
    rows_at_once : int
        Number of rows per forward pass in prediction.
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
        self._channels_last = {k for k, v in first.items() if has_channels_last(v)}
        in_rows = {k: self._row_order(k, v.detach(), 1) for k, v in first.items()}
        super().__init__(in_rows, width, batch_size, lr)
        self._names = names_of(module, first)
        self.module = module.train()
        self.eval_module = deepcopy(module).eval()
        self.data, self.rows_at_once = data, rows_at_once
        self.is_stacked = True
        self.always_full = data.X.device.type != "cpu"

    def _row_order(self, name: str, value: torch.Tensor, channels: int) -> torch.Tensor:
        """Move the channels of a kernel to the last axis, as in its memory layout."""
        return value.movedim(channels, -1) if name in self._channels_last else value

    def _views(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        views = super()._views(rows)
        return views | {
            name: views[name].movedim(-1, 2) for name in self._channels_last
        }

    def _begin(self, rows: NDArray[np.int64]) -> tuple[Any, torch.Tensor]:
        return rows, self.first.new_zeros(0)

    def _differentiate(
        self, leaves: dict[str, torch.Tensor], batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_stacked:
            return self.in_turn(batches)
        n = len(batches)
        if self.always_full:
            leaves = self._leaves_of(self.width)
            batches = [*batches, *[batches[0]] * (self.width - n)]
        losses, gradients = self.together(leaves, batches, n)
        return losses[:n], gradients[:n]

    def together(
        self,
        leaves: dict[str, torch.Tensor],
        batches: Sequence[NDArray[np.int64]],
        n_used: int | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the losses and gradients of all minibatches, computed in one batch.

        Parameters
        ----------
        leaves : dict of str to tensor
            Stacked weights.
        batches : sequence of ndarray
            One minibatch per model.
        n_used : int, default=None
            Number of slots in use, whose rows may have weights. None for all.

        Returns
        -------
        losses : tensor of shape (n_models,)
            The loss of each model.
        gradients : tensor of shape (n_models, n_weights)
            The gradients of each model.
        """
        positions, shares = padded(batches, self.n_rows, self.row_weights[:n_used])
        # An empty slot computes with the rows of the first model.
        jobs = [self.jobs[0] if job is None else job for job in self.jobs]
        pairs = zip(jobs, positions, strict=False)
        rows = np.stack([job[own] for job, own in pairs])
        X, targets = self._inputs(rows), self._targets(rows, slice(len(rows)))
        weights = torch.from_numpy(shares).to(self.rows)
        logits = vmap(self._logits)(leaves, X)
        losses = self._losses(logits, targets, weights)
        found = gradients_of(losses.sum(), leaves)
        return losses.detach(), self._in_rows(self._in_row_order(found, 2))

    def in_turn(
        self, batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the losses and gradients of all minibatches, one model at a time.

        Parameters
        ----------
        batches : sequence of ndarray
            One minibatch per model.

        Returns
        -------
        losses : tensor of shape (n_models,)
            The loss of each model.
        gradients : tensor of shape (n_models, n_weights)
            The gradients of each model.
        """
        losses, gradients = [], []
        for slot, batch in enumerate(batches):
            rows = self.jobs[slot][batch]
            X, targets = self._inputs(rows), self._targets(rows, slot)
            # Copies, so that the memory alignment of a row cannot affect the result.
            state = self.state_dict(slot)
            leaves = {name: value.requires_grad_() for name, value in state.items()}
            weighted = self._with_weights(slot, batch, targets)
            loss = self._loss(self._logits(leaves, X), weighted)
            found = self._in_row_order(gradients_of(loss, leaves), 1)
            losses.append(loss.detach())
            gradients.append(self._in_rows([value.unsqueeze(0) for value in found]))
        return torch.stack(losses), torch.cat(gradients)

    def _codes(self, job: Any) -> NDArray[np.int64]:
        return (
            self.data.targets[torch.from_numpy(job).to(self.rows.device)].cpu().numpy()
        )

    def _with_weights(
        self, slot: int, batch: NDArray[np.int64], targets: torch.Tensor
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Return the targets, and their weights if there are any."""
        weights = self.row_weights[slot]
        if weights is None:
            return targets
        return targets, torch.from_numpy(weights[batch]).to(self.rows)

    def _in_row_order(
        self, found: Sequence[torch.Tensor], channels: int
    ) -> list[torch.Tensor]:
        pairs = zip(self.shapes, found, strict=True)
        return [self._row_order(name, value, channels) for name, value in pairs]

    def _inputs(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Return the inputs of some rows of the data."""
        return self.data.X[torch.from_numpy(rows).to(self.rows.device)]

    def _targets(self, rows: NDArray[np.int64], slots: int | slice) -> torch.Tensor:
        """Return the targets of some rows, for the model in each of some slots."""
        return self.data.targets[torch.from_numpy(rows).to(self.rows.device)]

    # The loss of one model, and the losses of stacked ones, by weights of the rows.
    _loss: Any = staticmethod(WeightedCrossEntropy())
    _losses: Any = staticmethod(cross_entropy)

    def _logits(self, weights: dict[str, torch.Tensor], X: torch.Tensor) -> Any:
        return call(self.module, self._names, weights, X)

    def logits(self, slot: int, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits of each row.

        Parameters
        ----------
        slot : int
            Index of the slot.
        inputs : tensor of shape (n_rows, *input_shape)
            The rows.

        Returns
        -------
        tensor of shape (n_rows, n_classes)
            The logits.
        """
        weights = self.state_dict(slot)
        with torch.inference_mode():
            parts = [
                call(self.eval_module, self._names, weights, X)
                for X in inputs.split(self.rows_at_once)
            ]
        return torch.cat(parts)

    def trained_module(self, slot: int) -> nn.Module:
        """Return a copy of the module with the weights of one model.

        Parameters
        ----------
        slot : int
            Index of the slot.

        Returns
        -------
        torch.nn.Module
            The copy, in evaluation mode.
        """
        module = deepcopy(self.eval_module)
        module.load_state_dict(self.state_dict(slot), strict=False)
        return module


def trained(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return the trainable parameters of a module, each under one name.

    Parameters
    ----------
    module : torch.nn.Module
        The module.

    Returns
    -------
    dict of str to tensor
        The parameters by name.
    """
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def names_of(module: nn.Module, first: dict[str, torch.Tensor]) -> dict[str, str]:
    """Return every name under which a module uses a trainable parameter.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    first : dict of str to tensor
        The return value of `trained`.

    Returns
    -------
    dict of str to str
        Each name in the module, mapped to the name of the parameter in `first`. Layers
        that share a parameter have one name each; a layer that is used twice has one.
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
    """Return the output of a module with other weights.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    names : dict of str to str
        The return value of `names_of`.
    weights : dict of str to tensor
        The weights to use.
    X : tensor of shape (n_rows, *input_shape)
        The inputs.

    Returns
    -------
    tensor of shape (n_rows, n_classes)
        The logits.
    """
    all_weights = {name: weights[source] for name, source in names.items()}
    # Every name is given, with tie_weights=False: with torch's own handling of tied
    # weights, a layer that is used twice would keep the weights of this call.
    return functional_call(module, all_weights, (X,), tie_weights=False)


def gradients_of(
    loss: torch.Tensor, leaves: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, ...]:
    """Return the gradient with respect to each leaf, or zeros if it is not used.

    Parameters
    ----------
    loss : tensor of shape ()
        The loss.
    leaves : dict of str to tensor
        The weights.

    Returns
    -------
    tuple of tensor
        One gradient per leaf.
    """
    return torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)


def has_channels_last(value: torch.Tensor) -> bool:
    """Return whether the channels of a kernel are contiguous in memory.

    Parameters
    ----------
    value : tensor
        The kernel.

    Returns
    -------
    bool
    """
    if value.ndim != 4 or value.stride(1) != 1:
        return False
    return value.is_contiguous(memory_format=torch.channels_last)
