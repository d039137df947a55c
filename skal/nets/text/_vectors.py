"""Word vectors as the rows of an embedding."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skal.nets.text._vocabulary import N_SPECIAL, PADDING
from skal.seeding import Stream, as_seed, stream


def embedding_matrix(
    words: Sequence[str],
    vectors: Mapping | None,
    *,
    dimension: int = 50,
    random_state: Any = None,
) -> NDArray[np.float32]:
    """Return the vectors that belong to the numbers of a `Vocabulary`.

    Parameters
    ----------
    words : list of str, of length n_words
        The words of a vocabulary, its `words_`.

    vectors : Bunch or mapping of str to array-like of shape (dimension,), or None
        The word vectors: what `skal.datasets.fetch_glove` returns, or each word with
        its vector.

    dimension : int, default=50
        Length of the vectors, if there are none to take it from.

    random_state : int, RandomState instance or None, default=None
        Determines the vectors of words that have none. Pass an int for the same ones in
        every call.

    Returns
    -------
    ndarray of shape (n_words + 2, dimension), dtype float32
        The row of padding, which is zero; that of an unknown word; and those of
        `words`. An unknown word and words without a vector have a normal one, whose
        values are as far from zero, in the mean square, as those of all `vectors`. It
        depends on `random_state` and the word, and not on the others in `words`.

    Raises
    ------
    TypeError
        If `vectors` has a key that is not a str.
    ValueError
        If it is empty, or its vectors are not finite or of different lengths.

    See Also
    --------
    Vocabulary : Numbers the words.

    Examples
    --------
    >>> from skal.nets import embedding_matrix
    >>> vectors = {"an": [0.5, 1.0], "alarm": [-1.0, 2.0]}
    >>> matrix = embedding_matrix(["alarm", "set"], vectors, random_state=0)
    >>> matrix.shape, matrix[0].tolist(), matrix[2].tolist()
    ((4, 2), [0.0, 0.0], [-1.0, 2.0])
    """
    known: list[str] = []
    values = np.ones((1, dimension), dtype=np.float32)
    if vectors is not None:
        known, values = word_vectors(vectors)
    rows = {word: row for row, word in enumerate(known)}
    # The empty word stands for those that are unknown.
    named = [""] * N_SPECIAL + list(words)
    found = np.array([rows.get(word, -1) if word else -1 for word in named])
    matrix, seed = values[found], as_seed(random_state)
    scale = np.sqrt(np.mean(values.astype(np.float64) ** 2))
    for new in np.flatnonzero(found < 0):
        rng = stream(seed, Stream.START, _number(named[new]))
        matrix[new] = rng.normal(scale=scale, size=values.shape[1])
    matrix[PADDING] = 0
    return matrix


def _number(word: str) -> int:
    """Return a number that belongs to a word, in any process."""
    return int.from_bytes(
        blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    )


def word_vectors(vectors: Mapping) -> tuple[list[str], NDArray[np.float32]]:
    """Return words and their vectors, of whatever kind they come in.

    Parameters
    ----------
    vectors : Bunch or mapping of str to array-like of shape (dimension,)
        As in `embedding_matrix`.

    Returns
    -------
    words : list of str, of length n_words
    values : ndarray of shape (n_words, dimension), dtype float32

    Raises
    ------
    TypeError
        If `vectors` has a key that is not a str.
    ValueError
        If it is empty, or its vectors are not finite or of different lengths.
    """
    is_bunch = isinstance(vectors, Bunch) and {"words", "vectors"} <= vectors.keys()
    words = list(vectors["words"] if is_bunch else vectors)
    values = vectors["vectors"] if is_bunch else list(vectors.values())
    if not words:
        raise ValueError("vectors holds no words: give at least one, with its vector.")
    strange = [word for word in words if not isinstance(word, str)]
    if strange:
        raise TypeError(
            f"vectors has {strange[0]!r} for a word: give a str for each vector."
        )
    _check_lengths(words, values)
    with np.errstate(over="ignore"):
        values = np.asarray(values, dtype=np.float32)
    if not np.isfinite(values).all():
        row = np.flatnonzero(~np.isfinite(values).all(axis=1))[0]
        raise ValueError(
            f"The vector of {words[row]!r} has a value that is not finite in float32: "
            "leave this word out."
        )
    return words, values


def _check_lengths(words: list[str], values: Any) -> None:
    if len(words) != len(values):
        raise ValueError(
            f"vectors has {len(words)} words and {len(values)} vectors: give one for "
            "each word."
        )
    shapes = [np.shape(value) for value in values]
    for word, shape in zip(words, shapes, strict=True):
        if shape != shapes[0] or len(shape) != 1 or shape == (0,):
            raise ValueError(
                f"The vector of {word!r} has shape {shape}, and that of {words[0]!r} "
                f"{shapes[0]}: give each word a vector, all of one length."
            )
