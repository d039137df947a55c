"""The average of word embeddings of the paper: classifier, module and stack."""

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


LAYERS = "head.0", "head.2", "head.5"


Weights = dict[str, torch.Tensor]


class Batch(NamedTuple):
    """Minibatches side by side, their words one after the other.

    Parameters
    ----------
    words : tensor of shape (n_words,), dtype int64
        Numbers among the words of each training.
    models, sentences : tensors of shape (n_words,), dtype int64
        Of which model each word is, and of which of all sentences.
    lengths : tensor of shape (n_models * n_sentences,)
    codes : tensor of shape (n_models, n_sentences), dtype int64
    weights : tensor of shape (n_models, n_sentences)
        In the mean loss.
    """

    words: torch.Tensor
    models: torch.Tensor
    sentences: torch.Tensor
    lengths: torch.Tensor
    codes: torch.Tensor
    weights: torch.Tensor


class AverageStack(TextStack):
    """`AverageNet`, side by side.

    Its products are so small that autograd would take as long as they do, so the
    gradients are written out.
    """

    default_width = 16

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(self.jobs, batches, self.n_rows)
        is_word = words != 0
        lengths = lengths.reshape(-1)
        sentences = np.repeat(np.arange(len(lengths)), lengths)
        parts = words[is_word], sentences // self.n_rows, sentences, lengths
        return Batch(*map(self._to, (*parts, codes, weights)))

    def _differentiate(
        self, leaves: Weights, batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        batch, n = self._collate(batches), len(batches)
        with torch.no_grad():
            gradients = torch.zeros_like(self.rows[:n])
            per_model = self.rows.shape[1] // self.dimension
            rows = batch.words + (batch.models * per_model + self.n_before)
            starts = batch.lengths.cumsum(0) - batch.lengths
            table = self.rows.view(-1, self.dimension)
            sums = embedding_bag(rows, table, starts, mode="sum")
            shares = (1 / batch.lengths.clamp(min=1)).unsqueeze(1)
            means = (sums * shares).view(n, self.n_rows, -1)
            losses, found, of_means = backpropagate(
                leaves, means, batch.codes, batch.weights
            )
            of_means = of_means.flatten(0, 1) * shares
            of_words = of_means.index_select(0, batch.sentences)
            gradients.view(-1, self.dimension).index_add_(0, rows, of_words)
            for gradient, value in zip(
                self._views(gradients).values(), found, strict=True
            ):
                gradient.copy_(value)
        return losses, gradients

    def answers(
        self, places: Sequence[int], inputs: Sentences
    ) -> list[NDArray[np.int64]]:
        """Return the predicted class number of each sentence, of several models."""
        logits = self._all_logits(places, inputs)
        return list(logits.argmax(dim=2).cpu().numpy())

    def _all_logits(self, places: Sequence[int], inputs: Sentences) -> torch.Tensor:
        """Return logits of shape (n_models, n_sentences, n_classes)."""
        n = len(inputs)
        words, starts = self._to(inputs.words), self._to(inputs.starts)
        with torch.inference_mode():
            x = self.rows.new_zeros(len(places), fours(n), self.dimension)
            for row, place in zip(x, places, strict=True):
                table = self._table(place, inputs)
                row[:n] = embedding_bag(words, table, starts, mode="mean")
            weights = self._views(self.rows[list(places), : len(self.first)])
            return forward(weights, x)[-1][:, :n]

    def logits(self, place: int, inputs: Sentences) -> torch.Tensor:
        """Return the logits of each sentence, of one model."""
        return self._all_logits([place], inputs)[0]


def forward(w: Weights, x0: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return what comes out of each layer.

    Parameters
    ----------
    w : dict of str to tensor
        Stacked weights.
    x0 : tensor of shape (n_models, n_sentences, dimension)
        Mean vectors.

    Returns
    -------
    x1, x2, logits : tensors of shape (n_models, n_sentences, n_units)
    """
    x1 = linear(w, LAYERS[0], x0).relu_()
    x2 = linear(w, LAYERS[1], x1).relu_()
    return x1, x2, linear(w, LAYERS[2], x2)


def linear(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer of each model to its rows."""
    bias = w[f"{name}.bias"].unsqueeze(1)
    return torch.baddbmm(bias, x, w[f"{name}.weight"].mT)


def backpropagate(
    w: Weights, x0: torch.Tensor, codes: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
    """Return the losses, and the gradients of the weights and of the means.

    Parameters
    ----------
    w : dict of str to tensor
        Stacked weights.
    x0 : tensor of shape (n_models, n_sentences, dimension)
        Mean vectors.
    codes : tensor of shape (n_models, n_sentences), dtype int64
    weights : tensor of shape (n_models, n_sentences)
        Of each sentence in the mean loss.

    Returns
    -------
    losses : tensor of shape (n_models,)
    gradients : list of tensor
        In the order of the weights.
    of_means : tensor of the shape of `x0`
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
    """Return the gradient of what became `x` by a ReLU."""
    return torch.ops.aten.threshold_backward(grad, x, 0)


class EmbeddingBagClassifier(BaseTextClassifier):
    """The average-of-embedding network of the paper, for sentences.

    The mean of the word vectors, and linear layers of 100 units, 100 units and one per
    class, with ReLU between. It is trained as `TorchClassifier` trains.

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
    TextCNNClassifier : Sees each word with its neighbours.

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
    >>> from skal.nets import EmbeddingBagClassifier
    >>> X, y = make_intents(200, random_state=0)
    >>> net = EmbeddingBagClassifier(dropout=0.5, max_epochs=3, random_state=0)
    >>> model = net.fit(X, y)
    >>> model.predict(["set an alarm for five"]).shape, model.embed(X).shape
    ((1,), (200, 100))
    >>> model.sample_proba(X, n_samples=3, random_state=0).shape
    (200, 3, 4)
    """

    _module = AverageNet
    _stack_class = AverageStack
