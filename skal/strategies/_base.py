"""What a strategy is: an estimator with one more verb, `select`."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from skal.answers._fixed_classes import FixedClasses
from skal.answers._needs import check_needs
from skal.inputs._containers import n_rows
from skal.seeding import Stream, as_seed, set_random_states, stream


class Labelled(NamedTuple):
    """What is labelled so far, in the order in which it was.

    Parameters
    ----------
    X, y : rows and labels
        The warm start first, then what was acquired.
    positions : ndarray of shape (n_labelled,)
        The position of each row in the pool; -1 for the warm start.
    """

    X: Any
    y: Any
    positions: np.ndarray


class BaseStrategy(BaseEstimator):
    """Base class of strategies: the public methods validate, `_select` computes.

    A subclass writes `_select`; where it must look at the whole pool once, also `_fit`.

    Attributes
    ----------
    needs : tuple of str
        Class attribute: what a strategy asks of the model it is given: names of
        methods, or "posterior" for samples of the class probabilities. Empty where it
        needs no model at all.
    peeks : bool
        Class attribute: whether `fit` is shown the pool's labels and the validation
        set. True for oracles alone.
    """

    needs: tuple[str, ...] = ()
    peeks = False

    def fit(self, X, y=None, *, problem=None):
        """See the pool once.

        Parameters
        ----------
        X : rows of the pool, n_pool of them
        y : labels of the pool, or None
            Given to strategies that peek; ignored by every other one.
        problem : Problem or None, default=None
            The run that this is for. A strategy that does not peek is given one
            without the pool's labels, the validation and the test set.

        Returns
        -------
        self : strategy
            The fitted strategy.

        Raises
        ------
        ValueError
            If a parameter is out of range, or does not suit the pool.
        """
        self._validate_params()
        self.n_pool_ = n_rows(X)
        if hasattr(self, "random_state"):
            seed = as_seed(self.random_state)
            self.seed_ = int(stream(seed, Stream.STRATEGY).integers(2**31))
        if self.peeks:
            self._fit(X, y, problem)
        else:
            self._fit(X, None, problem)
        return self

    def select(self, estimator, X, n, *, candidates=None, labelled=None):
        """Choose the rows to label next.

        Parameters
        ----------
        estimator : fitted estimator or None
            The current model. None will do for a strategy that needs no model.
        X : rows of the pool, n_pool of them
            The same as in `fit`.
        n : int
            How many rows to choose.
        candidates : array-like of int, default=None
            Positions to choose from; all rows by default.
        labelled : Labelled or None, default=None
            What is labelled so far.

        Returns
        -------
        ndarray of shape (n,), dtype int64
            Distinct positions out of `candidates`, best first.

        Raises
        ------
        ValueError
            If `n` exceeds the candidates, or these are repeated or outside the pool.
        TypeError
            If the estimator lacks a method that the strategy needs.
        """
        check_is_fitted(self)
        check_needs(self, estimator)
        candidates = _check_candidates(candidates, n_rows(X), self.n_pool_)
        if not 0 <= n <= len(candidates):
            raise ValueError(
                f"n={n} rows were asked of {len(candidates)} candidates: ask for at "
                "most as many as there are."
            )
        return self._select(estimator, X, int(n), candidates, labelled)

    def _fit(self, X, y, problem):
        """Look at the pool once. Nothing to see for most strategies."""


class RankingStrategy(BaseStrategy):
    """Base class of strategies that give every candidate a value and take the best.

    A subclass writes `_utility(estimator, X, candidates)`, which returns one float per
    candidate; and it has a parameter `random_state`, which breaks ties.
    """

    def _fit(self, X, y, problem):
        # One priority per row, drawn once: so the same state gives the same answer.
        self._priority = stream(self.seed_, Stream.TIES).permutation(self.n_pool_)

    def _select(self, estimator, X, n, candidates, labelled):
        if n == 0:
            return candidates[:0]
        utility = self._utility(estimator, X, candidates)
        self._check_numbers(utility, estimator)
        # Only what can be among the best is sorted, so time grows linearly in the pool.
        at_least = np.partition(utility, -n)[-n]
        top = np.flatnonzero(utility >= at_least)
        ranking = np.lexsort((self._priority[candidates[top]], -utility[top]))
        return candidates[top[ranking[:n]]]

    def _check_numbers(self, utility, estimator):
        """Refuse NaN, which neither sorts nor says what it came from."""
        n_missing = np.isnan(utility).sum()
        if n_missing:
            if isinstance(estimator, FixedClasses):
                estimator = estimator.estimator
            raise ValueError(
                f"{type(self).__name__} finds no value for {n_missing} of "
                f"{len(utility)} candidates, since {type(estimator).__name__} gives "
                "NaN for them: change its parameters or scale the rows, so that it "
                "gives numbers."
            )


class OrderStrategy(BaseStrategy):
    """Base class of strategies that know the whole order beforehand.

    A subclass's `_fit` sets `_plan`, positions in the pool.
    """

    def _select(self, estimator, X, n, candidates, labelled):
        ahead = self._plan[np.isin(self._plan, candidates)]
        if len(ahead) < n:
            raise ValueError(
                f"The order has {len(ahead)} of the candidates left and {n} rows were "
                "asked for: give a longer order, or fewer or smaller rounds."
            )
        return ahead[:n]


def fit_inner(strategy, X, problem, rng):
    """Fit a clone of a strategy that works inside another one.

    Parameters
    ----------
    strategy : strategy
        It keeps the seeds that it was given.
    X : rows of the pool
    problem : Problem or None
        The inner strategy is shown what it may see itself.
    rng : numpy.random.Generator
        Seeds what is not seeded.

    Returns
    -------
    strategy
        Fitted.
    """
    inner = set_random_states(clone(strategy), rng, only_unset=True)
    if problem is None:
        return inner.fit(X)
    seen = problem.seen_by(inner)
    return inner.fit(X, seen.y_pool, problem=seen)


def _check_candidates(candidates, n_given, n_pool):
    if n_given != n_pool:
        raise ValueError(
            f"X has {n_given} rows, and the strategy was fitted on a pool of {n_pool}: "
            "give the whole pool, and name the rows to choose from in `candidates`."
        )
    if candidates is None:
        return np.arange(n_pool)
    candidates = np.asarray(candidates)
    if candidates.ndim != 1 or (candidates.size and candidates.dtype.kind not in "iu"):
        raise ValueError(
            "candidates must be a one-dimensional array of positions in the pool; got "
            f"shape {candidates.shape} and dtype {candidates.dtype}."
        )
    ordered = np.sort(candidates).astype(np.int64)
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError("candidates are repeated: name each position once.")
    if len(ordered) and not 0 <= ordered[0] <= ordered[-1] < n_pool:
        raise ValueError(
            f"candidates must lie between 0 and {n_pool - 1}, the rows of the pool; "
            f"got {ordered[0]} to {ordered[-1]}."
        )
    return ordered
