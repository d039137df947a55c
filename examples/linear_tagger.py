"""A linear tagger on word vectors, which trains in a fraction of a second."""

from itertools import accumulate

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
        self.numbers_ = _Numbers({word: i for i, word in enumerate(words, start=1)})
        # An unknown word is number 0, and so is the place beyond a sentence.
        known = self.vectors["vectors"]
        self.known_ = np.vstack([np.zeros_like(known[:1]), known])
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
        beyond = [0] * self.window
        numbers = list(beyond)
        for tokens in X:
            numbers += map(self.numbers_.__getitem__, tokens)
            numbers += beyond
        n_tokens = [len(tokens) for tokens in X]
        n_before = self.window * (1 + np.repeat(np.arange(len(X)), n_tokens))
        places = n_before + np.arange(sum(n_tokens))
        offsets = range(-self.window, self.window + 1)
        numbers = np.array(numbers)
        return np.hstack([self.known_[numbers[places + offset]] for offset in offsets])


class _Numbers(dict):
    """The number of each word, written in any case; 0 for unknown words."""

    def __missing__(self, word):
        self[word] = self.get(word.lower(), 0)
        return self[word]
