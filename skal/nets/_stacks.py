"""The paper's nets that read sentences, side by side.

Each computes what its module does, in the form that is quick for many small models:
products of stacked matrices, and no padding but what the layout needs.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from skal.nets._engine import padded
from skal.nets._scan import Packing, pack, scan
from skal.nets._stack import ROWS_AT_ONCE, Affine, cross_entropy, linear
from skal.nets._stack_text import AutogradStack


class Batch(NamedTuple):
    """Minibatches side by side: what stands in each row, and how rows make sentences.

    Parameters
    ----------
    words : ndarray of shape (n_models, n_rows)
        Numbers among the words of each training; 0 is none.
    means : ndarrays
        What the mean over a sentence's words is taken by: the share of each of its
        words; or, where a row is a word, of which sentence, and the lengths of all.
    codes : ndarray of shape (n_models, n_sentences) or (n_models, n_rows)
    weights : ndarray of the shape of `codes`
        In the mean loss.
    packing : Packing or None
    """

    words: NDArray[np.int64]
    means: Any
    codes: NDArray[np.int64]
    weights: NDArray[np.float64]
    packing: Any = None


class ConvolutionStack(AutogradStack):
    """`ConvolutionNet`, side by side: sentences in a row, with a gap between them."""

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(self.jobs, batches, self.n_rows)
        # A gap before each sentence, and one after the last.
        ends = np.cumsum(lengths + 1, axis=1)
        n_rows = -(-(ends.max() + 1) // ROWS_AT_ONCE) * ROWS_AT_ONCE
        is_word = np.arange(words.shape[2]) < lengths[:, :, None]
        place, sentence, step = np.nonzero(is_word)
        row = ends[place, sentence] - lengths[place, sentence] + step
        in_rows = np.zeros((len(words), n_rows), dtype=np.int64)
        in_rows[place, row] = words[place, sentence, step]
        sentences = np.zeros_like(in_rows)
        sentences[place, row] = sentence
        return Batch(in_rows, (sentences, lengths), codes, weights)

    def _losses(
        self, weights: dict[str, torch.Tensor], vectors: torch.Tensor, batch: Batch
    ) -> torch.Tensor:
        rows, is_word = vectors, self._to((batch.words != 0)[:, :, None])
        for number in range(3):
            rows = convolve(weights, f"convolutions.{number}", rows).relu() * is_word
        means = mean_rows(rows, *map(self._to, batch.means))
        logits = linear(weights, "head.3", linear(weights, "head.0", means).relu())
        return cross_entropy(logits, self._to(batch.codes), self._to(batch.weights))


class BiLSTMStack(AutogradStack):
    """`BiLSTMNet`, side by side: sentences packed by length, once in each direction."""

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(
            self.jobs, batches, self.n_rows, by_length=True
        )
        packing = pack(lengths)
        sentences = np.tile(packing.sentences, (len(words), 1))
        both = both_ways(words, packing)
        return Batch(both, (sentences, lengths), codes, weights, packing)

    def _losses(
        self, weights: dict[str, torch.Tensor], vectors: torch.Tensor, batch: Batch
    ) -> torch.Tensor:
        states = encode(weights, vectors, batch.packing)
        is_word = self._to(batch.packing.is_word[:, :, None])
        means = mean_rows(states * is_word, *map(self._to, batch.means))
        logits = linear(weights, "head.1", means)
        return cross_entropy(logits, self._to(batch.codes), self._to(batch.weights))


def gather(
    jobs: Sequence[Any],
    batches: Sequence[NDArray[np.int64]],
    n_rows: int,
    by_length: bool = False,
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Put the sentences of minibatches side by side.

    Parameters
    ----------
    jobs : sequence of Job
    batches : sequence of ndarray
        Which of its sentences each takes.
    n_rows : int
        How many sentences each may take.
    by_length : bool, default=False
        Sort each minibatch, the longest first.

    Returns
    -------
    words : ndarray of shape (n_models, n_sentences, length)
        Zero beyond the end of a sentence, and where there is none.
    lengths : ndarray of shape (n_models, n_sentences)
    codes : ndarray of shape (n_models, n_sentences, ...)
    weights : ndarray of shape (n_models, n_sentences)
        Of each sentence in the mean loss.
    """
    jobs = jobs[: len(batches)]
    if by_length:
        batches = [
            batch[np.argsort(-job.lengths[batch], kind="stable")]
            for job, batch in zip(jobs, batches, strict=True)
        ]
    length = max(job.numbers.shape[1] for job in jobs)
    shape = len(jobs), n_rows
    words, lengths = np.zeros((*shape, length), np.int64), np.zeros(shape, np.int64)
    width = max(job.codes[:1].size for job in jobs)
    codes = np.zeros((*shape, width), np.int64)
    for place, (job, batch) in enumerate(zip(jobs, batches, strict=True)):
        n = len(batch)
        words[place, :n, : job.numbers.shape[1]] = job.numbers[batch]
        lengths[place, :n] = job.lengths[batch]
        codes[place, :n] = job.codes[batch].reshape(n, -1)
    is_one_each = jobs[0].codes.ndim == 1
    weights = padded(batches, n_rows)[1]
    words = words[:, :, : lengths.max()]
    return words, lengths, codes[:, :, 0] if is_one_each else codes, weights


