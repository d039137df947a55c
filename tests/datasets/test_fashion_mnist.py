import gzip
import hashlib
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from skal.datasets import _fashion_mnist, fetch_fashion_mnist, get_data_home


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
        assert len(data.DESCR) > 100

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


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Files like the real ones, six rows each, behind a server of their own."""
    rng, source = np.random.default_rng(0), tmp_path / "source"
    source.mkdir()
    files, arrays = {}, {}
    for key, remote in _fashion_mnist._FILES.items():
        shape = (6, 28, 28) if key[1] == "images" else (6,)
        arrays[key] = rng.integers(10, size=shape, dtype=np.uint8)
        content = idx(arrays[key])
        (source / remote.filename).write_bytes(content)
        checksum = hashlib.sha256(content).hexdigest()
        files[key] = remote._replace(checksum=checksum)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(args)

    requests = []
    handler = partial(Quiet, directory=source)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        files = {k: f._replace(url=address + f.filename) for k, f in files.items()}
        monkeypatch.setattr(_fashion_mnist, "_FILES", files)
        yield {"source": source, "home": tmp_path / "home", "arrays": arrays,
               "requests": requests}  # fmt: skip
        server.shutdown()


def fetch(small, **kwargs):
    return fetch_fashion_mnist(data_home=small["home"], delay=0, **kwargs)


def files_in(small):
    return sorted(p.name for p in (small["home"] / "fashion_mnist").glob("*"))


def test_download_once_and_read_from_the_cache_after(small):
    X, y = fetch(small, return_X_y=True, as_images=True)
    arrays = small["arrays"]
    expected = np.concatenate([arrays["train", "images"], arrays["test", "images"]])
    np.testing.assert_array_equal(X, expected)
    assert y.tolist()[:6] == arrays["train", "labels"].tolist()
    assert len(files_in(small)) == len(small["requests"]) == 4
    fetch(small, download_if_missing=False)
    assert len(small["requests"]) == 4


def test_one_part_downloads_two_files(small):
    fetch(small, subset="test")
    assert files_in(small) == ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]


def test_missing_without_download_says_where_to_put_it(small):
    with pytest.raises(OSError, match="is missing, and download_if_missing=False"):
        fetch(small, download_if_missing=False)
    assert not small["home"].exists()


def test_a_damaged_file_is_not_read(small):
    fetch(small)
    path = small["home"] / "fashion_mnist" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(OSError, match="is damaged"):
        fetch(small, download_if_missing=False)
    fetch(small)
    assert len(small["requests"]) == 5


def test_a_partial_download_leaves_nothing(small):
    truncated = small["source"] / "train-images-idx3-ubyte.gz"
    truncated.write_bytes(truncated.read_bytes()[:100])
    with pytest.raises(OSError, match="SHA256 checksum of train-images"):
        fetch(small)
    assert files_in(small) == []


@pytest.mark.filterwarnings("ignore:Retry downloading:UserWarning")
def test_a_server_without_the_file_is_an_error(small):
    shutil.rmtree(small["source"])
    with pytest.raises(OSError, match="404"):
        fetch(small, n_retries=1)
    assert files_in(small) == []


def test_the_folder_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SKAL_DATA_HOME", str(tmp_path))
    assert get_data_home() == tmp_path
    assert get_data_home(tmp_path / "other") == tmp_path / "other"
    monkeypatch.delenv("SKAL_DATA_HOME")
    assert get_data_home().name == "skal_data"


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="'subset' parameter"):
        fetch_fashion_mnist(subset="val")
