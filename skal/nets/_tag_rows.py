"""Sentences as lists of tokens, with a tag for each: taken in, or refused."""

from collections.abc import Iterable, Sized
from itertools import chain
from typing import Any

from sklearn.utils._missing import is_pandas_na, is_scalar_nan

from skal.nets._vocabulary import token_lists
from skal.utils._tags import check_as_many, is_tags


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
