"""Base class of stacks, which hold the weights of many models in one tensor."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.adam import adam

from skal.nets.side_by_side._ops import fours

# Coefficients of Adam: the defaults of torch.optim.Adam.
BETAS, EPSILON = (0.9, 0.999), 1e-8


class NotSideBySide(Exception):
    """Raised if a net can only be trained one at a time; the message may be empty."""


class Stack(ABC):
    """Up to `width` models of one architecture, each trained on its own data.

    All weights of a model form one row of a matrix, so that a single operation keeps,
    moves or updates them. `weights` returns the weights of several models as one
    stacked tensor per layer. A subclass holds the data, and computes the loss of a
    minibatch of each model.

    Parameters
    ----------
    first : mapping of str to tensor
        The initial weights of all models, by their names in the module.
    width : int
        Number of slots, and thus of models trained side by side.
    batch_size : int
        Maximum number of rows per minibatch.
    lr : float
        Learning rate of Adam.
    dimension : int, default=1
        Length of the vectors that a model may have in addition, at the end of its row,
        such as the vectors of the words in its training set.
    """

    default_width = 8

    def __init__(
        self,
        first: Mapping[str, torch.Tensor],
        width: int,
        batch_size: int,
        lr: float,
        dimension: int = 1,
    ) -> None:
        self.width, self.lr = width, lr
        self.n_rows = fours(batch_size)
        self.shapes = {name: tuple(value.shape) for name, value in first.items()}
        self.first = torch.cat([value.reshape(-1) for value in first.values()])
        # Vectors start at a multiple of their length, so that rows can be viewed as
        # vectors.
        self.n_before = -(-len(self.first) // dimension)
        self.begin = self.n_before * dimension
        self.dimension = dimension
        # The weights, Adam's two moments, and the best weights so far.
        self.rows, self.means, self.squares, self.best = (
            self.first.new_zeros(width, self.begin) for _ in range(4)
        )
        self.n_used = [0] * width
        # Per model: the number of Adam steps so far, and the tensors that Adam updates.
        self.n_steps = [self.first.new_zeros(()) for _ in range(width)]
        self._states: list[tuple[torch.Tensor, ...]] = [()] * width
        self._leaves: dict[int, dict[str, torch.Tensor]] = {}
        self.jobs: list[Any] = [None] * width
        # Returns the weights of the rows of a training set, given their codes.
        self.weigh: Callable[[NDArray[np.int64]], NDArray[np.float64]] | None = None
        self.row_weights: list[NDArray[np.float64] | None] = [None] * width

    def load(self, slot: int, rows: NDArray[np.int64]) -> None:
        """Put a new model in a slot, to be trained on the given rows of the data.

        Parameters
        ----------
        slot : int
            Index of the slot.
        rows : ndarray of int
            The rows of its training set.
        """
        self.jobs[slot], own = self._begin(rows)
        if self.weigh is not None:
            self.row_weights[slot] = self.weigh(self._codes(self.jobs[slot]))
        end = self.begin + own.numel()
        self._make_room(end)
        for state in (self.rows, self.means, self.squares):
            state[slot].zero_()
        self.rows[slot, : len(self.first)] = self.first
        self.rows[slot, self.begin : end] = own.reshape(-1)
        self.n_used[slot] = end
        self.n_steps[slot] = self.first.new_zeros(())
        self._note_states(slot)

    def _make_room(self, n_weights: int) -> None:
        """Widen the rows if necessary, by at least a quarter, so that it is rare."""
        missing = n_weights - self.rows.shape[1]
        if missing <= 0:
            return
        wanted = max(missing, self.rows.shape[1] // 4)
        more = -(-wanted // self.dimension) * self.dimension
        for name in ("rows", "means", "squares", "best"):
            wider = torch.nn.functional.pad(getattr(self, name), (0, more))
            setattr(self, name, wider)
        self._leaves.clear()
        for slot in range(self.width):
            self._note_states(slot)

    def _note_states(self, slot: int) -> None:
        states = self.rows, self.means, self.squares
        self._states[slot] = tuple(s[slot, : self.n_used[slot]] for s in states)

    @abstractmethod
    def _begin(self, rows: NDArray[np.int64]) -> tuple[Any, torch.Tensor]:
        """Return the data of a training, and its additional initial vectors."""

    @abstractmethod
    def _codes(self, job: Any) -> NDArray[np.int64]:
        """Return the class codes of the data of a training."""

    def step(self, batches: Sequence[NDArray[np.int64]]) -> list[float]:
        """Take one training step of the models in the first slots.

        Parameters
        ----------
        batches : sequence of ndarray
            One minibatch per model: positions among the rows of its training set.

        Returns
        -------
        list of float
            The loss of each model before the step.
        """
        n = len(batches)
        losses, gradients = self._differentiate(self._leaves_of(n), batches)
        self._descend(gradients)
        return losses.tolist()

    def _leaves_of(self, n: int) -> dict[str, torch.Tensor]:
        """Return the shared weights of the first `n` models as leaves for autograd.

        They are views, which Adam's steps update in place.
        """
        if n not in self._leaves:
            leaves = self.weights(range(n))
            self._leaves[n] = {k: v.requires_grad_() for k, v in leaves.items()}
        return self._leaves[n]

    @abstractmethod
    def _differentiate(
        self, leaves: dict[str, torch.Tensor], batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the losses, and the gradients, in rows like the weights."""

    def _in_rows(
        self, found: Sequence[torch.Tensor], d_vectors: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Concatenate the gradients of the shared weights and of the vectors."""
        n = len(found[0])
        parts = [gradient.reshape(n, -1) for gradient in found]
        if d_vectors is not None:
            parts += [
                found[0].new_zeros(n, self.begin - len(self.first)),
                d_vectors.reshape(n, -1),
            ]
        return torch.cat(parts, dim=1)

    def _descend(self, gradients: torch.Tensor) -> None:
        """Take an Adam step of the first models, each with its own step count."""
        n = len(gradients)
        # One tensor per model, as views of its row up to its last weight in use.
        rows, means, squares = map(list, zip(*self._states[:n], strict=True))
        d_rows = [gradients[i, : self.n_used[i]] for i in range(n)]
        with torch.no_grad():
            adam(
                rows,
                d_rows,
                means,
                squares,
                [],
                self.n_steps[:n],
                fused=True,
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=self.lr,
                weight_decay=0.0,
                eps=EPSILON,
                maximize=False,
            )

    def weights(self, slots: Any) -> dict[str, torch.Tensor]:
        """Return the shared weights of some models, stacked and detached.

        Parameters
        ----------
        slots : range
            Consecutive slots.

        Returns
        -------
        dict of str to tensor
            One tensor of shape (n_models, *shape) per layer, by name.
        """
        rows = self.rows[slots.start : slots.stop].detach()
        return self._views(rows)

    def _views(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        views, begin = {}, 0
        for name, shape in self.shapes.items():
            end = begin + prod(shape)
            views[name] = rows[:, begin:end].view(len(rows), *shape)
            begin = end
        return views

    def state_dict(self, slot: int) -> dict[str, torch.Tensor]:
        """Return copies of the shared weights of one model, by name.

        Parameters
        ----------
        slot : int
            Index of the slot.

        Returns
        -------
        dict of str to tensor
            The weights by name.
        """
        stacked = self.weights(range(slot, slot + 1))
        return {name: value[0].clone() for name, value in stacked.items()}

    @abstractmethod
    def logits(self, slot: int, inputs: Any) -> torch.Tensor:
        """Return the logits of each row of encoded inputs, (n_rows, n_classes).

        Parameters
        ----------
        slot : int
            Index of the slot.
        inputs
            Encoded rows, as `_encode_inputs` returns them.

        Returns
        -------
        tensor of shape (n_rows, n_classes)
            The logits.
        """

    def answer(self, slot: int, inputs: Any) -> NDArray:
        """Return the predicted class code of each row of encoded inputs.

        Parameters
        ----------
        slot : int
            Index of the slot.
        inputs
            Encoded rows, as `_encode_inputs` returns them.

        Returns
        -------
        ndarray of shape (n_rows,), dtype int64
            The class codes.
        """
        return self.logits(slot, inputs).argmax(dim=1).cpu().numpy()

    def answers(self, slots: Sequence[int], inputs: Any) -> list[NDArray]:
        """Return the predicted class codes of several models.

        Parameters
        ----------
        slots : sequence of int
            Indices of the slots.
        inputs
            Encoded rows, as `_encode_inputs` returns them.

        Returns
        -------
        list of ndarray of shape (n_rows,), dtype int64
            The class codes, one array per model.
        """
        return [self.answer(slot, inputs) for slot in slots]

    def keep(self, slot: int) -> None:
        """Keep the current weights of a model as its best weights.

        Parameters
        ----------
        slot : int
            Index of the slot.
        """
        n_used = self.n_used[slot]
        self.best[slot, :n_used] = self.rows[slot, :n_used]

    def restore(self, slot: int) -> None:
        """Restore the best weights of a model.

        Parameters
        ----------
        slot : int
            Index of the slot.
        """
        n_used = self.n_used[slot]
        self.rows[slot, :n_used] = self.best[slot, :n_used]

    def move(self, source: int, target: int) -> None:
        """Move a model to another slot.

        Parameters
        ----------
        source : int
            Index of its current slot.
        target : int
            Index of the new slot.
        """
        for state in (self.rows, self.means, self.squares, self.best):
            state[target] = state[source]
        self.jobs[target] = self.jobs[source]
        self.row_weights[target] = self.row_weights[source]
        self.n_used[target] = self.n_used[source]
        self.n_steps[target] = self.n_steps[source]
        self._note_states(target)


def in_order(
    parts: Sequence[torch.Tensor], rows: Sequence[NDArray[np.int64]]
) -> torch.Tensor:
    """Concatenate values of batches of rows, in the original order of the rows.

    Parameters
    ----------
    parts : list of tensor of shape (n_some, ...)
        The values of each batch.
    rows : list of ndarray of shape (n_some,)
        The indices of the rows in each batch.

    Returns
    -------
    tensor of shape (n_rows, ...)
        The values of all rows.
    """
    values, order = torch.cat(list(parts)), np.concatenate(rows)
    # `_check_module` reports a module that returns the wrong number of rows.
    if len(values) != len(order):
        return values
    return values[torch.from_numpy(np.argsort(order))]
