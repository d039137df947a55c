"""What nets that read sentences share: words, and their vectors."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils import Bunch
from sklearn.utils.validation import (
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from skal._sklearn import Interval
from skal._threads import single_threaded
from skal.nets._base import BaseNet
from skal.nets._base_classifier import BaseNetClassifier
from skal.nets._training import reproducible
from skal.nets.side_by_side._stack import NotSideBySide
from skal.nets.text._text_stack import Corpus, Sentences
from skal.nets.text._vectors import embedding_matrix, word_vectors
from skal.nets.text._vocabulary import (
    N_SPECIAL,
    SENTENCES_AT_ONCE,
    Vocabulary,
    by_length,
    token_lists,
)
from skal.seeding import MAX_SEED, as_seed


class BaseTextNet(BaseNet):
    """Base class of nets that read sentences: words, and their vectors.

    A subclass sets `_module`, the class of its module.
    """

    _parameter_constraints: dict = {
        **BaseNet._parameter_constraints,
        "vectors": [Mapping, None],
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        vectors=None,
        embedding_dim=50,
        dropout=0.0,
        lr=1e-3,
        max_epochs=100,
        batch_size=32,
        patience=20,
        scoring=None,
        device="cpu",
        random_state=None,
    ):
        self.vectors = vectors
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.patience = patience
        self.scoring = scoring
        self.device = device
        self.random_state = random_state

    def _learn_words(self, sentences):
        """Learn the words of the sentences, and all that have a vector.

        Of the pool's words, few are in what is labelled already.
        """
        known, self.embedding_dim_ = [], int(self.embedding_dim)
        if self.vectors is not None:
            words, values = word_vectors(self.vectors)
            # Sentences are read in lower case: a word in another one is never met.
            known = [word for word in words if word == word.lower()]
            self.embedding_dim_ = values.shape[1]
        self._vocabulary = Vocabulary().fit([*sentences, known])
        self.words_ = self._vocabulary.words_

    def _make_net(self):
        net = super()._make_net()
        matrix = self._first_vectors(self.words_)
        with torch.no_grad():
            net.module_.embedding.weight.copy_(torch.from_numpy(matrix))
        return net

    def _first_vectors(self, words):
        """Return the vectors to begin with; those of new words are drawn."""
        return embedding_matrix(
            words,
            self.vectors,
            dimension=self.embedding_dim_,
            # Drawn from torch's generator, which `fit` has seeded by random_state.
            random_state=int(torch.randint(MAX_SEED, ())),
        )

    def _make_stack(self, X, y, classes, width):
        """Learn the words of all rows, and return models of them side by side."""
        numbers, y = self._check_rows(X, y, reset=True)
        # A tagger puts the tags before beside the words; here the codes tell them.
        _, codes = self._with_codes(numbers, y, classes)
        if self.embedding_dim_ == 1 or len(self.classes_) == 1:
            # Products with a vector have other last bits where there is one model.
            raise NotSideBySide
        with reproducible(as_seed(self.random_state)):
            self.module_ = self._make_net().module_
        known = set() if self.vectors is None else set(word_vectors(self.vectors)[0])
        self._is_new = np.array(
            [False] * N_SPECIAL + [word not in known for word in self.words_]
        )
        vectors = self.module_.embedding.weight.detach()
        corpus = Corpus(numbers, codes, vectors, self._is_new)
        width = width or self._stack_class.default_width
        batch_size = min(int(self.batch_size), len(numbers))
        return self._stack_class(
            self.module_, width, batch_size, float(self.lr), corpus
        )

    def _encode(self, X, y):
        """Return inputs for a stack to answer, and the true class numbers."""
        y = np.searchsorted(self.classes_, column_or_1d(y))
        return Sentences(self._check_rows(X, reset=False)), y

    def _hand_over(self, model, stack, place):
        """Make `model` what `fit` would have made of it: it knows its own words."""
        is_known = ~self._is_new
        is_known[stack.jobs[place].used] = True
        model.classes_, model.embedding_dim_ = self.classes_, self.embedding_dim_
        model.words_ = [
            word
            for word, known in zip(self.words_, is_known[N_SPECIAL:], strict=True)
            if known
        ]
        model.input_shape_ = (stack.jobs[place].numbers.shape[1],)
        weights = stack.state_dict(place)
        weights["embedding.weight"] = weights["embedding.weight"][is_known]
        model._restore_module(weights, "")

    def _recipe(self):
        return self._module, {
            "n_classes": len(self.classes_),
            "n_words": len(self.words_),
            "dimension": self.embedding_dim_,
            "dropout": self.dropout,
        }

    def _stored_params(self):
        """Return the parameters, with words alone for vectors: these are tensors."""
        params = super()._stored_params()
        if self.vectors is not None:
            params["vectors"] = word_vectors(self.vectors)[0]
        return params

    def _stored_tensors(self):
        tensors = super()._stored_tensors()
        if self.vectors is not None:
            tensors["vectors"] = torch.from_numpy(word_vectors(self.vectors)[1])
        return tensors

    def _restore_module(self, weights, path):
        values = weights.pop("vectors", None)
        if isinstance(self.vectors, list):
            self.vectors = Bunch(words=self.vectors, vectors=values.numpy())
        self._vocabulary = Vocabulary().fit([self.words_])
        super()._restore_module(weights, path)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


class BaseTextClassifier(BaseTextNet, BaseNetClassifier):
    """Base class of classifiers of sentences.

    A subclass sets `_module`, the class of its module.
    """

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None):
        """Learn the words, and train a new network.

        Parameters
        ----------
        X : list of n_samples sentences, each a str or a list of str
            Sentences to train on.

        y : array-like of shape (n_samples,)
            Class labels of any kind.

        X_val : list of n_val sentences, default=None
            Sentences to choose the epoch by: the one with the best score on them is
            kept, and training stops after `patience` epochs without a better one.
            Without them, all `max_epochs` epochs are trained and the last is kept.

        y_val : array-like of shape (n_val,), default=None
            Their labels.

        classes : array-like of shape (n_classes,), default=None
            All classes there are, of which `y` may lack some. None takes those of `y`.

        Returns
        -------
        self : classifier
            Fitted classifier.

        Raises
        ------
        TypeError
            If a row of `X` is no sentence.
        ValueError
            If there are no rows, `vectors` are not finite or of different lengths, the
            device is not there, `y` holds a label that is not among the classes, or
            training diverges.
        """
        return super().fit(X, y, X_val=X_val, y_val=y_val, classes=classes)

    def _check_rows(self, X, y="no_validation", *, reset):
        """Return word numbers, of shape (n_rows, length), and in `fit` the labels."""
        if not reset:
            return self._vocabulary.transform(X)
        sentences = token_lists(X)
        y = validate_data(self, y=y)
        check_consistent_length(sentences, y)
        self._learn_words(sentences)
        return self._vocabulary.transform(sentences), y

    def _logits(self, X):
        # On one thread, since the many small steps would wait for each other.
        with single_threaded():
            return super()._logits(X)

    def _passes(self, X):
        """Return sentences of like length at a time."""
        return by_length(X, SENTENCES_AT_ONCE)
