"""The paper's bidirectional LSTM: classifier, module and stack."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from skal.nets.side_by_side._ops import cross_entropy, linear
from skal.nets.text._base import BaseTextClassifier
from skal.nets.text._stacked_lstm import Packing, pack, scan
from skal.nets.text._text_stack import AutogradStack, Batch, gather, mean_rows
from skal.nets.text._word_net import WordNet, mean_over_words, mirror, reorder


class BiLSTMNet(WordNet):
    """A bidirectional LSTM, the mean of its states, and a linear layer.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    n_words, dimension : int
        As in `WordNet`. Each direction has `dimension` hidden units.

    dropout : float, default=0.0
        Probability of dropping an input of the last layer during training.
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
            Word vectors.
        lengths : tensor of shape (n_sentences,)
            Number of words of each sentence.

        Returns
        -------
        tensor of shape (n_sentences, 2 * dimension)
            The mean states.
        """
        return mean_over_words(self.encoder(vectors_N_L_D, lengths), lengths)


class BiLSTMEncoder(nn.Module):
    """A bidirectional LSTM, with as many hidden units in each direction as inputs.

    Parameters
    ----------
    dimension : int
        Number of inputs, and of hidden units in each direction.
    """

    def __init__(self, dimension):
        super().__init__()
        # Two layers: a single bidirectional nn.LSTM would start its leftward direction
        # in the padding, unless sentences are packed, which takes four times as long.
        self.rightward = nn.LSTM(dimension, dimension, batch_first=True)
        self.leftward = nn.LSTM(dimension, dimension, batch_first=True)

    def forward(self, vectors_N_L_D, lengths):
        """Return the state at each word, rightward and leftward.

        Parameters
        ----------
        vectors_N_L_D : tensor of shape (n_sentences, length, dimension)
            Word vectors.
        lengths : tensor of shape (n_sentences,)
            Number of words of each sentence.

        Returns
        -------
        tensor of shape (n_sentences, length, 2 * dimension)
            The states. Their values in the padding are meaningless.
        """
        mirror_N_L = mirror(lengths, vectors_N_L_D.shape[1])
        right_N_L_D = self.rightward(vectors_N_L_D)[0]
        left_N_L_D = self.leftward(reorder(vectors_N_L_D, mirror_N_L))[0]
        return torch.cat([right_N_L_D, reorder(left_N_L_D, mirror_N_L)], dim=2)


class BiLSTMStack(AutogradStack):
    """Trains many `BiLSTMNet` side by side, with sentences packed by length."""

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(
            self.jobs, batches, self.n_rows, True, self.row_weights
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
        means = mean_rows(states * is_word, *self._all_to(batch.means))
        logits = linear(weights, "head.1", means)
        return cross_entropy(logits, *self._all_to([batch.codes, batch.weights]))


def both_ways(words: NDArray[np.int64], packing: Packing) -> NDArray[np.int64]:
    """Return the words in packed rows, in left-to-right and then right-to-left order.

    Parameters
    ----------
    words : ndarray of shape (n_models, n_sentences, length)
        Word numbers.
    packing : Packing
        The layout of the rows.

    Returns
    -------
    ndarray of shape (n_models, 2 * n_rows)
        Word numbers; zero for padding.
    """
    models = np.arange(len(words))[:, None]
    right = words[models, packing.sentences, packing.steps]
    left = words[models, packing.sentences, packing.mirrored]
    return np.concatenate([right * packing.is_word, left * packing.is_word], axis=1)


def encode(
    weights: dict[str, torch.Tensor], vectors: torch.Tensor, packing: Packing
) -> torch.Tensor:
    """Return the states of both directions of a `BiLSTMEncoder`, in packed rows.

    Parameters
    ----------
    weights : dict of str to tensor
        Stacked weights.
    vectors : tensor of shape (n_models, 2 * n_rows, dimension)
        Vectors of the words that `both_ways` returns.
    packing : Packing
        The layout of the rows.

    Returns
    -------
    tensor of shape (n_models, n_rows, 2 * dimension)
        The states; for the leftward direction, in right-to-left order.
    """
    return torch.cat(read_both_ways(weights, vectors, packing), dim=2)


def read_both_ways(
    weights: dict[str, torch.Tensor], vectors: torch.Tensor, packing: Packing
) -> tuple[torch.Tensor, ...]:
    """Return the states of both directions, as in `encode`, but separately.

    Parameters
    ----------
    weights, vectors, packing
        As in `encode`.

    Returns
    -------
    right, left : tensors of shape (n_models, n_rows, dimension)
        The states of each direction.
    """
    # Both directions are stacked as if they were models, which halves the operations.
    ways = "rightward", "leftward"
    names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"
    both = {
        f"both.{name}": torch.cat([weights[f"encoder.{way}.{name}"] for way in ways])
        for name in names
    }
    inputs = torch.cat(vectors.chunk(2, dim=1))
    return scan(both, "both", inputs, packing.counts).chunk(2)


class BiLSTMClassifier(BaseTextClassifier):
    """The paper's bidirectional LSTM, for sentences.

    The network consists of word vectors, a bidirectional LSTM with one hidden unit per
    dimension of the vectors in each direction, the mean of its states over the words,
    and a linear layer of one unit per class. It is trained in the same way as
    `TorchClassifier`.

    A sentence is a str, which is split into words as `Vocabulary` does, or a list of
    words. The prediction for a sentence does not depend on the other sentences.

    Parameters
    ----------
    vectors : Bunch or mapping of str to array-like of shape (dimension,), default=None
        Initial word vectors, which training then updates: the return value of
        `skal.datasets.fetch_glove`, or a mapping from each word, in lower case, to its
        vector. Words of the training sentences without a vector start from a random one
        of the same scale. With None, all vectors start from a standard normal
        distribution.

    embedding_dim : int, default=50
        Length of the word vectors. Only used if `vectors` is None.

    dropout : float, default=0.0
        Probability of dropping an input of the last layer during training and in
        `sample_proba`, which needs a value above 0.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        Maximum number of passes through the training sentences.

    batch_size : int, default=32
        Number of sentences per minibatch.

    patience : int, default=20
        Number of epochs without a better validation score after which training stops.
        Not used without a validation set.

    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss, as a dict from labels to weights; a class that
        it lacks has weight 1. "balanced" weighs classes by the inverse of their number
        of training sentences. None weighs all alike.

    scoring : str, callable or None, default=None
        Validation score that determines the best epoch, given in any form that
        scikit-learn accepts. None uses the estimator's `score` method, the accuracy.

    device : str, default="cpu"
        Device on which to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Controls the initial weights and random word vectors, the order of the
        minibatches, and dropout during training. Pass an int for reproducible output
        across multiple function calls.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.

    module_ : torch.nn.Module
        The trained module.

    words_ : list of str, of length n_words
        The vocabulary: the words in `vectors` and in the training sentences. All other
        words are treated as one unknown word.

    embedding_dim_ : int
        Length of the word vectors.

    input_shape_ : tuple of int
        Number of words in the longest training sentence, as a tuple of one value.
        Sentences to predict may be longer.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, counted from 1, whose weights were kept.

    See Also
    --------
    TextCNNClassifier : A convolutional network over neighbouring words.
    EmbeddingBagClassifier : Averages the word vectors and ignores word order.

    Notes
    -----
    An empty sentence is treated as one unknown word. The cost of a training step grows
    with the number of `vectors`: pass only the vectors of the words that the task uses,
    as in `fetch_glove(words=...)`.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Table 1.

    Examples
    --------
    >>> from skal.datasets import make_intents
    >>> from skal.nets import BiLSTMClassifier
    >>> X, y = make_intents(200, random_state=0)
    >>> model = BiLSTMClassifier(dropout=0.5, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(["set an alarm for five"]).shape, model.embed(X).shape
    ((1,), (200, 100))
    >>> model.sample_proba(X, n_samples=3, random_state=0).shape
    (200, 3, 4)
    """

    _module = BiLSTMNet
    _stack_class = BiLSTMStack
