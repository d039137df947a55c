"""Downloads of files: checked, atomic, and ended if the server does not answer."""

import hashlib
import os
import shutil
import time
import warnings
from http.client import HTTPException
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.error import HTTPError
from urllib.request import urlopen

# Seconds without an answer after which a server is taken to be silent.
TIMEOUT = 30
# Seconds after which what a download has not written to any more is left over from a
# process that was killed.
STALE = 3600
# Codes of errors that may be gone the next time: a timeout, and too many requests.
TEMPORARY = 408, 429
# Part of the names of files and folders of downloads that are not finished.
MARK = ".part_"


def download(remote, folder, *, n_retries, delay):
    """Download a file, and move it to its place once its checksum is verified.

    Parameters
    ----------
    remote : RemoteFile
        File name, URL and sha256.
    folder : str or path-like
        Folder of the file.
    n_retries : int
        Number of retries if the server does not answer, or has an error of its own.
    delay : float
        Seconds between retries.

    Returns
    -------
    pathlib.Path
        The downloaded file.

    Raises
    ------
    OSError
        If the download fails or has the wrong checksum.
    """
    path = Path(folder) / remote.filename
    if path.exists():
        warnings.warn(
            f"SHA256 checksum of {path} differs from expected ({remote.checksum}): "
            f"downloading it again from {remote.url}.",
            stacklevel=2,
        )
    with NamedTemporaryFile(
        prefix=f"{remote.filename}{MARK}", dir=folder, delete=False
    ) as file:
        try:
            _fetch(remote.url, file, n_retries, delay)
            file.close()
            found = sha256(Path(file.name))
            if remote.checksum is not None and found != remote.checksum:
                raise OSError(
                    f"The SHA256 checksum of {remote.filename} from {remote.url} is "
                    f"{found}, and not {remote.checksum}: try again later."
                )
            os.replace(file.name, path)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise
    return path


def _fetch(url, file, n_retries, delay):
    """Write what is at a URL to a file, with retries."""
    while True:
        try:
            file.seek(0)
            file.truncate()
            _fetch_once(url, file)
            return
        # Garbage in place of an answer is an HTTPException.
        except (OSError, HTTPException) as error:
            is_final = isinstance(error, HTTPError) and (
                400 <= error.code < 500 and error.code not in TEMPORARY
            )
            if isinstance(error, HTTPError):
                error.close()
            if n_retries == 0 or is_final:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise OSError(f"{url} could not be downloaded ({reason}).") from error
        warnings.warn(f"Retry downloading from url: {url}", stacklevel=2)
        n_retries -= 1
        time.sleep(delay)


def _fetch_once(url, file):
    with urlopen(url, timeout=TIMEOUT) as answer:
        shutil.copyfileobj(answer, file)
        size = answer.headers.get("Content-Length")
    if size is not None and file.tell() != int(size):
        raise OSError(f"{file.tell()} of {size} bytes arrived")


def remove_stale(folder):
    """Remove what downloads into a folder left behind when they were killed.

    Parameters
    ----------
    folder : pathlib.Path
    """
    for path in folder.glob(f"*{MARK}*"):
        latest = max(map(_changed, [path, *path.glob("*")]))
        if time.time() - latest < STALE:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _changed(path):
    """Return when a file was changed; now, if it has just been moved or removed."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return time.time()


def sha256(path):
    """Return the sha256 of a file, in hexadecimal digits.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
