"""The margins of the models that were requested last."""

from collections.abc import Iterable, Mapping
from itertools import islice

import numpy as np
from numpy.typing import NDArray

# Maximum number of models whose margins are kept, to bound the memory.
MAX_KEPT = 2048

Margins = NDArray[np.float16]


class KeptMargins:
    """Margins by the digest of a set, for the sets that were requested last."""

    def __init__(self) -> None:
        self._margins: dict[bytes, Margins] = {}

    def find(self, keys: Iterable[bytes]) -> dict[bytes, Margins]:
        """Look up margins.

        Parameters
        ----------
        keys : iterable of bytes
            Digests of sets.

        Returns
        -------
        dict of bytes to ndarray of shape (n_answers,)
            The margins of those sets that have any.
        """
        return {key: self._margins[key] for key in keys if key in self._margins}

    def add(self, found: Mapping[bytes, Margins | None]) -> None:
        """Add margins; a model without margins has None."""
        self._margins |= {key: m for key, m in found.items() if m is not None}

    def request(self, keys: Iterable[bytes]) -> None:
        """Note a request for sets, and drop the margins requested longest ago.

        They are dropped in the order of the requests, and not of their arrival: with a
        journal margins arrive earlier, which would change the search.
        """
        for key in keys:
            if key in self._margins:
                self._margins[key] = self._margins.pop(key)
        n_dropped = max(0, len(self._margins) - MAX_KEPT)
        for key in list(islice(self._margins, n_dropped)):
            del self._margins[key]
