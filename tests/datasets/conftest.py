import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skal.datasets._base import RemoteFile


class LocalServer:
    """A web server for files of a test's own, and a list of what was asked of it."""

    def __init__(self, source):
        self.source = source
        self.requests = []

        class Handler(SimpleHTTPRequestHandler):
            def log_request(handler, *args):
                self.requests.append(handler.path.lstrip("/"))

            def log_message(handler, *args):
                pass

        self.http = ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(Handler, directory=source)
        )

    def serve(self, files, contents):
        """Put `contents`, bytes by file name, in the place of the real `files`.

        `files` is one remote file, or a dict of them, nested or not; what comes back
        is the same with addresses and checksums of these contents.
        """
        if not isinstance(files, RemoteFile):
            return {key: self.serve(file, contents) for key, file in files.items()}
        content = contents[files.filename]
        (self.source / files.filename).write_bytes(content)
        url = f"http://127.0.0.1:{self.http.server_port}/{files.filename}"
        checksum = files.checksum and hashlib.sha256(content).hexdigest()
        return files._replace(url=url, checksum=checksum)


@pytest.fixture
def server(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    local = LocalServer(source)
    with local.http:
        # It looks every so many seconds whether to stop: half a one without the number.
        serve = partial(local.http.serve_forever, 0.01)
        threading.Thread(target=serve, daemon=True).start()
        yield local
        local.http.shutdown()
