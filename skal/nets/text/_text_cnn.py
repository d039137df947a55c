"""The convolutional network of the paper: classifier, module and stack."""

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


class ConvolutionStack(AutogradStack):
    """`ConvolutionNet`, side by side: sentences in a row, with a gap between them."""

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(self.jobs, batches, self.n_rows)
        # A gap before each sentence, and one after the last.
        ends = np.cumsum(lengths + 1, axis=1)
        n_rows = -(-(ends.max() + 1) // ROWS_AT_ONCE) * ROWS_AT_ONCE
        is_word = np.arange(words.shape[2]) < lengths[:, :, None]
        place, sentence, step = np.nonzero(is_word)
        row = ends[place, sentence] - lengths[place, sentence] + step
        in_rows = np.zeros((len(words), n_rows), dtype=np.int64)
        in_rows[place, row] = words[place, sentence, step]
        sentences = np.zeros_like(in_rows)
        sentences[place, row] = sentence
        return Batch(in_rows, (sentences, lengths), codes, weights)

    def _losses(
        self, weights: dict[str, torch.Tensor], vectors: torch.Tensor, batch: Batch
    ) -> torch.Tensor:
        rows, is_word = vectors, self._to((batch.words != 0)[:, :, None])
        for number in range(3):
            rows = convolve(weights, f"convolutions.{number}", rows).relu() * is_word
        means = mean_rows(rows, *map(self._to, batch.means))
        logits = linear(weights, "head.3", linear(weights, "head.0", means).relu())
        return cross_entropy(logits, self._to(batch.codes), self._to(batch.weights))


def convolve(
    weights: dict[str, torch.Tensor], name: str, rows: torch.Tensor
) -> torch.Tensor:
    """Convolve with width 3: each row with the one before and the one after.

    Parameters
    ----------
    weights : dict of str to tensor
    name : str
        Of the layer.
    rows : tensor of shape (n_models, n_rows, n_inputs)

    Returns
    -------
    tensor of shape (n_models, n_rows, n_outputs)
    """
    kernel = weights[f"{name}.weight"]  # n_models, n_outputs, n_inputs, 3
    n_models, n_outputs = kernel.shape[:2]
    ends = torch.nn.functional.pad(rows, (0, 0, 1, 1))
    windows = torch.cat([ends[:, :-2], ends[:, 1:-1], ends[:, 2:]], dim=2)
    matrix = kernel.permute(0, 1, 3, 2).reshape(n_models, n_outputs, -1)
    return Affine.apply(windows, matrix, weights[f"{name}.bias"], ROWS_AT_ONCE)


class TextCNNClassifier(BaseTextClassifier):
    """The convolutional network of the paper, for sentences.

    Word vectors, three convolutions over the words, each of 50 channels and of width 3,
    their mean over the words, and linear layers of 50 units and of one per class, with
    ReLU between. It is trained as `TorchClassifier` trains.

    A sentence is a text, or a list of words, and a text is cut up as `Vocabulary` does.
    What is predicted for a sentence does not depend on the others.

    Parameters
    ----------
    vectors : Bunch or mapping of str to array-like of shape (dimension,), default=None
        Word vectors to begin with, which training changes: what
        `skal.datasets.fetch_glove` returns, or each word, in lower case, with its
        vector. Words of the training sentences that have none begin with a random one
        of the same scale. None begins with standard normal vectors.

    embedding_dim : int, default=50
        Length of the word vectors, if `vectors` are not given.

    dropout : float, default=0.0
        Probability with which an input of the last layer is dropped in training, and in
        the samples of `sample_proba`, which needs it to be above 0.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        At most so many passes through the sentences.

    batch_size : int, default=32
        Sentences in a minibatch.

    patience : int, default=20
        With a validation set, training stops after this many epochs without a better
        score.

    scoring : str, callable or None, default=None
        What an epoch is judged by, as everywhere in scikit-learn; None takes the
        estimator's `score`, which is the accuracy.

    device : str, default="cpu"
        Where to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights and random word vectors, the minibatches, and
        what dropout drops in training. Pass an int for the same model in every call.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class list.

    module_ : torch.nn.Module
        The trained module.

    words_ : list of str, of length n_words
        The words known: those of `vectors` and those of the training sentences. All
        others are one unknown word.

    embedding_dim_ : int
        Length of the word vectors.

    input_shape_ : tuple of int
        Number of words of the longest training sentence, as a tuple. Others may be
        longer.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, from 1, whose weights were kept.

    See Also
    --------
    BiLSTMClassifier : Reads the words in their order, both ways.
    EmbeddingBagClassifier : Leaves the order of words out.

    Notes
    -----
    An empty sentence is one unknown word. Each step of training takes time for all
    `vectors`: give those of the task's words, as in `fetch_glove(words=...)`.

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
