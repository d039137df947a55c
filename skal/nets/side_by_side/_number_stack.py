"""NumberStack: trains many regressors side by side."""

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from skal.nets._numbers import NumberLoss, standardized, target_scale
from skal.nets.side_by_side._module_stack import ModuleStack


class NumberStack(ModuleStack):
    """Models of any module that predict numbers.

    The targets of each model are standardized by the mean and standard deviation of its
    own training set, as in `fit`.

    Parameters
    ----------
    loss : NumberLoss
        The loss of a minibatch.
    *args
        As in `ModuleStack`. The targets are an ndarray of shape (n_rows, n_outputs).
    """

    def __init__(self, loss: NumberLoss, *args: Any) -> None:
        super().__init__(*args)
        for layer in self.module.modules():
            if isinstance(layer, nn.Linear) and layer.out_features == 1:
                setattr(layer, "forward", partial(one_output, layer))  # noqa: B010
        self._loss, self._losses = loss, loss.of_many
        n_outputs = self.data.targets.shape[1]
        self.y_means = np.zeros((self.width, n_outputs))
        self.y_scales = np.ones((self.width, n_outputs))

    def load(self, slot: int, rows: NDArray[np.int64]) -> None:
        """Put a new model in a slot; as in `Stack`."""
        mean, scale = target_scale(self.data.targets[rows])
        self.y_means[slot], self.y_scales[slot] = mean, scale
        super().load(slot, rows)

    def move(self, source: int, target: int) -> None:
        """Move a model to another slot; as in `Stack`."""
        super().move(source, target)
        self.y_means[target], self.y_scales[target] = (
            self.y_means[source],
            self.y_scales[source],
        )

    def _targets(self, rows: NDArray[np.int64], slots: int | slice) -> torch.Tensor:
        mean, scale = self.y_means[slots], self.y_scales[slots]
        if rows.ndim == 2:
            mean, scale = mean[:, np.newaxis], scale[:, np.newaxis]
        found = standardized(self.data.targets[rows], mean, scale)
        return torch.from_numpy(found).to(self.rows)

    def answer(self, slot: int, inputs: Any) -> NDArray[np.float64]:
        """Return the predicted numbers for each row of encoded inputs.

        Parameters
        ----------
        slot : int
            Index of the slot.
        inputs : tensor of shape (n_rows, *input_shape)
            The rows.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            The numbers, in the units of the targets.
        """
        outputs = self.logits(slot, inputs).cpu().double().numpy()
        return outputs * self.y_scales[slot] + self.y_means[slot]


def one_output(layer: nn.Linear, X: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer of one unit as if it had four, of which one counts.

    The last bits of a product with a vector depend on the other models of a stack.

    Parameters
    ----------
    layer : torch.nn.Linear
        The layer.
    X : tensor of shape (..., n_inputs)
        The inputs.

    Returns
    -------
    tensor of shape (..., 1)
    """
    weight = nn.functional.pad(layer.weight, (0, 0, 0, 3))
    found = nn.functional.linear(X, weight)[..., :1]
    return found if layer.bias is None else found + layer.bias
