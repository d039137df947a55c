"""Where data sets are kept, and how their files get there."""

import hashlib
import os
from pathlib import Path

from sklearn.datasets._base import RemoteFileMetadata, _fetch_remote

__all__ = ["RemoteFileMetadata", "get_data_home", "get_file"]


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


def get_file(remote, folder, *, download_if_missing, n_retries, delay):
    """Return the path of a data file that is whole, downloading it if need be.

    A download goes to a temporary file beside its place, and is moved there once its
    checksum is right: part of a file is never taken for the whole.

    Parameters
    ----------
    remote : RemoteFileMetadata
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
    is_there = path.exists()
    if is_there and _sha256(path) == remote.checksum:
        return path
    if not download_if_missing:
        state = "is damaged (its sha256 differs)" if is_there else "is missing"
        raise OSError(
            f"{path} {state}, and download_if_missing=False: allow the download, or "
            f"put the file from {remote.url} there."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return _fetch_remote(remote, folder, n_retries=n_retries, delay=delay)


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
