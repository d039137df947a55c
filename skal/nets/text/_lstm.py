"""An LSTM of each of several models, over sentences that are packed by length."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

from skal.nets.side_by_side._ops import fours

# Products of smaller matrices torch computes in another way if their rows are few, and
# then last bits differ: so an LSTM has at least so many inputs and hidden units.
FEWEST_UNITS = 8
# So many values fill some vectors of any processor.
VECTORS = 32


class Packing(NamedTuple):
    """How the words of several models' minibatches stand in rows, one step a block.

    Sentences are sorted by length, the longest first, so that those that have a word
    in a step are the first ones. The block of step t holds a word of each of the first
    `counts[t]` sentences, in all models alike: where one has no more words, padding.

    Parameters
    ----------
    counts : list of int
        Rows of each block; they never increase.
    sentences, steps : ndarray of shape (n_rows,)
        Of which sentence, and which step, each row is.
    is_word : ndarray of shape (n_models, n_rows), dtype bool
    lengths : ndarray of shape (n_models, n_sentences)
        In words.
    """

    counts: list[int]
    sentences: NDArray[np.int64]
    steps: NDArray[np.int64]
    is_word: NDArray[np.bool_]
    lengths: NDArray[np.int64]

    @property
    def mirrored(self) -> NDArray[np.int64]:
        """The step at which a reader from the right meets each row's word."""
        last = self.lengths[:, self.sentences] - 1
        return np.where(self.is_word, last - self.steps, self.steps)

    @property
    def starts(self) -> NDArray[np.int64]:
        """The row at which the block of each step begins."""
        return np.concatenate([[0], np.cumsum(self.counts)])


