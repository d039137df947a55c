"""The bidirectional LSTM of the paper: classifier, module and stack."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from skal.nets.side_by_side._ops import cross_entropy, linear
from skal.nets.text._base import BaseTextClassifier
from skal.nets.text._lstm import Packing, pack, scan
from skal.nets.text._text_stack import AutogradStack, Batch, gather, mean_rows
from skal.nets.text._word_net import WordNet, mean_over_words, mirror, reorder


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


class BiLSTMStack(AutogradStack):
    """`BiLSTMNet`, side by side: sentences packed by length, once in each direction."""

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(
            self.jobs, batches, self.n_rows, by_length=True
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
        means = mean_rows(states * is_word, *map(self._to, batch.means))
        logits = linear(weights, "head.1", means)
        return cross_entropy(logits, self._to(batch.codes), self._to(batch.weights))


def both_ways(words: NDArray[np.int64], packing: Packing) -> NDArray[np.int64]:
    """Return the words of each row, read from the left, then read from the right.

    Parameters
    ----------
    words : ndarray of shape (n_models, n_sentences, length)
    packing : Packing

    Returns
    -------
    ndarray of shape (n_models, 2 * n_rows)
        Zero where there is no word.
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
    vectors : tensor of shape (n_models, 2 * n_rows, dimension)
        Of `both_ways`.
    packing : Packing

    Returns
    -------
    tensor of shape (n_models, n_rows, 2 * dimension)
        Those of the second direction in the order in which it read, from the right.
    """
    return torch.cat(read_both_ways(weights, vectors, packing), dim=2)


def read_both_ways(
    weights: dict[str, torch.Tensor], vectors: torch.Tensor, packing: Packing
) -> tuple[torch.Tensor, ...]:
    """Return the states of `encode`, those of each direction by themselves."""
    # Both directions as models of one batch: half the operations.
    ways = "rightward", "leftward"
    names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"
    both = {
        f"both.{name}": torch.cat([weights[f"encoder.{way}.{name}"] for way in ways])
        for name in names
    }
    inputs = torch.cat(vectors.chunk(2, dim=1))
    return scan(both, "both", inputs, packing.counts).chunk(2)


class BiLSTMClassifier(BaseTextClassifier):
    """The bidirectional LSTM of the paper, for sentences.

    Word vectors, a bidirectional LSTM with as many hidden units in each direction as a
    vector has values, the mean of its states over the words, and a linear layer of one
    unit per class. It is trained as `TorchClassifier` trains.

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
    TextCNNClassifier : Sees each word with its neighbours.
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
