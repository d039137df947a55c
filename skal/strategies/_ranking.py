"""Base class of strategies that give each candidate a number."""

import numpy as np

from skal.answers._wrapper import name_of
from skal.strategies._base import BaseStrategy


class RankingStrategy(BaseStrategy):
    """Base class of strategies that select the candidates with the highest utility.

    A subclass writes `_utility(self, estimator, X, candidates)`, which returns a number
    for each candidate, and has a parameter `random_state`, which decides between equal
    ones. `_fit` may be written as in `BaseStrategy`.

    Attributes
    ----------
    least_utility : float
        Class attribute: no utility is lower. `Stochastic` with ``kind="power"``
        counts utilities from it. The default is 0; without a bound, this kind is
        refused.

    See Also
    --------
    BaseStrategy : Documents the attributes, and the methods that may be written.
    Stochastic : Adds noise to the utilities, so that a batch is diverse.

    Examples
    --------
    >>> import numpy as np
    >>> from skal.strategies import RankingStrategy
    >>> class FarFromZero(RankingStrategy):
    ...     def __init__(self, *, random_state=None):
    ...         self.random_state = random_state
    ...     def _utility(self, estimator, X, candidates):
    ...         return np.linalg.norm(X[candidates], axis=1)
    >>> X = np.array([[1.0], [-3.0], [2.0]])
    >>> FarFromZero().fit(X).select(None, X, 2)
    array([1, 2])
    """

    least_utility = 0.0

    def _draw_seed(self):
        """Set `seed_`, and the priority of each row, which decides between equals."""
        if not hasattr(self, "random_state"):
            raise TypeError(
                f"{type(self).__name__} must have a parameter random_state, which "
                "decides between rows of equal utility: add a constructor with "
                "`random_state=None` that stores it."
            )
        super()._draw_seed()
        # Drawn only once, so that `select` repeats itself.
        self._priority = self._draw_priority()

    def _utility(self, estimator, X, candidates):
        """Return the utility of each candidate; to be written by every subclass.

        It must not change its arguments, and must return the same for the same ones.

        Parameters
        ----------
        estimator : fitted estimator or None
            The current model. It has the methods that `needs` names, as in `_select`.
        X : rows of the pool, n_pool of them
            ``X[candidates]``, or ``skal.utils.take_rows(X, candidates)`` for any
            container, are the rows to choose from.
        candidates : ndarray of shape (n_candidates,), dtype int64
            Positions in the pool: distinct and ascending. There is at least one.

        Returns
        -------
        ndarray of shape (n_candidates,), of numbers
            The higher, the sooner a row is labelled. It may be infinite, but not NaN.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement the method _utility(self, "
            "estimator, X, candidates), which returns a float for each candidate."
        )

    def _utility_given(self, estimator, X, candidates, labelled):
        """Return the utilities; to be written in place of `_utility` to see `labelled`.

        Parameters and the returned value are as in `_utility`, and `labelled` is as in
        `_select`.
        """
        return self._utility(estimator, X, candidates)

    def _select(self, estimator, X, n, candidates, labelled):
        """Return the `n` candidates with the highest utility, best first."""
        utility = self._checked_utility(estimator, X, candidates, labelled)
        # Sort only the candidates that can be among the best: time is then linear in
        # the number of candidates.
        at_least = np.partition(utility, -n)[-n]
        top = np.flatnonzero(utility >= at_least)
        ranking = np.lexsort((self._priority[candidates[top]], -utility[top]))
        return candidates[top[ranking[:n]]]

    def _checked_utility(self, estimator, X, candidates, labelled):
        """Return the utility of each candidate, a number that is not NaN."""
        utility = self._utility_given(estimator, X, candidates, labelled)
        utility = _as_numbers(utility, len(candidates), self)
        self._check_numbers(utility, estimator)
        return utility

    def _check_numbers(self, utility, estimator):
        """Check that no utility is NaN, which would have no rank."""
        source = "_utility" if estimator is None else name_of(estimator)
        check_numbers(np.isnan(utility), self, source, "value", "candidates")


def check_numbers(is_missing, strategy, source, what, rows="rows"):
    """Check that no row lacks a number.

    Parameters
    ----------
    is_missing : ndarray of bool, shape (n_rows,)
    strategy : strategy
        Named in the error message, as are the others.
    source : str
        The name of the model or method that returned the numbers.
    what : str
        The meaning of the numbers.
    rows : str, default="rows"
        The kind of rows.

    Raises
    ------
    ValueError
        If any number is missing.
    """
    if n_missing := int(is_missing.sum()):
        raise ValueError(
            f"{type(strategy).__name__} finds no {what} for {n_missing} of "
            f"{len(is_missing)} {rows}, since {source} returns NaN for them: change "
            "its parameters or scale the rows, so that it returns numbers."
        )


def _as_numbers(utility, n_candidates, strategy):
    """Return utilities as an array of signed numbers, one for each candidate."""
    # Masked values would be ranked by the numbers behind the mask.
    if isinstance(utility, np.ma.MaskedArray):
        utility = utility.astype(np.float64).filled(np.nan)
    try:
        utility = np.asarray(utility)
        if utility.dtype.kind not in "if":  # unsigned ones cannot be negated
            utility = utility.astype(np.float64, casting="unsafe")
    except (TypeError, ValueError):
        kind = getattr(utility, "dtype", type(utility).__name__)
        raise ValueError(
            f"{type(strategy).__name__}._utility must return numbers, got {kind}: "
            "return one float for each candidate."
        ) from None
    if utility.shape != (n_candidates,):
        raise ValueError(
            f"{type(strategy).__name__}._utility must return shape ({n_candidates},), "
            f"got {utility.shape}: return one float for each candidate."
        )
    return utility
