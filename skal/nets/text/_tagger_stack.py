"""The sequence tagger as a stack: many models at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from skal.nets.side_by_side._ops import linear
from skal.nets.side_by_side._stack import in_order
from skal.nets.text._bilstm import both_ways, read_both_ways
from skal.nets.text._stacked_lstm import (
    Packing,
    double_third_,
    lstm_step,
    pack,
    scan,
    sigmoid,
)
from skal.nets.text._text_stack import AutogradStack, Corpus, Sentences, gather
from skal.nets.text._vocabulary import PADDING, by_length

# Number of sentences decoded at once: more than in classification, because a decoding
# step of a single model is cheap.
DECODED_AT_ONCE = 256


class TagBatch(NamedTuple):
    """Minibatches of tagged sentences of several models, in packed rows.

    Parameters
    ----------
    words : ndarray of shape (n_models, 2 * n_rows)
        Word numbers in the training set of each model, in left-to-right and then
        right-to-left order; 0 for padding.
    turned : ndarray of shape (n_models, n_rows)
        Row at which the leftward LSTM reads the word of each row.
    before : ndarray of shape (n_models, n_rows)
        Code of the previous tag; `n_classes` at the first word.
    codes : ndarray of shape (n_models, n_rows)
        Tag codes.
    weights : ndarray of shape (n_models, n_rows)
        Weight of each row in the mean loss; zero for padding.
    packing : Packing
        The layout of the rows.
    """

    words: NDArray[np.int64]
    turned: NDArray[np.int64]
    before: NDArray[np.int64]
    codes: NDArray[np.int64]
    weights: NDArray[np.float64]
    packing: Packing


class TokenRows(Sentences):
    """Sentences to be tagged.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Word numbers of the corpus, padded on the right. No sentence is empty.

    Attributes
    ----------
    packed : list of TokenChunk
        Batches of sentences of similar length.
    """

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        super().__init__(numbers)
        numbers = np.searchsorted(self.used, numbers)
        self.packed = [
            lay_out(chunk, self.starts[rows])
            for rows, chunk in by_length(numbers, DECODED_AT_ONCE)
        ]


class TokenChunk(NamedTuple):
    """A batch of sentences, packed by length.

    Parameters
    ----------
    words : tensor of shape (1, 2 * n_rows), dtype int64
        As in `TagBatch`.
    turned : tensor of shape (n_rows,)
        Row at which the leftward LSTM reads the word of each row.
    is_word : tensor of shape (n_rows,), dtype bool
        Whether each row is a word rather than padding.
    tokens : ndarray of shape (n_words,)
        Index, among all tokens, of the word in each row that is a word.
    packing : Packing
        The layout of the rows.
    """

    words: torch.Tensor
    turned: torch.Tensor
    is_word: torch.Tensor
    tokens: NDArray[np.int64]
    packing: Packing


def lay_out(numbers: NDArray[np.int64], starts: NDArray[np.int64]) -> TokenChunk:
    """Pack sentences that are sorted by length, the longest first.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Word numbers, padded on the right.
    starts : ndarray of shape (n_sentences,)
        Index, among all tokens, of the first token of each sentence.

    Returns
    -------
    TokenChunk
        The packed sentences.
    """
    packing = pack((numbers != PADDING).sum(axis=1)[None])
    tokens = (starts[packing.sentences] + packing.steps)[packing.is_word[0]]
    return TokenChunk(
        torch.from_numpy(both_ways(numbers[None], packing)),
        torch.from_numpy(turn(packing)[0]),
        torch.from_numpy(packing.is_word[0]),
        tokens,
        packing,
    )


def turn(packing: Packing) -> NDArray[np.int64]:
    """Return the row at which the leftward LSTM reads the word of each row.

    Parameters
    ----------
    packing : Packing
        The layout of the rows.

    Returns
    -------
    ndarray of shape (n_models, n_rows)
        Indices of rows.
    """
    return packing.starts[packing.mirrored] + packing.sentences


class TaggerStack(AutogradStack):
    """Trains many `TaggerNet` side by side, with sentences packed by length."""

    default_width = 16

    def __init__(
        self,
        module: torch.nn.Module,
        width: int,
        batch_size: int,
        lr: float,
        corpus: Corpus,
    ) -> None:
        super().__init__(module, width, batch_size, lr, corpus)
        self.n_classes = self.shapes["head.1.bias"][0]
        # One row per tag, and a row of zeros for no previous tag.
        self.one_hot = self.rows.new_zeros(self.n_classes + 1, self.n_classes)
        self.one_hot.fill_diagonal_(1)

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> TagBatch:
        words, lengths, codes, _ = gather(
            self.jobs, batches, self.n_rows, by_length=True
        )
        packing = pack(lengths)
        # The tags of each row, and of the row before it in its sentence.
        models, is_word = np.arange(len(words))[:, None], packing.is_word
        own = codes[models, packing.sentences, packing.steps]
        last = codes[models, packing.sentences, packing.steps - 1]
        has_last = is_word & (packing.steps > 0)
        return TagBatch(
            both_ways(words, packing),
            turn(packing) + models * is_word.shape[1],
            np.where(has_last, last, self.n_classes),
            np.where(is_word, own, 0),
            is_word / is_word.sum(axis=1, keepdims=True),
            packing,
        )

    def _losses(
        self, weights: dict[str, torch.Tensor], vectors: torch.Tensor, batch: TagBatch
    ) -> torch.Tensor:
        right, left = read_both_ways(weights, vectors, batch.packing)
        turned = self._to(batch.turned).view(-1)
        left = left.flatten(0, 1).index_select(0, turned).view_as(right)
        tags = self.one_hot[self._to(batch.before)]
        inputs = torch.cat([right, left, tags], dim=2)
        counts = batch.packing.counts
        states = scan(weights, "decoder", inputs, counts)
        logits = linear(weights, "head.1", states, counts)
        return mean_loss(logits, *self._all_to([batch.codes, batch.weights]))

    def logits(self, slot: int, inputs: Any) -> torch.Tensor:
        """Return the logits of the tags of each token, sentence by sentence.

        The tags are chosen greedily, given the most likely previous tags.

        Parameters
        ----------
        slot : int
            Index of the slot.
        inputs : TokenRows
            The sentences.

        Returns
        -------
        tensor of shape (n_tokens, n_tags)
            The logits.
        """
        found, order = [], []
        weights = self.weights(range(slot, slot + 1))
        with torch.inference_mode():
            table = self._table(slot, inputs)
            for chunk in inputs.packed:
                found.append(decode(weights, table, chunk)[chunk.is_word])
                order.append(chunk.tokens)
            return in_order(found, order)


def mean_loss(
    logits: torch.Tensor, codes: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return the weighted cross-entropy of each model, summed row by row.

    Rows of padding, at any position, do not change any bit of the sum.

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
    n_models, n_rows = codes.shape
    models = torch.arange(n_models, device=codes.device).repeat_interleave(n_rows)
    sums = logits.new_zeros(n_models)
    return -sums.index_add(0, models, (weights * log_probs).view(-1))


def decode(
    weights: dict[str, torch.Tensor], table: torch.Tensor, chunk: TokenChunk
) -> torch.Tensor:
    """Return the logits of each row, given the most likely tags of the previous rows.

    Parameters
    ----------
    weights : dict of str to tensor
        Stacked weights of one model.
    table : tensor of shape (n_used, dimension)
        The word vectors.
    chunk : TokenChunk
        The sentences.

    Returns
    -------
    tensor of shape (n_rows, n_tags)
        The logits.
    """
    right, left = read_both_ways(weights, table[chunk.words], chunk.packing)
    states = torch.cat([right[0], left[0, chunk.turned]], dim=1)
    gates, tag_gates, w_hidden = known_gates(weights, states)
    head, bias = weights["head.1.weight"][0].mT, weights["head.1.bias"][0]
    # Decode step by step; later steps contain fewer sentences.
    found: list[torch.Tensor] = []
    tags: torch.Tensor | None = None
    hidden = cell = None
    for step_gates in gates.split(chunk.packing.counts):
        if hidden is not None and cell is not None and tags is not None:
            m = len(step_gates)
            hidden, cell = hidden[:m], cell[:m]
            step_gates = torch.addmm(step_gates, hidden, w_hidden) + tag_gates[tags[:m]]
        _, _, cell, *_, hidden = lstm_step(sigmoid(step_gates), cell)
        found.append(torch.addmm(bias, hidden, head))
        tags = found[-1].argmax(dim=1)
    return torch.cat(found)


def known_gates(
    weights: dict[str, torch.Tensor], states: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the inputs of the decoder's gates, and the weights of its states.

    Parameters
    ----------
    weights : dict of str to tensor
        Stacked weights of one model.
    states : tensor of shape (n_rows, 2 * dimension)
        The states of the encoder.

    Returns
    -------
    gates : tensor of shape (n_rows, 4 * n_hidden)
        Inputs from the states of the encoder, and the biases.
    tag_gates : tensor of shape (n_classes, 4 * n_hidden)
        Input from each previous tag.
    w_hidden : tensor of shape (n_hidden, 4 * n_hidden)
        The weights of the previous hidden states.
    """
    w_input, w_hidden, bias, more = (
        weights[f"decoder.{name}"].clone()
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    )
    bias += more
    w_input, w_hidden, bias = (
        double_third_(part)[0] for part in (w_input, w_hidden, bias)
    )
    from_states, from_tags = w_input.mT.tensor_split([states.shape[1]])
    return torch.addmm(bias, states, from_states), from_tags, w_hidden.mT
