"""The rounds of a problem: how many rows they label, or what they spend."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal._data_sets import positions_of
from skal.curves import ends_of_rounds, spending_limits


class RoundsMixin:
    """Which rows of an order are labelled in which round of a problem.

    Without costs, a round labels `batch_size` rows. With costs it spends at most
    `batch_size`, and what the rounds before have left. The labelled sets of all rounds
    are a function of the order and the costs alone.
    """

    batch_size: int
    n_rounds: int
    pool_rows: NDArray[np.int64]
    costs: NDArray[np.float64] | None

    @property
    def n_pool(self) -> int:
        """Number of rows in the pool."""
        return len(self.pool_rows)

    @property
    def n_acquired(self) -> int:
        """Number of rows labelled after the last round: B K, or the whole pool.

        With costs, the largest number that there can be.
        """
        if self.costs is None:
            return min(self.batch_size * self.n_rounds, self.n_pool)
        return int(self.ends(np.argsort(self.costs))[-1])

    @property
    def affordable(self) -> NDArray[np.int64]:
        """Positions in the pool that do not cost more than all rounds spend."""
        if self.costs is None:
            return np.arange(self.n_pool)
        return np.flatnonzero(self.costs <= self.limits[-1])

    @property
    def limits(self) -> NDArray[np.float64]:
        """Amounts that may be spent after k = 0..K rounds, shape (n_rounds + 1,)."""
        return spending_limits(self.batch_size, self.n_rounds)

    def ends(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many rows of an order are labelled after k = 0..K rounds.

        Parameters
        ----------
        order : ndarray of shape (n,)
            Positions in the pool.

        Returns
        -------
        ndarray of shape (n_rounds + 1,)
        """
        return ends_of_rounds(order, self.batch_size, self.n_rounds, self.costs)

    def room(self, order: NDArray[np.int64], k: int) -> float:
        """Return the amount that round k may spend; only with costs.

        Parameters
        ----------
        order : ndarray of shape (n_labelled,)
            The positions that are labelled before, which cost at most (k - 1) B.
        k : int
            The round, from 1.

        Returns
        -------
        float
            B, and what the rounds before have left.
        """
        assert self.costs is not None
        return float(self.limits[k] - self.costs[order].sum())

    def affordable_first(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Move the rows that can never be labelled to the end of an order.

        Parameters
        ----------
        order : ndarray of shape (n,)
            Positions in the pool.

        Returns
        -------
        ndarray of shape (n,)
        """
        if self.costs is None:
            return order
        never = ~np.isin(order, self.affordable)
        return order[np.argsort(never, kind="stable")]

    def is_whole(self, order: NDArray[np.int64]) -> bool:
        """Return whether an order is long enough for all rounds.

        Parameters
        ----------
        order : ndarray of shape (n,)
            Positions in the pool.

        Returns
        -------
        bool
            With costs, whether it holds all rows, or can be continued with a row that
            does not fit into the last round.
        """
        if self.costs is None:
            return len(order) >= self.n_acquired
        others = np.setdiff1d(self.affordable, order)
        room = self.room(order, self.n_rounds)
        return len(others) == 0 or float(self.costs[others].max()) > room

    def positions(
        self, rows: Any, name: str = "order", *, is_whole: bool = False
    ) -> NDArray[np.int64]:
        """Translate rows of `X` into positions in the pool.

        Parameters
        ----------
        rows : array-like of int
            Distinct rows of `X`.
        name : str, default="order"
            The name of `rows` in error messages.
        is_whole : bool, default=False
            Whether `rows` must be enough for all rounds.

        Returns
        -------
        ndarray of shape (len(rows),)
            The position of each row.

        Raises
        ------
        ValueError
            If a row is repeated or not in the pool, or there are too few rows.
        """
        positions = positions_of(rows, self.pool_rows, name)
        if is_whole and not self.is_whole(positions):
            most = "more" if self.costs is not None else self.n_acquired
            raise ValueError(
                f"{name} has {len(positions)} rows, and {self.n_rounds} rounds of "
                f"batch_size={self.batch_size} label {most}: give a longer order, or "
                "fewer or smaller rounds."
            )
        return positions
