"""An LSTM of each of several models, over sentences that are packed by length."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from skal.nets._stack import fours


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


class Scan(torch.autograd.Function):
    """The states of an LSTM of each model.

    It is what torch would find by itself, in a third of the operations. Sums over rows
    are taken step by step: so that they are the same to the last bit, however much
    padding a step has in other models.

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
        n = recurrent.shape[2]
        gates = torch.baddbmm(bias.unsqueeze(1), inputs, into.mT)
        hidden = cell = gates.new_zeros(len(gates), counts[0], n)
        steps = []
        for block in gates.split(counts, dim=1):
            m = block.shape[1]
            before, memory = hidden[:, :m], cell[:, :m]
            open_ = torch.baddbmm(block, before, recurrent.mT)
            open_[..., : 2 * n].sigmoid_()
            open_[..., 2 * n : 3 * n].tanh_()
            open_[..., 3 * n :].sigmoid_()
            update, keep, new, show = open_.split(n, dim=2)
            cell = torch.addcmul(keep * memory, update, new)
            squashed = cell.tanh()
            hidden = show * squashed
            steps.append((open_, memory, before, squashed, hidden))
        ctx.counts, ctx.steps = counts, steps
        ctx.inputs, ctx.into, ctx.recurrent = inputs, into, recurrent
        return torch.cat([step[4] for step in steps], dim=1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        """Return the gradients of the inputs and the weights."""
        n = grad.shape[2]
        from_state, from_cell = grad.new_zeros(2, len(grad), ctx.counts[0], n)
        blocks = zip(
            grad.split(ctx.counts, dim=1),
            ctx.inputs.split(ctx.counts, dim=1),
            ctx.steps,
            strict=True,
        )
        of_gates = []
        d_into, d_recurrent = (
            torch.zeros_like(ctx.into),
            torch.zeros_like(ctx.recurrent),
        )
        d_bias = torch.zeros_like(ctx.recurrent[..., 0])
        for block, inputs, (open_, memory, before, squashed, _) in reversed([*blocks]):
            m = block.shape[1]
            update, keep, new, show = open_.split(n, dim=2)
            d_state = block + from_state[:, :m]
            d_cell = torch.addcmul(
                from_cell[:, :m], d_state * show, 1 - squashed * squashed
            )
            d_open = torch.cat(
                [d_cell * new, d_cell * memory, d_cell * update, d_state * squashed], 2
            )
            # sigmoid' = s (1 - s), and tanh' = 1 - t^2 in the third quarter.
            slope = open_ - open_ * open_
            slope[..., 2 * n : 3 * n] = 1 - new * new
            d_open *= slope
            from_state[:, :m] = torch.bmm(d_open, ctx.recurrent)
            from_cell[:, :m] = d_cell * keep
            d_into.baddbmm_(d_open.mT, inputs)
            d_recurrent.baddbmm_(d_open.mT, before)
            d_bias += d_open.sum(dim=1)
            of_gates.append(d_open)
        d_inputs = torch.bmm(torch.cat(of_gates[::-1], dim=1), ctx.into)
        return d_inputs, d_into, d_recurrent, d_bias, None


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
    return Scan.apply(inputs, into, recurrent, bias + more, counts)
