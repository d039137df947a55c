"""The module of the sequence tagger."""

import torch
from torch import nn
from torch.nn.functional import one_hot, pad

from skal.nets.text._bilstm import BiLSTMEncoder
from skal.nets.text._vocabulary import PADDING
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
