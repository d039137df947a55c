"""GloVe: word vectors trained on six billion words."""

import os
import zipfile
import zlib
from numbers import Integral
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.utils import Bunch

from skal._sklearn import Options, validate_params
from skal.datasets._base import (
    DOWNLOAD_CONSTRAINTS,
    advice,
    get_data_home,
    is_whole,
    refusal,
    remote_file,
)
from skal.datasets._download import MARK, download, remove_stale, sha256

# No checksum was published: the extracted file is verified by the CRC in the archive
# and by its number of lines. Its checksum is then kept beside it, to notice later
# damage.
_ARCHIVE = remote_file("https://nlp.stanford.edu/data/glove.6B.zip", None)
_N_WORDS = 400_000

# A part of the 50-dimensional file, for machines without room for the whole archive.
_SUBSET = "glove.6B.50d.subset.txt"
_SUBSET_CHECKSUM = "bd35b08d3a3870cb5487670b119589d473a903cfaa15e52e9d1ac5c5785d7aa3"


@validate_params(
    {"path": [str, os.PathLike], "words": ["array-like", None]},
    prefer_skip_nested_validation=True,
)
def read_word_vectors(path, words=None):
    r"""Read word vectors from a file in GloVe's text format.

    Each line has a word and the values of its vector, separated by single spaces and
    terminated by a line feed. The file is read line by line, and only the vectors of
    `words` are kept. For all other words, values are counted but not parsed.

    Parameters
    ----------
    path : str or path-like
        Path of the file.
    words : collection of str, default=None
        Words to keep; words that are not in the file are ignored. By default, all words
        are kept.

    Returns
    -------
    words : list of str, of length n_words
        The words found, in the order of the file.
    vectors : ndarray of shape (n_words, dimension), dtype float32
        The vectors of these words.

    Raises
    ------
    ValueError
        If the file is empty, a line has another number of values than the first, a
        value is not a finite number, or the last line is cut off.

    See Also
    --------
    fetch_glove : Download vectors.
    skal.nets.embedding_matrix : The vectors of the words of a vocabulary.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skal.datasets import read_word_vectors
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "vectors.txt"
    ...     _ = path.write_text("the 0.5 1\ncat 2 3\nsat 4 5\n")
    ...     read_word_vectors(path, words=["sat", "the", "dog"])
    (['the', 'sat'], array([[0.5, 1. ], [4. , 5. ]], dtype=float32))
    """
    wanted = None if words is None else set(words)
    found, vectors = [], []
    with open(path, "rb") as file:
        dimension = file.readline().count(b" ")
        file.seek(0)
        for number, line in enumerate(file, start=1):
            try:
                word, values = _split(line, dimension)
                if wanted is None or word in wanted:
                    vectors.append(_vector(values))
                    found.append(word)
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
    if dimension == 0:
        raise ValueError(f"{path} is empty: give a file of words and their vectors.")
    return found, np.array(vectors, dtype=np.float32).reshape(-1, dimension)


def _split(line, dimension):
    """Return the word of a line as text, and its values as bytes, not parsed."""
    if not line.endswith(b"\n"):
        raise ValueError("the line is cut off: get the complete file.")
    word, _, values = line[:-1].partition(b" ")
    n_values = line.count(b" ")
    if not word or not n_values == dimension > 0:
        raise ValueError(
            f"expected a word and {dimension or 'its'} values, as in the first line, "
            f"separated by single spaces, not {n_values} values."
        )
    return word.decode(), values


def _vector(values):
    vector = np.array(values.split(b" "), dtype=np.float32)
    if not np.isfinite(vector).all():
        raise ValueError("a value is not a finite number.")
    return vector