def pack(lengths: NDArray[np.int64]) -> Packing:
    """Lay out sentences of the given lengths.

    Parameters
    ----------
    lengths : ndarray of shape (n_models, n_sentences)
        In each model the longest first; zero where there is no sentence.

    Returns
    -------
    Packing
    """
    n_steps = max(1, lengths.max())
    open_T = (lengths[:, :, None] > np.arange(n_steps)).sum(axis=1).max(axis=0)
    counts = np.array([fours(max(1, n)) for n in open_T])
    steps = np.repeat(np.arange(n_steps), counts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    sentences = np.arange(len(steps)) - starts[steps]
    is_there = sentences < lengths.shape[1]
    inside = np.where(is_there, sentences, 0)
    is_word = is_there & (lengths[:, inside] > steps)
    return Packing(counts.tolist(), inside, steps, is_word, lengths)


class Step(NamedTuple):
    """What the gradients of a step of an LSTM are made of.

    Parameters
    ----------
    rows : tensor of shape (n_models, n_rows, n_inputs)
    before, memory : tensors of shape (n_models, n_rows, n_hidden) or None
        The states before, and half the cells; None at the first step.
    open_ : tensor of shape (n_models, n_rows, 4 * n_hidden)
        The gates, the third as a sigmoid of the double.
    new : tensor of shape (n_models, n_rows, n_hidden)
        Half the tanh of the third.
    cell : tensor of the same shape
        Half the cells.
    half, squashed : tensors of the same shape
        The tanh of the cells, as a sigmoid of the double, and itself.
    hidden : tensor of the same shape
        The states.
    """

    rows: torch.Tensor
    before: torch.Tensor | None
    memory: torch.Tensor | None
    open_: torch.Tensor
    new: torch.Tensor
    cell: torch.Tensor
    half: torch.Tensor
    squashed: torch.Tensor
    hidden: torch.Tensor


class Scan(torch.autograd.Function):
    """The states of an LSTM of each model.

    It is what torch would find by itself, in a third of the operations. All four gates
    pass through one sigmoid, since tanh(x) = 2 sigmoid(2x) - 1, and torch's tanh takes
    eight times as long; half the cell is kept, so that no gradient has to be doubled.

    Sums over rows are taken step by step: so that they are the same to the last bit,
    however much padding a step has in other models. And torch multiplies many matrices
    at once only where the products stand together, so each step has tensors of its own.

    The gates stand as in torch: input, forget, cell, output.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        into: torch.Tensor,
        recurrent: torch.Tensor,
        bias: torch.Tensor,
        counts: list[int],
    ) -> torch.Tensor:
        """Return the states.

        Parameters
        ----------
        inputs : tensor of shape (n_models, n_rows, n_inputs)
            Packed.
        into : tensor of shape (n_models, 4 * n_hidden, n_inputs)
        recurrent : tensor of shape (n_models, 4 * n_hidden, n_hidden)
        bias : tensor of shape (n_models, 4 * n_hidden)
        counts : list of int
            Rows of each step.

        Returns
        -------
        tensor of shape (n_models, n_rows, n_hidden)
        """
        both = double_third_(torch.cat([into, recurrent], dim=2))
        into, recurrent = both.mT.split([into.shape[2], recurrent.shape[2]], dim=1)
        bias = double_third_(bias.clone()).unsqueeze(1)
        steps: list[Step] = []
        for rows in inputs.split(counts, dim=1):
            m = rows.shape[1]
            open_ = torch.baddbmm(bias, rows, into)
            before = memory = None
            if steps:
                before, memory = steps[-1].hidden[:, :m], steps[-1].cell[:, :m]
                open_.baddbmm_(before, recurrent)
            steps.append(Step(rows, before, memory, *advance(sigmoid(open_), memory)))
        ctx.both, ctx.steps = both, steps
        return torch.cat([step.hidden for step in steps], dim=1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        """Return the gradients of the inputs and the weights."""
        n, counts = grad.shape[2], [step.rows.shape[1] for step in ctx.steps]
        k = ctx.both.shape[2] - n
        from_state, from_cell = grad.new_zeros(2, len(grad), counts[0], n)
        d_into, d_recurrent = map(torch.zeros_like, ctx.both.split([k, n], dim=2))
        d_bias = torch.zeros_like(ctx.both[..., 0])
        d_inputs = []
        blocks = zip(grad.split(counts, dim=1), ctx.steps, strict=True)
        for block, step in reversed([*blocks]):
            m = block.shape[1]
            d_state = block + from_state[:, :m]
            d_cell, d_open = retreat(d_state, from_cell[:, :m], step)
            of_rows = torch.bmm(d_open, ctx.both)
            d_inputs.append(of_rows[..., :k])
            from_state[:, :m] = of_rows[..., k:]
            torch.mul(d_cell, step.open_[..., n : 2 * n], out=from_cell[:, :m])
            d_into.baddbmm_(d_open.mT, step.rows)
            if step.before is not None:
                d_recurrent.baddbmm_(d_open.mT, step.before)
            d_bias += d_open.sum(dim=1)
        of_weights = map(double_third_, (d_into, d_recurrent, d_bias))
        return torch.cat(d_inputs[::-1], dim=1), *of_weights, None


def advance(
    open_: torch.Tensor, memory: torch.Tensor | None
) -> tuple[torch.Tensor, ...]:
    """Return what `Step` remembers from `open_` on.

    Parameters
    ----------
    open_ : tensor of shape (..., 4 * n_hidden)
        The sigmoid of the gates, of which the third is that of the double.
    memory : tensor of shape (..., n_hidden) or None
        Half the cells before; None at the first step, where they are zero.
    """
    update, keep, new, show = open_.chunk(4, dim=-1)
    new = new - 0.5
    cell = new * update
    if memory is not None:
        cell += keep * memory
    half = sigmoid(4 * cell)
    squashed = (2 * half).sub_(1)
    return open_, new, cell, half, squashed, squashed * show


def sigmoid(values: torch.Tensor) -> torch.Tensor:
    """Return the sigmoid, of each value the same bits in any place.

    Of those at a tensor's end that do not fill the processor's vectors, torch computes
    it in another way; so the end is filled up.

    Parameters
    ----------
    values : tensor
        Contiguous. It may be overwritten.
    """
    n = values.numel()
    if n % VECTORS == 0:
        return values.sigmoid_()
    filled = values.new_empty(-(-n // VECTORS) * VECTORS)
    filled[:n] = values.view(-1)
    return filled.sigmoid_()[:n].view_as(values)


def retreat(
    d_state: torch.Tensor, from_cell: torch.Tensor, step: Step
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradients of half the cells, and of what goes into the gates.

    Parameters
    ----------
    d_state, from_cell : tensor of shape (n_models, n_rows, n_hidden)
        The gradients of the states, and of half the cells from the step after.
    step : Step
    """
    sigmoid_backward = torch.ops.aten.sigmoid_backward
    update, _, _, show = step.open_.chunk(4, dim=2)
    d_open = torch.empty_like(step.open_)
    of_update, of_keep, of_new, of_show = d_open.chunk(4, dim=2)
    d_cell = sigmoid_backward(d_state * show, step.half)
    d_cell = torch.add(from_cell, d_cell, alpha=8)
    torch.mul(d_cell, step.new, out=of_update)
    if step.memory is None:
        of_keep.zero_()
    else:
        torch.mul(d_cell, step.memory, out=of_keep)
    torch.mul(d_cell, update, out=of_new)
    torch.mul(d_state, step.squashed, out=of_show)
    sigmoid_backward(d_open, step.open_, grad_input=d_open)
    return d_cell, d_open


def double_third_(weights: torch.Tensor) -> torch.Tensor:
    """Double, in place, what belongs to the third gate, of which the tanh is taken.

    Parameters
    ----------
    weights : tensor of shape (n_models, 4 * n_hidden, ...)
    """
    n = weights.shape[1] // 4
    weights[:, 2 * n : 3 * n] *= 2
    return weights


def scan(
    weights: dict[str, torch.Tensor],
    name: str,
    inputs: torch.Tensor,
    counts: list[int],
) -> torch.Tensor:
    """Run the LSTM of each model.

    Parameters
    ----------
    weights : dict of str to tensor
        Stacked, under the names of `torch.nn.LSTM`.
    name : str
        Of the layer.
    inputs : tensor of shape (n_models, n_rows, n_inputs)
        Packed.
    counts : list of int
        Rows of each step.

    Returns
    -------
    tensor of shape (n_models, n_rows, n_hidden)
    """
    into, recurrent, bias, more = (
        weights[f"{name}.{part}"]
        for part in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    )
    bias, n = bias + more, recurrent.shape[2]
    missing = max(0, FEWEST_UNITS - inputs.shape[2]), max(0, FEWEST_UNITS - n)
    if any(missing):
        inputs = pad(inputs, (0, missing[0]))
        into, recurrent, bias = (
            with_more_units(part, *more)
            for part, more in (
                (into, missing),
                (recurrent, (missing[1], missing[1])),
                (bias.unsqueeze(2), (0, missing[1])),
            )
        )
        bias = bias.squeeze(2)
    return Scan.apply(inputs, into, recurrent, bias, counts)[..., :n]


def with_more_units(matrix: torch.Tensor, n_inputs: int, n_hidden: int) -> torch.Tensor:
    """Add inputs and hidden units whose weights are zero, and so their states.

    Parameters
    ----------
    matrix : tensor of shape (n_models, 4 * n_hidden, n_inputs)
    n_inputs, n_hidden : int
        How many to add.
    """
    gates = matrix.unflatten(1, (4, -1))
    return pad(gates, (0, n_inputs, 0, n_hidden)).flatten(1, 2)
