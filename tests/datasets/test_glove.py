import hashlib
import io
import zipfile
from functools import partial

import numpy as np
import pytest

from skal.datasets import _glove, fetch_glove, read_word_vectors

TEXT = "the 0.5 -1.25e-1\n. 2 3\ncafé 4 5\n"


@pytest.fixture
def write(tmp_path):
    """A function that writes a file of word vectors, and returns its path."""

    def write(content, name="vectors.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


class TestReading:
    def test_all_words(self, write):
        words, vectors = read_word_vectors(write(TEXT))
        assert words == ["the", ".", "café"]
        assert vectors.dtype == np.float32
        np.testing.assert_array_equal(vectors, [[0.5, -0.125], [2, 3], [4, 5]])

    @pytest.mark.parametrize("kind", [list, set, tuple, np.array])
    def test_some_words_come_in_the_order_of_the_file(self, write, kind):
        wanted = kind(["café", "the", "absent"])
        words, vectors = read_word_vectors(str(write(TEXT)), wanted)
        assert words == ["the", "café"]
        np.testing.assert_array_equal(vectors, [[0.5, -0.125], [4, 5]])

    def test_no_word_at_all(self, write):
        words, vectors = read_word_vectors(write(TEXT), ["absent"])
        assert words == []
        assert vectors.shape == (0, 2)
        assert vectors.dtype == np.float32

    def test_only_a_line_feed_ends_a_line(self, write):
        # These are words of GloVe's larger files, and line ends to Python's text mode.
        words, _ = read_word_vectors(write("a\x85b 1\n\u2028 2\nc\rd 3\n"))
        assert words == ["a\x85b", "\u2028", "c\rd"]

    @pytest.mark.parametrize(
        ("bad", "match"),
        [
            (b"cat 1\n", "expected a word and 2 values"),
            (b"cat 1 2 3\n", "expected a word and 2 values"),
            (b"cat  1 2\n", "expected a word and 2 values"),
            (b" 1 2\n", "expected a word and 2 values"),
            (b"\n", "expected a word and 2 values"),
            (b"cat 1 two\n", "could not convert string to float: b?'two'"),
            (b"cat 1 \n", "could not convert string to float"),
            (b"cat 1 nan\n", "a value is not a finite number"),
            (b"cat inf 1\n", "a value is not a finite number"),
            (b"\xff 1 2\n", "'utf-8' codec can't decode"),
        ],
    )
    def test_a_malformed_line_is_named(self, write, bad, match):
        path = write(b"the 1 2\na 3 4\n" + bad + b"sat 5 6\n")
        with pytest.raises(ValueError, match=f"vectors.txt, line 3: {match}"):
            read_word_vectors(path)

    @pytest.mark.parametrize("last", ["cat", "cat 1", "cat 1 2"])
    def test_a_last_line_that_is_cut_off_is_named(self, write, last):
        with pytest.raises(ValueError, match="line 2: the line is cut off"):
            read_word_vectors(write("the 1 2\n" + last), words=["the"])

    def test_lengths_are_checked_in_lines_that_are_not_wanted(self, write):
        path = write("the 1 2\ncat 1\nsat 3 4\n")
        with pytest.raises(ValueError, match="line 2: expected a word and 2 values"):
            read_word_vectors(path, words=["sat"])

    def test_empty_files(self, write):
        with pytest.raises(ValueError, match=r"vectors.txt is empty"):
            read_word_vectors(write(""))
        with pytest.raises(ValueError, match="line 1: expected a word and its values"):
            read_word_vectors(write("the\n"))

    def test_one_string_is_not_a_collection_of_words(self, write):
        with pytest.raises(ValueError, match="'words' parameter"):
            read_word_vectors(write(TEXT), words="the")


class TestRealData:
    @pytest.fixture
    def fetch(self, data_home):
        return partial(fetch_glove, data_home=data_home, download_if_missing=False)

    def test_values(self, fetch):
        data = fetch()
        assert len(data.words) == len(set(data.words)) == 5206
        assert data.vectors.shape == (5206, 50)
        assert data.vectors.dtype == np.float32
        assert np.isfinite(data.vectors).all()
        assert data.words[0] == "the"
        # As widely quoted.
        expected = np.float32([0.418, 0.24968, -0.41242, 0.1217, 0.34527])
        np.testing.assert_array_equal(data.vectors[0, :5], expected)
        assert len(data.DESCR) > 100

    def test_some_words(self, fetch):
        every = fetch()
        some = fetch(words=["restaurant", "alarm", "zzzzz"])
        assert some.words == ["restaurant", "alarm"]
        rows = [every.words.index(word) for word in some.words]
        np.testing.assert_array_equal(some.vectors, every.vectors[rows])

    def test_other_dimensions_are_not_here(self, fetch):
        with pytest.raises(OSError, match=r"glove.6B.100d.txt is missing"):
            fetch(dimension=100)


def make_archive(members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


class Archive:
    """A small archive behind the local server, in the place of the real one."""

    def __init__(self, server, home, monkeypatch):
        self.server, self.folder, self.patch = server, home / "glove", monkeypatch
        self.fetch = partial(fetch_glove, data_home=home, delay=0)
        monkeypatch.setattr(_glove, "_N_WORDS", 3)
        self.serve(make_archive({"glove.6B.50d.txt": TEXT, "glove.6B.100d.txt": TEXT}))

    def serve(self, content):
        remote = self.server.serve(_glove._ARCHIVE, {"glove.6B.zip": content})
        self.patch.setattr(_glove, "_ARCHIVE", remote)

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def archive(server, tmp_path, monkeypatch):
    return Archive(server, tmp_path / "home", monkeypatch)


class TestDownload:
    def test_once_and_from_the_cache_after(self, archive):
        first = archive.fetch(dimension=100)
        assert first.words == ["the", ".", "café"]
        names = ["glove.6B.100d.txt", "glove.6B.100d.txt.sha256"]
        assert archive.files() == names
        second = archive.fetch(dimension=100, words=["café"], download_if_missing=False)
        assert second.words == ["café"]
        assert archive.server.requests == ["glove.6B.zip"]

    def test_missing_without_download_says_where_to_put_it(self, archive):
        with pytest.raises(OSError, match=r"glove.6B.50d.txt is missing.*glove.6B.zip"):
            archive.fetch(download_if_missing=False)
        assert not archive.folder.exists()
        assert archive.server.requests == []

    @pytest.mark.parametrize("damaged", [TEXT[:-1], TEXT[:20], "", TEXT + "a 6 7\n"])
    def test_a_file_of_another_length_is_downloaded_again(self, archive, damaged):
        archive.folder.mkdir(parents=True)
        path = archive.folder / "glove.6B.50d.txt"
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(OSError, match="is damaged"):
            archive.fetch(download_if_missing=False)
        assert archive.fetch().words == ["the", ".", "café"]
        assert path.read_text(encoding="utf-8") == TEXT

    def test_a_digit_that_has_changed_is_noticed(self, archive):
        archive.fetch()
        path = archive.folder / "glove.6B.50d.txt"
        path.write_text(TEXT.replace("4 5", "4 6"), encoding="utf-8")
        with pytest.raises(OSError, match=r"is damaged .*its sha256 differs"):
            archive.fetch(download_if_missing=False)
        assert archive.fetch().vectors.tolist()[2] == [4, 5]

    def test_a_bad_line_comes_with_the_advice_to_remove_the_file(self, archive):
        archive.folder.mkdir(parents=True)
        path = archive.folder / "glove.6B.50d.txt"
        path.write_text(TEXT.replace("2 3", "2 x"), encoding="utf-8")
        with pytest.raises(
            ValueError, match=r"line 2: .*: remove glove.6B.50d.txt, so"
        ):
            archive.fetch()
        path.unlink()
        assert archive.fetch().words == ["the", ".", "café"]

    @pytest.mark.parametrize("cut", [slice(0, -30), slice(0, 40), slice(0, 0)])
    def test_a_partial_archive_leaves_nothing(self, archive, cut):
        whole = make_archive({"glove.6B.50d.txt": TEXT})
        archive.serve(whole[cut])
        with pytest.raises(OSError, match=r"did not give a complete glove.6B.50d.txt"):
            archive.fetch()
        assert archive.files() == []

    @pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_a_damaged_archive_is_found(self, archive, compression):
        content = bytearray(make_archive({"glove.6B.50d.txt": TEXT}, compression))
        # The first byte behind a header of 30 and a name of 16: a letter, or the kind
        # of compression, in two bits of which 3 does not exist.
        content[46] |= 0b110
        archive.serve(bytes(content))
        with pytest.raises(OSError, match=r"did not give a complete glove.6B.50d.txt"):
            archive.fetch()
        assert archive.files() == []

    def test_an_archive_without_the_member_is_an_error(self, archive):
        with pytest.raises(OSError, match=r"did not give a complete glove.6B.300d.txt"):
            archive.fetch(dimension=300)
        assert archive.files() == []

    def test_a_member_with_too_few_words_leaves_nothing(self, archive):
        archive.serve(make_archive({"glove.6B.50d.txt": "the 1 2\n"}))
        with pytest.raises(OSError, match="has 1 lines, not 3"):
            archive.fetch()
        assert archive.files() == []

    @pytest.mark.filterwarnings("ignore:Retry downloading:UserWarning")
    def test_a_server_without_the_archive_is_an_error(self, archive):
        (archive.server.source / "glove.6B.zip").unlink()
        with pytest.raises(OSError, match="404"):
            archive.fetch(n_retries=2)
        assert archive.server.requests == ["glove.6B.zip"]
        assert archive.files() == []


class TestSubset:
    @pytest.fixture
    def subset(self, archive, monkeypatch):
        """The path of a subset with one word, beside an archive with three."""
        archive.folder.mkdir(parents=True)
        path = archive.folder / "glove.6B.50d.subset.txt"
        path.write_bytes(b"the 7 8\n")
        checksum = hashlib.sha256(b"the 7 8\n").hexdigest()
        monkeypatch.setattr(_glove, "_SUBSET_CHECKSUM", checksum)
        return path

    def test_it_is_read_where_the_whole_is_missing(self, archive, subset):
        assert archive.fetch().vectors.tolist() == [[7, 8]]
        assert archive.server.requests == []

    def test_the_whole_comes_first(self, archive, subset):
        (archive.folder / "glove.6B.50d.txt").write_text(TEXT, encoding="utf-8")
        assert len(archive.fetch().words) == 3
        assert archive.server.requests == []

    def test_it_serves_one_dimension_only(self, archive, subset):
        assert len(archive.fetch(dimension=100).words) == 3

    def test_a_damaged_one_is_not_read(self, archive, subset):
        subset.write_bytes(b"the 7 9\n")
        with pytest.raises(OSError, match="is missing"):
            archive.fetch(download_if_missing=False)
        assert len(archive.fetch().words) == 3


@pytest.mark.parametrize("wrong", [{"dimension": 25}, {"words": "the"}, {"delay": -1}])
def test_parameters_are_checked(wrong):
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        fetch_glove(**wrong)
