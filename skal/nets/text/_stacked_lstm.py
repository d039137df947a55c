"""The LSTM layers of several models, applied to sentences packed by length."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

from skal.nets.side_by_side._ops import fours

# Minimum number of inputs and hidden units, reached by padding: torch uses another
# kernel for smaller matrices with few rows, whose last bits differ.
MIN_UNITS = 8
# Number of values that is a multiple of every CPU's SIMD width.
SIMD_MULTIPLE = 32


class Packing(NamedTuple):
    """The layout of several models' minibatches in rows, one block per step.

    The sentences are sorted by length, the longest first, so that the sentences with a
    word at a given step are the first ones. The block of step t has `counts[t]` rows:
    the t-th word of each of the first `counts[t]` sentences. It has the same size in
    all models, with padding for sentences that have ended.

    Parameters
    ----------
    counts : list of int
        Number of rows of each block; never increases.
    sentences, steps : ndarray of shape (n_rows,)
        Index of the sentence and of the step of each row.
    is_word : ndarray of shape (n_models, n_rows), dtype bool
        Whether each row is a word rather than padding.
    lengths : ndarray of shape (n_models, n_sentences)
        Number of words of each sentence.
    """

    counts: list[int]
    sentences: NDArray[np.int64]
    steps: NDArray[np.int64]
    is_word: NDArray[np.bool_]
    lengths: NDArray[np.int64]

    @property
    def mirrored(self) -> NDArray[np.int64]:
        """The step at which the leftward LSTM reads the word of each row."""
        last = self.lengths[:, self.sentences] - 1
        return np.where(self.is_word, last - self.steps, self.steps)

    @property
    def starts(self) -> NDArray[np.int64]:
        """The first row of the block of each step."""
        return np.concatenate([[0], np.cumsum(self.counts)])


def pack(lengths: NDArray[np.int64]) -> Packing:
    """Return the layout for sentences of the given lengths.

    Parameters
    ----------
    lengths : ndarray of shape (n_models, n_sentences)
        Sorted in descending order for each model; zero for a missing sentence.

    Returns
    -------
    Packing
        The layout.
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
    """Intermediate values of one step of an LSTM, from which gradients are computed.

    Parameters
    ----------
    rows : tensor of shape (n_models, n_rows, n_inputs)
        The inputs.
    prev_hidden, prev_cell : tensors of shape (n_models, n_rows, n_hidden) or None
        The previous hidden states, and half the previous cell states; None at the first
        step.
    gates : tensor of shape (n_models, n_rows, 4 * n_hidden)
        The sigmoid of the gates; the third gate is doubled before the sigmoid.
    candidate : tensor of shape (n_models, n_rows, n_hidden)
        Half the tanh of the third gate.
    cell : tensor of the same shape
        Half the cell states.
    half, squashed : tensors of the same shape
        The sigmoid of twice the cell states, and the tanh of the cell states.
    hidden : tensor of the same shape
        The hidden states.
    """

    rows: torch.Tensor
    prev_hidden: torch.Tensor | None
    prev_cell: torch.Tensor | None
    gates: torch.Tensor
    candidate: torch.Tensor
    cell: torch.Tensor
    half: torch.Tensor
    squashed: torch.Tensor
    hidden: torch.Tensor


