import gzip
from functools import partial

import numpy as np
import pytest

from skal.datasets import _fashion_mnist, fetch_fashion_mnist


class TestRealData:
    def test_values(self, data_home):
        data = fetch_fashion_mnist(download_if_missing=False, data_home=data_home)
        assert data.data.shape == (70_000, 784)
        assert data.data.dtype == np.uint8
        assert np.bincount(data.target).tolist() == [7000] * 10
        assert data.target_names[data.target[0]] == "Ankle boot"
        # Mean and standard deviation of the training pixels, as widely published.
        train = data.data[:60_000] / 255
        assert train.mean() == pytest.approx(0.2860, abs=5e-5)
        assert train.std() == pytest.approx(0.3530, abs=5e-5)

    def test_parts(self, data_home):
        fetch = partial(
            fetch_fashion_mnist, data_home=data_home, download_if_missing=False
        )
        X, y = fetch(return_X_y=True)
        images, labels = fetch(subset="test", as_images=True, return_X_y=True)
        assert images.shape == (10_000, 28, 28)
        np.testing.assert_array_equal(images.reshape(-1, 784), X[60_000:])
        np.testing.assert_array_equal(labels, y[60_000:])


def idx(array):
    header = bytes([0, 0, 8, array.ndim])
    shape = np.array(array.shape, dtype=">u4").tobytes()
    return gzip.compress(header + shape + array.tobytes(), mtime=0)


def test_what_is_downloaded_is_what_is_read(server, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(2, 6, 28, 28), dtype=np.uint8)
    labels = rng.integers(10, size=(2, 6), dtype=np.uint8)
    contents = {
        "train-images-idx3-ubyte.gz": idx(images[0]),
        "t10k-images-idx3-ubyte.gz": idx(images[1]),
        "train-labels-idx1-ubyte.gz": idx(labels[0]),
        "t10k-labels-idx1-ubyte.gz": idx(labels[1]),
    }
    files = server.serve(_fashion_mnist._FILES, contents)
    monkeypatch.setattr(_fashion_mnist, "_FILES", files)
    X, y = fetch_fashion_mnist(data_home=tmp_path, as_images=True, return_X_y=True)
    np.testing.assert_array_equal(X, np.concatenate(images))
    np.testing.assert_array_equal(y, np.concatenate(labels))
    assert y.dtype == np.int64
