"""The paper's convolutional network for text: classifier, module and stack."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from skal.nets.side_by_side._ops import ROWS_AT_ONCE, Affine, cross_entropy, linear
from skal.nets.text._base import BaseTextClassifier
from skal.nets.text._text_stack import AutogradStack, Batch, gather, mean_rows
from skal.nets.text._word_net import WordNet, is_word, mean_over_words


class ConvolutionNet(WordNet):
    """Three convolutions over the words, their mean, and two linear layers.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    n_words, dimension : int
        As in `WordNet`.

    dropout : float, default=0.0
        Probability of dropping an input of the last layer during training.
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
        """Return the mean output of the last convolution over the words.

        Parameters
        ----------
        vectors_N_L_D : tensor of shape (n_sentences, length, dimension)
            Word vectors.
        lengths : tensor of shape (n_sentences,)
            Number of words of each sentence.

        Returns
        -------
        tensor of shape (n_sentences, 50)
            The mean outputs.
        """
        is_word_N_1_L = is_word(lengths, vectors_N_L_D.shape[1]).unsqueeze(1)
        channels_N_C_L = vectors_N_L_D.transpose(1, 2)
        for convolution in self.convolutions:
            # Masked, so that the output does not depend on the amount of padding.
            channels_N_C_L = convolution(channels_N_C_L).relu() * is_word_N_1_L
        return mean_over_words(channels_N_C_L.transpose(1, 2), lengths)


class ConvolutionStack(AutogradStack):
    """Trains many `ConvolutionNet` side by side.

    The sentences of a minibatch are concatenated, with a gap between them.
    """

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(
            self.jobs, batches, self.n_rows, row_weights=self.row_weights
        )
        # One row of zeros before each sentence and one after the last.
        ends = np.cumsum(lengths + 1, axis=1)
        n_rows = -(-(ends.max() + 1) // ROWS_AT_ONCE) * ROWS_AT_ONCE
        is_word = np.arange(words.shape[2]) < lengths[:, :, None]
        model, sentence, step = np.nonzero(is_word)
        row = ends[model, sentence] - lengths[model, sentence] + step
        in_rows = np.zeros((len(words), n_rows), dtype=np.int64)
        in_rows[model, row] = words[model, sentence, step]
        sentences = np.zeros_like(in_rows)
        sentences[model, row] = sentence
        return Batch(in_rows, (sentences, lengths), codes, weights)

    def _losses(
        self, weights: dict[str, torch.Tensor], vectors: torch.Tensor, batch: Batch
    ) -> torch.Tensor:
        rows, is_word = vectors, self._to((batch.words != 0)[:, :, None])
        for number in range(3):
            rows = convolve(weights, f"convolutions.{number}", rows).relu() * is_word
        means = mean_rows(rows, *self._all_to(batch.means))
        logits = linear(weights, "head.3", linear(weights, "head.0", means).relu())
        return cross_entropy(logits, *self._all_to([batch.codes, batch.weights]))


def convolve(
    weights: dict[str, torch.Tensor], name: str, rows: torch.Tensor
) -> torch.Tensor:
    """Apply a convolution of width 3 over the rows of each model.

    Parameters
    ----------
    weights : dict of str to tensor
        Stacked weights.
    name : str
        Name of the layer.
    rows : tensor of shape (n_models, n_rows, n_inputs)
        The inputs.

    Returns
    -------
    tensor of shape (n_models, n_rows, n_outputs)
        The outputs.
    """
    kernel = weights[f"{name}.weight"]  # n_models, n_outputs, n_inputs, 3
    n_models, n_outputs = kernel.shape[:2]
    ends = torch.nn.functional.pad(rows, (0, 0, 1, 1))
    windows = torch.cat([ends[:, :-2], ends[:, 1:-1], ends[:, 2:]], dim=2)
    matrix = kernel.permute(0, 1, 3, 2).reshape(n_models, n_outputs, -1)
    return Affine.apply(windows, matrix, weights[f"{name}.bias"], ROWS_AT_ONCE)


class TextCNNClassifier(BaseTextClassifier):
    """The paper's convolutional network, for sentences.

    The network consists of word vectors, three convolutions over the words with 50
    channels and width 3, the mean over the words, and two linear layers of 50 units and
    one unit per class, with ReLU between layers. It is trained in the same way as
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
    BiLSTMClassifier : A bidirectional LSTM, which reads words in order.
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
    >>> from skal.nets import TextCNNClassifier
    >>> X, y = make_intents(200, random_state=0)
    >>> model = TextCNNClassifier(dropout=0.5, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(["set an alarm for five"]).shape, model.embed(X).shape
    ((1,), (200, 50))
    >>> model.sample_proba(X, n_samples=3, random_state=0).shape
    (200, 3, 4)
    """

    _module = ConvolutionNet
    _stack_class = ConvolutionStack