class Scan(torch.autograd.Function):
    """The hidden states of an LSTM for each model.

    The result is the same as with autograd, in a third of the operations. All four
    gates pass through one sigmoid, because tanh(x) = 2 sigmoid(2x) - 1 and torch's tanh
    takes eight times as long. The cell states are stored halved, so that no gradient
    has to be doubled.

    Sums over rows are accumulated step by step, so that the amount of padding in other
    models does not change any bit. Each step has its own tensors, because torch only
    uses its batched kernel for contiguous products.

    The gates are in torch's order: input, forget, cell, output.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        w_input: torch.Tensor,
        w_hidden: torch.Tensor,
        bias: torch.Tensor,
        counts: list[int],
    ) -> torch.Tensor:
        """Return the hidden states.

        Parameters
        ----------
        inputs : tensor of shape (n_models, n_rows, n_inputs)
            The inputs, in packed rows.
        w_input : tensor of shape (n_models, 4 * n_hidden, n_inputs)
            The weights of the inputs.
        w_hidden : tensor of shape (n_models, 4 * n_hidden, n_hidden)
            The weights of the hidden states.
        bias : tensor of shape (n_models, 4 * n_hidden)
            The sum of both biases.
        counts : list of int
            Number of rows of each step.

        Returns
        -------
        tensor of shape (n_models, n_rows, n_hidden)
            The hidden states, in packed rows.
        """
        # Double the third gate once, in the weights, instead of at each step.
        both = double_third_(torch.cat([w_input, w_hidden], dim=2))
        w_input, w_hidden = both.mT.split([w_input.shape[2], w_hidden.shape[2]], dim=1)
        bias = double_third_(bias.clone()).unsqueeze(1)
        # Keep the intermediate values of each step for `backward`.
        steps: list[Step] = []
        for rows in inputs.split(counts, dim=1):
            m = rows.shape[1]
            gates = torch.baddbmm(bias, rows, w_input)
            prev_hidden = prev_cell = None
            if steps:
                prev_hidden, prev_cell = steps[-1].hidden[:, :m], steps[-1].cell[:, :m]
                gates.baddbmm_(prev_hidden, w_hidden)
            steps.append(
                Step(
                    rows, prev_hidden, prev_cell, *lstm_step(sigmoid(gates), prev_cell)
                )
            )
        ctx.both, ctx.steps = both, steps
        return torch.cat([step.hidden for step in steps], dim=1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        """Return the gradients of the inputs and the weights.

        Parameters
        ----------
        grad : tensor of shape (n_models, n_rows, n_hidden)
            The gradient of the hidden states.

        Returns
        -------
        tuple
            One gradient per argument of `forward`; None for `counts`.
        """
        n, counts = grad.shape[2], [step.rows.shape[1] for step in ctx.steps]
        k = ctx.both.shape[2] - n
        d_state_next, d_cell_next = grad.new_zeros(2, len(grad), counts[0], n)
        d_w_input, d_w_hidden = map(torch.zeros_like, ctx.both.split([k, n], dim=2))
        d_bias = torch.zeros_like(ctx.both[..., 0])
        # Go through the steps from the last to the first.
        d_inputs = []
        blocks = zip(grad.split(counts, dim=1), ctx.steps, strict=True)
        for block, step in reversed([*blocks]):
            m = block.shape[1]
            # Through the gates, to the inputs and the previous states.
            d_state = block + d_state_next[:, :m]
            d_cell, d_gates = lstm_step_backward(d_state, d_cell_next[:, :m], step)
            d_rows = torch.bmm(d_gates, ctx.both)
            d_inputs.append(d_rows[..., :k])
            d_state_next[:, :m] = d_rows[..., k:]
            torch.mul(d_cell, step.gates[..., n : 2 * n], out=d_cell_next[:, :m])
            # Add the gradients of the weights of this step.
            d_w_input.baddbmm_(d_gates.mT, step.rows)
            if step.prev_hidden is not None:
                d_w_hidden.baddbmm_(d_gates.mT, step.prev_hidden)
            d_bias += d_gates.sum(dim=1)
        # `forward` doubled the third gate.
        d_weights = map(double_third_, (d_w_input, d_w_hidden, d_bias))
        return torch.cat(d_inputs[::-1], dim=1), *d_weights, None


def lstm_step(
    gates: torch.Tensor, prev_cell: torch.Tensor | None
) -> tuple[torch.Tensor, ...]:
    """Return the fields of `Step` from `gates` on.

    Parameters
    ----------
    gates : tensor of shape (..., 4 * n_hidden)
        The sigmoid of the gates; the third gate is doubled before the sigmoid.
    prev_cell : tensor of shape (..., n_hidden) or None
        Half the previous cell states; None at the first step, where they are zero.

    Returns
    -------
    tuple of tensor
        `gates`, `candidate`, `cell`, `half`, `squashed` and `hidden`.
    """
    input_gate, forget_gate, candidate, output_gate = gates.chunk(4, dim=-1)
    candidate = candidate - 0.5
    cell = candidate * input_gate
    if prev_cell is not None:
        cell += forget_gate * prev_cell
    half = sigmoid(4 * cell)
    squashed = (2 * half).sub_(1)
    return gates, candidate, cell, half, squashed, squashed * output_gate


def sigmoid(values: torch.Tensor) -> torch.Tensor:
    """Return the sigmoid, with the same bits for a value at any position.

    torch uses another computation for the last values of a tensor, if they do not fill
    a SIMD vector. Therefore the end is padded.

    Parameters
    ----------
    values : tensor
        A contiguous tensor, which may be overwritten.

    Returns
    -------
    tensor
        The sigmoid of each value.
    """
    n = values.numel()
    if n % SIMD_MULTIPLE == 0:
        return values.sigmoid_()
    filled = values.new_empty(-(-n // SIMD_MULTIPLE) * SIMD_MULTIPLE)
    filled[:n] = values.view(-1)
    return filled.sigmoid_()[:n].view_as(values)


def lstm_step_backward(
    d_state: torch.Tensor, d_cell_next: torch.Tensor, step: Step
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradients of half the cell states, and of the gates before sigmoid.

    Parameters
    ----------
    d_state, d_cell_next : tensor of shape (n_models, n_rows, n_hidden)
        The gradients of the hidden states, and of half the cell states from the next
        step.
    step : Step
        The intermediate values of the step.

    Returns
    -------
    d_cell, d_gates : tensors
        The gradients.
    """
    sigmoid_backward = torch.ops.aten.sigmoid_backward
    input_gate, _, _, output_gate = step.gates.chunk(4, dim=2)
    d_gates = torch.empty_like(step.gates)
    d_input_gate, d_forget_gate, d_candidate, d_output_gate = d_gates.chunk(4, dim=2)
    # With c half the cell state, half = sigmoid(4 c) and squashed = 2 half - 1.
    d_cell = sigmoid_backward(d_state * output_gate, step.half)
    d_cell = torch.add(d_cell_next, d_cell, alpha=8)
    # Gradients after the sigmoid of each gate, then before it.
    torch.mul(d_cell, step.candidate, out=d_input_gate)
    if step.prev_cell is None:
        d_forget_gate.zero_()
    else:
        torch.mul(d_cell, step.prev_cell, out=d_forget_gate)
    torch.mul(d_cell, input_gate, out=d_candidate)
    torch.mul(d_state, step.squashed, out=d_output_gate)
    sigmoid_backward(d_gates, step.gates, grad_input=d_gates)
    return d_cell, d_gates


