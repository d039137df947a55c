"""Problem: everything that a run depends on, apart from the strategy."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_scalar

from skal._data_sets import (
    checked_error_score,
    checked_sets,
    checked_sizes,
    named_sets,
    with_rows,
)
from skal._rounds import RoundsMixin
from skal.answers._needs import strategy_peeks
from skal.inputs._containers import n_rows
from skal.inputs._several import in_columns
from skal.inputs._tags import all_labels, scorer_of
from skal.inputs._targets import Target
from skal.noise._annotated import annotated
from skal.seeding import as_seed
from skal.splitting import HELD_OUT


@dataclass(frozen=True, repr=False)
class Problem(RoundsMixin):
    """An active learning problem: data sets, estimator, scorer, B, K and xi.

    A position is the index of a row in the pool; a row is its index in the `X` that was
    passed to `fit`. The two are the same unless some sets were carved out of `X`.

    Parameters
    ----------
    X_pool, y_pool : rows and labels, n_pool of each
        The rows that may be labelled. Their labels are known to the simulation only. If
        rows are lists of tokens, labels may be lists of tags, one for each token. If
        the estimator is a regressor, all labels are numbers. Several targets per row
        are an array with a column for each.
    X_warm, y_warm : rows and labels
        The rows labelled before the first round. May be empty.
    X_select, y_select : rows and labels, or None
        The selection set, for choosing a model inside the estimator (early stopping).
    X_val, y_val : rows and labels, or None
        The validation set, on which an oracle searches.
    X_test, y_test : rows and labels, or None
        The test set, whose scores are reported.
    pool_rows : ndarray of shape (n_pool,)
        The row of `X` at each position.
    classes : ndarray of shape (n_classes,)
        The class list of the run: all labels of all sets, sorted. Empty if targets are
        numbers, or rows have several targets.
    estimator : estimator
        The estimator to train. It is cloned before each training.
    scorer : callable
        `scorer(model, X, y)` returns a float, higher is better.
    batch_size, n_rounds : int
        Rows labelled in a round (B), and the number of rounds (K). With costs, B is the
        amount that a round spends.
    seed : int
        The seed of the run (xi).
    fit_params : dict
        Further arguments of the estimator's `fit`. An argument with one value per row
        of the warm start and the pool, in this order, is cut to the rows in use.
    test_frequencies : ndarray of shape (n_classes,), or None
        Share of each class in the test set, if the test set itself is hidden; for
        tags, the shares among its tokens.
    error_score : float or None, default=None
        The score of a model that cannot be trained or scored; None to raise the error.
    costs : ndarray of shape (n_pool,), or None
        The cost of labelling each row of the pool; None if each counts as one.
    noise : NoisyLabels or None, default=None
        The annotators who gave `y_warm`, `y_pool` and `y_select`, if they err.
    true_labels : dict of str to labels, default={}
        The true labels of the sets "warm", "pool" and "select", with `noise` only.
    target : Target, default=Target.CLASS
        The kind of target, which follows from the estimator and the labels.
    column_classes : tuple of ndarray, default=()
        If rows have several labels or classes, the class list of each column.

    See Also
    --------
    split : Cuts one table into the data sets.
    ActiveLearner : Runs a problem, from its sets.
    compare : Compares strategies on a problem.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Problem
    >>> X, y = load_iris(return_X_y=True)
    >>> problem = Problem.from_data(X, y, GaussianNB(), batch_size=5, n_rounds=4,
    ...                             random_state=0)
    >>> problem.n_pool, len(problem.y_val), len(problem.y_test)
    (64, 38, 38)
    """

    X_pool: Any
    y_pool: Any
    X_warm: Any
    y_warm: Any
    pool_rows: NDArray[np.int64]
    classes: NDArray
    estimator: Any
    scorer: Any
    batch_size: int
    n_rounds: int
    seed: int
    X_select: Any = None
    y_select: Any = None
    X_val: Any = None
    y_val: Any = None
    X_test: Any = None
    y_test: Any = None
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    test_frequencies: Any = None
    error_score: float | None = None
    costs: NDArray[np.float64] | None = None
    noise: Any = None
    true_labels: Mapping[str, Any] = field(default_factory=dict)
    target: Target = Target.CLASS
    column_classes: tuple[NDArray, ...] = ()

    @classmethod
    def from_sets(
        cls,
        sets: Mapping[str, Any],
        estimator: Any,
        *,
        batch_size: int,
        n_rounds: int,
        scoring: Any = None,
        fit_params: Mapping[str, Any] | None = None,
        error_score: Any = "raise",
        noise: Any = None,
        cost: Any = None,
    ) -> "Problem":
        """Build a problem from given data sets, which several runs can share.

        Parameters
        ----------
        sets : dict
            The data sets, as returned by `split`: `X`, `y` (the pool), `X_warm`,
            `y_warm` and so on. Without `X_warm`, nothing is labelled before the first
            round.
        estimator : estimator
            The estimator to train.
        batch_size, n_rounds : int
            Rows labelled in a round (B), and the number of rounds (K).
        scoring : str, callable or None, default=None
            As in `ActiveLearner`.
        fit_params : dict or None, default=None
            Further arguments of the estimator's `fit`. An argument with one value per
            row, such as `sample_weight`, begins with the rows of `X_warm`.
        error_score, noise : object
            As in `ActiveLearner`.
        cost : "tokens", callable, array-like of shape (n_pool,), default=None
            The cost of labelling each row of `X`, as in `ActiveLearner`.

        Returns
        -------
        Problem

        Raises
        ------
        ValueError
            If the pool or labels are missing, a set has an unknown name, or sets
            overlap or disagree in width.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skal import Problem, split
        >>> sets = split(*load_iris(return_X_y=True), warm_size=10, random_state=0)
        >>> Problem.from_sets(sets, GaussianNB(), batch_size=5, n_rounds=4).n_acquired
        20
        """
        check_scalar(batch_size, "batch_size", Integral, min_val=1)
        check_scalar(n_rounds, "n_rounds", Integral, min_val=1)
        sets = named_sets(sets)
        given = with_rows(
            {name: (sets.get(f"X_{name}"), sets.get(f"y_{name}")) for name in HELD_OUT}
        )
        return assemble(
            sets["X"],
            sets["y"],
            given,
            {} if "warm" in given else {"warm": 0},
            fit_params or {},
            batch_size=batch_size,
            n_rounds=n_rounds,
            estimator=estimator,
            scoring=scoring,
            seed=0,
            error_score=error_score,
            noise=noise,
            cost=sets.get("cost") if cost is None else cost,
        )

    @classmethod
    def from_data(
        cls,
        X: Any,
        y: Any,
        estimator: Any,
        *,
        batch_size: int = 10,
        n_rounds: int = 10,
        warm_size: float | None = None,
        select_size: float = 0.1,
        val_size: float = 0.25,
        test_size: float = 0.25,
        warm_per_class: int = 0,
        stratify: bool = False,
        groups: Any = None,
        scoring: Any = None,
        fit_params: Mapping[str, Any] | None = None,
        error_score: Any = "raise",
        noise: Any = None,
        cost: Any = None,
        random_state: Any = None,
    ) -> "Problem":
        """Build a problem from a random split of one data set.

        `ActiveLearner.fit(X, y)` carves the same sets, given the same sizes and
        `random_state`.

        Parameters
        ----------
        X, y : rows and labels, n_samples of each
            The data set to split.
        estimator : estimator
            The estimator to train.
        batch_size, n_rounds : int, default=10
            Rows labelled in a round (B), and number of rounds (K).
        warm_size : int, float or None, default=None
            Rows of the warm start; None chooses them as `ActiveLearner` does.
        select_size : int or float, default=0.1
            Rows for model selection, if the estimator's `fit` takes any.
        val_size, test_size : int or float, default=0.25
            Rows of the validation and of the test set.
        warm_per_class, stratify, groups : int, bool, array-like of shape (n_samples,)
            Constraints on the split, as in `split`.
        scoring : str, callable or None, default=None
            The metric, as in `ActiveLearner`.
        fit_params : dict or None, default=None
            Further arguments of the estimator's `fit`. An argument with one value per
            row of `X`, such as `sample_weight`, is cut to the rows in use.
        error_score, noise : object
            As in `ActiveLearner`.
        cost : "tokens", callable, array-like of shape (n_samples,), default=None
            The cost of labelling each row, as in `ActiveLearner`.
        random_state : int, RandomState instance or None, default=None
            Determines the split.

        Returns
        -------
        Problem

        Raises
        ------
        ValueError
            If labels are missing, a size is out of range, or `X` is too small.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skal import Problem
        >>> X, y = load_iris(return_X_y=True)
        >>> Problem.from_data(X, y, GaussianNB(), batch_size=5, n_rounds=4,
        ...                   random_state=0).n_pool
        64
        """
        check_scalar(batch_size, "batch_size", Integral, min_val=1)
        check_scalar(n_rounds, "n_rounds", Integral, min_val=1)
        given = {"test": test_size, "val": val_size, "select": select_size}
        sizes = checked_sizes({**given, "warm": warm_size}, estimator)
        check_scalar(warm_per_class, "warm_per_class", Integral, min_val=0)
        return assemble(
            X,
            y,
            {},
            sizes,
            fit_params or {},
            batch_size=batch_size,
            n_rounds=n_rounds,
            estimator=estimator,
            scoring=scoring,
            seed=as_seed(random_state),
            error_score=error_score,
            noise=noise,
            cost=cost,
            choice=dict(
                warm_per_class=warm_per_class, stratify=stratify, groups=groups
            ),
        )

    def __repr__(self) -> str:
        return (
            f"Problem(estimator={type(self.estimator).__name__}, "
            f"n_warm={n_rows(self.X_warm)}, n_pool={self.n_pool}, "
            f"{f'n_classes={len(self.classes)}, ' * self.target.has_classes}"
            f"batch_size={self.batch_size}, n_rounds={self.n_rounds}, seed={self.seed})"
        )

    @property
    def sets(self) -> dict[str, Any]:
        """The data sets with true labels, as the arguments of `ActiveLearner.fit`."""
        named = {
            f"{letter}_{name}": getattr(self, f"{letter}_{name}")
            for name in ("pool", *HELD_OUT)
            for letter in "Xy"
        }
        named |= {f"y_{name}": y for name, y in self.true_labels.items()}
        if self.costs is not None:
            named["cost"] = self.costs
        return {"X": named.pop("X_pool"), "y": named.pop("y_pool"), **named}

    def seen_by(self, strategy: Any) -> "Problem":
        """Return a copy without the data that a strategy may not see.

        Parameters
        ----------
        strategy : strategy
            The strategy to show the problem to.

        Returns
        -------
        Problem
            As `for_search` returns it if the strategy peeks, else as `for_selection`
            does.
        """
        return self.for_search() if strategy_peeks(strategy) else self.for_selection()

    def for_search(self) -> "Problem":
        """Return a copy for a strategy that peeks: without the test set.

        Only the label frequencies of the test set are kept, since a search must not
        use more of it.

        Returns
        -------
        Problem
        """
        frequencies = self.test_frequencies
        if self.y_test is not None and self.target.has_classes:
            bins = np.searchsorted(self.classes, all_labels(self.y_test))
            counts = np.bincount(bins, minlength=len(self.classes))
            frequencies = counts / counts.sum()
        hidden = replace(self, X_test=None, y_test=None, noise=None, true_labels={})
        return replace(hidden, test_frequencies=frequencies)

    def for_selection(self) -> "Problem":
        """Return a copy for a strategy that does not peek.

        It is without the pool's labels, the validation set and the test set.

        Returns
        -------
        Problem
        """
        hidden = replace(self.for_search(), y_pool=None, X_val=None, y_val=None)
        return replace(hidden, test_frequencies=None)


def assemble(
    X: Any,
    y: Any,
    given: Mapping[str, tuple[Any, Any]],
    sizes: Mapping[str, float | None],
    fit_params: Mapping[str, Any],
    *,
    batch_size: int,
    n_rounds: int,
    estimator: Any,
    scoring: Any,
    seed: int,
    error_score: Any = "raise",
    noise: Any = None,
    cost: Any = None,
    choice: Mapping[str, Any] | None = None,
) -> Problem:
    """Check the given data and build a problem, carving the sets that are not given.

    Parameters
    ----------
    X, y : rows and labels, n_samples of each
        The pool, and the sets that are carved out of it.
    given : dict of str to (rows, labels)
        The sets of `HELD_OUT` that are not carved.
    sizes : dict of str to int, float or None
        The sizes of the other sets, in the order in which they are cut off. None, for
        the warm start, takes 2 B rows, but at most a quarter of the rows that the
        other sets leave.
    fit_params : dict
        Further arguments of the estimator's `fit`. An argument with one value per row
        of `X`, or of a given warm start and `X`, is cut to the warm start and the pool.
    batch_size, n_rounds, estimator, seed
        As in `Problem`.
    scoring, error_score, noise, cost
        As in `ActiveLearner`; `cost` may be an array, too.
    choice : dict or None, default=None
        The arguments `warm_per_class`, `stratify` and `groups` of `split`.

    Raises
    ------
    ValueError
        If labels are missing, sets overlap or disagree in width, or `X` is too small.
    TypeError
        If the estimator takes several targets per row only, or only one.
    """
    y = in_columns(X, y)
    scorer = scorer_of(estimator, scoring, y)
    data = checked_sets(
        X,
        y,
        given,
        sizes,
        fit_params,
        batch_size=batch_size,
        n_rounds=n_rounds,
        estimator=estimator,
        seed=seed,
        choice=choice or {},
        cost=cost,
    )
    problem = Problem(
        **data,
        estimator=estimator,
        scorer=scorer,
        seed=seed,
        error_score=checked_error_score(error_score),
    )
    return annotated(problem, noise)
