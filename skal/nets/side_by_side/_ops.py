"""Linear maps and losses of many models, with bits that do not depend on neighbours."""

from collections.abc import Mapping
from typing import Any

import torch

# Over so many rows at once a gradient is summed.
ROWS_AT_ONCE = 64


def fours(n: int) -> int:
    """Round a number of rows up to a multiple of four.

    Products of matrices are the same to the last bit, whatever other rows there are, if
    their rows come in fours; the last few are computed in another way.
    """
    return -(-int(n) // 4) * 4


class Affine(torch.autograd.Function):
    """A linear map of the rows of each model.

    Its gradients are summed block by block, so that they are the same to the last bit,
    however many rows of zeros stand behind or fill up a block; and by products whose
    last bits do not depend on the other models.
    """

    @staticmethod
    def forward(
        ctx: Any,
        rows: torch.Tensor,
        matrix: torch.Tensor,
        bias: torch.Tensor,
        blocks: int | list[int],
    ) -> torch.Tensor:
        """Map the rows.

        Parameters
        ----------
        rows : tensor of shape (n_models, n_rows, n_inputs)
        matrix : tensor of shape (n_models, n_outputs, n_inputs)
        bias : tensor of shape (n_models, n_outputs)
        blocks : int or list of int
            Rows of each block.

        Returns
        -------
        tensor of shape (n_models, n_rows, n_outputs)
        """
        ctx.save_for_backward(rows, matrix)
        ctx.blocks = blocks
        return torch.baddbmm(bias.unsqueeze(1), rows, matrix.mT)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        """Return the gradients of the rows, the matrix and the bias."""
        rows, matrix = ctx.saved_tensors
        n_outputs = matrix.shape[1]
        of_rows = torch.bmm(grad, matrix)
        grad = aligned(grad, rows.shape[2])
        d_matrix = rows.new_zeros(len(rows), grad.shape[2], rows.shape[2])
        d_bias = rows.new_zeros(len(rows), grad.shape[2])
        split = (whole.split(ctx.blocks, dim=1) for whole in (rows, grad))
        for block, of_block in zip(*split, strict=True):
            d_matrix.baddbmm_(of_block.mT, block)
            d_bias += of_block.sum(dim=1)
        return of_rows, d_matrix[:, :n_outputs], d_bias[:, :n_outputs], None


def aligned(grad: torch.Tensor, n_inputs: int) -> torch.Tensor:
    """Add outputs to a gradient, all zero, until matrices of it come in fours.

    What a product gives depends, in its last bits, on whether it begins at a multiple
    of four numbers. So all models' must do, and not some of them.

    Parameters
    ----------
    grad : tensor of shape (n_models, n_rows, n_outputs)
    n_inputs : int
        Matrices of (n_outputs, n_inputs) are to come in fours.

    Returns
    -------
    tensor of shape (n_models, n_rows, n_outputs or more)
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
        Stacked.
    name : str
        Of the layer.
    x : tensor of shape (n_models, n_rows, n_inputs)
    blocks : int or list of int, default=ROWS_AT_ONCE
        Over so many rows at once gradients are summed.

    Returns
    -------
    tensor of shape (n_models, n_rows, n_outputs)
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
    codes : tensor of shape (n_models, n_rows), dtype int64
    weights : tensor of shape (n_models, n_rows)
        Of each row in the mean.

    Returns
    -------
    tensor of shape (n_models,)
    """
    log_probs = logits.log_softmax(dim=2).gather(2, codes.unsqueeze(2)).squeeze(2)
    return -(weights * log_probs).sum(dim=1)
