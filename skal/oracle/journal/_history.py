"""What happened in each step of a search: a table that grows by 41 bytes a step."""

from struct import Struct

import numpy as np
from numpy.typing import NDArray

from skal.oracle.journal._journal import Journal

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
# Of a step that does not exchange two places.
NO_MOVE = (-1, -1)


class History:
    """The steps of a search, the start being step 0.

    Parameters
    ----------
    journal : Journal or None, default=None
        Where each step is written down, too.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self._rows = bytearray()
        self._journal = journal

    def __len__(self) -> int:
        return len(self._rows) // ROW.itemsize

    def add(self, row: Row, move: tuple[int, int] = NO_MOVE) -> None:
        """Note a step: what stands in a row of the table, and what was exchanged."""
        self._rows += _pack_row(*row)
        if self._journal is not None:
            self._journal.add_step(row, move)

    def table(self) -> dict[str, NDArray]:
        """Return all steps, one array per column."""
        table = np.frombuffer(bytes(self._rows), ROW)
        return {name: table[name].copy() for name in ROW.names or ()}
