"""Embeddings that are kept: in memory, and in a file if there is a folder for it.

An embedding depends on the checkpoint, on how it is used and on the text, so it is kept
under digests of these, and nothing that is kept is ever out of date.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Bytes of embeddings in memory, at most: those of 600,000 texts with 384 numbers.
MAX_BYTES = 2**30
FILE = "embeddings.db"
# Texts are looked up in a file in groups: SQLite allows a limited number at a time.
GROUP = 500
SCHEMA = """CREATE TABLE IF NOT EXISTS embedding (
    model BLOB NOT NULL, text BLOB NOT NULL, numbers BLOB NOT NULL,
    PRIMARY KEY (model, text)
) WITHOUT ROWID"""

Key = tuple[bytes, bytes]

# Latest embeddings of this process; trainings that clone an encoder share them.
_memory: OrderedDict[Key, NDArray[np.float32]] = OrderedDict()
_lock = RLock()


def digest(*parts: Any) -> bytes:
    """Return a digest of texts, numbers and bytes."""
    state = blake2b(digest_size=16)
    for part in parts:
        content = part if isinstance(part, bytes) else repr(part).encode()
        state.update(len(content).to_bytes(8, "little") + content)
    return state.digest()


def embeddings_of(
    texts: list[str],
    model: bytes,
    encode: Callable[[list[str]], NDArray[np.float32]],
    folder: Any = None,
) -> NDArray[np.float32]:
    """Return the embedding of each text; only new texts are encoded, each once.

    Parameters
    ----------
    texts : list of str
    model : bytes
        Digest of the checkpoint, and of everything else that embeddings depend on.
    encode : callable
        Returns the embeddings of texts, of shape (n_texts, n_outputs).
    folder : str or path-like, default=None
        Folder of a file that keeps embeddings for other processes.

    Returns
    -------
    ndarray of shape (n_texts, n_outputs), dtype float32
    """
    keys = [(model, digest(text)) for text in texts]
    by_key = dict(zip(keys, texts, strict=True))
    # The lock keeps another thread from encoding the same texts.
    with _lock:
        found = {key: _memory[key] for key in by_key if key in _memory}
        if folder is not None:
            found |= _read(folder, [key for key in by_key if key not in found])
        new = [key for key in by_key if key not in found]
        if new:
            numbers = encode([by_key[key] for key in new])
            fresh = dict(zip(new, numbers, strict=True))
            found |= fresh
            if folder is not None:
                _write(folder, fresh)
        _remember(found)
    return np.stack([found[key] for key in keys])


def forget() -> None:
    """Forget all embeddings in memory."""
    with _lock:
        _memory.clear()


def _remember(found: dict[Key, NDArray[np.float32]]) -> None:
    """Keep embeddings in memory, and drop those that were not needed for longest."""
    for key, numbers in found.items():
        # A copy of the row, so that the table that it is from can be freed.
        _memory[key] = numbers if numbers.base is None else numbers.copy()
        _memory.move_to_end(key)
    size = next(iter(found.values())).nbytes
    while len(_memory) * size > MAX_BYTES:
        _memory.popitem(last=False)


def _connect(folder: Any) -> sqlite3.Connection:
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder, FILE)
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        connection.execute(SCHEMA)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ValueError(
            f"{path} cannot be used as a cache of embeddings ({error}): remove it, or "
            "give another cache_folder."
        ) from error
    return connection


def _read(folder: Any, keys: list[Key]) -> dict[Key, NDArray[np.float32]]:
    found = {}
    with closing(_connect(folder)) as connection:
        for group in (keys[i : i + GROUP] for i in range(0, len(keys), GROUP)):
            places = ", ".join("?" * len(group))
            rows: Iterable[tuple[bytes, bytes]] = connection.execute(
                "SELECT text, numbers FROM embedding "
                f"WHERE model = ? AND text IN ({places})",
                (group[0][0], *(text for _, text in group)),
            )
            for text, numbers in rows:
                found[group[0][0], text] = np.frombuffer(numbers, np.float32)
    return found


def _write(folder: Any, fresh: dict[Key, NDArray[np.float32]]) -> None:
    rows = [(*key, numbers.tobytes()) for key, numbers in fresh.items()]
    with closing(_connect(folder)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR IGNORE INTO embedding VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
