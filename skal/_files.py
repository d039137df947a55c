"""Files that are written as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4


@contextmanager
def replacing(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Write a file under another name, and move it to its path at the end.

    Parameters
    ----------
    path : Path
    mode : {"wb", "w"}, default="wb"
        Texts are UTF-8, and line ends are written as they are.

    Yields
    ------
    file
        If the block fails, or the process is killed, a file that was at the path stays
        as it was.
    """
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    as_text: dict[str, Any] = {"encoding": "utf-8", "newline": ""}
    try:
        with open(fresh, mode, **({} if "b" in mode else as_text)) as file:
            yield file
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
