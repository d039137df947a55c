"""Base classes of strategies: estimators with the additional method `select`."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from skal.answers._needs import asks_in_vain, meet_needs
from skal.answers._wrapper import name_of
from skal.inputs._containers import n_rows
from skal.seeding import Stream, as_seed, set_random_states, stream


class Labelled(NamedTuple):
    """The rows labelled so far, in the order in which they were labelled.

    Parameters
    ----------
    X, y : rows and labels, n_labelled of each
        The warm start, followed by the acquired rows.
    positions : ndarray of shape (n_labelled,)
        The position of each row in the pool; -1 for the warm start.
    """

    X: Any
    y: Any
    positions: np.ndarray


class BaseStrategy(BaseEstimator):
    """Base class of strategies.

    The public methods `fit` and `select` check their arguments and call `_fit` and
    `_select`. A subclass implements `_select`; it also implements `_fit` if it has to
    look at the whole pool once. `skal.utils.estimator_checks.check_strategy` checks the
    result.

    Attributes
    ----------
    needs : tuple of str
        Class attribute or property: methods that the strategy calls on the model it is
        given, such as "predict_proba", or "posterior" for samples of the class
        probabilities. Empty if the strategy needs no model.
    peeks : bool
        Class attribute or property: whether `fit` is given the pool's labels and the
        validation set. True for oracles only.
    """

    needs: tuple[str, ...] = ()
    peeks = False
    # A strategy without parameters need not declare any.
    _parameter_constraints: dict = {}

    def fit(self, X, y=None, *, problem=None):
        """Fit the strategy to the pool.

        Parameters
        ----------
        X : rows of the pool, n_pool of them
            The rows that may be labelled.
        y : labels of the pool, or None
            Passed on to strategies that peek; ignored by every other one.
        problem : Problem or None, default=None
            The problem that the run solves. A strategy that does not peek is given one
            without the pool's labels, the validation set and the test set.

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

        While a single class is labelled, there is nothing but a constant model. A
        strategy that needs more than its predictions and probabilities is not asked,
        and the rows are drawn at random.

        Parameters
        ----------
        estimator : fitted estimator or None
            The current model. May be None for a strategy that needs no model.
        X : rows of the pool, n_pool of them
            The same as in `fit`.
        n : int
            Number of rows to choose.
        candidates : array-like of int, default=None
            Positions to choose from; all rows by default.
        labelled : Labelled or None, default=None
            The rows labelled so far.

        Returns
        -------
        ndarray of shape (n,), dtype int64
            Distinct positions out of `candidates`, best first.

        Raises
        ------
        ValueError
            If `n` exceeds the number of candidates, or these are repeated or outside
            the pool.
        TypeError
            If the estimator lacks a method that the strategy needs.
        """
        check_is_fitted(self)
        is_asked = not asks_in_vain(self, estimator)
        if is_asked:
            estimator = meet_needs(self, estimator)
        candidates = _check_candidates(candidates, n_rows(X), self.n_pool_)
        if not 0 <= n <= len(candidates):
            raise ValueError(
                f"n must be between 0 and the number of candidates, {len(candidates)}, "
                f"got {n}: ask for at most as many rows as there are candidates."
            )
        if not is_asked:
            return self._draw(int(n), candidates)
        return self._select(estimator, X, int(n), candidates, labelled)

    def _draw(self, n, candidates):
        """Return `n` candidates at random: a constant model tells them not apart."""
        rng = stream(getattr(self, "seed_", 0), Stream.TIES)
        return candidates[np.argsort(rng.permutation(self.n_pool_)[candidates])[:n]]

    def _fit(self, X, y, problem):
        """Compute what `_select` needs of the whole pool. Does nothing by default.

        An attribute that is computed here ends with an underscore or starts with one.
        The seed to use is `self.seed_`, an int drawn from `random_state`.

        Parameters
        ----------
        X : rows of the pool, n_pool of them
            In the container that the user gave, such as an array or a data frame.
            `skal.inputs._containers` indexes all of them.
        y : labels of the pool, or None
            None unless the strategy peeks.
        problem : Problem or None
            The problem that the run solves, as far as the strategy may see it. None
            if the strategy is used without a learner.
        """

    def _select(self, estimator, X, n, candidates, labelled):
        """Choose the rows to label next. A subclass must implement this.

        It must not change its arguments, and must return the same for the same
        arguments: draw from a generator that is seeded with `self.seed_`.

        Parameters
        ----------
        estimator : fitted estimator or None
            The current model. It has all that `needs` declares.
        X : rows of the pool, n_pool of them
            The same as in `_fit`.
        n : int
            Number of rows to choose, 0 <= n <= n_candidates.
        candidates : ndarray of shape (n_candidates,), dtype int64
            Positions to choose from: distinct and ascending.
        labelled : Labelled or None
            The rows labelled so far.

        Returns
        -------
        ndarray of shape (n,), dtype int64
            Distinct positions out of `candidates`, best first.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement the method _select(self, estimator, "
            "X, n, candidates, labelled), which returns n of the candidates."
        )


