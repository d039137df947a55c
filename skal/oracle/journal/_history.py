"""The history of a search: a table in memory that grows by 41 bytes a step."""

from struct import Struct

import numpy as np
from numpy.typing import NDArray

from skal.oracle.journal._journal import Journal

# One row of `history_`. It is appended as packed bytes in a single operation, so that
# Ctrl-C cannot leave half a row.
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
# The move of a step that is not an exchange of two places.
NO_MOVE = (-1, -1)


class History:
    """The steps of a search, where step 0 is the start.

    Parameters
    ----------
    journal : Journal or None, default=None
        Where each step is written as well.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self._rows = bytearray()
        self._journal = journal

    def __len__(self) -> int:
        return len(self._rows) // ROW.itemsize

    def add(self, row: Row, move: tuple[int, int] = NO_MOVE) -> None:
        """Add a step.

        Parameters
        ----------
        row : tuple
            The values of the step, in the order of `ROW`.
        move : (int, int), default=NO_MOVE
            The two places of the order that were exchanged.
        """
        self._rows += _pack_row(*row)
        if self._journal is not None:
            self._journal.add_step(row, move)

    def table(self) -> dict[str, NDArray]:
        """Return all steps.

        Returns
        -------
        dict of str to ndarray of shape (n_steps,)
            One array for each column of `ROW`.
        """
        table = np.frombuffer(bytes(self._rows), ROW)
        return {name: table[name].copy() for name in ROW.names or ()}
