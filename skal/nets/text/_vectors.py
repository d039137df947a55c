"""Word vectors in the order of a vocabulary."""

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
    """Return word vectors in the order of the numbers of a `Vocabulary`.

    Parameters
    ----------
    words : list of str, of length n_words
        The words of a vocabulary, as in its attribute `words_`.

    vectors : Bunch or mapping of str to array-like of shape (dimension,), or None
        The word vectors: the return value of `skal.datasets.fetch_glove`, or a mapping
        from each word to its vector. None draws all vectors.

    dimension : int, default=50
        Length of the vectors. Only used if `vectors` is None.

    random_state : int, RandomState instance or None, default=None
        Controls the random vectors of words that have none. Pass an int for
        reproducible output across multiple function calls.

    Returns
    -------
    ndarray of shape (n_words + 2, dimension), dtype float32
        The vectors of padding, which is zero, of the unknown word, and of `words`, one
        per row. The unknown word and words without a vector get one from a normal
        distribution with the same mean square as the values in `vectors`. It depends on
        `random_state` and the word, but not on the other words.

    Raises
    ------
    TypeError
        If `vectors` has a key that is not a str.
    ValueError
        If `vectors` is empty, or its vectors are not finite or differ in length.

    See Also
    --------
    Vocabulary : Converts sentences to rows of word numbers.

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
    # Look up the given vectors. A word without one takes the last row for now.
    rows = {word: row for row, word in enumerate(known)}
    # The empty word represents padding and the unknown word.
    named = [""] * N_SPECIAL + list(words)
    found = np.array([rows.get(word, -1) if word else -1 for word in named])
    matrix, seed = values[found], as_seed(random_state)
    # Draw the missing vectors, at the scale of the given ones.
    scale = np.sqrt(np.mean(values.astype(np.float64) ** 2))
    for new in np.flatnonzero(found < 0):
        rng = stream(seed, Stream.START, _number(named[new]))
        matrix[new] = rng.normal(scale=scale, size=values.shape[1])
    matrix[PADDING] = 0
    return matrix


def _number(word: str) -> int:
    """Return a number that identifies a word, the same in any process."""
    return int.from_bytes(
        blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    )


def word_vectors(vectors: Mapping) -> tuple[list[str], NDArray[np.float32]]:
    """Return words and their vectors, from a Bunch or a mapping.

    Parameters
    ----------
    vectors : Bunch or mapping of str to array-like of shape (dimension,)
        As in `embedding_matrix`.

    Returns
    -------
    words : list of str, of length n_words
        The words.
    values : ndarray of shape (n_words, dimension), dtype float32
        Their vectors.

    Raises
    ------
    TypeError
        If `vectors` has a key that is not a str.
    ValueError
        If `vectors` is empty, or its vectors are not finite or differ in length.
    """
    is_bunch = isinstance(vectors, Bunch) and {"words", "vectors"} <= vectors.keys()
    words = list(vectors["words"] if is_bunch else vectors)
    values = vectors["vectors"] if is_bunch else list(vectors.values())
    if not words:
        raise ValueError("vectors holds no words: pass at least one, with its vector.")
    not_str = [word for word in words if not isinstance(word, str)]
    if not_str:
        raise TypeError(
            f"The words in vectors must be str, got {not_str[0]!r}: use a str for each."
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
            f"vectors has {len(words)} words and {len(values)} vectors: pass one "
            "vector for each word."
        )
    shapes = [np.shape(value) for value in values]
    for word, shape in zip(words, shapes, strict=True):
        if shape != shapes[0] or len(shape) != 1 or shape == (0,):
            raise ValueError(
                f"The vector of {word!r} has shape {shape}, but {words[0]!r} has "
                f"{shapes[0]}: give each word a vector, all of one length."
            )
