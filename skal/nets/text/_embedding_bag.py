"""The paper's average-of-embeddings network: classifier, module and stack."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import embedding_bag

from skal.nets.side_by_side._ops import fours
from skal.nets.text._base import BaseTextClassifier
from skal.nets.text._text_stack import Sentences, TextStack, gather
from skal.nets.text._word_net import WordNet, mean_over_words


class EmbeddingBagNet(WordNet):
    """The mean of the word vectors, and three linear layers.

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
            Word vectors.
        lengths : tensor of shape (n_sentences,)
            Number of words of each sentence.

        Returns
        -------
        tensor of shape (n_sentences, dimension)
            The mean vectors.
        """
        return mean_over_words(vectors_N_L_D, lengths)


# Names of the linear layers.
LAYERS = "head.0", "head.2", "head.5"


Weights = dict[str, torch.Tensor]


class Batch(NamedTuple):
    """Minibatches of several models, with their words concatenated.

    Parameters
    ----------
    words : tensor of shape (n_words,), dtype int64
        Word numbers in the training set of each model.
    models, sentences : tensors of shape (n_words,), dtype int64
        Index of the model and of the sentence, counted over all models, of each word.
    lengths : tensor of shape (n_models * n_sentences,)
        Number of words of each sentence.
    codes : tensor of shape (n_models, n_sentences), dtype int64
        Class codes.
    weights : tensor of shape (n_models, n_sentences)
        Weight of each sentence in the mean loss.
    """

    words: torch.Tensor
    models: torch.Tensor
    sentences: torch.Tensor
    lengths: torch.Tensor
    codes: torch.Tensor
    weights: torch.Tensor


class EmbeddingBagStack(TextStack):
    """Trains many `EmbeddingBagNet` side by side.

    The gradients are computed by hand: the matrix products are so small that autograd
    would double the time.
    """

    default_width = 16

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(
            self.jobs, batches, self.n_rows, row_weights=self.row_weights
        )
        is_word = words != 0
        lengths = lengths.reshape(-1)
        sentences = np.repeat(np.arange(len(lengths)), lengths)
        parts = words[is_word], sentences // self.n_rows, sentences, lengths
        return Batch(*self._all_to([*parts, codes, weights]))

    def _differentiate(
        self, leaves: Weights, batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        batch, n = self._collate(batches), len(batches)
        with torch.no_grad():
            # Mean vector of each sentence, from the rows of weights seen as vectors.
            gradients = torch.zeros_like(self.rows[:n])
            per_model = self.rows.shape[1] // self.dimension
            rows = batch.words + (batch.models * per_model + self.n_before)
            starts = batch.lengths.cumsum(0) - batch.lengths
            table = self.rows.view(-1, self.dimension)
            sums = embedding_bag(rows, table, starts, mode="sum")
            shares = (1 / batch.lengths.clamp(min=1)).unsqueeze(1)
            means = (sums * shares).view(n, self.n_rows, -1)
            losses, found, d_means = backpropagate(
                leaves, means, batch.codes, batch.weights
            )
            # Each word of a sentence gets an equal share of the gradient of its mean.
            d_means = d_means.flatten(0, 1) * shares
            d_words = d_means.index_select(0, batch.sentences)
            gradients.view(-1, self.dimension).index_add_(0, rows, d_words)
            # Copy the gradients of the layers, through views of the rows.
            for gradient, value in zip(
                self._views(gradients).values(), found, strict=True
            ):
                gradient.copy_(value)
        return losses, gradients

    def answers(
        self, slots: Sequence[int], inputs: Sentences
    ) -> list[NDArray[np.int64]]:
        """Return the predicted class code of each sentence, for several models.

        Parameters
        ----------
        slots : sequence of int
            Indices of the slots.
        inputs : Sentences
            The sentences.

        Returns
        -------
        list of ndarray of shape (n_sentences,), dtype int64
            The class codes, one array per model.
        """
        logits = self._all_logits(slots, inputs)
        return list(logits.argmax(dim=2).cpu().numpy())

    def _all_logits(self, slots: Sequence[int], inputs: Sentences) -> torch.Tensor:
        """Return logits of shape (n_models, n_sentences, n_classes)."""
        n = len(inputs)
        words, starts = self._all_to([inputs.words, inputs.starts])
        with torch.inference_mode():
            x = self.rows.new_zeros(len(slots), fours(n), self.dimension)
            for row, slot in zip(x, slots, strict=True):
                table = self._table(slot, inputs)
                row[:n] = embedding_bag(words, table, starts, mode="mean")
            weights = self._views(self.rows[list(slots), : len(self.first)])
            return forward(weights, x)[-1][:, :n]

    def logits(self, slot: int, inputs: Sentences) -> torch.Tensor:
        """Return the logits of each sentence, for one model.

        Parameters
        ----------
        slot : int
            Index of the slot.
        inputs : Sentences
            The sentences.

        Returns
        -------
        tensor of shape (n_sentences, n_classes)
            The logits.
        """
        return self._all_logits([slot], inputs)[0]


def forward(w: Weights, x0: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the output of each layer.

    Parameters
    ----------
    w : dict of str to tensor
        Stacked weights.
    x0 : tensor of shape (n_models, n_sentences, dimension)
        Mean vectors.

    Returns
    -------
    x1, x2, logits : tensors of shape (n_models, n_sentences, n_units)
        The outputs.
    """
    x1 = linear(w, LAYERS[0], x0).relu_()
    x2 = linear(w, LAYERS[1], x1).relu_()
    return x1, x2, linear(w, LAYERS[2], x2)


