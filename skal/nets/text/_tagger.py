"""The sequence tagger of the paper, and checks of its input."""

from collections.abc import Iterable, Sized
from itertools import chain
from typing import Any

import numpy as np
import torch
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_is_fitted

from skal._sklearn import is_pandas_na, is_scalar_nan
from skal._threads import single_threaded
from skal.inputs._containers import lengths
from skal.inputs._tags import TagScorer, check_as_many, flatten, is_tags
from skal.nets._base_classifier import encode_labels
from skal.nets.text._base import BaseTextNet
from skal.nets.text._tagger_net import TaggerNet, TaggerStack, TokenRows
from skal.nets.text._vocabulary import PADDING, token_lists
from skal.nets.text._word_net import is_word


def token_rows(X: Any) -> list[list[str]]:
    """Return the tokens of each sentence in lower case, or say which row has none.

    Parameters
    ----------
    X : list of n_samples sentences, each a list of str

    Returns
    -------
    list of list of str
        New lists, of length n_samples.

    Raises
    ------
    TypeError
        If a row is no list of tokens.
    ValueError
        If there are no rows.
    """
    sentences = token_lists(X)
    texts = [number for number, row in enumerate(X) if isinstance(row, str)]
    if texts:
        raise TypeError(
            f"Row {texts[0]} of X is a text, and tags belong to tokens: give each "
            "sentence as the list of its tokens."
        )
    return sentences


def tag_rows(X: Any, y: Any, name: str = "y") -> list[list[Any]]:
    """Return the tags of each sentence, or say what is wrong with them.

    Parameters
    ----------
    X : list of n_samples sentences, each a list of str
    y : list of n_samples lists
    name : str, default="y"
        What to call the tags in an error.

    Returns
    -------
    list of list
        New lists, of length n_samples.

    Raises
    ------
    ValueError
        If a sentence has not as many tags as tokens, a tag is missing, or some are
        texts and others numbers.
    """
    rows = list(y) if isinstance(y, Iterable) else []
    if not is_tags(rows):
        raise ValueError(
            f"{name} holds no lists of tags: give one list for each sentence, with one "
            "tag for each token."
        )
    check_as_many(X, rows, name)
    missing = [number for number, row in enumerate(rows) if any(map(_is_missing, row))]
    if missing:
        raise ValueError(
            f"{name} has a missing tag (None or NaN) in row {missing[0]}: give every "
            "token a tag, such as 'O'."
        )
    if len({isinstance(tag, str) for tag in chain.from_iterable(rows)}) > 1:
        raise ValueError(
            f"{name} has some tags that are texts and others that are not: give all as "
            "str."
        )
    return [list(row) for row in rows]


def check_any(tokens: Sized) -> None:
    """Refuse sentences of which none has a token.

    Parameters
    ----------
    tokens : sized
        Of all sentences, or the sentences that have some.

    Raises
    ------
    ValueError
        If there is nothing.
    """
    if len(tokens) == 0:
        raise ValueError("X holds no tokens: give a sentence that has some.")


def _is_missing(tag: Any) -> bool:
    return tag is None or is_pandas_na(tag) or is_scalar_nan(tag)


# Sentences in one forward pass of a prediction. They are of like length, and many more
# would not be.
ROWS_AT_ONCE = 256


# In the place of a tag in the padding: what torch's cross-entropy leaves out.
NO_TAG = -100


