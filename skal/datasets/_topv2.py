"""TOPv2: requests to a voice assistant, with their intents."""

import csv
import re

import numpy as np

from skal._sklearn import StrOptions, validate_params
from skal.datasets._base import (
    DOWNLOAD_CONSTRAINTS,
    get_data_home,
    get_parts,
    pack,
    remote_file,
)

_URL = (
    "https://raw.githubusercontent.com/quocdat32461997/prompt-semantic-parsing/"
    "63d6463e4ec505e52ef8f4c1e55b54228080f4f0/datasets/TOPv2_Dataset/"
)

_FILES = {
    "alarm": {
        "train": remote_file(
            _URL + "alarm_train.tsv",
            "920483ba7ae051f95f69692deb77c80e66a105005ed5e49a3a043e9ffd155db5",
        ),
        "eval": remote_file(
            _URL + "alarm_eval.tsv",
            "9b80c3b3430c6378fa566f76f6ef5aa31156599f362a8896922839ebeedaa4a3",
        ),
        "test": remote_file(
            _URL + "alarm_test.tsv",
            "96ce58ce1944f2f94b37477a18aa31b70b54aad0505eb7688d613fbd6415818c",
        ),
    },
}

_COLUMNS = ["domain", "utterance", "semantic_parse"]


@validate_params(
    {
        **DOWNLOAD_CONSTRAINTS,
        "domain": [StrOptions({"alarm"})],
        "subset": [StrOptions({"all", "train", "eval", "test"})],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_topv2(
    *,
    domain="alarm",
    subset="all",
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    n_retries=3,
    delay=1.0,
):
    """Load TOPv2 1.1 as intent classification, downloading it if necessary (3.5 MB).

    Each sample is a request to a voice assistant. Its class is the outermost intent of
    its semantic parse. Only one of the eight domains, "alarm", is available.

    =================   ==========================================
    Classes                                                      7
    Samples             30488 (20430 train, 2935 eval, 7123 test)
    Features            sentences of 1 to 23 words
    =================   ==========================================

    Parameters
    ----------
    domain : {"alarm"}, default="alarm"
        Domain of the utterances.
    subset : {"all", "train", "eval", "test"}, default="all"
        Part to load; "all" is train, followed by eval and test.
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

        data : list of str, of length n_samples
            The original utterances, neither lower-cased nor tokenised.
        target : ndarray of shape (n_samples,), dtype str
            The intent of each utterance, such as "CREATE_ALARM".
        target_names : list of str
            The intents that occur, sorted.
        DESCR : str
            Description of the data set.

    (data, target) : tuple, if `return_X_y` is True
        The first two fields of the Bunch.

    Raises
    ------
    OSError
        If a file cannot be downloaded or has the wrong checksum.
    ValueError
        If a line does not consist of a domain, an utterance and a semantic parse.

    See Also
    --------
    load_task : The paper's task on these sentences.
    get_data_home : The folder in which the files are kept.

    Notes
    -----
    The parts overlap: 805 distinct utterances are in both train and test. The class
    frequencies differ between parts.

    References
    ----------
    Chen, Ghoshal, Mehdad, Zettlemoyer and Gupta, "Low-Resource Domain Adaptation for
    Compositional Task-Oriented Semantic Parsing", EMNLP 2020. Licence CC BY-SA 4.0.

    Examples
    --------
    >>> from skal.datasets import fetch_topv2
    >>> X, y = fetch_topv2(return_X_y=True)  # doctest: +SKIP
    >>> X[0], y[0]  # doctest: +SKIP
    ('Set the alarm for tonight.', 'CREATE_ALARM')
    """
    paths = get_parts(
        _FILES[domain],
        subset,
        get_data_home(data_home) / f"topv2_{domain}",
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
    )
    rows = [row for path in paths for row in _read_tsv(path)]
    data = [utterance for utterance, _ in rows]
    target = np.array([intent for _, intent in rows])
    names = np.unique(target).tolist()
    return pack(data, target, names, fetch_topv2.__doc__, return_X_y)


def _read_tsv(path):
    """Yield the utterance and the outermost intent of each line."""
    with path.open(encoding="utf-8", newline="") as file:
        # Some utterances contain a double quote, which does not begin a quoted field.
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if next(rows, None) != _COLUMNS:
            raise ValueError(f"{path}, line 1: expected the columns {_COLUMNS}.")
        for row in rows:
            intent = re.match(r"\[IN:(\S+) ", row[-1]) if len(row) == 3 else None
            if intent is None:
                raise ValueError(
                    f"{path}, line {rows.line_num}: expected a domain, an utterance "
                    f"and a semantic parse that begins with an intent, not {row}."
                )
            yield row[1], intent[1]
