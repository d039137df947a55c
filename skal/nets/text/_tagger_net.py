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
from skal.nets.text._lstm import Packing, advance, double_third_, pack, scan, sigmoid
from skal.nets.text._text_stack import AutogradStack, Corpus, Sentences, gather
from skal.nets.text._vocabulary import PADDING, by_length
from skal.nets.text._word_net import mean_over_words, word_embedding

# Hidden units of the decoder.
N_HIDDEN = 50


class TaggerNet(nn.Module):
    """A bidirectional LSTM over the words, and an LSTM over the tags.

    The second, the decoder, has 50 hidden units. At each token it sees the states of
    the first, the encoder, at this token, and the tag of the token before as a one-hot
    vector, which is zero at the first token.

    Parameters
    ----------
    n_classes : int
        Number of tags.

    n_words : int
        Number of words, padding and the unknown word not counted.

    dimension : int
        Length of the word vectors. The encoder has as many hidden units in each
        direction.

    dropout : float, default=0.0
        Probability with which an input of the linear layer is dropped in training.

    Notes
    -----
    The first weights are drawn in the order of the layers: encoder to the right,
    encoder to the left, decoder, linear layer.

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
        """Return the logits of each tag, given the true tags of the tokens before.

        Parameters
        ----------
        X : tensor of shape (n_sentences, 2, length), dtype int64
            Word numbers, padded on the right, and the numbers of the tags before, where
            `n_classes` says that there is none.

        Returns
        -------
        tensor of shape (n_sentences, n_classes, length)
            Zero beyond the longest sentence, and of no meaning in other padding.
        """
        states_N_L_D = self.encode(X[:, 0])
        longest = states_N_L_D.shape[1]
        before_N_L_C = one_hot(X[:, 1, :longest], self.n_classes + 1)[..., :-1]
        inputs = torch.cat([states_N_L_D, before_N_L_C.to(states_N_L_D.dtype)], dim=2)
        logits_N_L_C = self.head(self.decoder(inputs)[0])
        return pad(logits_N_L_C.transpose(1, 2), (0, X.shape[2] - longest))

    def decode(self, numbers):
        """Return the logits of each tag, given the likeliest tags of the tokens before.

        These are chosen greedily, from left to right.

        Parameters
        ----------
        numbers : tensor of shape (n_sentences, length), dtype int64
            Word numbers, padded on the right.

        Returns
        -------
        tensor of shape (n_sentences, n_tokens of the longest, n_classes)
            Without meaning in the padding.
        """
        gates_N_L_G, of_tags = self._known_gates(self.encode(numbers))
        recurrent = self.decoder.weight_hh_l0.T
        hidden = cell = gates_N_L_G.new_zeros(len(numbers), N_HIDDEN)
        tags = numbers.new_full((len(numbers),), self.n_classes)
        logits = []
        for gates in gates_N_L_G.unbind(dim=1):
            gates = torch.addmm(gates, hidden, recurrent) + of_tags[tags]
            hidden, cell = _step(gates, cell)
            logits.append(self.head(hidden))
            tags = logits[-1].argmax(dim=1)
        return torch.stack(logits, dim=1)

    def _known_gates(self, states_N_L_D):
        """Return what goes into the decoder's gates: from the states, from each tag.

        All but the product with the hidden units is known before the first step. The
        last row is that of no tag.
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
            Without meaning in the padding.
        """
        lengths = _lengths(numbers)
        vectors_N_L_D = self.embedding(numbers[:, : int(lengths.max())])
        return self.encoder(vectors_N_L_D, lengths)


def _lengths(numbers):
    return (numbers != PADDING).sum(dim=1)


def _step(gates, cell):
    """Return the next state of an LSTM, whose gates stand as in torch's: i, f, g, o."""
    update, keep, _, show = gates.sigmoid().chunk(4, dim=1)
    cell = keep * cell + update * gates.chunk(4, dim=1)[2].tanh()
    return show * cell.tanh(), cell


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
