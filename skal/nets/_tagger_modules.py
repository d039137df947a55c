"""TaggerNet: reads a sentence both ways, and names the tags of its tokens in turn.

What it says of a sentence does not depend on its padding, nor on the other sentences of
its batch.
"""

import torch
from torch import nn
from torch.nn.functional import one_hot, pad

from skal.nets._text_modules import BiLSTMEncoder, mean_over_words, word_embedding
from skal.nets._vocabulary import PADDING

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
