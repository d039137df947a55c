"""Input checks of taggers: lists of tokens and of tags."""

from collections.abc import Iterable, Sized
from itertools import chain
from typing import Any

from skal._sklearn import is_pandas_na, is_scalar_nan
from skal.inputs._tags import check_as_many, is_tags
from skal.nets.text._vocabulary import token_lists


def token_rows(X: Any) -> list[list[str]]:
    """Return the tokens of each sentence in lower case; raise for an invalid row.

    Parameters
    ----------
    X : list of n_samples sentences, each a list of str
        The sentences.

    Returns
    -------
    list of list of str
        New lists, of length n_samples.

    Raises
    ------
    TypeError
        If a row is not a list of tokens.
    ValueError
        If there are no rows.
    """
    sentences = token_lists(X)
    texts = [number for number, row in enumerate(X) if isinstance(row, str)]
    if texts:
        raise TypeError(
            f"Row {texts[0]} of X is a str, but tags belong to tokens: pass each "
            "sentence as a list of its tokens."
        )
    return sentences


def tag_rows(X: Any, y: Any, name: str = "y") -> list[list[Any]]:
    """Return the tags of each sentence; raise an error if they are invalid.

    Parameters
    ----------
    X : list of n_samples sentences, each a list of str
        The sentences.
    y : list of n_samples lists
        Their tags.
    name : str, default="y"
        Name of the tags in error messages.

    Returns
    -------
    list of list
        New lists, of length n_samples.

    Raises
    ------
    ValueError
        If the numbers of tags and tokens of a sentence differ, a tag is missing, or
        some tags are str and others are not.
    """
    rows = list(y) if isinstance(y, Iterable) else []
    if not is_tags(rows):
        raise ValueError(
            f"{name} holds no lists of tags: pass one list for each sentence, with one "
            "tag for each token."
        )
    check_as_many(X, rows, name)
    missing = [number for number, row in enumerate(rows) if any(map(_is_missing, row))]
    if missing:
        raise ValueError(
            f"{name} has a missing tag (None or NaN) in row {missing[0]}: pass a tag "
            "for every token, such as 'O'."
        )
    if len({isinstance(tag, str) for tag in chain.from_iterable(rows)}) > 1:
        raise ValueError(
            f"{name} has some tags that are str and others that are not: pass all tags "
            "as str."
        )
    return [list(row) for row in rows]


def check_any(tokens: Sized) -> None:
    """Raise an error if no sentence has a token.

    Parameters
    ----------
    tokens : sized
        The tokens of all sentences, or the sentences that have tokens.

    Raises
    ------
    ValueError
        If it is empty.
    """
    if len(tokens) == 0:
        raise ValueError("X holds no tokens: pass at least one non-empty sentence.")


def _is_missing(tag: Any) -> bool:
    return tag is None or is_pandas_na(tag) or is_scalar_nan(tag)
