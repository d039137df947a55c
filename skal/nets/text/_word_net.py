"""Base class of modules that read sentences, with masks and means over words."""

import torch
from torch import nn

from skal.nets.text._vocabulary import N_SPECIAL, PADDING


class WordNet(nn.Module):
    """Base class of modules that consist of word vectors, an encoder and a head.

    A subclass implements `encode`, and sets `head`, which computes logits from the
    output of `encode`.

    Parameters
    ----------
    n_words : int
        Number of words, without padding and the unknown word.

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
            The logits.
        """
        # A sentence that is all padding counts as one word, so that its mean is finite.
        lengths = (X != PADDING).sum(dim=1).clamp(min=1)
        vectors_N_L_D = self.embedding(X[:, : int(lengths.max())])
        return self.head(self.encode(vectors_N_L_D, lengths))


def word_embedding(n_words, dimension):
    """Return an embedding layer of zeros, to be filled with word vectors.

    Parameters
    ----------
    n_words : int
        Number of words, without padding and the unknown word.
    dimension : int
        Length of the word vectors.

    Returns
    -------
    torch.nn.Embedding
    """
    # No random numbers are drawn, so that the initial weights of the other layers do
    # not depend on the number of words.
    zeros = torch.zeros(n_words + N_SPECIAL, dimension)
    return nn.Embedding.from_pretrained(zeros, freeze=False, padding_idx=PADDING)


def mirror(lengths, length):
    """Return the positions that reverse each sentence but keep its padding.

    Parameters
    ----------
    lengths : tensor of shape (n_sentences,)
        Number of words of each sentence.
    length : int
        Number of words after padding.

    Returns
    -------
    tensor of shape (n_sentences, length), dtype int64
        The positions, for use with `reorder`.
    """
    positions_L = torch.arange(length, device=lengths.device)
    last_N_1 = lengths.unsqueeze(1) - 1
    return torch.where(is_word(lengths, length), last_N_1 - positions_L, positions_L)


def reorder(values_N_L_D, positions_N_L):
    """Reorder the words of each sentence.

    Parameters
    ----------
    values_N_L_D : tensor of shape (n_sentences, length, n_values)
        Values of each word.
    positions_N_L : tensor of shape (n_sentences, length), dtype int64
        Current position of the word that moves to each position.

    Returns
    -------
    tensor of shape (n_sentences, length, n_values)
        The reordered values.
    """
    n, length, _ = values_N_L_D.shape
    first = torch.arange(0, n * length, length, device=positions_N_L.device)
    # Selecting rows of a matrix is ten times faster than gathering along a dimension.
    rows = (positions_N_L + first.unsqueeze(1)).flatten()
    return values_N_L_D.flatten(0, 1).index_select(0, rows).view_as(values_N_L_D)


def mean_over_words(values_N_L_D, lengths):
    """Return the mean over the words of each sentence, without its padding.

    Parameters
    ----------
    values_N_L_D : tensor of shape (n_sentences, length, n_values)
        Values of each word.
    lengths : tensor of shape (n_sentences,)
        Number of words of each sentence, at least 1.

    Returns
    -------
    tensor of shape (n_sentences, n_values)
        The means.
    """
    is_word_N_L_1 = is_word(lengths, values_N_L_D.shape[1]).unsqueeze(2)
    return (values_N_L_D * is_word_N_L_1).sum(dim=1) / lengths.unsqueeze(1)


def is_word(lengths, length):
    """Return a mask of words, as opposed to padding.

    Parameters
    ----------
    lengths : tensor of shape (n_sentences,)
        Number of words of each sentence.
    length : int
        Number of words after padding.

    Returns
    -------
    tensor of shape (n_sentences, length), dtype bool
        The mask.
    """
    return torch.arange(length, device=lengths.device) < lengths.unsqueeze(1)
