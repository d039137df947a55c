"""Fashion-MNIST: small greyscale images of ten kinds of clothing."""

import gzip

import numpy as np

from skal._sklearn import StrOptions, validate_params
from skal.datasets._base import (
    DOWNLOAD_CONSTRAINTS,
    get_data_home,
    get_parts,
    pack,
    remote_file,
)

_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

_FILES = {
    "images": {
        "train": remote_file(
            _URL + "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        "test": remote_file(
            _URL + "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
    },
    "labels": {
        "train": remote_file(
            _URL + "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        "test": remote_file(
            _URL + "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    },
}

_TARGET_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@validate_params(
    {
        **DOWNLOAD_CONSTRAINTS,
        "subset": [StrOptions({"train", "test", "all"})],
        "as_images": ["boolean"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_fashion_mnist(
    *,
    data_home=None,
    subset="all",
    as_images=False,
    download_if_missing=True,
    return_X_y=False,
    n_retries=3,
    delay=1.0,
):
    """Load Fashion-MNIST, downloading it if necessary (31 MB).

    =================   ============================
    Classes                                       10
    Samples             70000 (60000 train, 10000 test)
    Dimensionality                   784 (28 x 28)
    Features            integers from 0 to 255
    =================   ============================

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder for data sets. By default, the environment variable `SKAL_DATA_HOME`, or
        `~/skal_data` if it is not set.
    subset : {"train", "test", "all"}, default="all"
        Part to load; "all" is train followed by test.
    as_images : bool, default=False
        If True, return images of shape (28, 28) instead of rows of 784 pixels.
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

        data : ndarray of shape (n_samples, 784) or (n_samples, 28, 28), dtype uint8
            Pixels, 0 to 255.
        target : ndarray of shape (n_samples,), dtype int64
            Class numbers, 0 to 9.
        target_names : list of str
            Names of the classes.
        DESCR : str
            Description of the data set.

    (data, target) : tuple, if `return_X_y` is True
        The first two fields of the Bunch.

    Raises
    ------
    OSError
        If a file cannot be downloaded or has the wrong checksum.

    See Also
    --------
    load_task : The paper's task on these images.
    get_data_home : The folder in which the files are kept.

    References
    ----------
    Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking
    Machine Learning Algorithms", 2017. MIT licence.

    Examples
    --------
    >>> from skal.datasets import fetch_fashion_mnist
    >>> X, y = fetch_fashion_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y.shape  # doctest: +SKIP
    ((70000, 784), (70000,))
    """
    folder = get_data_home(data_home) / "fashion_mnist"

    def read(kind):
        paths = get_parts(
            _FILES[kind],
            subset,
            folder,
            download_if_missing=download_if_missing,
            n_retries=n_retries,
            delay=delay,
        )
        return np.concatenate([_read_idx(path) for path in paths])

    data, target = read("images"), read("labels").astype(np.int64)
    if not as_images:
        data = data.reshape(len(data), -1)
    descr = fetch_fashion_mnist.__doc__
    return pack(data, target, list(_TARGET_NAMES), descr, return_X_y)


def _read_idx(path):
    """Read a gzipped IDX file of bytes: a magic number, the shape, the values."""
    with gzip.open(path) as file:
        content = file.read()
    n_dimensions = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=n_dimensions, offset=4)
    values = np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * n_dimensions)
    return values.reshape(shape)
