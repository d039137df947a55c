"""The folder of data sets, and the download of their files."""

import os
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

from sklearn.utils import Bunch

from skal._sklearn import Interval
from skal.datasets._download import download, remove_stale, sha256

# Constraints of the parameters that all fetchers have, for `validate_params`.
DOWNLOAD_CONSTRAINTS = {
    "data_home": [str, os.PathLike, None],
    "download_if_missing": ["boolean"],
    "n_retries": [Interval(Integral, 0, None, closed="left")],
    "delay": [Interval(Real, 0, None, closed="left")],
}


class RemoteFile(NamedTuple):
    """A file to download.

    Parameters
    ----------
    filename, url : str
        Name of the file in its folder, and where to download it.
    checksum : str or None
        The sha256; None if no checksum was published.
    """

    filename: str
    url: str
    checksum: Any


def get_data_home(data_home=None):
    """Return the folder in which data sets are kept.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. By default, the environment variable `SKAL_DATA_HOME`, or
        `~/skal_data` if it is not set.

    Returns
    -------
    pathlib.Path
        The folder, which may not exist yet.

    See Also
    --------
    fetch_fashion_mnist : Keeps its files there.

    Examples
    --------
    >>> from skal.datasets import get_data_home
    >>> get_data_home("data").name
    'data'
    """
    if data_home is None:
        data_home = os.environ.get("SKAL_DATA_HOME") or "~/skal_data"
    return Path(data_home).expanduser()


def remote_file(url, checksum):
    """Describe a file to download, which is saved under its name in the URL.

    Parameters
    ----------
    url : str
    checksum : str or None
        The sha256; None if no checksum was published.

    Returns
    -------
    RemoteFile
    """
    return RemoteFile(url.rpartition("/")[2], url, checksum)


def get_parts(files, subset, folder, **download):
    """Return the paths of the files of a subset, downloading them if necessary.

    Parameters
    ----------
    files : dict of str to RemoteFile
        The file of each part.
    subset : str
        One part, or "all" for all parts in the order of `files`.
    folder : pathlib.Path
        Folder of the files.
    **download : dict
        `download_if_missing`, `n_retries` and `delay`, as in `get_file`.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    OSError
        As in `get_file`.
    """
    parts = list(files) if subset == "all" else [subset]
    return [get_file(files[part], folder, **download) for part in parts]


def get_file(remote, folder, *, download_if_missing, n_retries, delay):
    """Return the path of a complete data file, downloading it if necessary.

    The download goes to a temporary file in the same folder, which is renamed once its
    checksum has been verified. A partial file is thus never used.

    Parameters
    ----------
    remote : RemoteFile
        File name, URL and sha256.
    folder : pathlib.Path
        Folder of the file.
    download_if_missing : bool
        Whether to download the file if it is missing or damaged.
    n_retries : int
        Number of retries when a download fails.
    delay : float
        Seconds between retries.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OSError
        If the file is missing or damaged and `download_if_missing` is False, or the
        download fails or has the wrong checksum.
    """
    path = folder / remote.filename
    if is_whole(path, remote.checksum):
        return path
    if not download_if_missing:
        raise refusal(path, remote.url, "its sha256 differs")
    folder.mkdir(parents=True, exist_ok=True)
    remove_stale(folder)
    with advice(path):
        return download(remote, folder, n_retries=n_retries, delay=delay)


@contextmanager
def advice(path):
    """Add to the message of an OSError where to put a file by hand.

    Parameters
    ----------
    path : pathlib.Path
        The file that is wanted.

    Raises
    ------
    OSError
        With this advice.
    """
    try:
        yield
    except OSError as error:
        raise OSError(
            f"{error} Without a network, put the file at {path} by hand, or set "
            "SKAL_DATA_HOME to the folder that has it."
        ) from error


def is_whole(path, checksum):
    """Return whether a file exists and has the given sha256.

    Parameters
    ----------
    path : pathlib.Path
    checksum : str
        The sha256, in hexadecimal digits.

    Returns
    -------
    bool
    """
    return path.exists() and sha256(path) == checksum


def refusal(path, source, damage):
    """Return the error for a file that must not be downloaded, but has to be.

    Parameters
    ----------
    path : pathlib.Path
        The file, which is missing or damaged.
    source : str
        The URL of the file.
    damage : str
        Description of the damage, if the file exists.

    Returns
    -------
    OSError
    """
    state = f"is damaged ({damage})" if path.exists() else "is missing"
    return OSError(
        f"{path} {state}, and download_if_missing=False: allow the download, put the "
        f"file from {source} there, or set SKAL_DATA_HOME to the folder that has it."
    )


def pack(data, target, target_names, descr, return_X_y):
    """Return a data set in the form that all fetchers return.

    Parameters
    ----------
    data, target : array or list
        Samples and their targets.
    target_names : list of str
        Names of the targets.
    descr : str
        Description of the data set.
    return_X_y : bool
        Whether to return the data and targets only.

    Returns
    -------
    Bunch, or the tuple (data, target) if `return_X_y` is True
    """
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, target_names=target_names, DESCR=descr)
