"""Base class of stacks: the weights of many models in the rows of one tensor."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.adam import adam

from skal.nets._stack import BETAS, EPSILON
from skal.nets.side_by_side._ops import fours


class NotSideBySide(Exception):
    """A net is only trained one by one; the message says why, or is empty."""


class Stack(ABC):
    """Up to `width` models of one architecture, each with a data set of its own.

    All weights of a model stand in one row of a matrix, so that it is kept, moved and
    stepped at once; `weights` gives the rows of several as one stacked tensor per
    layer. A subclass holds the data, and tells the losses of a minibatch per model.

    Parameters
    ----------
    first : mapping of str to tensor
        The first weights of every model, by their names in the module.
    width : int
        How many models stand side by side.
    batch_size : int
        At most so many rows in a minibatch.
    lr : float
        Learning rate of Adam.
    dimension : int, default=1
        Each model may have vectors of this length besides, at the end of its row, such
        as those of the words that only it trains.
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
        # The vectors begin at a multiple of their length: a row is rows of vectors too.
        self.n_before = -(-len(self.first) // dimension)
        self.begin = self.n_before * dimension
        self.dimension = dimension
        # The weights, Adam's two moments, and the best weights so far.
        self.rows, self.means, self.squares, self.best = (
            self.first.new_zeros(width, self.begin) for _ in range(4)
        )
        self.n_used = [0] * width
        # Of each model: how many steps it has taken, and what a step of Adam is about.
        self.n_steps = [self.first.new_zeros(()) for _ in range(width)]
        self._states: list[tuple[torch.Tensor, ...]] = [()] * width
        self._leaves: dict[int, dict[str, torch.Tensor]] = {}
        self.jobs: list[Any] = [None] * width

    def load(self, place: int, rows: NDArray[np.int64]) -> None:
        """Put a new model in a place, to be trained on the given rows of the data."""
        self.jobs[place], own = self._begin(rows)
        end = self.begin + own.numel()
        self._make_room(end)
        for state in (self.rows, self.means, self.squares):
            state[place].zero_()
        self.rows[place, : len(self.first)] = self.first
        self.rows[place, self.begin : end] = own.reshape(-1)
        self.n_used[place] = end
        self.n_steps[place] = self.first.new_zeros(())
        self._note_states(place)

    def _make_room(self, n_weights: int) -> None:
        """Widen the rows, and by a quarter at least, so that it happens seldom."""
        missing = n_weights - self.rows.shape[1]
        if missing <= 0:
            return
        wanted = max(missing, self.rows.shape[1] // 4)
        more = -(-wanted // self.dimension) * self.dimension
        for name in ("rows", "means", "squares", "best"):
            wider = torch.nn.functional.pad(getattr(self, name), (0, more))
            setattr(self, name, wider)
        self._leaves.clear()
        for place in range(self.width):
            self._note_states(place)

    def _note_states(self, place: int) -> None:
        states = self.rows, self.means, self.squares
        self._states[place] = tuple(s[place, : self.n_used[place]] for s in states)

    @abstractmethod
    def _begin(self, rows: NDArray[np.int64]) -> tuple[Any, torch.Tensor]:
        """Return the data of a training, and first weights that only it has."""

    def step(self, batches: Sequence[NDArray[np.int64]]) -> list[float]:
        """Train the first models on a minibatch each.

        Parameters
        ----------
        batches : sequence of ndarray
            Positions among the rows of each model's data set.

        Returns
        -------
        list of float
            The loss of each, before the step.
        """
        n = len(batches)
        losses, gradients = self._differentiate(self._leaves_of(n), batches)
        self._descend(gradients)
        return losses.tolist()

    def _leaves_of(self, n: int) -> dict[str, torch.Tensor]:
        """Return the shared weights of the first `n` models, to be differentiated by.

        They are views: Adam's steps change them in place.
        """
        if n not in self._leaves:
            leaves = self.weights(range(n))
            self._leaves[n] = {k: v.requires_grad_() for k, v in leaves.items()}
        return self._leaves[n]

    @abstractmethod
    def _differentiate(
        self, leaves: dict[str, torch.Tensor], batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the losses, and the gradients as rows like those of the weights."""

    def _in_rows(
        self, found: Sequence[torch.Tensor], of_vectors: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Put gradients side by side: of the shared weights, then of the vectors."""
        n = len(found[0])
        parts = [gradient.reshape(n, -1) for gradient in found]
        if of_vectors is not None:
            parts += [
                found[0].new_zeros(n, self.begin - len(self.first)),
                of_vectors.reshape(n, -1),
            ]
        return torch.cat(parts, dim=1)

    def _descend(self, gradients: torch.Tensor) -> None:
        """Take a step of Adam in the first models, each at a count of its own."""
        n = len(gradients)
        rows, means, squares = map(list, zip(*self._states[:n], strict=True))
        of_rows = [gradients[i, : self.n_used[i]] for i in range(n)]
        with torch.no_grad():
            adam(
                rows,
                of_rows,
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

    def weights(self, places: Any) -> dict[str, torch.Tensor]:
        """Return the shared weights of some models, stacked, without their history."""
        rows = self.rows[places.start : places.stop].detach()
        return self._views(rows)

    def _views(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        views, begin = {}, 0
        for name, shape in self.shapes.items():
            end = begin + prod(shape)
            views[name] = rows[:, begin:end].view(len(rows), *shape)
            begin = end
        return views

    def state_dict(self, place: int) -> dict[str, torch.Tensor]:
        """Return copies of the shared weights of one model, by their names."""
        stacked = self.weights(range(place, place + 1))
        return {name: value[0].clone() for name, value in stacked.items()}

    @abstractmethod
    def logits(self, place: int, inputs: Any) -> torch.Tensor:
        """Return the logits of each row of encoded inputs, (n_rows, n_classes)."""

    def answer(self, place: int, inputs: Any) -> NDArray[np.int64]:
        """Return the predicted class number of each row of encoded inputs."""
        return self.logits(place, inputs).argmax(dim=1).cpu().numpy()

    def answers(self, places: Sequence[int], inputs: Any) -> list[NDArray[np.int64]]:
        """Return what several models answer."""
        return [self.answer(place, inputs) for place in places]

    def keep(self, place: int) -> None:
        """Remember the weights of a model as its best."""
        n_used = self.n_used[place]
        self.best[place, :n_used] = self.rows[place, :n_used]

    def restore(self, place: int) -> None:
        """Put the best weights of a model back."""
        n_used = self.n_used[place]
        self.rows[place, :n_used] = self.best[place, :n_used]

    def move(self, source: int, target: int) -> None:
        """Move a model to another place."""
        for state in (self.rows, self.means, self.squares, self.best):
            state[target] = state[source]
        self.jobs[target] = self.jobs[source]
        self.n_used[target] = self.n_used[source]
        self.n_steps[target] = self.n_steps[source]
        self._note_states(target)


def in_order(
    parts: Sequence[torch.Tensor], rows: Sequence[NDArray[np.int64]]
) -> torch.Tensor:
    """Return values of some rows at a time as those of all rows.

    Parameters
    ----------
    parts : list of tensor of shape (n_some, ...)
    rows : list of ndarray of shape (n_some,)
        Which rows each part is of.

    Returns
    -------
    tensor of shape (n_rows, ...)
    """
    values, order = torch.cat(list(parts)), np.concatenate(rows)
    # A module that answers too many or too few rows is told so elsewhere.
    if len(values) != len(order):
        return values
    return values[torch.from_numpy(np.argsort(order))]
