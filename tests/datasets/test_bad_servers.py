"""Servers that fall silent, answer garbage or fail, and downloads that were killed."""

import hashlib
import os
import socketserver
import threading
import time

import pytest

from skal.datasets import _download
from skal.datasets._base import RemoteFile, get_file
from skal.datasets._download import MARK

CONTENT = b"some rows\n"
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
WHOLE = b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n" + CONTENT


class Answering(socketserver.ThreadingTCPServer):
    """Gives each request the next of some answers; None is to stay silent."""

    daemon_threads = True

    def __init__(self, answers):
        self.answers, self.n_requests = list(answers), 0
        self.may_end = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(4096)
        self.server.n_requests += 1
        answer = self.server.answers.pop(0)
        if answer is None:
            self.server.may_end.wait(20)
        else:
            self.request.sendall(answer)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """A function that downloads from a server with the given answers."""
    monkeypatch.setattr(_download, "TIMEOUT", 0.2)
    servers = []

    def ask(*answers, n_retries=0, checksum=CHECKSUM):
        server = Answering(answers)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/rows.txt"
        remote = RemoteFile("rows.txt", url, checksum)
        options = {"download_if_missing": True, "n_retries": n_retries, "delay": 0}
        try:
            return get_file(remote, tmp_path / "home", **options).read_bytes()
        finally:
            ask.n_requests = server.n_requests

    yield ask
    for server in servers:
        server.may_end.set()
        server.shutdown()
        server.server_close()


def failure(code):
    return b"HTTP/1.0 %d Sorry\r\nContent-Length: 0\r\n\r\n" % code


BAD = {
    "silent": None,
    "silent within": WHOLE[:40],
    "closes": b"",
    "garbage": b"\x00\xff nothing of HTTP\r\n\r\n",
    "short": WHOLE[:-4],
    "busy": failure(503),
    "limited": failure(429),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore:Retry downloading:UserWarning")
def test_a_bad_server_is_an_error_after_retries(ask, tmp_path, name):
    begun = time.monotonic()
    with pytest.raises(
        OSError, match=r"could not be downloaded .*by hand, or set SKAL"
    ):
        ask(BAD[name], BAD[name], n_retries=1)
    assert time.monotonic() - begun < 60
    assert ask.n_requests == 2
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("name", BAD)
def test_a_server_that_recovers_gives_the_file(ask, name):
    with pytest.warns(UserWarning, match="Retry downloading"):
        assert ask(BAD[name], WHOLE, n_retries=3) == CONTENT
    assert ask.n_requests == 2


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_file_that_is_not_there_is_asked_for_once(ask, code):
    with pytest.raises(OSError, match=str(code)):
        ask(failure(code), WHOLE, n_retries=3)
    assert ask.n_requests == 1


def test_a_file_without_checksum_has_its_length_checked(ask):
    with pytest.raises(OSError, match="6 of 10 bytes arrived"):
        ask(WHOLE[:-4], checksum=None)


def test_what_killed_downloads_left_is_removed_when_it_is_old(ask, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    old, new = home / f"rows.txt{MARK}abc", home / f"rows.txt{MARK}xyz"
    folder, busy = home / f"{MARK}old", home / f"{MARK}new"
    for path in (folder / "glove.zip", busy / "glove.zip"):
        path.parent.mkdir()
        path.write_bytes(b"half")
    for path in (old, new):
        path.write_bytes(b"half")
    for path in (old, folder / "glove.zip", folder, busy):
        os.utime(path, (time.time() - 7200,) * 2)
    assert ask(WHOLE) == CONTENT
    left = sorted(path.name for path in home.iterdir())
    assert left == sorted([busy.name, "rows.txt", new.name])
