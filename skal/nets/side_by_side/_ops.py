"""Linear layers and losses of many models, independent of the neighbours in a batch."""

from collections.abc import Mapping
from typing import Any

import torch

# Number of rows over which a gradient is summed at once.
ROWS_AT_ONCE = 64


def fours(n: int) -> int:
    """Round a number of rows up to a multiple of four.

    Matrix products treat the last rows differently if their number is not a multiple of
    four; otherwise, the bits of a row do not depend on the other rows.

    Parameters
    ----------
    n : int
        Number of rows.

    Returns
    -------
    int
        The smallest multiple of four that is not below `n`.
    """
    return -(-int(n) // 4) * 4


class Affine(torch.autograd.Function):
    """A linear map of the rows of each model.

    The gradients are summed block by block, so that rows of zeros that fill up a block
    or follow it do not change any bit. The products are chosen so that their last bits
    do not depend on the other models.
    """

    @staticmethod
    def forward(
        ctx: Any,
        rows: torch.Tensor,
        matrix: torch.Tensor,
        bias: torch.Tensor,
        blocks: int | list[int],
    ) -> torch.Tensor:
        """Apply the map.

        Parameters
        ----------
        rows : tensor of shape (n_models, n_rows, n_inputs)
            The inputs.
        matrix : tensor of shape (n_models, n_outputs, n_inputs)
            The weights of each model.
        bias : tensor of shape (n_models, n_outputs)
            The bias of each model.
        blocks : int or list of int
            Number of rows in each block.

        Returns
        -------
        tensor of shape (n_models, n_rows, n_outputs)
            The outputs.
        """
        ctx.save_for_backward(rows, matrix)
        ctx.blocks = blocks
        return torch.baddbmm(bias.unsqueeze(1), rows, matrix.mT)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        """Return the gradients of the rows, the matrix and the bias.

        Parameters
        ----------
        grad : tensor of shape (n_models, n_rows, n_outputs)
            The gradient of the outputs.

        Returns
        -------
        tuple
            One gradient per argument of `forward`; None for `blocks`.
        """
        rows, matrix = ctx.saved_tensors
        n_outputs = matrix.shape[1]
        d_rows = torch.bmm(grad, matrix)
        grad = aligned(grad, rows.shape[2])
        d_matrix = rows.new_zeros(len(rows), grad.shape[2], rows.shape[2])
        d_bias = rows.new_zeros(len(rows), grad.shape[2])
        split = (whole.split(ctx.blocks, dim=1) for whole in (rows, grad))
        for block, d_block in zip(*split, strict=True):
            d_matrix.baddbmm_(d_block.mT, block)
            d_bias += d_block.sum(dim=1)
        return d_rows, d_matrix[:, :n_outputs], d_bias[:, :n_outputs], None


def aligned(grad: torch.Tensor, n_inputs: int) -> torch.Tensor:
    """Pad a gradient with zero outputs until the size of a matrix is a multiple of 4.

    The last bits of a product depend on whether its memory starts at a multiple of four
    numbers. After padding, this is true for all models rather than for some.

    Parameters
    ----------
    grad : tensor of shape (n_models, n_rows, n_outputs)
        The gradient of the outputs.
    n_inputs : int
        Number of inputs; n_outputs * n_inputs becomes a multiple of four.

    Returns
    -------
    tensor of shape (n_models, n_rows, n_outputs or more)
        The padded gradient.
    """
    n_outputs = grad.shape[2]
    if n_outputs * n_inputs % 4 == 0:
        return grad
    return torch.nn.functional.pad(grad, (0, fours(n_outputs) - n_outputs))


def linear(
    weights: Mapping[str, torch.Tensor],
    name: str,
    x: torch.Tensor,
    blocks: int | list[int] = ROWS_AT_ONCE,
) -> torch.Tensor:
    """Apply a linear layer of each model to its rows.

    Parameters
    ----------
    weights : dict of str to tensor
        Stacked weights.
    name : str
        Name of the layer.
    x : tensor of shape (n_models, n_rows, n_inputs)
        The inputs.
    blocks : int or list of int, default=ROWS_AT_ONCE
        Number of rows over which gradients are summed at once.

    Returns
    -------
    tensor of shape (n_models, n_rows, n_outputs)
        The outputs.
    """
    matrix, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return Affine.apply(x, matrix, bias, blocks)


def cross_entropy(
    logits: torch.Tensor, codes: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return the weighted cross-entropy of each model.

    Parameters
    ----------
    logits : tensor of shape (n_models, n_rows, n_classes)
        The logits.
    codes : tensor of shape (n_models, n_rows), dtype int64
        Class codes.
    weights : tensor of shape (n_models, n_rows)
        Weight of each row in the mean.

    Returns
    -------
    tensor of shape (n_models,)
        The loss of each model.
    """
    log_probs = logits.log_softmax(dim=2).gather(2, codes.unsqueeze(2)).squeeze(2)
    return -(weights * log_probs).sum(dim=1)