class BiLSTMTagger(BaseTextNet):
    """The tagger of the paper, for named entity recognition: one tag for each token.

    Word vectors, a bidirectional LSTM with as many hidden units in each direction as a
    vector has values, and an LSTM of 50 hidden units that sees, at each token, the
    states of the first and the tag before, followed by a linear layer of one unit per
    tag. In training the tag before is the true one (teacher forcing), in prediction the
    likeliest (greedy decoding). It is trained as `TorchClassifier` trains, on the mean
    cross-entropy over the tokens of a minibatch.

    A sentence is a list of tokens, and has a list of as many tags. What is predicted
    for a sentence does not depend on the others.

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
        Probability with which an input of the linear layer is dropped in training.

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
        What an epoch is judged by, as everywhere in scikit-learn. The score of a str,
        such as "f1_weighted", is that of the tags of all tokens; a callable is given
        the sentences. None takes the estimator's `score`, the share of tokens whose tag
        is right.

    device : str, default="cpu"
        Where to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights and random word vectors, the minibatches, and
        what dropout drops in training. Pass an int for the same model in every call.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tags,)
        The tags, sorted.

    module_ : torch.nn.Module
        The trained module.

    words_ : list of str, of length n_words
        The words known: those of `vectors` and those of the training sentences. All
        others are one unknown word.

    embedding_dim_ : int
        Length of the word vectors.

    input_shape_ : tuple of int
        Number of tokens of the longest training sentence, as a tuple. Others may be
        longer.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, from 1, whose weights were kept.

    See Also
    --------
    BiLSTMClassifier : One label for each sentence.

    Notes
    -----
    Tokens are taken as they are, but in lower case. An empty sentence is left out of
    training, and has no tags. Each step of training takes time for all `vectors`: give
    those of the task's words, as in `fetch_glove(words=...)`.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Table 1; after Shen et al., "Deep Active Learning for
    Named Entity Recognition", ICLR 2018, without its convolutions over characters.

    Examples
    --------
    >>> from skal.datasets import make_tagged_sentences
    >>> from skal.nets import BiLSTMTagger
    >>> X, y = make_tagged_sentences(200, random_state=0)
    >>> model = BiLSTMTagger(lr=0.01, max_epochs=10, random_state=0).fit(X, y)
    >>> model.predict([["thai", "soup", "nearby"]])
    [['B-Dish', 'I-Dish', 'B-Location']]
    >>> model.predict_token_log_proba(X)[0].shape, model.embed(X).shape
    ((4, 13), (200, 100))
    """

    _module = TaggerNet
    _stack_class = TaggerStack

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None):
        """Learn the words and the tags, and train a new network.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str
            Sentences to train on.

        y : list of n_samples lists
            The tags of each sentence, one for each token: labels of any kind.

        X_val : list of n_val sentences, default=None
            Sentences to choose the epoch by: the one with the best score on them is
            kept, and training stops after `patience` epochs without a better one.
            Without them, all `max_epochs` epochs are trained and the last is kept.

        y_val : list of n_val lists, default=None
            Their tags.

        classes : array-like of shape (n_tags,), default=None
            All tags there are, of which `y` may lack some. None takes those of `y`.

        Returns
        -------
        self : BiLSTMTagger
            Fitted tagger.

        Raises
        ------
        TypeError
            If a row of `X` is no list of tokens.
        ValueError
            If there are no tokens, or not as many tags; a tag is missing, or not among
            the classes; `vectors` are not finite or of different lengths; the device is
            not there; or training diverges.
        """
        return super().fit(X, y, X_val=X_val, y_val=y_val, classes=classes)

    def _check_rows(self, X, y=None, *, reset):
        """Return word numbers, of shape (n_rows, length), and in `fit` the tags.

        `fit` is given no empty sentences: a minibatch of them would have no loss.
        """
        sentences = token_rows(X)
        if not reset:
            return self._vocabulary.transform(sentences)
        tags = tag_rows(sentences, y)
        sentences, tags = ([row for row in rows if row] for rows in (sentences, tags))
        check_any(sentences)
        self._learn_words(sentences)
        return self._vocabulary.transform(sentences), tags

    def _with_codes(self, X, y, classes):
        """Learn the tags; return the words with the tags before them, and the tags."""
        self.classes_, flat = encode_labels(flatten(y), classes)
        codes = np.full(X.shape, NO_TAG)
        codes[np.arange(X.shape[1]) < lengths(y)[:, np.newaxis]] = flat
        before = np.full(X.shape, len(self.classes_))
        before[:, 1:] = np.where(codes[:, 1:] == NO_TAG, before[:, 1:], codes[:, :-1])
        return np.stack([X, before], axis=1), codes

    def _make_stack(self, X, y, classes, width):
        # Without the empty sentences, the rows of the stack are not those of X.
        is_kept = lengths(token_rows(X)) > 0
        self._stack_rows = np.where(is_kept, np.cumsum(is_kept) - 1, -1)
        return super()._make_stack(X, y, classes, width)

    def _trainable(self, rows):
        """Return the rows that `fit` would train on, as those of the stack."""
        rows = self._stack_rows[rows]
        check_any(rows[rows >= 0])
        return rows[rows >= 0]

    def _encode(self, X, y):
        """Return inputs for a stack to answer, and the true codes of all tokens."""
        sentences = token_rows(X)
        true = flatten(tag_rows(sentences, y))
        check_any(true)
        numbers = self._vocabulary.transform([row for row in sentences if row])
        return TokenRows(numbers), np.searchsorted(self.classes_, true)

    def _judge(self, X_val, y_val):
        if X_val is not None and y_val is not None:
            y_val = tag_rows(token_rows(X_val), y_val, "y_val")
        return super()._judge(X_val, y_val)

    def _scorer(self):
        scorer = check_scoring(self, self.scoring)
        if not isinstance(self.scoring, str):
            return scorer
        if scorer._response_method != "predict":
            raise ValueError(
                f"scoring={self.scoring!r} needs more than predicted tags: choose one "
                "that compares labels, such as 'accuracy' or 'f1_weighted'."
            )
        return TagScorer(scorer)

    def predict(self, X):
        """Predict the tag of each token.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str

        Returns
        -------
        list of n_samples lists
            One tag of `classes_` for each token.
        """
        codes = self._decode(X, lambda logits: logits.argmax(dim=1))
        tags = self.classes_.tolist()
        return [[tags[code] for code in row.tolist()] for row in codes]

    def predict_token_log_proba(self, X):
        """Return the log-probabilities of the tags of each token.

        They are those of greedy decoding: given the tags that are predicted for the
        tokens before.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str

        Returns
        -------
        list of n_samples ndarray of shape (n_tokens, n_tags), dtype float64
            Columns in the order of `classes_`.
        """
        return self._decode(X, lambda logits: logits.double().log_softmax(dim=1))

    def _decode(self, X, answer):
        """Return what `answer` makes of the tokens' logits, an array per sentence."""
        check_is_fitted(self)
        sentences = token_rows(X)
        n_tokens, found = lengths(sentences), [None] * len(sentences)
        numbers = self._vocabulary.transform(sentences)
        for rows, logits_N_L_C in self._passes("decode", numbers):
            is_token = is_word(torch.from_numpy(n_tokens[rows]), logits_N_L_C.shape[1])
            answers = answer(logits_N_L_C[is_token]).numpy()
            parts = np.split(answers, np.cumsum(n_tokens[rows])[:-1])
            for row, part in zip(rows, parts, strict=True):
                found[row] = part
        return found

    def _passes(self, method, numbers):
        """Yield some rows at a time, and what a method of the module says of them.

        The longest sentences stand together, since each pass takes as many steps as the
        longest of its sentences has tokens.
        """
        self.module_.eval()
        device = self.module_.embedding.weight.device
        order = np.argsort((numbers != PADDING).sum(axis=1), kind="stable")
        for start in range(0, len(order), ROWS_AT_ONCE):
            rows = order[start : start + ROWS_AT_ONCE]
            # On one thread, since the many small steps would wait for each other.
            with single_threaded(), torch.inference_mode():
                chunk = torch.from_numpy(numbers[rows]).to(device)
                answer = getattr(self.module_, method)(chunk).cpu()
            yield rows, answer

    def embed(self, X):
        """Return the mean state of the encoder over the tokens.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str

        Returns
        -------
        ndarray of shape (n_samples, 2 * dimension), dtype float32
            That of an empty sentence is that of one unknown word.
        """
        check_is_fitted(self)
        numbers = self._check_rows(X, reset=False)
        means = np.empty((len(numbers), 2 * self.embedding_dim_), dtype=np.float32)
        for rows, means_of_rows in self._passes("embed", numbers):
            means[rows] = means_of_rows.numpy()
        return means

    def score(self, X, y):
        """Return the share of tokens whose tag is right.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str

        y : list of n_samples lists
            Their true tags.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If there are no tokens, or not as many tags.
        """
        true = flatten(tag_rows(token_rows(X), y))
        check_any(true)
        return float(np.mean(flatten(self.predict(X)) == true))
