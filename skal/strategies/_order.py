"""Base class of strategies that know the whole order in advance."""

import numpy as np

from skal.inputs._checks import check_order
from skal.strategies._base import BaseStrategy


class OrderStrategy(BaseStrategy):
    """Base class of strategies that fix the whole order in `fit`.

    A subclass writes `_fit(self, X, y, problem)`, which sets `self._plan`: distinct
    positions in the pool, as an array-like of int, in the order in which they are to be
    labelled. There must be enough of them for all rounds.

    See Also
    --------
    BaseStrategy : Documents the attributes, and the arguments of `_fit`.
    FixedOrder : Follows a given order.

    Examples
    --------
    >>> import numpy as np
    >>> from skal.strategies import OrderStrategy
    >>> class Backwards(OrderStrategy):
    ...     def _fit(self, X, y, problem):
    ...         self._plan = np.arange(self.n_pool_)[::-1]
    >>> Backwards().fit(np.ones((5, 1))).select(None, np.ones((5, 1)), 2)
    array([4, 3])
    """

    def fit(self, X, y=None, *, problem=None):
        """Fit the strategy to the pool, and check the order that it fixes.

        Parameters
        ----------
        X : rows of the pool, n_pool of them
            The rows that may be labelled.
        y : labels of the pool, or None
            Passed on to strategies that peek; ignored by every other one.
        problem : Problem or None, default=None
            The problem that the run solves, as in `BaseStrategy`.

        Returns
        -------
        self : strategy
            The fitted strategy.

        Raises
        ------
        ValueError
            If a parameter is out of range, or the order repeats a row, leaves the pool
            or is too short for all rounds.
        """
        super().fit(X, y, problem=problem)
        name = f"{type(self).__name__}._plan"
        plan = getattr(self, "_plan", None)
        if plan is None:
            raise ValueError(
                f"{name} must be set by _fit, and is missing: set it to the positions "
                "in the pool, in the order in which they are to be labelled."
            )
        self._plan = check_order(plan, name)
        check_inside(self._plan, self.n_pool_, name)
        if problem is not None and not problem.is_whole(self._plan):
            most = "more" if problem.costs is not None else problem.n_acquired
            raise ValueError(
                f"{name} has {len(self._plan)} rows, and the rounds of the run label "
                f"{most}: give a longer order, or choose fewer or smaller rounds."
            )
        return self

    def ahead(self, candidates):
        """Return the candidates that the order holds, in this order.

        Parameters
        ----------
        candidates : ndarray of int64, shape (n_candidates,)
            Positions in the pool.

        Returns
        -------
        ndarray of shape (n_ahead,), dtype int64
        """
        return self._plan[np.isin(self._plan, candidates)]

    def _select(self, estimator, X, n, candidates, labelled):
        """Return the first `n` positions of the order that are candidates."""
        ahead = self.ahead(candidates)
        if len(ahead) < n:
            raise ValueError(
                f"The order has {len(ahead)} of the candidates left and {n} rows were "
                "asked for: give a longer order, or fewer or smaller rounds."
            )
        return ahead[:n]


def check_inside(order, n_pool, name="order"):
    """Check that an order holds positions in the pool.

    Parameters
    ----------
    order : ndarray of int
        Distinct positions.
    n_pool : int
        Number of rows in the pool.
    name : str, default="order"
        Its name in the error message.

    Raises
    ------
    ValueError
        If a position is negative, or `n_pool` or more.
    """
    if len(order) and not 0 <= order.min() <= order.max() < n_pool:
        raise ValueError(
            f"{name} must hold rows of the pool, 0 to {n_pool - 1}, got rows from "
            f"{order.min()} to {order.max()}: give rows of the pool."
        )
