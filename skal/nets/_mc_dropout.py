"""Monte-Carlo dropout with masks that are the same for all rows."""

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
    """Return the layers of a module that drop anything, in the order of its layers.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    list of dropout layers
        At least one.

    Raises
    ------
    ValueError
        If there is none, or one of a kind that has no mask to keep.
    """
    layers = [m for m in module.modules() if isinstance(m, _DropoutNd) and m.p > 0]
    if not layers:
        raise ValueError(
            f"{type(module).__name__} has no dropout layer that drops anything, so its "
            "samples would all be the same: set its dropout above 0."
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
    """Let a module in evaluation mode drop what one posterior sample drops.

    One sample is one network: each dropout layer has one mask, for all rows and in
    every pass. It depends on the seed, the number of the sample, the layer, and the
    shape of a row, so not on how rows are cut into batches. The layers themselves stay
    in evaluation mode, and so does everything else, batch norm above all. Other threads
    may predict with the module meanwhile: they see it as it is.

    Parameters
    ----------
    module : torch.nn.Module
    seed : int
    sample : int
        Number of the sample, from 0.

    References
    ----------
    Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016. One mask for
    all rows: Kirsch, van Amersfoort and Gal, "BatchBALD", NeurIPS 2019, where joint
    entropies need it.
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
    """Multiplies what a dropout layer lets pass by the layer's mask."""

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
        # Drawn on the CPU, so that a GPU drops the same.
        generator = torch.Generator().manual_seed(self.seed)
        keep = torch.rand(shape, generator=generator, dtype=torch.float32) >= p
        # What is kept is scaled up, as in training. With p = 1 nothing is.
        return keep.float() / max(1 - p, torch.finfo(torch.float32).tiny)


def mask_shape(layer: nn.Module, X: torch.Tensor) -> tuple[int, ...]:
    """Return the shape of the mask of a dropout layer, which broadcasts over the rows.

    Parameters
    ----------
    layer : torch.nn.Module
    X : tensor of shape (n_rows, ...)

    Returns
    -------
    tuple of int
        (1, ...), with one value per channel for layers that drop whole channels.
    """
    if isinstance(layer, _CHANNELWISE):
        return (1, X.shape[1]) + (1,) * (X.ndim - 2)
    return (1, *X.shape[1:])
