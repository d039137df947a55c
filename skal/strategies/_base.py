"""Base classes of strategies: estimators with the additional method `select`."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from skal._sklearn import validate
from skal.answers._needs import asks_in_vain, meet_needs, strategy_searches
from skal.inputs._containers import n_rows
from skal.seeding import Stream, as_seed, set_random_states, stream
from skal.strategies._batches import check_candidates, check_number
from skal.strategies._read_only import protected, read_only


class Labelled(NamedTuple):
    """The rows labelled so far, in the order in which they were labelled.

    Parameters
    ----------
    X, y : rows and labels, n_labelled of each
        The warm start, followed by the acquired rows.
    positions : ndarray of shape (n_labelled,)
        The position of each row in the pool; -1 for the warm start.

    See Also
    --------
    BaseStrategy : Its `select` is given the labelled rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skal import CoreSet
    >>> from skal.strategies import Labelled
    >>> X = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> labelled = Labelled(X[:1], np.array(["a"]), np.array([0]))
    >>> CoreSet().fit(X).select(None, X, 1, candidates=[1, 2, 3], labelled=labelled)
    array([3])
    """

    X: Any
    y: Any
    positions: np.ndarray


class BaseStrategy(BaseEstimator):
    """Base class of strategies.

    A strategy is an estimator with one method more, `select`. The public methods `fit`
    and `select` are written here: they check their arguments, and call the methods
    below, which a subclass writes.

    - `_select(self, estimator, X, n, candidates, labelled)` returns the rows to label
      next. Every subclass must write it, or derive from `RankingStrategy` or
      `OrderStrategy`, which have one.
    - `_fit(self, X, y, problem)` looks at the whole pool once, before the first round.
      A subclass writes it if it has to.

    A strategy has a constructor only if it has parameters. As for any scikit-learn
    estimator, the constructor does nothing but store them.
    `skal.utils.estimator_checks.check_strategy` checks the result.

    Attributes
    ----------
    needs : tuple of str
        Class attribute or property: names of the methods that the strategy calls on the
        model, such as ``("predict_proba",)``. Five names do not stand for one method:
        "posterior" for samples of the class probabilities, "class_scores" for
        probabilities or decision values, "predicted_numbers" for the predictions of a
        regressor, "variance" for how uncertain these are, and "embedding" for
        embeddings of the rows, which there are with any model and without one. Empty,
        the default, if it needs no model. A learner whose estimator lacks one of them
        is refused before anything is trained.
    needs_labelled : bool
        Class attribute or property: whether `select` must be given the rows labelled so
        far. A learner always gives them; without a learner, `select` asks for them. The
        default is False, and `labelled` may then be None.
    from_nothing : bool
        Class attribute or property: whether the strategy can select while nothing is
        labelled and `estimator` is None. Without this attribute, it can if it needs no
        more than embeddings.
    peeks : bool
        Class attribute or property: whether `fit` is given the pool's labels and the
        validation set. True for oracles only.
    n_pool_ : int
        Set by `fit`: number of rows in the pool.
    seed_ : int
        Set by `fit` before it calls `_fit`, if the strategy has a parameter
        `random_state`: the seed of all that the strategy draws, as in
        ``np.random.default_rng(self.seed_)``.

    See Also
    --------
    RankingStrategy : For strategies that give each candidate a number.
    OrderStrategy : For strategies that know the whole order in advance.

    Examples
    --------
    >>> import numpy as np
    >>> from skal import BaseStrategy
    >>> class Spread(BaseStrategy):
    ...     def _select(self, estimator, X, n, candidates, labelled):
    ...         places = np.linspace(0, len(candidates) - 1, n).astype(int)
    ...         return candidates[places]
    >>> Spread().fit(np.ones((9, 1))).select(None, np.ones((9, 1)), 3)
    array([0, 4, 8])
    """

    needs: tuple[str, ...] = ()
    needs_labelled = False
    peeks = False
    # scikit-learn's checks of parameters, which a subclass may leave out.
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
        validate(self)
        self.n_pool_ = n_rows(X)
        self._draw_seed()
        self._fit(X, y if self.peeks else None, problem)
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
            the pool; if the strategy needs `labelled` and is not given it.
        TypeError
            If the estimator lacks a method that the strategy needs.
        """
        check_is_fitted(self)
        is_asked = not asks_in_vain(self, estimator)
        if is_asked:
            estimator = meet_needs(self, estimator)
        candidates = check_candidates(candidates, n_rows(X), self.n_pool_)
        n = check_number(n, len(candidates))
        self._check_labelled(labelled)
        if n == 0:
            return candidates[:0]
        if not is_asked:
            return self._draw(n, candidates)
        return self._select(estimator, X, n, candidates, labelled)

    def _draw_seed(self):
        """Set `seed_`, if there is a parameter `random_state` to draw it from."""
        if hasattr(self, "random_state"):
            seed = as_seed(self.random_state)
            self.seed_ = int(stream(seed, Stream.STRATEGY).integers(2**31))

    def _check_labelled(self, labelled):
        """Raise an error unless `labelled` has rows, labels and positions."""
        if labelled is None and not self.needs_labelled:
            return
        if not all(hasattr(labelled, name) for name in Labelled._fields):
            raise ValueError(
                f"labelled must hold the rows labelled so far, got {labelled!r:.60}: "
                "pass labelled=skal.strategies.Labelled(X, y, positions) to the select "
                f"of {type(self).__name__}."
            )

    def _draw(self, n, candidates):
        """Return `n` candidates at random: a constant model tells them not apart."""
        return candidates[np.argsort(self._draw_priority()[candidates])[:n]]

    def _draw_priority(self):
        """Return the random priority of each row, which decides between equals."""
        return stream(getattr(self, "seed_", 0), Stream.TIES).permutation(self.n_pool_)

    def _fit(self, X, y, problem):
        """Look at the whole pool once; to be written by subclasses that have to.

        It is called by `fit`, before the first round, and does nothing by default. An
        attribute that is set here ends with an underscore or starts with one.
        `self.n_pool_` is there already, and so is `self.seed_`, an int to draw with,
        if the strategy has a parameter `random_state`. The returned value is ignored.

        Parameters
        ----------
        X : rows of the pool, n_pool of them
            In the container that the user gave, such as an array, a data frame or a
            list of sentences; `skal.utils.take_rows` indexes all of them. Arrays are
            read-only.
        y : labels of the pool, or None
            None unless the strategy peeks.
        problem : Problem or None
            The problem that the run solves, as far as the strategy may see it: the
            rows and labels of the warm start and the selection set, the class list,
            the estimator, B, K and the seed. None if the strategy is used without a
            learner.
        """

    def _select(self, estimator, X, n, candidates, labelled):
        """Return the rows to label next; to be written by every subclass.

        It is called by `select`, with arguments that were checked. It must not change
        them, and must return the same for the same arguments: a strategy that draws
        has a parameter `random_state`, and makes a new generator from `self.seed_` in
        each call.

        Parameters
        ----------
        estimator : fitted estimator or None
            The current model. It has the methods that `needs` names, and `classes_`,
            the class list of the run; a class without a labelled row has probability
            0. None if nothing is labelled yet, or if `needs` is empty and none was
            given.
        X : rows of the pool, n_pool of them
            All of them, labelled or not, as in `_fit`. ``X[candidates]``, or
            ``skal.utils.take_rows(X, candidates)`` for any container, are the rows to
            choose from.
        n : int
            Number of rows to choose, 1 <= n <= n_candidates.
        candidates : ndarray of shape (n_candidates,), dtype int64
            Positions to choose from: distinct and ascending.
        labelled : Labelled or None
            The rows labelled so far, in the order in which they were labelled:
            `labelled.X`, `labelled.y` and `labelled.positions`, which are -1 for the
            warm start. There may be none of them. None only without a learner, and
            never if `needs_labelled` is True.

        Returns
        -------
        ndarray of shape (n,), dtype int64
            Distinct positions out of `candidates`, best first.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement the method _select(self, estimator, "
            "X, n, candidates, labelled), which returns n of the candidates."
        )


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
    # A search trains and scores on what it is given, as the run itself does.
    if not strategy_searches(strategy):
        is_pool, visible = X is problem.X_pool, protected(visible)
        X = visible.X_pool if is_pool else read_only(X)
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