def linear(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer of each model to its rows.

    Parameters
    ----------
    w : dict of str to tensor
        Stacked weights.
    name : str
        Name of the layer.
    x : tensor of shape (n_models, n_rows, n_inputs)
        The inputs.

    Returns
    -------
    tensor of shape (n_models, n_rows, n_outputs)
        The outputs.
    """
    bias = w[f"{name}.bias"].unsqueeze(1)
    return torch.baddbmm(bias, x, w[f"{name}.weight"].mT)


def backpropagate(
    w: Weights, x0: torch.Tensor, codes: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
    """Return the losses, and the gradients of the weights and the mean vectors.

    Parameters
    ----------
    w : dict of str to tensor
        Stacked weights.
    x0 : tensor of shape (n_models, n_sentences, dimension)
        Mean vectors.
    codes : tensor of shape (n_models, n_sentences), dtype int64
        Class codes.
    weights : tensor of shape (n_models, n_sentences)
        Weight of each sentence in the mean loss.

    Returns
    -------
    losses : tensor of shape (n_models,)
        The loss of each model.
    gradients : list of tensor
        The gradients, in the order of the weights.
    d_means : tensor of the shape of `x0`
        The gradients of the mean vectors.
    """
    x1, x2, logits = forward(w, x0)
    log_probs = logits.log_softmax(dim=2)
    codes = codes.unsqueeze(2)
    losses = -(weights * log_probs.gather(2, codes).squeeze(2)).sum(dim=1)
    d3 = log_probs.exp_()
    d3.scatter_add_(2, codes, d3.new_full(codes.shape, -1.0))
    d3.mul_(weights.unsqueeze(2))
    d2 = before_relu(torch.bmm(d3, w["head.5.weight"]), x2)
    d1 = before_relu(torch.bmm(d2, w["head.2.weight"]), x1)
    layers = ((d1, x0), (d2, x1), (d3, x2))
    found = [g for d, x in layers for g in (torch.bmm(d.mT, x), d.sum(dim=1))]
    return losses, found, torch.bmm(d1, w["head.0.weight"])


def before_relu(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the input of a ReLU whose output was `x`.

    Parameters
    ----------
    grad : tensor
        Gradient of `x`.
    x : tensor
        Output of the ReLU.

    Returns
    -------
    tensor
        The gradient of its input.
    """
    return torch.ops.aten.threshold_backward(grad, x, 0)


class EmbeddingBagClassifier(BaseTextClassifier):
    """The paper's average-of-embeddings network, for sentences.

    The network computes the mean of the word vectors, followed by three linear layers
    of 100 units, 100 units and one unit per class, with ReLU between layers. It is
    trained in the same way as `TorchClassifier`.

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
    TextCNNClassifier : A convolutional network over neighbouring words.

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
    >>> from skal.nets import EmbeddingBagClassifier
    >>> X, y = make_intents(200, random_state=0)
    >>> net = EmbeddingBagClassifier(dropout=0.5, max_epochs=3, random_state=0)
    >>> model = net.fit(X, y)
    >>> model.predict(["set an alarm for five"]).shape, model.embed(X).shape
    ((1,), (200, 100))
    >>> model.sample_proba(X, n_samples=3, random_state=0).shape
    (200, 3, 4)
    """

    _module = EmbeddingBagNet
    _stack_class = EmbeddingBagStack
