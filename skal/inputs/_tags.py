"""Tag sequences: labels with one tag for each token of a row."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length

from skal._sklearn import suggesting
from skal.inputs._containers import lengths
from skal.inputs._scoring import check_signature


def is_tags(y: Any) -> bool:
    """Return whether labels are tag sequences: a list of lists, or a column of lists.

    Parameters
    ----------
    y : labels

    Returns
    -------
    bool
    """
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
        The tags of each sentence.

    Returns
    -------
    ndarray of shape (n_tokens,)
        One sentence after the other.
    """
    return np.array(list(chain.from_iterable(tags)))


def all_labels(y: Any) -> Any:
    """Return the label of each row, the tags of all tokens, or all labels of rows.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_columns), or list of n_samples \
            lists of tags
        Labels of any kind.

    Returns
    -------
    ndarray of shape (n_samples,), (n_tokens,) or (n_samples * n_columns,)
        One row after the other.
    """
    if is_tags(y):
        return flatten(y)
    return y.ravel() if getattr(y, "ndim", 1) == 2 else y


def check_as_many(X: Any, tags: Sequence[Sequence[Any]], name: str = "y") -> None:
    """Check that each sentence has as many tags as tokens.

    Parameters
    ----------
    X : list of n_sentences sentences, each a list of tokens
        The sentences.
    tags : list of n_sentences lists
        The tags of each sentence.
    name : str, default="y"
        The name of the tags in error messages.

    Raises
    ------
    ValueError
        If `X` does not hold lists of tokens, or a sentence and its tags differ in
        length.
    """
    check_consistent_length(X, tags)
    if not all(_is_sequence(row) and all(isinstance(t, str) for t in row) for row in X):
        raise ValueError(
            f"{name} holds several labels per row, but the rows of X are not lists of "
            "tokens: give one label per row, an array with a column for each label, or "
            "each sentence as a list of str."
        )
    n_tokens, n_tags = lengths(X), np.array([len(row) for row in tags], dtype=int)
    wrong = np.flatnonzero(n_tokens != n_tags)
    if len(wrong):
        row = wrong[0]
        raise ValueError(
            f"{name} has {n_tags[row]} tags in row {row}, but the sentence has "
            f"{n_tokens[row]} tokens: give one tag for each token."
        )


class TagScorer:
    """Apply a scorer of labels to the tags of all tokens at once.

    scikit-learn's scorers do not accept lists of lists. Applied to tags, "f1_weighted"
    is the F1 score of each tag, weighted by the number of its tokens.

    Parameters
    ----------
    scorer : callable
        `scorer(model, X, y)` returns a float. It must use `model.predict`.

    See Also
    --------
    skal.nets.BiLSTMTagger : A tagger.
    ActiveLearner : Wraps a scorer in it if labels are lists of tags.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> from skal.inputs import TagScorer
    >>> class Outside:
    ...     classes_ = ["B-CITY", "O"]
    ...     def predict(self, X):
    ...         return [["O"] * len(tokens) for tokens in X]
    >>> X, y = [["to", "Oslo"], ["now"]], [["O", "B-CITY"], ["O"]]
    >>> round(TagScorer(get_scorer("f1_weighted"))(Outside(), X, y), 3)
    0.533
    """

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer

    def __call__(self, model: Any, X: Any, y: Any) -> float:
        """Score a tagger.

        Parameters
        ----------
        model : fitted tagger
            The model to score.
        X : list of n_sentences sentences
            The sentences to predict.
        y : list of n_sentences lists
            Their true tags.

        Returns
        -------
        float
        """
        return self.scorer(_TokenByToken(model), X, flatten(y))

    def __repr__(self) -> str:
        return f"TagScorer({self.scorer!r})"


def scorer_of(estimator: Any, scoring: Any, y: Any) -> Any:
    """Return the scorer for `scoring`; if labels are tags, one that scores tags.

    Parameters
    ----------
    estimator : estimator
        Its `score` is used if `scoring` is None; if this is the accuracy of rows, and
        labels are tags, the accuracy of tags takes its place.
    scoring : str, callable or None
        If labels are tags, a name is applied to the tags of all tokens. A callable is
        used as it is.
    y : labels
        They show whether labels are tags.

    Returns
    -------
    callable
        `scorer(model, X, y)` returns a float.
    """
    check_signature(scoring)
    if scoring is None and is_tags(y) and _has_accuracy(estimator):
        scoring = "accuracy"
    with suggesting():
        scorer = check_scoring(estimator, scoring)
    return TagScorer(scorer) if isinstance(scoring, str) and is_tags(y) else scorer


def _has_accuracy(estimator: Any) -> bool:
    """Return whether the `score` of an estimator is scikit-learn's accuracy."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return getattr(type(estimator), "score", None) is ClassifierMixin.score


class _TokenByToken(ClassifierMixin, BaseEstimator):
    """A fitted tagger, presented as a classifier of tokens."""

    def __init__(self, tagger: Any) -> None:
        self.tagger = tagger
        self.classes_ = np.asarray(tagger.classes_)

    def predict(self, X: Any) -> NDArray:
        """Return the predicted tags of all tokens, shape (n_tokens,)."""
        return flatten(self.tagger.predict(X))
