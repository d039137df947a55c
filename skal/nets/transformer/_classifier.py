"""TransformerClassifier: fine-tunes any checkpoint of transformers on sentences."""

import os
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils.validation import check_consistent_length, validate_data

from skal._sklearn import Interval
from skal.nets._base_classifier import BaseNetClassifier
from skal.nets.transformer._checkpoint import (
    find_checkpoint,
    read_facts,
    tokenizer_from_files,
    tokenizer_to_files,
)
from skal.nets.transformer._network import (
    PADDING,
    TransformerNet,
    longest_sentence,
    padding_number,
    with_dropout,
)
from skal.nets.transformer._texts import as_texts, check_max_length, cut

# Prefix of the tokenizer's files among the tensors of a saved net.
_TOKENIZER = "tokenizer/"


class TransformerClassifier(BaseNetClassifier):
    """Fine-tune a pretrained transformer on sentences.

    Supports any checkpoint for which transformers has a sequence classifier. The
    classifier consists of the checkpoint's tokenizer, its weights, and a head of one
    unit per class, which is new unless the checkpoint has a head of the same size. All
    weights are trained, in the same way as in `TorchClassifier`. This class needs
    transformers: ``pip install 'skal-learn[text]'``.

    A sentence is a str, or a list of words, which is joined with spaces. The prediction
    for a sentence does not depend on the other sentences.

    Parameters
    ----------
    checkpoint : str or path-like, default="roberta-base"
        A folder that contains a checkpoint with its tokenizer, or a name on the Hugging
        Face Hub. The first `fit` with a name downloads the checkpoint; afterwards, it
        is read from the Hub's cache, without a network connection.

    max_length : int, default=None
        Maximum number of tokens per sentence, including the special tokens added by the
        tokenizer; longer sentences are truncated. None uses the limit of the
        checkpoint, 512 for "roberta-base", and warns if a sentence is truncated.

    dropout : float, default=None
        Probability of dropping units, attention weights and inputs of the head during
        training. None uses the checkpoint's own probabilities, 0.1 for "roberta-base".
        `sample_proba` needs a value above 0.

    lr : float, default=1e-4
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
        Controls the initial weights of the head, the order of the minibatches, and
        dropout during training. Pass an int for reproducible output across multiple
        function calls.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.

    module_ : torch.nn.Module
        The trained module.

    config_ : dict
        The checkpoint's config, which describes its architecture.

    model_max_length_ : int or None
        Maximum number of tokens of the checkpoint; None if unlimited.

    input_shape_ : tuple of int
        Number of tokens in the longest training sentence, as a tuple of one value.
        Sentences to predict may be longer.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, counted from 1, whose weights were kept.

    See Also
    --------
    BiLSTMClassifier : A network small enough to be trained thousands of times.
    TextEncoder : Embeds sentences without training the checkpoint.
    TorchClassifier : Trains any other module.

    Notes
    -----
    A posterior sample drops the same units at each position of each sentence, in all
    layers. It does not drop attention weights, because these belong to a sentence
    rather than to the network. Architectures without `torch.nn.Dropout`, such as Llama,
    cannot be sampled. In architectures that do not mask their padding, such as
    ConvBERT, sentences of different lengths influence each other slightly.

    A saved net contains the config and the tokenizer, so that `load` does not need the
    checkpoint, but calling `fit` again does.

    References
    ----------
    Liu et al., "RoBERTa: A Robustly Optimized BERT Pretraining Approach", 2019; Wolf et
    al., "Transformers: State-of-the-Art Natural Language Processing", EMNLP 2020. One
    mask for all positions: Gal and Ghahramani, "A Theoretically Grounded Application of
    Dropout in Recurrent Neural Networks", NeurIPS 2016.

    Examples
    --------
    >>> from skal.datasets import make_intents
    >>> from skal.nets import TransformerClassifier
    >>> X, y = make_intents(200, random_state=0)
    >>> model = TransformerClassifier("roberta-base", max_epochs=3, random_state=0)
    >>> model.fit(X, y).embed(["set an alarm for five"]).shape  # doctest: +SKIP
    (1, 768)
    >>> model.sample_proba(X, n_samples=3, random_state=0).shape  # doctest: +SKIP
    (200, 3, 4)
    """

    _parameter_constraints: dict = {
        **BaseNetClassifier._parameter_constraints,
        "checkpoint": [str, os.PathLike],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left"), None],
    }
    # Rows per forward pass: few, because a sentence needs far more memory here.
    _rows_at_once = 64
    # Folder of the checkpoint; None for a loaded net.
    _folder = None

    def __init__(
        self,
        checkpoint="roberta-base",
        *,
        max_length=None,
        dropout=None,
        lr=1e-4,
        max_epochs=100,
        batch_size=32,
        patience=20,
        class_weight=None,
        scoring=None,
        device="cpu",
        random_state=None,
    ):
        self.checkpoint = checkpoint
        self.max_length = max_length
        self.dropout = dropout
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.patience = patience
        self.class_weight = class_weight
        self.scoring = scoring
        self.device = device
        self.random_state = random_state

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None, sample_weight=None):
        """Read the checkpoint, and train it further.

        Parameters
        ----------
        X : list of n_samples sentences, each a str or a list of str
            Sentences to train on.

        y : array-like of shape (n_samples,)
            Class labels of any kind.

        X_val : list of n_val sentences, default=None
            Validation sentences. The epoch with the best score on them is kept, and
            training stops after `patience` epochs without a better score. Without
            them, all `max_epochs` epochs are trained and the last one is kept.

        y_val : array-like of shape (n_val,), default=None
            Class labels of `X_val`.

        classes : array-like of shape (n_classes,), default=None
            All class labels, which may include some that `y` lacks. None uses the
            classes found in `y`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the sentences in the loss, at least 0. A sentence of weight 0 is
            left out; its label stays among the classes. None weighs all alike.

        Returns
        -------
        self : TransformerClassifier
            Fitted classifier.

        Raises
        ------
        ImportError
            If transformers is not installed.
        OSError
            If the checkpoint is not a folder and cannot be downloaded.
        TypeError
            If a row of `X` is not a sentence.
        ValueError
            If there are no rows, the checkpoint is damaged, lacks a tokenizer or has no
            sequence classifier, `max_length` exceeds its limit, the device is not
            available, `y` contains a label that is not in `classes`, or training
            diverges.

        Warns
        -----
        UserWarning
            If `max_length` is None and sentences are truncated.
        """
        return super().fit(
            X,
            y,
            X_val=X_val,
            y_val=y_val,
            classes=classes,
            sample_weight=sample_weight,
        )

    def _check_rows(self, X, y="no_validation", *, reset):
        """Return token numbers, of shape (n_rows, length), and in `fit` also labels."""
        texts = as_texts(X)
        if not reset:
            return self._numbers(texts)
        y = validate_data(self, y=y)
        check_consistent_length(texts, y)
        self._folder = find_checkpoint(self.checkpoint)
        self.config_, self._tokenizer = read_facts(self._folder)
        self.model_max_length_ = longest_sentence(self.config_, self._tokenizer)
        self._check_max_length()
        return self._numbers(texts), y

    def _check_max_length(self):
        check_max_length(
            self.max_length, self.model_max_length_, self._tokenizer, self.checkpoint
        )

    def _numbers(self, texts):
        """Return the token numbers of each text, padded to the longest."""
        rows = cut(
            self._tokenizer,
            texts,
            self.max_length,
            self.model_max_length_,
            self.checkpoint,
        )
        # Without special tokens, an empty sentence has no tokens: use padding.
        rows = [row or [padding_number(self.config_)] for row in rows]
        highest, n_tokens = max(map(max, rows)), self.config_.get("vocab_size", np.inf)
        if highest >= n_tokens:
            raise ValueError(
                f"The tokenizer of {self.checkpoint} returned token {highest}, but its "
                f"model knows {n_tokens} tokens: give a checkpoint that contains the "
                "model's own tokenizer."
            )
        # Models such as XLNet use the output at the last position.
        return padded(rows, on_left=self.config_.get("summary_type") == "last")

    def _module_and_params(self):
        return TransformerNet, {
            "n_classes": len(self.classes_),
            "config": with_dropout(self.config_, self.dropout),
            "folder": self._folder,
        }

    def _stored_params(self):
        params = super()._stored_params()
        return params | {"checkpoint": os.fspath(self.checkpoint)}

    def _stored_tensors(self):
        """Return the weights, and the files of the tokenizer as bytes."""
        files = tokenizer_to_files(self._tokenizer)
        return super()._stored_tensors() | {
            _TOKENIZER + name: torch.tensor(np.frombuffer(content, dtype=np.uint8))
            for name, content in files.items()
        }

    def _restore_module(self, weights, path):
        names = [name for name in weights if name.startswith(_TOKENIZER)]
        files = {
            name.removeprefix(_TOKENIZER): weights.pop(name).numpy().tobytes()
            for name in names
        }
        self._tokenizer = tokenizer_from_files(files, self.config_)
        self._check_max_length()
        super()._restore_module(weights, path)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def padded(rows, *, on_left=False):
    """Return rows of token numbers as an array, padded to the longest.

    Parameters
    ----------
    rows : list of list of int
        Token numbers; no row is empty.
    on_left : bool, default=False
        Whether to pad on the left rather than on the right.

    Returns
    -------
    ndarray of shape (n_rows, length), dtype int64
        Token numbers, and -1 for padding.

    Examples
    --------
    >>> from skal.nets.transformer._classifier import padded
    >>> padded([[3, 4, 5], [6]])
    array([[ 3,  4,  5],
           [ 6, -1, -1]])
    """
    numbers = np.full((len(rows), max(map(len, rows))), PADDING, dtype=np.int64)
    for place, row in zip(numbers, rows, strict=True):
        place[slice(-len(row), None) if on_left else slice(len(row))] = row
    return numbers
