"""What a strategy is: an estimator with one more verb, `select`."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skal.seeding import Stream, as_seed, set_random_states, stream
from skal.strategies._posterior import has_posterior
from skal.utils._classes import FixedClasses
from skal.utils._rows import n_rows

# What a strategy may need: how to call it, and how to get it. Any other name is that of
# a method.
NEEDS = {
    "predict": ("predictions", "choose an estimator with a method `predict`"),
    "predict_proba": (
        "class probabilities",
        "choose an estimator with a method `predict_proba` (CalibratedClassifierCV "
        "adds it to any classifier)",
    ),
    "predict_token_log_proba": (
        "log-probabilities of the tags of each token",
        "choose a tagger with a method `predict_token_log_proba`, such as "
        "skal.nets.BiLSTMTagger",
    ),
    "posterior": (
        "posterior samples of the class probabilities",
        "choose a net with a method `sample_proba`, or an ensemble (BaggingClassifier "
        "makes one of any classifier)",
    ),
}


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


def check_needs(strategy, estimator):
    """Raise a TypeError if `estimator` lacks what `strategy` declares that it needs.

    Parameters
    ----------
    strategy : strategy
    estimator : estimator
        Fitted or not.
    """
    for need in getattr(strategy, "needs", ()):
        if not _offers(estimator, need):
            method = f"a method `{need}`", f"choose an estimator with a method `{need}`"
            what, remedy = NEEDS.get(need, method)
            raise TypeError(
                f"{type(strategy).__name__} needs {what}, and "
                f"{type(estimator).__name__} has none: {remedy}, or a strategy that "
                "needs no more than the estimator offers, such as Random."
            )


def check_pairing(strategy, estimator, n_warm=None):
    """Refuse an estimator that cannot serve a strategy, before anything is trained.

    Parameters
    ----------
    strategy : strategy
    estimator : estimator
        Not fitted.
    n_warm : int or None, default=None
        Number of rows labelled before the first round; None if it is not known.

    Raises
    ------
    TypeError
        If the estimator is a regressor, or lacks a method that the strategy needs.
    ValueError
        If the strategy needs a model and nothing is labelled in the first round, or
        the estimator takes pairs of rows.
    """
    name = type(estimator).__name__
    if is_regressor(estimator):
        raise TypeError(
            f"{name} is a regressor, and what is labelled here are classes: choose a "
            "classifier."
        )
    # Some meta-estimators, such as StackingClassifier, offer `predict` only once they
    # are fitted: skip the check for them.
    if hasattr(estimator, "predict"):
        check_needs(strategy, estimator)
    if n_warm == 0 and getattr(strategy, "needs", ()):
        raise ValueError(
            f"{type(strategy).__name__} needs a model in the first round, and the warm "
            "start is empty: give X_warm or a positive warm_size, or choose a strategy "
            "that needs no model, such as Random."
        )
    if get_tags(estimator).input_tags.pairwise:
        raise ValueError(
            f"{name} takes a matrix of pairs of rows, and that has to be cut anew for "
            "each labelled set: give it the rows themselves and a kernel or metric to "
            "compute the pairs with."
        )


def _offers(estimator, need):
    return has_posterior(estimator) if need == "posterior" else hasattr(estimator, need)


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
