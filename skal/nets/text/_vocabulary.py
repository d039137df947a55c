"""Vocabulary: converts sentences to rows of word numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skal._sklearn import Interval, _fit_context
from skal.inputs._cells import short
from skal.inputs._containers import is_frame

PADDING, UNKNOWN = 0, 1
# Numbers reserved for padding and the unknown word; `words_` starts after them.
N_SPECIAL = 2

# Number of sentences per forward pass: small enough for the CPU cache.
SENTENCES_AT_ONCE = 128

# Similar to GloVe's tokenization, so that most words of a sentence have a vector.
_TOKEN = re.compile(
    r"""
      \d+(?:[.,:]\d+)+              # 7:30 and 1,000
    | \b(?:[^\W\d_]\.){2,}          # a.m.
    | o'clock\b
    | \w+?(?=n't\b)                 # do of don't
    | n't\b
    | '(?:s|m|d|re|ve|ll)\b         # 's of it's
    | \w+
    | ([^\w\s])\1*                  # a run of one punctuation mark
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Vocabulary(TransformerMixin, BaseEstimator):
    """Convert sentences to rows of word numbers.

    A sentence is a str or a list of words. A str is tokenized in the same way as the
    texts of GloVe: into words, numbers and times ("7:30"), abbreviations ("a.m."), the
    parts of contractions ("do", "n't"), and runs of one punctuation mark ("...").

    Parameters
    ----------
    lowercase : bool, default=True
        Whether to convert words to lower case.

    min_count : int, default=1
        Words that occur fewer times in the training sentences are treated as unknown.

    max_length : int, default=None
        Number of words to which each sentence is cut off or padded. None pads to the
        longest of the sentences passed to `transform`.

    Attributes
    ----------
    words_ : list of str, of length n_words
        The words in alphabetical order. The number of `words_[i]` is `i + 2`.

    See Also
    --------
    embedding_matrix : Returns the word vectors in the order of these numbers.

    Notes
    -----
    An empty sentence is treated as one unknown word, so that the mean over its words is
    defined and an empty sentence in the pool does not stop a run.

    Examples
    --------
    >>> from skal.nets import Vocabulary
    >>> vocabulary = Vocabulary().fit(["Set an alarm", "Don't!"])
    >>> vocabulary.words_
    ['!', 'alarm', 'an', 'do', "n't", 'set']
    >>> vocabulary.transform(["set the alarm!", ["an", "alarm"], ""])
    array([[7, 1, 3, 2],
           [4, 3, 0, 0],
           [1, 0, 0, 0]])
    """

    _parameter_constraints: dict = {
        "lowercase": ["boolean"],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, *, lowercase=True, min_count=1, max_length=None):
        self.lowercase = lowercase
        self.min_count = min_count
        self.max_length = max_length

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the words of the sentences.

        Parameters
        ----------
        X : list of n_samples sentences, each a str or a list of str
            Sentences from which to learn the words.

        y : None
            Ignored.

        Returns
        -------
        self : Vocabulary
            Fitted vocabulary.

        Raises
        ------
        TypeError
            If a row is not a sentence.
        ValueError
            If there are no rows.
        """
        counts = Counter()
        for tokens in token_lists(X, self.lowercase):
            counts.update(tokens)
        # Sorted, so that the result does not depend on the order of the sentences.
        self.words_ = sorted(w for w, n in counts.items() if n >= self.min_count)
        self._numbers = {w: i for i, w in enumerate(self.words_, start=N_SPECIAL)}
        return self

    def transform(self, X):
        """Return the numbers of the words of each sentence.

        Parameters
        ----------
        X : list of n_samples sentences, each a str or a list of str
            Sentences to convert.

        Returns
        -------
        ndarray of shape (n_samples, length), dtype int64
            Word numbers, padded on the right: 0 is padding, and 1 an unknown word.
            `length` is `max_length`, or the length of the longest sentence in `X`.

        Raises
        ------
        TypeError
            If a row is not a sentence.
        ValueError
            If there are no rows.
        """
        check_is_fitted(self)
        rows = [
            [self._numbers.get(token, UNKNOWN) for token in tokens] or [UNKNOWN]
            for tokens in token_lists(X, self.lowercase)
        ]
        length = self.max_length or max(map(len, rows))
        numbers = np.full((len(rows), length), PADDING, dtype=np.int64)
        for padded, row in zip(numbers, rows, strict=True):
            padded[: len(row)] = row[:length]
        return numbers

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def by_length(
    numbers: NDArray[np.int64], n_rows: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield sentences of similar length, the longest first, without shared padding.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Word numbers, padded on the right.
    n_rows : int
        Maximum number of sentences per batch.

    Yields
    ------
    rows : ndarray of shape (n_rows,)
        Indices of the sentences.
    numbers : ndarray of shape (n_rows, n_words of the longest)
        Their word numbers.
    """
    lengths = np.maximum((numbers != PADDING).sum(axis=1), 1)
    order = np.argsort(-lengths, kind="stable")
    for start in range(0, len(order), n_rows):
        rows = order[start : start + n_rows]
        yield rows, numbers[rows, : lengths[rows[0]]]


def tokenize(sentence: str, lowercase: bool = True) -> list[str]:
    """Split a text into words and punctuation, as in the texts of GloVe.

    Parameters
    ----------
    sentence : str
        The text.
    lowercase : bool, default=True
        Whether to convert it to lower case.

    Returns
    -------
    list of str
        The tokens.

    Examples
    --------
    >>> from skal.nets.text._vocabulary import tokenize
    >>> tokenize("Don't wake me at 7:30 a.m.... it's late")
    ['do', "n't", 'wake', 'me', 'at', '7:30', 'a.m.', '...', 'it', "'s", 'late']
    """
    sentence = sentence.replace("’", "'")  # noqa: RUF001
    sentence = sentence.lower() if lowercase else sentence
    return [match.group() for match in _TOKEN.finditer(sentence)]


def token_lists(X: Iterable[Any], lowercase: bool = True) -> list[list[str]]:
    """Return the words of each sentence, or raise an error for an invalid row.

    Parameters
    ----------
    X : list of n_samples sentences, each a str or a list of str
        The sentences.
    lowercase : bool, default=True
        Whether to convert words to lower case.

    Returns
    -------
    list of list of str
        New lists, of length n_samples.

    Raises
    ------
    TypeError
        If a row is not a sentence.
    ValueError
        If there are no rows.
    """
    # A dict and a data frame are iterable, but over keys rather than sentences.
    if isinstance(X, str | bytes | Mapping) or is_frame(X) or not _is_iterable(X):
        raise TypeError(
            f"X is a {type(X).__name__}: pass a list of sentences, each a str or a "
            "list of words, such as one column of a data frame."
        )
    lists = [_tokens(row, number, lowercase) for number, row in enumerate(X)]
    if not lists:
        raise ValueError("X holds no sentences: pass at least one.")
    return lists


def _is_iterable(X: Any) -> bool:
    return isinstance(X, Iterable) and getattr(X, "ndim", 1) > 0


def _tokens(row: Any, number: int, lowercase: bool) -> list[str]:
    if isinstance(row, str):
        return tokenize(row, lowercase)
    is_list = isinstance(row, list | tuple | np.ndarray)
    if not is_list or not all(isinstance(word, str) for word in row):
        raise TypeError(
            f"Row {number} of X must be a sentence, got {short(row)}: pass each row "
            "as a str or as a list of words."
        )
    return [word.lower() if lowercase else word for word in row]
