"""The split behind the paper's runs, recovered from the orders that were released.

The split was not released, but the released figures show the labels and lengths of the
rows in each order. They fit the slices below without an exception. The slices that no
order shows are assumed: as with the objects, selection, validation and test of the
entities follow the pool.
"""

import random
from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class PublishedSplit(NamedTuple):
    """Which rows of a data set are shuffled, and how they are cut into sets."""

    subset: str
    sets: tuple[str, ...]
    left_out: tuple[int, ...] = ()

    def cut(self, n_rows: int, sizes: Mapping[str, int]) -> dict[str, NDArray]:
        """Return the row numbers of each set, in the order of `sizes`.

        Parameters
        ----------
        n_rows : int
            Number of rows of the subset.
        sizes : dict of str to int
            Number of rows of each set.
        """
        rows = np.delete(np.arange(n_rows), self.left_out).tolist()
        # Python's generator, not the library's: the paper's code shuffled a list.
        random.Random(0).shuffle(rows)
        ends = accumulate((sizes[name] for name in self.sets), initial=0)
        spans = dict(zip(self.sets, pairwise(ends), strict=True))
        return {name: np.array(rows[slice(*spans[name])]) for name in sizes}


PUBLISHED_SPLITS = {
    "object_classification": PublishedSplit(
        "train", ("warm", "pool", "select", "val", "test")
    ),
    "intent_classification": PublishedSplit(
        "train", ("select", "warm", "pool", "val", "test")
    ),
    "named_entity_recognition": PublishedSplit(
        "all",
        ("warm", "pool", "select", "val", "test"),
        # The last sentence of each file, and one (or its neighbour) in between.
        left_out=(7092, 7659, 9180),
    ),
}
