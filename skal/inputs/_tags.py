"""Tag sequences: labels of which each row has one per token."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_consistent_length

from skal.inputs._containers import lengths


def is_tags(y: Any) -> bool:
    """Whether labels are tag sequences: a list of lists, or a column of lists."""
    kind, ndim = getattr(getattr(y, "dtype", None), "kind", None), getattr(y, "ndim", 1)
    is_column = kind == "O" and ndim == 1
    if not is_column and not isinstance(y, list | tuple):
        return False
    return len(y) > 0 and all(_is_sequence(row) for row in y)


def _is_sequence(row: Any) -> bool:
    return isinstance(row, list | tuple) or getattr(row, "ndim", 0) == 1


def flatten(tags: Sequence[Sequence[Any]]) -> NDArray:
    """Return the tags of all tokens, one sentence after the other.

    Parameters
    ----------
    tags : list of n_sentences lists

    Returns
    -------
    ndarray of shape (n_tokens,)
    """
    return np.array(list(chain.from_iterable(tags)))


def all_labels(y: Any) -> Any:
    """Return the label of each row, or the tags of all tokens.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), or list of n_samples lists of tags

    Returns
    -------
    ndarray of shape (n_samples,) or (n_tokens,)
    """
    return flatten(y) if is_tags(y) else y


def check_as_many(X: Any, tags: Sequence[Sequence[Any]], name: str = "y") -> None:
    """Refuse tags of another number than the tokens that they are for.

    Parameters
    ----------
    X : list of n_sentences sentences, each a list of tokens
    tags : list of n_sentences lists
    name : str, default="y"
        What to call the tags in an error.

    Raises
    ------
    ValueError
        If `X` does not hold lists of tokens, or one of another length than its tags.
    """
    check_consistent_length(X, tags)
    if not all(_is_sequence(row) and all(isinstance(t, str) for t in row) for row in X):
        raise ValueError(
            f"{name} holds several labels per row, and X no lists of tokens that they "
            "could be tags of: give one label per row, or each sentence as a list of "
            "str."
        )
    n_tokens, n_tags = lengths(X), np.array([len(row) for row in tags], dtype=int)
    wrong = np.flatnonzero(n_tokens != n_tags)
    if len(wrong):
        row = wrong[0]
        raise ValueError(
            f"{name} has {n_tags[row]} tags in row {row}, and that sentence has "
            f"{n_tokens[row]} tokens: give one tag for each token."
        )


class TagScorer:
    """A scorer of labels, applied to the tags of all tokens at once.

    Scorers of scikit-learn refuse lists of lists. At the level of tags, "f1_weighted"
    is the F1 of each tag, averaged by how many tokens have it.

    Parameters
    ----------
    scorer : callable
        `scorer(model, X, y)` returns a float and asks the model to `predict`.
    """

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer

    def __call__(self, model: Any, X: Any, y: Any) -> float:
        """Score a tagger on sentences and their tags."""
        return self.scorer(_TokenByToken(model), X, flatten(y))

    def __repr__(self) -> str:
        return f"TagScorer({self.scorer!r})"


def scorer_of(estimator: Any, scoring: Any, y: Any) -> Any:
    """Return the scorer that `scoring` stands for, of tags where labels are tags.

    Parameters
    ----------
    estimator : estimator
    scoring : str, callable or None
        A name is judged tag by tag; a callable is called as it is.
    y : labels

    Returns
    -------
    callable
        `scorer(model, X, y)` returns a float.
    """
    scorer = check_scoring(estimator, scoring)
    return TagScorer(scorer) if isinstance(scoring, str) and is_tags(y) else scorer


class _TokenByToken(ClassifierMixin, BaseEstimator):
    """A fitted tagger as a classifier of tokens."""

    def __init__(self, tagger: Any) -> None:
        self.tagger = tagger
        self.classes_ = np.asarray(tagger.classes_)

    def predict(self, X: Any) -> NDArray:
        """Return the predicted tags of all tokens, shape (n_tokens,)."""
        return flatten(self.tagger.predict(X))