def double_third_(weights: torch.Tensor) -> torch.Tensor:
    """Double, in place, the weights of the third gate, whose tanh is computed.

    Parameters
    ----------
    weights : tensor of shape (n_models, 4 * n_hidden, ...)
        Weights or biases, by gate.

    Returns
    -------
    tensor
        `weights` itself.
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
    """Apply an LSTM layer of each model.

    Parameters
    ----------
    weights : dict of str to tensor
        Stacked weights, with the names of `torch.nn.LSTM`.
    name : str
        Name of the layer.
    inputs : tensor of shape (n_models, n_rows, n_inputs)
        The inputs, in packed rows.
    counts : list of int
        Number of rows of each step.

    Returns
    -------
    tensor of shape (n_models, n_rows, n_hidden)
        The hidden states, in packed rows.
    """
    w_input, w_hidden, bias, more = (
        weights[f"{name}.{part}"]
        for part in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    )
    bias, n = bias + more, w_hidden.shape[2]
    # Pad small layers with zeros up to the minimum size.
    missing = max(0, MIN_UNITS - inputs.shape[2]), max(0, MIN_UNITS - n)
    if any(missing):
        inputs = pad(inputs, (0, missing[0]))
        w_input, w_hidden, bias = (
            with_more_units(part, *more)
            for part, more in (
                (w_input, missing),
                (w_hidden, (missing[1], missing[1])),
                (bias.unsqueeze(2), (0, missing[1])),
            )
        )
        bias = bias.squeeze(2)
    return Scan.apply(inputs, w_input, w_hidden, bias, counts)[..., :n]


def with_more_units(matrix: torch.Tensor, n_inputs: int, n_hidden: int) -> torch.Tensor:
    """Add inputs and hidden units with zero weights, whose states are therefore zero.

    Parameters
    ----------
    matrix : tensor of shape (n_models, 4 * n_hidden, n_inputs)
        The weights.
    n_inputs, n_hidden : int
        Number of inputs and of hidden units to add.

    Returns
    -------
    tensor of shape (n_models, 4 * new n_hidden, new n_inputs)
        The padded weights.
    """
    gates = matrix.unflatten(1, (4, -1))
    return pad(gates, (0, n_inputs, 0, n_hidden)).flatten(1, 2)
