"""Tables of runs in CSV files, with one line per finished run.

Runs take hours and may be killed at any moment. A truncated last line is ignored, and
overwritten by the next one.
"""

import csv
import os


def read(path):
    """Return the rows of a table; an empty list if the file does not exist."""
    return list(csv.DictReader(whole(path).decode().splitlines()))


def append(path, columns, row):
    """Append a row to a table, with a header if it is the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = len(whole(path))
    with path.open("a", newline="") as file:
        os.truncate(path, size)
        writer = csv.writer(file)
        writer.writerows([row] if size else [columns, row])


def whole(path):
    """Return the content of a file up to its last complete line."""
    text = path.read_bytes() if path.exists() else b""
    return text[: text.rfind(b"\n") + 1]


def work(path, columns, cells, run):
    """Run all cells that are not in the file yet, and add their lines."""
    done = {tuple(row[c] for c in columns) for row in read(path)}
    for cell in cells:
        if not any(row[: len(cell)] == tuple(map(str, cell)) for row in done):
            row = run(*cell)
            append(path, columns, row)
            print(*row, flush=True)
