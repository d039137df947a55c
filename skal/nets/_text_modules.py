"""Modules that read sentences: the architectures of the paper's intent classification.

What they say of a sentence does not depend on its padding, nor on the other sentences
of its batch.
"""

import torch
from torch import nn

from skal.nets._vocabulary import N_SPECIAL, PADDING


class WordNet(nn.Module):
    """Base class: word vectors, what a subclass makes of them, and a head.

    A subclass writes `encode`, and sets `head`, which turns its answer into logits.

    Parameters
    ----------
    n_words : int
        Number of words, padding and the unknown word not counted.

    dimension : int
        Length of the word vectors.
    """

    def __init__(self, n_words, dimension):
        super().__init__()
        self.embedding = word_embedding(n_words, dimension)

    def forward(self, X):
        """Return the logits.

        Parameters
        ----------
        X : tensor of shape (n_sentences, length), dtype int64
            Word numbers, padded on the right.

        Returns
        -------
        tensor of shape (n_sentences, n_classes)
        """
        # A sentence of padding alone counts as one word, so that its mean is finite.
        lengths = (X != PADDING).sum(dim=1).clamp(min=1)
        vectors_N_L_D = self.embedding(X[:, : int(lengths.max())])
        return self.head(self.encode(vectors_N_L_D, lengths))


class BiLSTMNet(WordNet):
    """A bidirectional LSTM, the mean of its states, and a linear layer.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    n_words, dimension : int
        As in `WordNet`. There are as many hidden units in each direction as dimensions.

    dropout : float, default=0.0
        Probability with which an input of the last layer is dropped in training.
    """

    def __init__(self, n_classes, n_words, dimension, dropout=0.0):
        super().__init__(n_words, dimension)
        self.encoder = BiLSTMEncoder(dimension)
        self.head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(2 * dimension, n_classes)
        )

    def encode(self, vectors_N_L_D, lengths):
        """Return the mean state of both directions.

        Parameters
        ----------
        vectors_N_L_D : tensor of shape (n_sentences, length, dimension)
        lengths : tensor of shape (n_sentences,)

        Returns
        -------
        tensor of shape (n_sentences, 2 * dimension)
        """
        return mean_over_words(self.encoder(vectors_N_L_D, lengths), lengths)


class ConvolutionNet(WordNet):
    """Three convolutions over the words, their mean, and two linear layers.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    n_words, dimension : int
        As in `WordNet`.

    dropout : float, default=0.0
        Probability with which an input of the last layer is dropped in training.
    """

    def __init__(self, n_classes, n_words, dimension, dropout=0.0):
        super().__init__(n_words, dimension)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_channels, 50, kernel_size=3, padding=1)
            for n_channels in (dimension, 50, 50)
        )
        self.head = nn.Sequential(
            nn.Linear(50, 50),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(50, n_classes),
        )

    def encode(self, vectors_N_L_D, lengths):
        """Return the mean over the words of what the last convolution makes of them.

        Parameters
        ----------
        vectors_N_L_D : tensor of shape (n_sentences, length, dimension)
        lengths : tensor of shape (n_sentences,)

        Returns
        -------
        tensor of shape (n_sentences, 50)
        """
        is_word_N_1_L = is_word(lengths, vectors_N_L_D.shape[1]).unsqueeze(1)
        channels_N_C_L = vectors_N_L_D.transpose(1, 2)
        for convolution in self.convolutions:
            # Beyond the last word each layer sees zeros, however long the padding is.
            channels_N_C_L = convolution(channels_N_C_L).relu() * is_word_N_1_L
        return mean_over_words(channels_N_C_L.transpose(1, 2), lengths)


class AverageNet(WordNet):
    """The mean of the word vectors, and three linear layers.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    n_words, dimension : int
        As in `WordNet`.

    dropout : float, default=0.0
        Probability with which an input of the last layer is dropped in training.
    """

    def __init__(self, n_classes, n_words, dimension, dropout=0.0):
        super().__init__(n_words, dimension)
        self.head = nn.Sequential(
            nn.Linear(dimension, 100),
            nn.ReLU(),
            nn.Linear(100, 100),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(100, n_classes),
        )

    def encode(self, vectors_N_L_D, lengths):
        """Return the mean word vector.

        Parameters
        ----------
        vectors_N_L_D : tensor of shape (n_sentences, length, dimension)
        lengths : tensor of shape (n_sentences,)

        Returns
        -------
        tensor of shape (n_sentences, dimension)
        """
        return mean_over_words(vectors_N_L_D, lengths)


