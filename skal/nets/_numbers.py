"""Targets and losses of nets that predict numbers."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

# The loss of each number, by name. All are of standardized targets.
LOSSES: dict[str, Any] = {
    "squared_error": nn.functional.mse_loss,
    "absolute_error": nn.functional.l1_loss,
    "huber": nn.functional.huber_loss,
}


class NumberLoss(nn.Module):
    """The mean over a minibatch and over outputs of the loss of each number.

    Parameters
    ----------
    kind : {"squared_error", "absolute_error", "huber"}
        The loss of one number. "huber" is squared for errors up to one standard
        deviation of the targets, and linear beyond.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, outputs: torch.Tensor, target: Any) -> torch.Tensor:
        """Return the loss of one model.

        Parameters
        ----------
        outputs : tensor of shape (n_rows, n_outputs)
            The outputs of the module.
        target : tensor of shape (n_rows, n_outputs), or tuple of two tensors
            The standardized targets, and the weights of the rows if there are any.

        Returns
        -------
        tensor of shape ()
        """
        if isinstance(target, torch.Tensor):
            return self._of_rows(outputs, target).mean()
        numbers, weights = target
        return (weights * self._of_rows(outputs, numbers)).mean()

    def of_many(
        self, outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss of each of several models.

        Parameters
        ----------
        outputs, targets : tensor of shape (n_models, n_rows, n_outputs)
            The outputs and the standardized targets.
        weights : tensor of shape (n_models, n_rows)
            Weight of each row in the mean.

        Returns
        -------
        tensor of shape (n_models,)
        """
        return (weights * self._of_rows(outputs, targets)).sum(dim=1)

    def _of_rows(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean loss over the outputs of each row."""
        losses = LOSSES[self.kind](outputs, targets.to(outputs), reduction="none")
        return losses.mean(dim=-1)


def target_scale(
    y: NDArray, weights: NDArray | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the standard deviation of targets.

    Parameters
    ----------
    y : ndarray of shape (n_rows, n_outputs)
    weights : ndarray of shape (n_rows,), default=None
        Weights of the rows; None for 1 each.

    Returns
    -------
    mean, scale : ndarray of shape (n_outputs,)
        The scale of an output is 1 if all its targets are equal.
    """
    mean = np.average(y, axis=0, weights=weights)
    scale = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weights))
    # The deviation of equal numbers may be a rounding error.
    is_constant = (y == y[0]).all(axis=0) | (scale == 0)
    return mean, np.where(is_constant, 1.0, scale)


def standardized(y: NDArray, mean: NDArray, scale: NDArray) -> NDArray[np.float32]:
    """Return targets in units of their standard deviation, from their mean.

    Parameters
    ----------
    y : ndarray of shape (..., n_outputs)
    mean, scale : ndarray that broadcast with `y`

    Returns
    -------
    ndarray of the shape of `y`, dtype float32
    """
    return ((y - mean) / scale).astype(np.float32)