def convolve(
    weights: dict[str, torch.Tensor], name: str, rows: torch.Tensor
) -> torch.Tensor:
    """Convolve with width 3: each row with the one before and the one after.

    Parameters
    ----------
    weights : dict of str to tensor
    name : str
        Of the layer.
    rows : tensor of shape (n_models, n_rows, n_inputs)

    Returns
    -------
    tensor of shape (n_models, n_rows, n_outputs)
    """
    kernel = weights[f"{name}.weight"]  # n_models, n_outputs, n_inputs, 3
    n_models, n_outputs = kernel.shape[:2]
    ends = torch.nn.functional.pad(rows, (0, 0, 1, 1))
    windows = torch.cat([ends[:, :-2], ends[:, 1:-1], ends[:, 2:]], dim=2)
    matrix = kernel.permute(0, 1, 3, 2).reshape(n_models, n_outputs, -1)
    return Affine.apply(windows, matrix, weights[f"{name}.bias"], ROWS_AT_ONCE)


def both_ways(words: NDArray[np.int64], packing: Packing) -> NDArray[np.int64]:
    """Return the words of each row, read from the left, then read from the right.

    Parameters
    ----------
    words : ndarray of shape (n_models, n_sentences, length)
    packing : Packing

    Returns
    -------
    ndarray of shape (n_models, 2 * n_rows)
        Zero where there is no word.
    """
    models = np.arange(len(words))[:, None]
    right = words[models, packing.sentences, packing.steps]
    left = words[models, packing.sentences, packing.mirrored]
    return np.concatenate([right * packing.is_word, left * packing.is_word], axis=1)


def mean_rows(
    rows: torch.Tensor, sentences: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Return the mean over the words of each sentence.

    Parameters
    ----------
    rows : tensor of shape (n_models, n_rows, n_values)
        Zero where there is no word.
    sentences : tensor of shape (n_models, n_rows), dtype int64
        Of which sentence each row is.
    lengths : tensor of shape (n_models, n_sentences)

    Returns
    -------
    tensor of shape (n_models, n_sentences, n_values)
    """
    n, size = lengths.shape
    first = torch.arange(0, n * size, size, device=rows.device).unsqueeze(1)
    sums = rows.new_zeros(n * size, rows.shape[2])
    # One row after the other: padding in between changes no bit of a sum.
    sums = sums.index_add(0, (sentences + first).reshape(-1), rows.flatten(0, 1))
    return sums.view(n, size, -1) / lengths.clamp(min=1).unsqueeze(2)


def encode(
    weights: dict[str, torch.Tensor], vectors: torch.Tensor, packing: Packing
) -> torch.Tensor:
    """Return the states of both directions of a `BiLSTMEncoder`, in packed rows.

    Parameters
    ----------
    weights : dict of str to tensor
    vectors : tensor of shape (n_models, 2 * n_rows, dimension)
        Of `both_ways`.
    packing : Packing

    Returns
    -------
    tensor of shape (n_models, n_rows, 2 * dimension)
        Those of the second direction in the order in which it read, from the right.
    """
    return torch.cat(read_both_ways(weights, vectors, packing), dim=2)


def read_both_ways(
    weights: dict[str, torch.Tensor], vectors: torch.Tensor, packing: Packing
) -> tuple[torch.Tensor, ...]:
    """Return the states of `encode`, those of each direction by themselves."""
    # Both directions as models of one batch: half the operations.
    ways = "rightward", "leftward"
    names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"
    both = {
        f"both.{name}": torch.cat([weights[f"encoder.{way}.{name}"] for way in ways])
        for name in names
    }
    inputs = torch.cat(vectors.chunk(2, dim=1))
    return scan(both, "both", inputs, packing.counts).chunk(2)
