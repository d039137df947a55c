"""Taggers side by side: one LSTM after the other, and answers by greedy decoding."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from skal.nets._scan import Packing, advance, double_third_, pack, scan, sigmoid
from skal.nets._stack import in_order, linear
from skal.nets._stack_text import AutogradStack, Corpus, Sentences
from skal.nets._stacks import both_ways, gather, read_both_ways
from skal.nets._vocabulary import PADDING, by_length

# Sentences that are decoded at once: more than are classified at once, since a step of
# a single model is a small thing.
DECODED_AT_ONCE = 256


class TagBatch(NamedTuple):
    """Minibatches of tagged sentences side by side, in packed rows.

    Parameters
    ----------
    words : ndarray of shape (n_models, 2 * n_rows)
        Numbers among the words of each training, read from the left, then read from the
        right; 0 is none.
    turned : ndarray of shape (n_models, n_rows)
        At which row a reader from the right has the word of each row.
    before : ndarray of shape (n_models, n_rows)
        The tag of the word before; `n_classes` where there is none.
    codes : ndarray of shape (n_models, n_rows)
        The tags.
    weights : ndarray of shape (n_models, n_rows)
        In the mean loss; zero where there is no word.
    packing : Packing
    """

    words: NDArray[np.int64]
    turned: NDArray[np.int64]
    before: NDArray[np.int64]
    codes: NDArray[np.int64]
    weights: NDArray[np.float64]
    packing: Packing


class TokenRows(Sentences):
    """Sentences whose tokens are to be tagged.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Words, numbered as in the corpus, padded on the right. None is empty.

    Attributes
    ----------
    packed : list of TokenChunk
        Sentences of like length.
    """

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        super().__init__(numbers)
        numbers = np.searchsorted(self.used, numbers)
        self.packed = [
            lay_out(chunk, self.starts[rows])
            for rows, chunk in by_length(numbers, DECODED_AT_ONCE)
        ]


class TokenChunk(NamedTuple):
    """Some sentences, packed by length.

    Parameters
    ----------
    words : tensor of shape (1, 2 * n_rows), dtype int64
        As in `TagBatch`.
    turned : tensor of shape (n_rows,)
        At which row a reader from the right has the word of each row.
    is_word : tensor of shape (n_rows,), dtype bool
    tokens : ndarray of shape (n_words,)
        Which of all tokens the row of each word is.
    packing : Packing
    """

    words: torch.Tensor
    turned: torch.Tensor
    is_word: torch.Tensor
    tokens: NDArray[np.int64]
    packing: Packing


def lay_out(numbers: NDArray[np.int64], starts: NDArray[np.int64]) -> TokenChunk:
    """Pack sentences, the longest first.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
    starts : ndarray of shape (n_sentences,)
        Which of all tokens is the first of each.
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
    """Return the row at which a reader from the right has the word of each row."""
    return packing.starts[packing.mirrored] + packing.sentences


class TaggerStack(AutogradStack):
    """`TaggerNet`, side by side: sentences packed by length, the tags before given."""

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
        # The row of each tag, and one of zeros for none.
        self.one_hot = self.rows.new_zeros(self.n_classes + 1, self.n_classes)
        self.one_hot.fill_diagonal_(1)

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> TagBatch:
        words, lengths, codes, _ = gather(
            self.jobs, batches, self.n_rows, by_length=True
        )
        packing = pack(lengths)
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
        return mean_loss(logits, self._to(batch.codes), self._to(batch.weights))

    def logits(self, place: int, inputs: Any) -> torch.Tensor:
        """Return the logits of each token's tag, sentence after sentence.

        Tags are chosen greedily: given the likeliest tags of the tokens before.
        """
        found, order = [], []
        weights = self.weights(range(place, place + 1))
        with torch.inference_mode():
            table = self._table(place, inputs)
            for chunk in inputs.packed:
                found.append(decode(weights, table, chunk)[chunk.is_word])
                order.append(chunk.tokens)
            return in_order(found, order)


def mean_loss(
    logits: torch.Tensor, codes: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return the weighted cross-entropy of each model, added up row by row.

    So rows of padding, wherever they are, change no bit of it.

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
    n_models, n_rows = codes.shape
    models = torch.arange(n_models, device=codes.device).repeat_interleave(n_rows)
    sums = logits.new_zeros(n_models)
    return -sums.index_add(0, models, (weights * log_probs).view(-1))


def decode(
    weights: dict[str, torch.Tensor], table: torch.Tensor, chunk: TokenChunk
) -> torch.Tensor:
    """Return the logits of each row, given the likeliest tags of the rows before.

    Parameters
    ----------
    weights : dict of str to tensor
        Of one model.
    table : tensor of shape (n_used, dimension)
        The vectors of the words.
    chunk : TokenChunk

    Returns
    -------
    tensor of shape (n_rows, n_tags)
    """
    right, left = read_both_ways(weights, table[chunk.words], chunk.packing)
    states = torch.cat([right[0], left[0, chunk.turned]], dim=1)
    gates, of_tags, recurrent = known_gates(weights, states)
    head, bias = weights["head.1.weight"][0].mT, weights["head.1.bias"][0]
    found: list[torch.Tensor] = []
    tags: torch.Tensor | None = None
    hidden = memory = None
    for open_ in gates.split(chunk.packing.counts):
        if hidden is not None and memory is not None and tags is not None:
            m = len(open_)
            hidden, memory = hidden[:m], memory[:m]
            open_ = torch.addmm(open_, hidden, recurrent) + of_tags[tags[:m]]
        _, _, memory, *_, hidden = advance(sigmoid(open_), memory)
        found.append(torch.addmm(bias, hidden, head))
        tags = found[-1].argmax(dim=1)
    return torch.cat(found)


def known_gates(
    weights: dict[str, torch.Tensor], states: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return what goes into the decoder's gates: from states, tags and hidden units.

    Parameters
    ----------
    weights : dict of str to tensor
        Of one model.
    states : tensor of shape (n_rows, 2 * dimension)

    Returns
    -------
    gates : tensor of shape (n_rows, 4 * n_hidden)
        From the states, and the biases.
    of_tags : tensor of shape (n_classes, 4 * n_hidden)
        What each tag before adds.
    recurrent : tensor of shape (n_hidden, 4 * n_hidden)
        What the states before are to be multiplied by.
    """
    into, recurrent, bias, more = (
        weights[f"decoder.{name}"].clone()
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    )
    bias += more
    into, recurrent, bias = (double_third_(part)[0] for part in (into, recurrent, bias))
    from_states, from_tags = into.mT.tensor_split([states.shape[1]])
    return torch.addmm(bias, states, from_states), from_tags, recurrent.mT