class RankingStrategy(BaseStrategy):
    """Base class of strategies that select the candidates with the highest utility.

    A subclass implements `_utility`, and has a parameter `random_state`, which breaks
    ties.
    """

    def _fit(self, X, y, problem):
        """Draw the priorities that break ties: one per row, of shape (n_pool,)."""
        # Drawn only once, so that `select` repeats itself.
        self._priority = stream(self.seed_, Stream.TIES).permutation(self.n_pool_)

    def _utility(self, estimator, X, candidates):
        """Return the utility of each candidate. A subclass must implement this.

        Parameters
        ----------
        estimator : fitted estimator or None
            The current model. It has all that `needs` declares.
        X : rows of the pool, n_pool of them
            `skal.inputs._containers.take(X, candidates)` returns the candidates' rows.
        candidates : ndarray of shape (n_candidates,), dtype int64
            Positions in the pool: distinct and ascending. There is at least one.

        Returns
        -------
        ndarray of shape (n_candidates,), dtype float
            The higher, the sooner a row is labelled. NaN is refused.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement the method _utility(self, "
            "estimator, X, candidates), which returns a float for each candidate."
        )

    def _select(self, estimator, X, n, candidates, labelled):
        """Return the `n` candidates with the highest utility, best first."""
        if n == 0:
            return candidates[:0]
        utility = self._utility(estimator, X, candidates)
        self._check_numbers(utility, estimator)
        # Sort only the candidates that can be among the best: time is then linear in
        # the number of candidates.
        at_least = np.partition(utility, -n)[-n]
        top = np.flatnonzero(utility >= at_least)
        ranking = np.lexsort((self._priority[candidates[top]], -utility[top]))
        return candidates[top[ranking[:n]]]

    def _check_numbers(self, utility, estimator):
        """Check that no utility is NaN, which would have no rank."""
        n_missing = np.isnan(utility).sum()
        if n_missing:
            raise ValueError(
                f"{type(self).__name__} finds no value for {n_missing} of "
                f"{len(utility)} candidates, since {name_of(estimator)} returns "
                "NaN for them: change its parameters or scale the rows, so that it "
                "returns numbers."
            )


class OrderStrategy(BaseStrategy):
    """Base class of strategies that fix the whole order in `fit`.

    A subclass implements `_fit`, which sets `_plan`: an ndarray of distinct positions
    in the pool, in the order in which they are to be labelled.
    """

    def _select(self, estimator, X, n, candidates, labelled):
        """Return the first `n` positions of the order that are candidates."""
        ahead = self._plan[np.isin(self._plan, candidates)]
        if len(ahead) < n:
            raise ValueError(
                f"The order has {len(ahead)} of the candidates left and {n} rows were "
                "asked for: give a longer order, or fewer or smaller rounds."
            )
        return ahead[:n]


def fit_strategy(strategy, X, problem):
    """Fit a strategy to the pool, showing it only what it may see of the problem.

    Parameters
    ----------
    strategy : strategy
        The strategy to fit, in place.
    X : rows of the pool, n_pool of them
        The rows that may be labelled.
    problem : Problem or None
        The whole problem. A strategy that peeks sees all but the test set; any other
        one sees neither the pool's labels nor the validation set.

    Returns
    -------
    strategy
        The fitted strategy itself.
    """
    if problem is None:
        return strategy.fit(X)
    visible = problem.seen_by(strategy)
    return strategy.fit(X, visible.y_pool, problem=visible)


def fit_inner(strategy, X, problem, rng):
    """Fit a clone of a strategy that is a parameter of another one.

    Parameters
    ----------
    strategy : strategy
        The inner strategy. It keeps the seeds that its user set.
    X : rows of the pool, n_pool of them
        The rows that may be labelled.
    problem : Problem or None
        The whole problem, of which the inner strategy sees what `fit_strategy` allows.
    rng : numpy.random.Generator
        Draws a seed for each `random_state` that is None.

    Returns
    -------
    strategy
        The fitted clone.
    """
    inner = set_random_states(clone(strategy), rng, only_unset=True)
    return fit_strategy(inner, X, problem)


def _check_candidates(candidates, n_given, n_pool):
    """Return the candidates as ascending positions in the pool, dtype int64."""
    if n_given != n_pool:
        raise ValueError(
            f"X must have the {n_pool} rows of the pool that the strategy was fitted "
            f"on, got {n_given}: give the whole pool, and name the rows to choose from "
            "in `candidates`."
        )
    if candidates is None:
        return np.arange(n_pool)
    candidates = np.asarray(candidates)
    if candidates.ndim != 1 or (candidates.size and candidates.dtype.kind not in "iu"):
        raise ValueError(
            "candidates must be a one-dimensional array of positions in the pool, got "
            f"shape {candidates.shape} and dtype {candidates.dtype}."
        )
    ordered = np.sort(candidates).astype(np.int64)
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError("candidates are repeated: name each position once.")
    if len(ordered) and not 0 <= ordered[0] <= ordered[-1] < n_pool:
        raise ValueError(
            f"candidates must be between 0 and {n_pool - 1}, the rows of the pool, got "
            f"{ordered[0]} to {ordered[-1]}."
        )
    return ordered