@validate_params(
    {
        **DOWNLOAD_CONSTRAINTS,
        "dimension": [Options(Integral, {50, 100, 200, 300})],
        "words": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def fetch_glove(
    *,
    dimension=50,
    words=None,
    data_home=None,
    download_if_missing=True,
    n_retries=3,
    delay=1.0,
):
    """Load GloVe 6B word vectors, downloading them if necessary (862 MB).

    =================   ======================================
    Words               400000, lower case
    Dimensionality      50, 100, 200 or 300
    Trained on          Wikipedia 2014 and Gigaword 5
    =================   ======================================

    Parameters
    ----------
    dimension : {50, 100, 200, 300}, default=50
        Length of the vectors.
    words : collection of str, default=None
        Words to keep; words that GloVe does not have are ignored. By default, all words
        are kept.
    data_home : str or path-like, default=None
        Folder for data sets. By default, the environment variable `SKAL_DATA_HOME`, or
        `~/skal_data` if it is not set.
    download_if_missing : bool, default=True
        If False, raise an OSError if the file is missing or damaged.
    n_retries : int, default=3
        Number of retries when a download fails.
    delay : float, default=1.0
        Seconds between retries.

    Returns
    -------
    data : Bunch
        Dictionary-like object with the following fields.

        words : list of str, of length n_words
            The words found, in GloVe's order: the most frequent first.
        vectors : ndarray of shape (n_words, dimension), dtype float32
            The vectors of these words.
        DESCR : str
            Description of the data set.

    Raises
    ------
    OSError
        If the file cannot be downloaded or is damaged.
    ValueError
        If a line of the file is malformed, as in `read_word_vectors`.

    See Also
    --------
    read_word_vectors : Read a file of vectors that you have.
    get_data_home : The folder in which the files are kept.

    Notes
    -----
    Only the file of the given dimension is kept from the downloaded archive. If the
    50-dimensional file is missing but the folder has `glove.6B.50d.subset.txt`, this
    file is read instead. It has 5206 words, which cover `fetch_topv2` and
    `fetch_mit_restaurant`.

    References
    ----------
    Pennington, Socher and Manning, "GloVe: Global Vectors for Word Representation",
    EMNLP 2014. Public Domain Dedication and License 1.0.

    Examples
    --------
    >>> from skal.datasets import fetch_glove
    >>> glove = fetch_glove(words=["alarm", "restaurant"])  # doctest: +SKIP
    >>> glove.words, glove.vectors.shape  # doctest: +SKIP
    (['restaurant', 'alarm'], (2, 50))
    """
    folder = get_data_home(data_home) / "glove"
    path = _find(folder, dimension)
    if path is None:
        path = folder / _member(dimension)
        if not download_if_missing:
            damage = f"it does not have {_N_WORDS} lines, or its sha256 differs"
            raise refusal(path, _ARCHIVE.url, damage)
        with advice(path):
            _download(path, n_retries, delay)
    try:
        found, vectors = read_word_vectors(path, words)
    except ValueError as error:
        raise ValueError(
            f"{str(error).removesuffix('.')}: remove {path.name}, so that it is "
            "downloaded again."
        ) from error
    return Bunch(words=found, vectors=vectors, DESCR=fetch_glove.__doc__)


def _member(dimension):
    return f"glove.6B.{dimension}d.txt"


def _find(folder, dimension):
    """Return the complete file, otherwise the subset, or None without either."""
    path, subset = folder / _member(dimension), folder / _SUBSET
    if path.exists() and _is_undamaged(path) and _n_lines(path) == _N_WORDS:
        return path
    if dimension == 50 and is_whole(subset, _SUBSET_CHECKSUM):
        return subset
    return None


def _checksum_of(path):
    """Return the path of the file with the checksum of another one."""
    return path.with_name(f"{path.name}.sha256")


def _is_undamaged(path):
    """Return whether a file has the checksum that is kept beside it, if any is."""
    kept = _checksum_of(path)
    return not kept.exists() or kept.read_text().strip() == sha256(path)


def _n_lines(path):
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(2**20), b"")
        return sum(chunk.count(b"\n") for chunk in chunks)


def _download(path, n_retries, delay):
    """Download the archive, move one of its files to `path`, and delete the rest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(path.parent)
    with TemporaryDirectory(prefix=MARK, dir=path.parent) as temp:
        archive = download(_ARCHIVE, temp, n_retries=n_retries, delay=delay)
        whole = _extract(archive, path.name)
        # In this order, a kill in between leaves a file that is downloaded again.
        _checksum_of(path).write_text(f"{sha256(whole)}\n")
        os.replace(whole, path)


def _extract(archive, member):
    """Extract one file next to its archive, and check that it is complete."""
    try:
        with zipfile.ZipFile(archive) as content:
            # Extracting a member verifies its CRC.
            path = Path(content.extract(member, archive.parent))
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise OSError(
            f"{_ARCHIVE.url} did not give a complete {member} ({error}): try again."
        ) from error
    if _n_lines(path) != _N_WORDS:
        raise OSError(
            f"{member} from {_ARCHIVE.url} has {_n_lines(path)} lines, not {_N_WORDS}: "
            "try again."
        )
    return path
