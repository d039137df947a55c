"""The sequence tagger of the paper."""

import numpy as np
import torch
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_is_fitted

from skal._threads import single_threaded
from skal.inputs._containers import lengths
from skal.inputs._tags import TagScorer, flatten
from skal.nets._base_classifier import encode_labels
from skal.nets.side_by_side._stack import NotSideBySide
from skal.nets.text._base import BaseTextNet
from skal.nets.text._tag_rows import check_any, tag_rows, token_rows
from skal.nets.text._tagger_net import TaggerNet
from skal.nets.text._tagger_stack import TaggerStack, TokenRows
from skal.nets.text._vocabulary import PADDING
from skal.nets.text._word_net import is_word

# Number of sentences per forward pass in prediction. Larger passes would mix sentences
# of more different lengths, and thus compute more padding.
ROWS_AT_ONCE = 256


# Code of padding: the index that torch's cross-entropy ignores.
NO_TAG = -100


class BiLSTMTagger(BaseTextNet):
    """The paper's tagger for named entity recognition, with one tag per token.

    The network consists of word vectors, a bidirectional LSTM with one hidden unit per
    dimension of the vectors in each direction, an LSTM of 50 hidden units, whose inputs
    at each token are the states of the bidirectional LSTM and the previous tag, and a
    linear layer of one unit per tag. The previous tag is the true one in training
    (teacher forcing) and the most likely one in prediction (greedy decoding). The
    network is trained in the same way as `TorchClassifier`, on the mean cross-entropy
    over the tokens of a minibatch.

    A sentence is a list of tokens, with a list of as many tags. The prediction for a
    sentence does not depend on the other sentences.

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
        Probability of dropping an input of the linear layer during training.

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
        Weight of each tag in the loss, as a dict from labels to weights; a tag that
        it lacks has weight 1. "balanced" weighs tags by the inverse of their number
        of training tokens. None weighs all alike.

    scoring : str, callable or None, default=None
        Validation score that determines the best epoch, given in any form that
        scikit-learn accepts. A str, such as "f1_weighted", is applied to the tags of
        all tokens; a callable receives the sentences. None uses the estimator's `score`
        method, the share of correctly tagged tokens.

    device : str, default="cpu"
        Device on which to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Controls the initial weights and random word vectors, the order of the
        minibatches, and dropout during training. Pass an int for reproducible output
        across multiple function calls.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tags,)
        The tags, sorted.

    module_ : torch.nn.Module
        The trained module.

    words_ : list of str, of length n_words
        The vocabulary: the words in `vectors` and in the training sentences. All other
        words are treated as one unknown word.

    embedding_dim_ : int
        Length of the word vectors.

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
    BiLSTMClassifier : Predicts one label per sentence.

    Notes
    -----
    Tokens are only converted to lower case. An empty sentence has no tags, and is
    ignored in training. The cost of a training step grows with the number of `vectors`:
    pass only the vectors of the words that the task uses, as in
    `fetch_glove(words=...)`.

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

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None, sample_weight=None):
        """Learn the vocabulary and the tags, and train a new network.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str
            Sentences to train on.

        y : list of n_samples lists
            The tags of each sentence, one per token, of any label type.

        X_val : list of n_val sentences, default=None
            Validation sentences. The epoch with the best score on them is kept, and
            training stops after `patience` epochs without a better score. Without
            them, all `max_epochs` epochs are trained and the last one is kept.

        y_val : list of n_val lists, default=None
            Tags of `X_val`, one list per sentence.

        classes : array-like of shape (n_tags,), default=None
            All tags, which may include some that `y` lacks. None uses the tags found in
            `y`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the sentences in the loss, at least 0. A sentence of weight 0 is
            left out; its tags stay among the classes. None weighs all alike.

        Returns
        -------
        self : BiLSTMTagger
            Fitted tagger.

        Raises
        ------
        TypeError
            If a row of `X` is not a list of tokens.
        ValueError
            If there are no tokens, the numbers of tags and tokens differ, a tag is
            missing or not in `classes`, `vectors` are not finite or differ in length,
            the device is not available, or training diverges.
        """
        return super().fit(
            X,
            y,
            X_val=X_val,
            y_val=y_val,
            classes=classes,
            sample_weight=sample_weight,
        )

    def _check_rows(self, X, y=None, *, reset):
        """Return word numbers, of shape (n_rows, length), and in `fit` also tags.

        In `fit`, empty sentences are removed: a minibatch of them would have no loss.
        """
        sentences = token_rows(X)
        if not reset:
            return self._vocabulary.transform(sentences)
        tags = tag_rows(sentences, y)
        sentences, tags = ([row for row in rows if row] for rows in (sentences, tags))
        check_any(sentences)
        self._learn_words(sentences)
        return self._vocabulary.transform(sentences), tags

    def _encode_labels(self, X, y, classes, sample_weight=None):
        """Set `classes_`; return words with previous tags, and the tag codes."""
        self.classes_, flat = encode_labels(flatten(y), classes)
        codes = np.full(X.shape, NO_TAG)
        codes[np.arange(X.shape[1]) < lengths(y)[:, np.newaxis]] = flat
        before = np.full(X.shape, len(self.classes_))
        before[:, 1:] = np.where(codes[:, 1:] == NO_TAG, before[:, 1:], codes[:, :-1])
        return np.stack([X, before], axis=1), codes

    def _with_weight(self, X, y, classes, sample_weight):
        """Return the sentences with a positive weight, without the empty ones."""
        given = token_rows(X), tag_rows(token_rows(X), y)
        X, y, classes, weights = super()._with_weight(*given, classes, sample_weight)
        kept = [i for i, row in enumerate(X) if row]
        return [X[i] for i in kept], [y[i] for i in kept], classes, weights[kept]

    def _weights_of(self, codes, sample_weight):
        """Return the weight of each tag, shape (n_rows, length), or None."""
        is_tag = codes != NO_TAG
        if sample_weight is not None:
            sample_weight = np.repeat(sample_weight, is_tag.sum(axis=1))
        found = super()._weights_of(codes[is_tag], sample_weight)
        if found is None:
            return None
        weights = np.zeros(codes.shape)
        weights[is_tag] = found
        return weights

    def _build_stack(self, X, y, classes, width):
        if getattr(self, "class_weight", None) is not None:
            raise NotSideBySide  # its stack weighs all tokens alike
        # Empty sentences are removed, so that rows of the stack differ from rows of X.
        is_kept = lengths(token_rows(X)) > 0
        self._stack_rows = np.where(is_kept, np.cumsum(is_kept) - 1, -1)
        return super()._build_stack(X, y, classes, width)

    def _trainable_rows(self, rows):
        """Return the rows, as indices into the stack, on which `fit` would train."""
        rows = self._stack_rows[rows]
        check_any(rows[rows >= 0])
        return rows[rows >= 0]

    def _encode_inputs(self, X, y):
        """Return the inputs of a stack, and the true tag codes of all tokens."""
        sentences = token_rows(X)
        true = flatten(tag_rows(sentences, y))
        check_any(true)
        numbers = self._vocabulary.transform([row for row in sentences if row])
        return TokenRows(numbers), np.searchsorted(self.classes_, true)

    def _validation_scorer(self, X_val, y_val):
        if X_val is not None and y_val is not None:
            y_val = tag_rows(token_rows(X_val), y_val, "y_val")
        return super()._validation_scorer(X_val, y_val)

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
            Sentences to tag.

        Returns
        -------
        list of n_samples lists
            The predicted tag of each token.
        """
        codes = self._decode(X, lambda logits: logits.argmax(dim=1))
        tags = self.classes_.tolist()
        return [[tags[code] for code in row.tolist()] for row in codes]

    def predict_token_log_proba(self, X):
        """Return the log-probabilities of the tags of each token.

        They are the result of greedy decoding: each is conditional on the predicted
        tags of the previous tokens.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str
            Sentences to tag.

        Returns
        -------
        list of n_samples ndarray of shape (n_tokens, n_tags), dtype float64
            Columns in the order of `classes_`.
        """
        return self._decode(X, lambda logits: logits.double().log_softmax(dim=1))

    def _decode(self, X, answer):
        """Apply `answer` to the logits of the tokens; return an array per sentence."""
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
        """Yield batches of rows, with the output of a method of the module.

        Sentences are sorted by length, because the longest sentence of a batch
        determines its number of steps.
        """
        self.module_.eval()
        device = self.module_.embedding.weight.device
        order = np.argsort((numbers != PADDING).sum(axis=1), kind="stable")
        for start in range(0, len(order), ROWS_AT_ONCE):
            rows = order[start : start + ROWS_AT_ONCE]
            # On one thread, because synchronizing threads for small steps costs time.
            with single_threaded(), torch.inference_mode():
                chunk = torch.from_numpy(numbers[rows]).to(device)
                answer = getattr(self.module_, method)(chunk).cpu()
            yield rows, answer

    def embed(self, X):
        """Return the mean state of the encoder over the tokens.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str
            Sentences to embed.

        Returns
        -------
        ndarray of shape (n_samples, 2 * dimension), dtype float32
            The embeddings. An empty sentence is treated as one unknown word.
        """
        check_is_fitted(self)
        numbers = self._check_rows(X, reset=False)
        means = np.empty((len(numbers), 2 * self.embedding_dim_), dtype=np.float32)
        for rows, means_of_rows in self._passes("embed", numbers):
            means[rows] = means_of_rows.numpy()
        return means

    def score(self, X, y):
        """Return the share of correctly tagged tokens.

        Parameters
        ----------
        X : list of n_samples sentences, each a list of str
            Sentences to tag.

        y : list of n_samples lists
            The true tags.

        Returns
        -------
        float
            The accuracy over all tokens.

        Raises
        ------
        ValueError
            If there are no tokens, or the numbers of tags and tokens differ.
        """
        true = flatten(tag_rows(token_rows(X), y))
        check_any(true)
        return float(np.mean(flatten(self.predict(X)) == true))
