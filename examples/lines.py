"""Tables of runs, which grow by a line whenever one is done.

Runs take hours and may be killed at any moment. A line that was cut short counts as
none, and is gone when the next one is written.
"""

import csv
import os


def read(path):
    """Return the lines of a table; there are none where there is no file."""
    return list(csv.DictReader(whole(path).decode().splitlines()))


def append(path, columns, row):
    """Write a line behind the others; the first one gets the header above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = len(whole(path))
    with path.open("a", newline="") as file:
        os.truncate(path, size)
        writer = csv.writer(file)
        writer.writerows([row] if size else [columns, row])


def whole(path):
    """Return the text up to the end of the last line that has one."""
    text = path.read_bytes() if path.exists() else b""
    return text[: text.rfind(b"\n") + 1]
