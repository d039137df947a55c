"""The module and the stack of the sequence tagger."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import one_hot, pad

from skal.nets.side_by_side._ops import linear
from skal.nets.side_by_side._stack import in_order
from skal.nets.text._bilstm import BiLSTMEncoder, both_ways, read_both_ways
from skal.nets.text._lstm import Packing, double_third_, lstm_step, pack, scan, sigmoid
from skal.nets.text._text_stack import AutogradStack, Corpus, Sentences, gather
from skal.nets.text._vocabulary import PADDING, by_length
from skal.nets.text._word_net import mean_over_words, word_embedding

# Number of hidden units of the decoder, as in the paper.
N_HIDDEN = 50


class TaggerNet(nn.Module):
    """A bidirectional LSTM over the words, and an LSTM over the tags.

    The second LSTM, the decoder, has 50 hidden units. Its inputs at each token are the
    states of the first LSTM, the encoder, and the previous tag as a one-hot vector,
    which is zero at the first token.

    Parameters
    ----------
    n_classes : int
        Number of tags.

    n_words : int
        Number of words, without padding and the unknown word.

    dimension : int
        Length of the word vectors, and number of hidden units of the encoder in each
        direction.

    dropout : float, default=0.0
        Probability of dropping an input of the linear layer during training.

    Notes
    -----
    The initial weights are drawn in the order of the layers: rightward encoder,
    leftward encoder, decoder, linear layer.

    References
    ----------
    Shen et al., "Deep Active Learning for Named Entity Recognition", ICLR 2018, without
    the convolutions over characters.
    """

    def __init__(self, n_classes, n_words, dimension, dropout=0.0):
        super().__init__()
        self.n_classes = n_classes
        self.embedding = word_embedding(n_words, dimension)
        self.encoder = BiLSTMEncoder(dimension)
        self.decoder = nn.LSTM(2 * dimension + n_classes, N_HIDDEN, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(N_HIDDEN, n_classes))

    def forward(self, X):
        """Return the logits of the tags, given the true previous tags.

        Parameters
        ----------
        X : tensor of shape (n_sentences, 2, length), dtype int64
            Word numbers, padded on the right, and the codes of the previous tags, with
            `n_classes` for no previous tag.

        Returns
        -------
        tensor of shape (n_sentences, n_classes, length)
            The logits: zero beyond the longest sentence, meaningless in other padding.
        """
        states_N_L_D = self.encode(X[:, 0])
        longest = states_N_L_D.shape[1]
        before_N_L_C = one_hot(X[:, 1, :longest], self.n_classes + 1)[..., :-1]
        inputs = torch.cat([states_N_L_D, before_N_L_C.to(states_N_L_D.dtype)], dim=2)
        logits_N_L_C = self.head(self.decoder(inputs)[0])
        return pad(logits_N_L_C.transpose(1, 2), (0, X.shape[2] - longest))

    def decode(self, numbers):
        """Return the logits of the tags, given the most likely previous tags.

        The tags are chosen greedily, from left to right.

        Parameters
        ----------
        numbers : tensor of shape (n_sentences, length), dtype int64
            Word numbers, padded on the right.

        Returns
        -------
        tensor of shape (n_sentences, n_tokens of the longest, n_classes)
            The logits. Their values in the padding are meaningless.
        """
        gates_N_L_G, tag_gates = self._known_gates(self.encode(numbers))
        w_hidden = self.decoder.weight_hh_l0.T
        hidden = cell = gates_N_L_G.new_zeros(len(numbers), N_HIDDEN)
        tags = numbers.new_full((len(numbers),), self.n_classes)
        logits = []
        for gates in gates_N_L_G.unbind(dim=1):
            gates = torch.addmm(gates, hidden, w_hidden) + tag_gates[tags]
            hidden, cell = _step(gates, cell)
            logits.append(self.head(hidden))
            tags = logits[-1].argmax(dim=1)
        return torch.stack(logits, dim=1)

    def _known_gates(self, states_N_L_D):
        """Return the inputs of the decoder's gates: from the states, and per tag.

        Only the product with the hidden states has to be added at each step. The last
        row of the second tensor is for no previous tag.
        """
        width = states_N_L_D.shape[2]
        from_states, from_tags = self.decoder.weight_ih_l0.tensor_split([width], dim=1)
        bias = self.decoder.bias_ih_l0 + self.decoder.bias_hh_l0
        gates_N_L_G = nn.functional.linear(states_N_L_D, from_states, bias)
        return gates_N_L_G, pad(from_tags.T, (0, 0, 0, 1))

    def embed(self, numbers):
        """Return the mean state of the encoder.

        Parameters
        ----------
        numbers : tensor of shape (n_sentences, length), dtype int64
            Word numbers, padded on the right.

        Returns
        -------
        tensor of shape (n_sentences, 2 * dimension)
            The mean states.
        """
        return mean_over_words(self.encode(numbers), _lengths(numbers))

    def encode(self, numbers):
        """Return the state of the encoder at each token, rightward and leftward.

        Parameters
        ----------
        numbers : tensor of shape (n_sentences, length), dtype int64
            Word numbers, padded on the right.

        Returns
        -------
        tensor of shape (n_sentences, n_tokens of the longest, 2 * dimension)
            The states. Their values in the padding are meaningless.
        """
        lengths = _lengths(numbers)
        vectors_N_L_D = self.embedding(numbers[:, : int(lengths.max())])
        return self.encoder(vectors_N_L_D, lengths)


def _lengths(numbers):
    return (numbers != PADDING).sum(dim=1)


def _step(gates, cell):
    """Return the next states of an LSTM, with gates in torch's order: i, f, g, o."""
    input_gate, forget_gate, _, output_gate = gates.sigmoid().chunk(4, dim=1)
    cell = forget_gate * cell + input_gate * gates.chunk(4, dim=1)[2].tanh()
    return output_gate * cell.tanh(), cell


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
        return mean_loss(logits, self._to(batch.codes), self._to(batch.weights))

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
