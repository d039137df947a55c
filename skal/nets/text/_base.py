"""Base classes of nets that read sentences: vocabulary and word vectors."""

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
from skal.nets._base_classifier import BaseNetClassifier, LabelNet
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


class BaseTextNet(LabelNet):
    """Base class of nets that read sentences, with a vocabulary and word vectors.

    A subclass sets `_module`, the class of its module.
    """

    _parameter_constraints: dict = {
        **LabelNet._parameter_constraints,
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
        class_weight=None,
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
        self.class_weight = class_weight
        self.scoring = scoring
        self.device = device
        self.random_state = random_state

    def _learn_words(self, sentences):
        """Fit the vocabulary to the sentences and to the words that have a vector.

        The words with a vector are included because the labelled sentences contain only
        few of the words of the pool.
        """
        known, self.embedding_dim_ = [], int(self.embedding_dim)
        if self.vectors is not None:
            words, values = word_vectors(self.vectors)
            # Sentences are lower-cased, so that other words are never looked up.
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
        """Return the initial vectors; words without a vector get a random one."""
        return embedding_matrix(
            words,
            self.vectors,
            dimension=self.embedding_dim_,
            # From torch's generator, which `fit` has seeded with random_state.
            random_state=int(torch.randint(MAX_SEED, ())),
        )

    def _build_stack(self, X, y, classes, width):
        """Fit the vocabulary to all rows, and return a stack of models."""
        numbers, y = self._check_rows(X, y, reset=True)
        # Only the codes: a tagger's inputs with previous tags are not needed, because
        # its stack derives these tags from the codes.
        _, codes = self._encode_labels(numbers, y, classes)
        if self.embedding_dim_ == 1 or len(self.classes_) == 1:
            # A product with a vector has other last bits if there is only one model.
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

    def _encode_inputs(self, X, y):
        """Return the inputs of a stack, and the true class codes."""
        y = np.searchsorted(self.classes_, column_or_1d(y))
        return Sentences(self._check_rows(X, reset=False)), y

    def _copy_fitted_state(self, model, stack, slot):
        """Set the fitted attributes of `model`, with only the words in its own rows."""
        is_known = ~self._is_new
        is_known[stack.jobs[slot].used] = True
        model.classes_, model.embedding_dim_ = self.classes_, self.embedding_dim_
        model.words_ = [
            word
            for word, known in zip(self.words_, is_known[N_SPECIAL:], strict=True)
            if known
        ]
        model.input_shape_ = (stack.jobs[slot].numbers.shape[1],)
        weights = stack.state_dict(slot)
        weights["embedding.weight"] = weights["embedding.weight"][is_known]
        model._restore_module(weights, "")

    def _module_and_params(self):
        return self._module, {
            "n_classes": len(self.classes_),
            "n_words": len(self.words_),
            "dimension": self.embedding_dim_,
            "dropout": self.dropout,
        }

    def _stored_params(self):
        """Return the parameters, with `vectors` reduced to its words.

        `_stored_tensors` returns the vectors themselves.
        """
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

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None, sample_weight=None):
        """Learn the words, and train a new network.

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
        self : classifier
            Fitted classifier.

        Raises
        ------
        TypeError
            If a row of `X` is not a sentence.
        ValueError
            If there are no rows, `vectors` are not finite or differ in length, the
            device is not available, `y` contains a label that is not in `classes`, or
            training diverges.
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
        """Return word numbers, of shape (n_rows, length), and in `fit` also labels."""
        if not reset:
            return self._vocabulary.transform(X)
        sentences = token_lists(X)
        y = validate_data(self, y=y)
        check_consistent_length(sentences, y)
        self._learn_words(sentences)
        return self._vocabulary.transform(sentences), y

    def _outputs(self, X):
        # On one thread, because synchronizing threads for small steps costs more time.
        with single_threaded():
            return super()._outputs(X)

    def _passes(self, X):
        """Yield batches of sentences of similar length."""
        return by_length(X, SENTENCES_AT_ONCE)
