"""What every fetcher of checksummed files does, whatever the files hold."""

import gzip
import shutil
from functools import partial

import pytest

from skal.datasets import (
    _fashion_mnist,
    _mit_restaurant,
    _topv2,
    fetch_fashion_mnist,
    fetch_mit_restaurant,
    fetch_topv2,
    get_data_home,
)


def tsv(intent):
    return (
        "domain\tutterance\tsemantic_parse\n"
        f"alarm\tsay {intent}\t[IN:{intent} say {intent} ]\n"
    ).encode()


LABELS = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 5]))
IMAGES = gzip.compress(
    bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(2 * 28 * 28)
)

# Per fetcher: its module, folder, and small contents for its files, the first to be
# downloaded first.
CASES = {
    fetch_fashion_mnist: (
        _fashion_mnist,
        "fashion_mnist",
        {
            "train-images-idx3-ubyte.gz": IMAGES,
            "t10k-images-idx3-ubyte.gz": IMAGES,
            "train-labels-idx1-ubyte.gz": LABELS,
            "t10k-labels-idx1-ubyte.gz": LABELS,
        },
    ),
    fetch_topv2: (
        _topv2,
        "topv2_alarm",
        {
            "alarm_train.tsv": tsv("GO"),
            "alarm_eval.tsv": tsv("WAIT"),
            "alarm_test.tsv": tsv("STOP"),
        },
    ),
    fetch_mit_restaurant: (
        _mit_restaurant,
        "mit_restaurant",
        {
            "restauranttrain.bio": b"O\tany\nB-Dish\tsoup\n\n",
            "restauranttest.bio": b"O\thello\n\n",
        },
    ),
}


class Case:
    """A fetcher with a home of its own, whose files come from the local server."""

    def __init__(self, fetcher, server, home, monkeypatch):
        module, folder, contents = CASES[fetcher]
        files = server.serve(module._FILES, contents)
        monkeypatch.setattr(module, "_FILES", files)
        self.fetch = partial(fetcher, data_home=home, delay=0)
        self.folder = home / folder
        self.names = list(contents)

    def files(self):
        return sorted(path.name for path in self.folder.glob("*"))


@pytest.fixture(params=CASES, ids=lambda fetcher: fetcher.__name__)
def case(request, server, tmp_path, monkeypatch):
    return Case(request.param, server, tmp_path / "home", monkeypatch)


def test_download_once_and_read_from_the_cache_after(case, server):
    first = case.fetch()
    assert case.files() == sorted(server.requests) == sorted(case.names)
    second = case.fetch(download_if_missing=False)
    assert len(server.requests) == len(case.names)
    for key in ("data", "target"):
        assert str(first[key]) == str(second[key])


def test_a_part_downloads_its_own_files(case):
    case.fetch(subset="test")
    assert case.files() == sorted(n for n in case.names if "test" in n or "t10k" in n)


def test_bunch_or_tuple(case):
    bunch = case.fetch()
    data, target = case.fetch(return_X_y=True)
    assert len(data) == len(target) == len(bunch.data) == len(bunch.target)
    assert sorted(bunch) == ["DESCR", "data", "target", "target_names"]
    assert len(bunch.DESCR) > 100


def test_missing_without_download_says_where_to_put_it(case, server):
    with pytest.raises(OSError, match="is missing, and download_if_missing=False") as e:
        case.fetch(download_if_missing=False)
    assert str(case.folder / case.names[0]) in str(e.value)
    assert f"/{case.names[0]} there" in str(e.value)
    assert "SKAL_DATA_HOME" in str(e.value)
    assert not case.folder.exists()
    assert server.requests == []


def test_a_damaged_file_is_not_read_but_downloaded_again(case, server):
    case.fetch()
    path = case.folder / case.names[-1]
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(OSError, match=r"is damaged \(its sha256 differs\)"):
        case.fetch(download_if_missing=False)
    with pytest.warns(UserWarning, match="differs from expected"):
        case.fetch()
    assert path.read_bytes() == whole
    assert server.requests[len(case.names) :] == [path.name]


@pytest.mark.filterwarnings("ignore:SHA256 checksum:UserWarning")
def test_a_file_of_ones_own_stays_where_a_download_fails(case, server):
    case.folder.mkdir(parents=True)
    path = case.folder / case.names[0]
    path.write_bytes(b"my own")
    shutil.rmtree(server.source)
    with pytest.raises(OSError, match="404"):
        case.fetch(n_retries=0)
    assert path.read_bytes() == b"my own"


def test_a_partial_download_leaves_nothing(case, server):
    truncated = server.source / case.names[0]
    truncated.write_bytes(truncated.read_bytes()[:-3])
    with pytest.raises(OSError, match=f"SHA256 checksum of {case.names[0]}"):
        case.fetch()
    assert case.files() == []


@pytest.mark.filterwarnings("ignore:Retry downloading:UserWarning")
def test_a_server_without_the_file_is_asked_once_and_the_remedy_is_named(case, server):
    shutil.rmtree(server.source)
    with pytest.raises(OSError, match="404") as caught:
        case.fetch(n_retries=2)
    assert server.requests == [case.names[0]]
    assert f"put the file at {case.folder / case.names[0]}" in str(caught.value)
    assert "SKAL_DATA_HOME" in str(caught.value)
    assert case.files() == []


@pytest.mark.parametrize(
    "wrong", [{"subset": "val"}, {"n_retries": -1}, {"delay": -0.5}, {"data_home": 3}]
)
def test_parameters_are_checked(case, wrong):
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        case.fetch(**wrong)


def test_the_folder_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SKAL_DATA_HOME", str(tmp_path))
    assert get_data_home() == tmp_path
    assert get_data_home(tmp_path / "other") == tmp_path / "other"
    monkeypatch.delenv("SKAL_DATA_HOME")
    assert get_data_home().name == "skal_data"
