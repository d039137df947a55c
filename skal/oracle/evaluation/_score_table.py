"""A table of scores that stays small however long a search lasts."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

# So many scores are kept as objects, until there are enough to file them together.
MOST_RECENT = 512


class Scores:
    """Scores of sets, by their digests: 24 bytes each, where a dict takes 170.

    The latest are in a dict. The others are in two arrays, sorted by digest.
    """

    def __init__(self) -> None:
        self._recent: dict[bytes, float] = {}
        self._keys = np.empty(0, dtype="S16")
        # NaN where a score was taken out; no score is.
        self._values = np.empty(0)
        self._n_out = 0

    def __len__(self) -> int:
        return len(self._recent) + len(self._keys) - self._n_out

    def find(self, keys: Iterable[bytes]) -> dict[bytes, float]:
        """Look up scores.

        Parameters
        ----------
        keys : iterable of bytes
            Digests of 16 bytes.

        Returns
        -------
        dict of bytes to float
            Of those that are in the table.
        """
        keys = list(keys)
        found = {key: self._recent[key] for key in keys if key in self._recent}
        filed = [key for key in keys if key not in found]
        places, is_filed = self._places(filed)
        for key, place, is_there in zip(filed, places, is_filed, strict=True):
            if is_there:
                found[key] = float(self._values[place])
        return found

    def add(self, scores: Mapping[bytes, float]) -> None:
        """Add scores; those that are in the table already stay as they are."""
        known = self.find(scores)
        self._recent |= {key: scores[key] for key in scores if key not in known}
        if len(self._recent) >= MOST_RECENT:
            self._file()

    def discard(self, keys: Iterable[bytes]) -> None:
        """Take scores out, if they are in the table."""
        filed = [key for key in keys if self._recent.pop(key, None) is None]
        places, is_filed = self._places(filed)
        gone = np.unique(places[is_filed])
        self._values[gone] = np.nan
        self._n_out += len(gone)

    def _places(self, keys: list[bytes]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return where keys are filed, and which of them are."""
        if not keys or not len(self._keys):
            return np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=bool)
        asked = np.array(keys, dtype="S16")
        places = np.searchsorted(self._keys, asked)
        places[places == len(self._keys)] = 0
        is_there = (self._keys[places] == asked) & ~np.isnan(self._values[places])
        return places, is_there

    def _file(self) -> None:
        kept = ~np.isnan(self._values)
        keys, values = self._keys[kept], self._values[kept]
        new = np.array(sorted(self._recent), dtype="S16")
        places = np.searchsorted(keys, new)
        new_values = [self._recent[key] for key in sorted(self._recent)]
        self._keys = np.insert(keys, places, new)
        self._values = np.insert(values, places, new_values)
        self._recent, self._n_out = {}, 0
