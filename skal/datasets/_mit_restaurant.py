"""MIT Restaurant: questions to a restaurant guide, with a BIO tag for each word."""

import re
from itertools import chain, groupby

from skal._sklearn import StrOptions, validate_params
from skal.datasets._base import (
    DOWNLOAD_CONSTRAINTS,
    get_data_home,
    get_parts,
    pack,
    remote_file,
)

_GITHUB = "https://raw.githubusercontent.com/"

# Two repositories: none was found that has both files in their published form.
_FILES = {
    "train": remote_file(
        _GITHUB + "carpentries-incubator/python-text-analysis/"
        "f7a7513b67d8eef677bd039e70b0cbeeaff31677/"
        "episodes/data/mit_restaurant/restauranttrain.bio",
        "f51794247426c975e7701011d4dba668ac6b881358f162e2c2c10709f2d17b9b",
    ),
    "test": remote_file(
        _GITHUB + "awasthiabhijeet/Learning-From-Rules/"
        "217c2d3b0cdaec1b22bc498c4cd17c5262b3fd13/data/MITR/restauranttest.bio",
        "09809dd126a3781c4205d06e721752054e51a10b1c98f3495ef17cd723f25ce2",
    ),
}


@validate_params(
    {
        **DOWNLOAD_CONSTRAINTS,
        "subset": [StrOptions({"all", "train", "test"})],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_mit_restaurant(
    *,
    subset="all",
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    n_retries=3,
    delay=1.0,
):
    """Load the MIT Restaurant corpus, downloading it if necessary (1 MB).

    The task is named entity recognition with eight kinds of entities, such as cuisine
    or price, marked by BIO tags: "B-Price" begins a price, "I-Price" continues it, and
    "O" marks words outside of entities.

    =================   ===============================
    Tags                                             17
    Sentences                9181 (7660 train, 1521 test)
    Tokens              84781 (70525 train, 14256 test)
    Features            sentences of 1 to 35 tokens
    =================   ===============================

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        Part to load; "all" is train followed by test.
    data_home : str or path-like, default=None
        Folder for data sets. By default, the environment variable `SKAL_DATA_HOME`, or
        `~/skal_data` if it is not set.
    download_if_missing : bool, default=True
        If False, raise an OSError if a file is missing or damaged.
    return_X_y : bool, default=False
        If True, return `(data, target)` instead of a Bunch.
    n_retries : int, default=3
        Number of retries when a download fails.
    delay : float, default=1.0
        Seconds between retries.

    Returns
    -------
    data : Bunch
        Dictionary-like object with the following fields.

        data : list of lists of str, of length n_samples
            The tokens of each sentence, in lower case.
        target : list of lists of str, of length n_samples
            The tag of each token.
        target_names : list of str
            The tags that occur, sorted.
        DESCR : str
            Description of the data set.

    (data, target) : tuple, if `return_X_y` is True
        The first two fields of the Bunch.

    Raises
    ------
    OSError
        If a file cannot be downloaded or has the wrong checksum.
    ValueError
        If a line does not have the form of a tag and a token.

    See Also
    --------
    load_task : The paper's task on these sentences.
    get_data_home : The folder in which the files are kept.

    References
    ----------
    Liu, Pasupat, Cyphers and Glass, "Asgard: A Portable Architecture for Multilingual
    Dialogue Systems", ICASSP 2013. Distributed for research by the Spoken Language
    Systems group of MIT, without a licence text.

    Examples
    --------
    >>> from skal.datasets import fetch_mit_restaurant
    >>> X, y = fetch_mit_restaurant(return_X_y=True)  # doctest: +SKIP
    >>> X[0][:3], y[0][:3]  # doctest: +SKIP
    (['2', 'start', 'restaurants'], ['B-Rating', 'I-Rating', 'O'])
    """
    paths = get_parts(
        _FILES,
        subset,
        get_data_home(data_home) / "mit_restaurant",
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
    )
    sentences = [sentence for path in paths for sentence in _read_bio(path)]
    data = [[token for _, token in sentence] for sentence in sentences]
    target = [[tag for tag, _ in sentence] for sentence in sentences]
    names = sorted(set(chain.from_iterable(target)))
    return pack(data, target, names, fetch_mit_restaurant.__doc__, return_X_y)


def _read_bio(path):
    """Return the sentences of a BIO file, each a list of pairs (tag, token)."""
    lines = path.read_text(encoding="utf-8").split("\n")
    pairs = [_parse(line, path, number) for number, line in enumerate(lines, start=1)]
    return [list(group) for is_sentence, group in groupby(pairs, bool) if is_sentence]


def _parse(line, path, number):
    """Return the tag and the token of a line, or None for a blank one."""
    if not line:
        return None
    pair = re.fullmatch(r"(O|[BI]-\S+)\t(\S+)", line)
    if pair is None:
        raise ValueError(
            f"{path}, line {number}: expected a tag (O, B-... or I-...), a tab and a "
            f"token, not {line!r}."
        )
    return pair.groups()
