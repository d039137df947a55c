"""Where data sets are kept, and how their files get there."""

import hashlib
import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

from sklearn.utils import Bunch

from skal._sklearn import Interval, fetch_remote

# The parameters that every fetcher has, for `validate_params`.
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
    checksum : str or None
        The sha256; None where none was published.
    """

    filename: str
    url: str
    checksum: Any


def get_data_home(data_home=None):
    """Return the folder in which data sets are kept.

    Parameters
    ----------
    data_home : str or path-like, default=None
        None takes the environment variable `SKAL_DATA_HOME`, or `~/skal_data` where
        that is not set.

    Returns
    -------
    pathlib.Path
        The folder; it need not exist yet.
    """
    if data_home is None:
        data_home = os.environ.get("SKAL_DATA_HOME") or "~/skal_data"
    return Path(data_home).expanduser()


def remote_file(url, checksum):
    """Describe a file to download, which keeps its name.

    Parameters
    ----------
    url : str
    checksum : str or None
        The sha256; None where none was published.

    Returns
    -------
    RemoteFile
    """
    return RemoteFile(url.rpartition("/")[2], url, checksum)


def get_parts(files, subset, folder, **download):
    """Return the paths of the files of a subset, downloading them if need be.

    Parameters
    ----------
    files : dict of str to RemoteFile
        The file of each part.
    subset : str
        One part, or "all": every part, in the order of `files`.
    folder : pathlib.Path
    **download
        `download_if_missing`, `n_retries` and `delay`, as for `get_file`.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    OSError
        As `get_file`.
    """
    parts = list(files) if subset == "all" else [subset]
    return [get_file(files[part], folder, **download) for part in parts]


def get_file(remote, folder, *, download_if_missing, n_retries, delay):
    """Return the path of a data file that is whole, downloading it if need be.

    A download goes to a temporary file beside its place, and is moved there once its
    checksum is right: part of a file is never taken for the whole.

    Parameters
    ----------
    remote : RemoteFile
        File name, URL and sha256.
    folder : pathlib.Path
    download_if_missing : bool
    n_retries : int
    delay : float
        Seconds between retries.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OSError
        If the file is missing or damaged and is not to be downloaded, or the download
        fails or is not what it should be.
    """
    path = folder / remote.filename
    if is_whole(path, remote.checksum):
        return path
    if not download_if_missing:
        raise refusal(path, remote.url, "its sha256 differs")
    folder.mkdir(parents=True, exist_ok=True)
    return fetch_remote(remote, folder, n_retries=n_retries, delay=delay)


def is_whole(path, checksum):
    """Tell whether a file is there and has this sha256.

    Parameters
    ----------
    path : pathlib.Path
    checksum : str

    Returns
    -------
    bool
    """
    return path.exists() and _sha256(path) == checksum


def refusal(path, source, damage):
    """Return the error for a file that would have to be downloaded and must not.

    Parameters
    ----------
    path : pathlib.Path
        The file, which is missing, or there but damaged.
    source : str
        Where it can be had.
    damage : str
        What is wrong with the file where there is one.

    Returns
    -------
    OSError
    """
    state = f"is damaged ({damage})" if path.exists() else "is missing"
    return OSError(
        f"{path} {state}, and download_if_missing=False: allow the download, or put "
        f"the file from {source} there."
    )


def pack(data, target, target_names, descr, return_X_y):
    """Return what a fetcher returns.

    Parameters
    ----------
    data, target : array or list
    target_names : list of str
    descr : str
        What the data set is.
    return_X_y : bool

    Returns
    -------
    Bunch, or the tuple (data, target) if `return_X_y` is True
    """
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, target_names=target_names, DESCR=descr)


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
