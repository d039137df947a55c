"""A linear tagger on word vectors, which trains in a fraction of a second."""

from itertools import accumulate, chain

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from skal.inputs._tags import all_labels


class LinearTagger(ClassifierMixin, BaseEstimator):
    """Tag each token by logistic regression on its word vector and its neighbours'.

    Parameters
    ----------
    vectors : dict with "words" and "vectors"
        The known words, and an array of shape (n_words, n_dimensions). Other words have
        the vector 0.
    window : int, default=1
        Number of neighbours on either side.
    C : float, default=1
        Inverse strength of the regularization.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tags,)
        The tags seen in `fit`.
    """

    def __init__(self, vectors, *, window=1, C=1.0):
        self.vectors = vectors
        self.window = window
        self.C = C

    def fit(self, X, y):
        """Fit to lists of tokens and lists of tags."""
        words = self.vectors["words"]
        self.numbers_ = {word: i for i, word in enumerate(words, start=1)}
        self.model_ = LogisticRegression(C=self.C, max_iter=1000, tol=1e-2)
        self.model_.fit(self._rows(X), all_labels(y))
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        """Return a list of tags for each list of tokens."""
        codes = self._log_proba(X).argmax(axis=1)
        return [tags.tolist() for tags in self._split(self.classes_[codes], X)]

    def predict_token_log_proba(self, X):
        """Return an array of shape (n_tokens, n_tags) for each list of tokens."""
        return self._split(self._log_proba(X), X)

    def _log_proba(self, X):
        return self.model_.predict_log_proba(self._rows(X))

    def _split(self, values, X):
        ends = list(accumulate(len(tokens) for tokens in X))
        return np.split(values, ends[:-1])

    def _rows(self, X):
        """Return the columns of all tokens, of shape (n_tokens, n_columns)."""
        # An unknown word is number 0, and so is the place beyond a sentence.
        beyond = [0] * self.window
        tokens = chain.from_iterable((*beyond, *map(self._number, s)) for s in X)
        numbers = np.array([*tokens, *beyond], dtype=np.int64)
        is_token = np.array([*chain.from_iterable((*beyond, *[1] * len(s)) for s in X)])
        places = np.flatnonzero(is_token)
        offsets = range(-self.window, self.window + 1)
        known = self.vectors["vectors"]
        known = np.vstack([np.zeros_like(known[:1]), known])
        return np.hstack([known[numbers[places + offset]] for offset in offsets])

    def _number(self, word):
        return self.numbers_.get(word.lower(), 0)
