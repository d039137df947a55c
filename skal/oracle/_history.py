"""What happened in each step of a search: a table that grows by 41 bytes a step."""

from struct import Struct

import numpy as np
from numpy.typing import NDArray

# One row of `history_`. Packed, Ctrl-C cannot cut it in two.
ROW = np.dtype(
    [
        ("step", "<i8"),
        ("proposed", "<f8"),
        ("current", "<f8"),
        ("best", "<f8"),
        ("accepted", "?"),
        ("n_trainings", "<i8"),
    ]
)
_pack_row = Struct("<qddd?q").pack

Row = tuple[int, float, float, float, bool, int]


class History:
    """The steps of a search, the start being step 0."""

    def __init__(self) -> None:
        self._rows = bytearray()

    def __len__(self) -> int:
        return len(self._rows) // ROW.itemsize

    def add(self, row: Row) -> None:
        """Note a step: what stands in a row of the table."""
        self._rows += _pack_row(*row)

    def table(self) -> dict[str, NDArray]:
        """Return all steps, one array per column."""
        table = np.frombuffer(bytes(self._rows), ROW)
        return {name: table[name].copy() for name in ROW.names or ()}
