"""Base class of modules that read sentences: word vectors, masks, means over words."""

import torch
from torch import nn

from skal.nets.text._vocabulary import N_SPECIAL, PADDING


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