class BiLSTMEncoder(nn.Module):
    """A bidirectional LSTM, with as many hidden units in each direction as inputs.

    Parameters
    ----------
    dimension : int
        Number of values of an input.
    """

    def __init__(self, dimension):
        super().__init__()
        # One nn.LSTM of both directions would have to be packed, or the leftward one
        # would begin with the padding; and packed takes four times as long.
        self.rightward = nn.LSTM(dimension, dimension, batch_first=True)
        self.leftward = nn.LSTM(dimension, dimension, batch_first=True)

    def forward(self, vectors_N_L_D, lengths):
        """Return the state at each word, rightward and leftward.

        Parameters
        ----------
        vectors_N_L_D : tensor of shape (n_sentences, length, dimension)
        lengths : tensor of shape (n_sentences,)

        Returns
        -------
        tensor of shape (n_sentences, length, 2 * dimension)
            Without meaning in the padding.
        """
        mirror_N_L = mirror(lengths, vectors_N_L_D.shape[1])
        right_N_L_D = self.rightward(vectors_N_L_D)[0]
        left_N_L_D = self.leftward(reorder(vectors_N_L_D, mirror_N_L))[0]
        return torch.cat([right_N_L_D, reorder(left_N_L_D, mirror_N_L)], dim=2)


def word_embedding(n_words, dimension):
    """Return an embedding of words, all zero until their vectors are put there.

    Parameters
    ----------
    n_words : int
        Number of words, padding and the unknown word not counted.
    dimension : int
        Length of the word vectors.

    Returns
    -------
    torch.nn.Embedding
    """
    # Nothing is drawn for it, so that the first weights of the other layers do not
    # depend on how many words there are.
    zeros = torch.zeros(n_words + N_SPECIAL, dimension)
    return nn.Embedding.from_pretrained(zeros, freeze=False, padding_idx=PADDING)


def mirror(lengths, length):
    """Return the positions that turn each sentence round, and leave its padding.

    Parameters
    ----------
    lengths : tensor of shape (n_sentences,)
    length : int

    Returns
    -------
    tensor of shape (n_sentences, length), dtype int64
    """
    positions_L = torch.arange(length, device=lengths.device)
    last_N_1 = lengths.unsqueeze(1) - 1
    return torch.where(is_word(lengths, length), last_N_1 - positions_L, positions_L)


def reorder(values_N_L_D, positions_N_L):
    """Put the words of each sentence in another order.

    Parameters
    ----------
    values_N_L_D : tensor of shape (n_sentences, length, n_values)
    positions_N_L : tensor of shape (n_sentences, length), dtype int64
        Which word comes to stand in each place.

    Returns
    -------
    tensor of shape (n_sentences, length, n_values)
    """
    n, length, _ = values_N_L_D.shape
    first = torch.arange(0, n * length, length, device=positions_N_L.device)
    # As rows of one matrix: to gather along a dimension takes ten times as long.
    rows = (positions_N_L + first.unsqueeze(1)).flatten()
    return values_N_L_D.flatten(0, 1).index_select(0, rows).view_as(values_N_L_D)


def mean_over_words(values_N_L_D, lengths):
    """Return the mean over the words of each sentence, without its padding.

    Parameters
    ----------
    values_N_L_D : tensor of shape (n_sentences, length, n_values)
    lengths : tensor of shape (n_sentences,)
        Number of words of each sentence, at least 1.

    Returns
    -------
    tensor of shape (n_sentences, n_values)
    """
    is_word_N_L_1 = is_word(lengths, values_N_L_D.shape[1]).unsqueeze(2)
    return (values_N_L_D * is_word_N_L_1).sum(dim=1) / lengths.unsqueeze(1)


def is_word(lengths, length):
    """Tell words from padding.

    Parameters
    ----------
    lengths : tensor of shape (n_sentences,)
    length : int

    Returns
    -------
    tensor of shape (n_sentences, length), dtype bool
    """
    return torch.arange(length, device=lengths.device) < lengths.unsqueeze(1)
