"""A compact table of scores, for searches with millions of trainings."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

# Number of new scores that are collected in a dict before they are merged into the
# arrays: a merge copies the arrays, so it should be rare.
MAX_RECENT = 512


class ScoreTable:
    """A mapping from digests of sets to scores.

    It takes 24 bytes for each score, and a dict would take 170. The latest scores are
    in a dict, the others in two arrays that are sorted by digest.
    """

    def __init__(self) -> None:
        self._recent: dict[bytes, float] = {}
        self._keys = np.empty(0, dtype="S16")
        self._values = np.empty(0)

    def __len__(self) -> int:
        return len(self._recent) + len(self._keys)

    def find(self, keys: Iterable[bytes]) -> dict[bytes, float]:
        """Look up scores.

        Parameters
        ----------
        keys : iterable of bytes
            Digests of 16 bytes.

        Returns
        -------
        dict of bytes to float
            The scores of those keys that are in the table.
        """
        keys = list(keys)
        found = {key: self._recent[key] for key in keys if key in self._recent}
        others = [key for key in keys if key not in found]
        for key, i, is_there in zip(others, *self._locate(others), strict=True):
            if is_there:
                found[key] = float(self._values[i])
        return found

    def add(self, scores: Mapping[bytes, float]) -> None:
        """Add scores; entries that are in the table already are not changed."""
        known = self.find(scores)
        self._recent |= {key: scores[key] for key in scores if key not in known}
        if len(self._recent) >= MAX_RECENT:
            self._merge()

    def _locate(self, keys: list[bytes]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the indices of keys in the arrays, and whether each key is there."""
        if not keys or not len(self._keys):
            return np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=bool)
        wanted = np.array(keys, dtype="S16")
        indices = np.searchsorted(self._keys, wanted)
        indices[indices == len(self._keys)] = 0
        return indices, self._keys[indices] == wanted

    def _merge(self) -> None:
        """Merge the dict into the arrays."""
        new = np.array(sorted(self._recent), dtype="S16")
        indices = np.searchsorted(self._keys, new)
        new_values = [self._recent[key] for key in sorted(self._recent)]
        self._keys = np.insert(self._keys, indices, new)
        self._values = np.insert(self._values, indices, new_values)
        self._recent = {}
