"""Sentences as texts, and as token numbers that a transformer accepts."""

import warnings
from typing import Any

from skal.nets.text._vocabulary import token_lists
from skal.nets.transformer._checkpoint import token_numbers


def as_texts(X):
    """Return each sentence as a str, or raise an error for an invalid row.

    Parameters
    ----------
    X : list of n_samples sentences, each a str or a list of str
        The sentences.

    Returns
    -------
    list of str
        One text per sentence.

    Raises
    ------
    TypeError
        If a row is not a sentence.
    ValueError
        If there are no rows.

    Examples
    --------
    >>> from skal.nets.transformer._texts import as_texts
    >>> as_texts(["Set an alarm!", ["for", "five"], []])
    ['Set an alarm!', 'for five', '']
    """
    # Only for its checks: the tokens are not used.
    token_lists(X)
    return [str(row) if isinstance(row, str) else " ".join(row) for row in X]


def check_max_length(
    max_length: int | None, limit: int | None, tokenizer: Any, checkpoint: Any
) -> None:
    """Raise an error if a maximum number of tokens does not suit a checkpoint.

    Parameters
    ----------
    max_length : int or None
        The parameter of the estimator.
    limit : int or None
        Maximum number of tokens of the checkpoint; None if unlimited.
    tokenizer : transformers.PreTrainedTokenizerBase
    checkpoint : str or path-like
        Name of the checkpoint, for the message.

    Raises
    ------
    ValueError
        If it exceeds the limit, or leaves no room for a sentence.
    """
    if max_length is None:
        return
    n_special = tokenizer.num_special_tokens_to_add()
    if max_length <= n_special:
        raise ValueError(
            f"max_length={max_length} leaves no room besides the {n_special} tokens "
            f"that the tokenizer adds to each sentence: choose {n_special + 1} or more."
        )
    if limit is not None and max_length > limit:
        raise ValueError(
            f"max_length={max_length} is more than the {limit} tokens that "
            f"{checkpoint} accepts: choose at most {limit}."
        )


def cut(
    tokenizer: Any,
    texts: list[str],
    max_length: int | None,
    limit: int | None,
    checkpoint: Any,
) -> list[list[int]]:
    """Return the token numbers of each text, truncated if necessary.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
    texts : list of str
    max_length : int or None
        The parameter of the estimator; None cuts at the limit, with a warning.
    limit : int or None
        Maximum number of tokens of the checkpoint; None if unlimited.
    checkpoint : str or path-like
        Name of the checkpoint, for the warning.

    Returns
    -------
    list of list of int
    """
    if max_length is not None or limit is None:
        return token_numbers(tokenizer, texts, max_length)
    # One more token than allowed, to find out whether a text is too long.
    rows = token_numbers(tokenizer, texts, limit + 1)
    if max(map(len, rows)) <= limit:
        return rows
    warnings.warn(
        f"Sentences of more than {limit} tokens are cut off, since {checkpoint} "
        f"accepts no more: set max_length={limit} if that is intended, or shorten "
        "them.",
        stacklevel=3,
    )
    return token_numbers(tokenizer, texts, limit)
