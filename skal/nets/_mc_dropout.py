"""Monte-Carlo dropout with one mask for all rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from skal.seeding import Stream, stream

_ELEMENTWISE = (nn.Dropout,)
_CHANNELWISE = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


def dropout_layers(module: nn.Module) -> list[_DropoutNd]:
    """Return the dropout layers of a module with a positive probability.

    Parameters
    ----------
    module : torch.nn.Module
        The module to sample from.

    Returns
    -------
    list of dropout layers
        At least one, in the order of the layers of the module.

    Raises
    ------
    ValueError
        If the module has none, or one whose mask cannot be shared between rows.
    """
    layers = [m for m in module.modules() if isinstance(m, _DropoutNd) and m.p > 0]
    if not layers:
        raise ValueError(
            f"{type(module).__name__} has no dropout layer that drops anything, so all "
            "its samples would be the same: set its dropout above 0."
        )
    for layer in layers:
        if not isinstance(layer, _ELEMENTWISE + _CHANNELWISE):
            raise ValueError(
                f"{type(layer).__name__} cannot be sampled with the same mask for all "
                "rows: use torch.nn.Dropout, Dropout1d, Dropout2d or Dropout3d."
            )
    return layers


@contextmanager
def fixed_masks(module: nn.Module, seed: int, sample: int) -> Iterator[None]:
    """Apply the dropout masks of one posterior sample to a module in evaluation mode.

    A sample is one network: each dropout layer has a single mask, used for all rows and
    in every pass. The mask depends on the seed, the index of the sample, the layer and
    the shape of a row, and therefore not on how the rows are divided into batches. All
    layers stay in evaluation mode, in particular batch norm. The masks only apply in
    this thread: other threads may use the module for prediction at the same time.

    Parameters
    ----------
    module : torch.nn.Module
        The module to sample from.
    seed : int
        Seed of the masks.
    sample : int
        Index of the sample, from 0.

    References
    ----------
    Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016. Kirsch, van
    Amersfoort and Gal, "BatchBALD", NeurIPS 2019, share one mask between all rows,
    which joint entropies require.
    """
    hooks = [
        layer.register_forward_hook(_Mask(seed, sample, position))
        for position, layer in enumerate(dropout_layers(module))
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Mask:
    """A forward hook that multiplies the output of a dropout layer by a mask."""

    def __init__(self, seed: int, sample: int, position: int) -> None:
        key = stream(seed, Stream.DROPOUT, sample, position)
        self.seed = int(key.integers(2**63))
        self.masks: dict[tuple[int, ...], torch.Tensor] = {}
        self.thread = get_ident()

    def __call__(
        self, layer: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor
    ) -> torch.Tensor:
        if get_ident() != self.thread:
            return output
        shape = mask_shape(layer, output)
        if shape not in self.masks:
            self.masks[shape] = self._draw(shape, layer.p).to(output)
        return output * self.masks[shape]

    def _draw(self, shape: tuple[int, ...], p: float) -> torch.Tensor:
        # Drawn on the CPU, so that a GPU uses the same masks.
        generator = torch.Generator().manual_seed(self.seed)
        keep = torch.rand(shape, generator=generator, dtype=torch.float32) >= p
        # Kept units are scaled up, as in training. With p = 1, no unit is kept.
        return keep.float() / max(1 - p, torch.finfo(torch.float32).tiny)


def mask_shape(layer: nn.Module, X: torch.Tensor) -> tuple[int, ...]:
    """Return the shape of the mask of a dropout layer, which broadcasts over rows.

    Parameters
    ----------
    layer : torch.nn.Module
        A dropout layer.
    X : tensor of shape (n_rows, ...)
        Its input.

    Returns
    -------
    tuple of int
        The shape (1, ...), with one value per channel if the layer drops channels.
    """
    if isinstance(layer, _CHANNELWISE):
        return (1, X.shape[1]) + (1,) * (X.ndim - 2)
    return (1, *X.shape[1:])
