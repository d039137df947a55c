"""The data sets of one run, checked and put together."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_scalar

from skal._sklearn import _check_method_params
from skal.answers._needs import strategy_peeks
from skal.inputs._checks import (
    check_disjoint,
    check_labels,
    check_matching,
    check_order,
    check_pair,
    check_rows,
    class_list,
    takes_selection_set,
)
from skal.inputs._containers import n_rows, take
from skal.inputs._tags import all_labels, scorer_of
from skal.seeding import as_seed
from skal.splitting import HELD_OUT, carve, check_size, count_of


@dataclass(frozen=True)
class Problem:
    """One active learning problem: data sets, estimator, scorer, B, K and xi.

    Positions count rows of the pool; rows count rows of the `X` that was given to
    `fit`. They are the same unless some sets were carved out of that `X`.

    Parameters
    ----------
    X_pool, y_pool : rows and labels, n_pool of each
        What may be labelled. The labels are known to the simulation only. Where rows
        are lists of tokens, labels may be lists of tags, one for each token.
    X_warm, y_warm : rows and labels
        What is labelled before the first round. May be empty.
    X_select, y_select : rows and labels, or None
        For model selection inside the estimator (early stopping).
    X_val, y_val : rows and labels, or None
        What an oracle searches on.
    X_test, y_test : rows and labels, or None
        What is reported.
    pool_rows : ndarray of shape (n_pool,)
        The row of `X` at each position.
    classes : ndarray of shape (n_classes,)
        The class list of the run: all labels of all sets, sorted.
    estimator : estimator
        What is trained. It is cloned before each training.
    scorer : callable
        `scorer(model, X, y)` returns a float, higher is better.
    batch_size, n_rounds : int
        B and K.
    seed : int
        xi.
    fit_params : dict
        Further arguments of the estimator's `fit`. What has one value per row of
        the warm start and the pool, in this order, is cut to the rows in use.
    test_frequencies : ndarray of shape (n_classes,), or None
        Share of each class in the test set, where that itself is hidden; of tags, over
        its tokens.
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

    @classmethod
    def from_sets(
        cls,
        sets: Mapping[str, Any],
        estimator: Any,
        *,
        batch_size: int,
        n_rounds: int,
        scoring: Any = None,
    ) -> "Problem":
        """Pose a problem on given data sets, for several runs to share.

        Parameters
        ----------
        sets : dict
            As `split` returns them: `X`, `y` (the pool), `X_warm`, `y_warm` and so on.
            Without `X_warm`, nothing is labelled before the first round.
        estimator : estimator
        batch_size, n_rounds : int
            B and K.
        scoring : str, callable or None, default=None
            As in `ActiveLearner`.

        Returns
        -------
        Problem

        Raises
        ------
        ValueError
            If the pool or labels are missing, or sets overlap or disagree in width.

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
        sets = {name: part for name, part in sets.items() if part is not None}
        _check_names(sets)
        given = with_rows(
            {name: (sets.get(f"X_{name}"), sets.get(f"y_{name}")) for name in HELD_OUT}
        )
        return assemble(
            sets["X"],
            sets["y"],
            given,
            {} if "warm" in given else {"warm": 0},
            {},
            batch_size=batch_size,
            n_rounds=n_rounds,
            estimator=estimator,
            scorer=scorer_of(estimator, scoring, sets["y"]),
            seed=0,
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
        scoring: Any = None,
        random_state: Any = None,
    ) -> "Problem":
        """Pose a problem on a random split of whole data.

        The sets are those that `ActiveLearner.fit(X, y)` carves with the same sizes and
        `random_state`.

        Parameters
        ----------
        X, y : rows and labels, n_samples of each
        estimator : estimator
        batch_size, n_rounds, warm_size, select_size, val_size, test_size, scoring
            As in `ActiveLearner`.
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
        sizes = {"test": test_size, "val": val_size, "select": select_size}
        for name, size in {**sizes, "warm": warm_size}.items():
            check_size(size, f"{name}_size", may_be_none=name == "warm")
        if not takes_selection_set(estimator):
            sizes["select"] = 0
        return assemble(
            X,
            y,
            {},
            {**sizes, "warm": warm_size},
            {},
            batch_size=batch_size,
            n_rounds=n_rounds,
            estimator=estimator,
            scorer=scorer_of(estimator, scoring, y),
            seed=as_seed(random_state),
        )

    @property
    def n_pool(self) -> int:
        """Number of rows in the pool."""
        return len(self.pool_rows)

    @property
    def n_acquired(self) -> int:
        """Number of rows labelled after the last round: B K, or the whole pool."""
        return min(self.batch_size * self.n_rounds, self.n_pool)

    @property
    def sets(self) -> dict[str, Any]:
        """The data sets, as the arguments of `ActiveLearner.fit`."""
        named = {
            f"{letter}_{name}": getattr(self, f"{letter}_{name}")
            for name in HELD_OUT
            for letter in "Xy"
        }
        return {"X": self.X_pool, "y": self.y_pool, **named}

    def positions(self, rows: Any, name: str = "order") -> NDArray[np.int64]:
        """Translate rows of `X` into positions in the pool.

        Parameters
        ----------
        rows : array-like of int
        name : str, default="order"
            What to call them in an error.

        Returns
        -------
        ndarray of shape (len(rows),)

        Raises
        ------
        ValueError
            If a row is repeated or not in the pool.
        """
        rows = check_order(rows, name)
        where = {row: position for position, row in enumerate(self.pool_rows.tolist())}
        foreign = [row for row in rows.tolist() if row not in where]
        if foreign:
            raise ValueError(
                f"{name} holds {len(foreign)} rows that are not in the pool, such as "
                f"{foreign[0]}: an order can only be replayed on the pool it came "
                "from, so give the same data sets (or the same random_state, which "
                "carves them)."
            )
        return np.array([where[row] for row in rows.tolist()], dtype=np.int64)

    def whole_order(self, rows: Any, name: str = "order") -> NDArray[np.int64]:
        """Translate rows of `X` as `positions` does, if they suffice for all rounds.

        Raises
        ------
        ValueError
            If there are too few of them, or one is repeated or not in the pool.
        """
        order = self.positions(rows, name)
        if len(order) < self.n_acquired:
            raise ValueError(
                f"{name} has {len(order)} rows, and {self.n_rounds} rounds of "
                f"batch_size={self.batch_size} label {self.n_acquired}: give a longer "
                "order, or fewer or smaller rounds."
            )
        return order

    def seen_by(self, strategy: Any) -> "Problem":
        """Return the problem as `strategy` may see it."""
        peeks = strategy_peeks(strategy)
        return self.for_search() if peeks else self.for_selection()

    def for_search(self) -> "Problem":
        """Return the problem as a strategy that peeks may see it.

        Nothing may be searched on the test set: its label frequencies alone are left.
        """
        frequencies = self.test_frequencies
        if self.y_test is not None:
            bins = np.searchsorted(self.classes, all_labels(self.y_test))
            counts = np.bincount(bins, minlength=len(self.classes))
            frequencies = counts / counts.sum()
        return replace(self, X_test=None, y_test=None, test_frequencies=frequencies)

    def for_selection(self) -> "Problem":
        """Return the problem as a strategy that does not peek may see it.

        Gone are the pool's labels, the validation and the test set.
        """
        hidden = replace(self, y_pool=None, X_val=None, y_val=None)
        return replace(hidden, X_test=None, y_test=None, test_frequencies=None)


def _check_names(sets: Mapping[str, Any]) -> None:
    known = ["X", "y", *(f"{letter}_{name}" for name in HELD_OUT for letter in "Xy")]
    missing = [name for name in known[:2] if name not in sets]
    foreign = [name for name in sets if name not in known]
    if missing or foreign:
        wrong = f"{missing[0]} is missing" if missing else f"{foreign[0]} is none"
        raise ValueError(
            f"sets must be named as skal.split does, X, y, X_warm and so on: {wrong}."
        )


def with_rows(
    pairs: Mapping[str, tuple[Any, Any]],
) -> dict[str, tuple[Any, Any]]:
    """Return the sets that are given: pairs of rows and labels, by name.

    Parameters
    ----------
    pairs : mapping of str to tuple
        None stands for what is not given.

    Returns
    -------
    dict of str to tuple

    Raises
    ------
    ValueError
        If there are labels and no rows.
    """
    for name, (rows, labels) in pairs.items():
        if rows is None and labels is not None:
            raise ValueError(
                f"y_{name} is given and X_{name} is missing: give both, or neither."
            )
    return {name: pair for name, pair in pairs.items() if pair[0] is not None}


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
    scorer: Any,
    seed: int,
) -> Problem:
    """Check all that a run is given, carve the sets that it is not given.

    Parameters
    ----------
    X, y : rows and labels, n_samples of each
    given : dict of str to (rows, labels)
        The sets of `HELD_OUT` that are not carved.
    sizes : dict of str to int, float or None
        The sizes of the others, in the order in which they are cut off. None, for the
        warm start, takes 2 B rows, but at most a quarter of what the others leave.
    fit_params : dict
        Arguments of the estimator's `fit`, with one value per row of `X` or without.
    batch_size, n_rounds, estimator, scorer, seed
        As in `Problem`.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        If labels are missing, sets overlap or disagree in width, or `X` is too small.
    """
    X, y = check_rows(X, "X", estimator), check_labels(y, "y")
    check_matching(X, y, "y")
    sets = _check_given(given, X, estimator)
    classes = class_list([y, *(sets[key] for key in sets if key[0] == "y")])
    n = n_rows(X)
    rows = carve(n, _fill_in_warm_size(sizes, n, batch_size), seed)
    pool = rows.pop("pool")
    for name, part in rows.items():
        if name == "warm" or len(part):
            sets[f"X_{name}"], sets[f"y_{name}"] = take(X, part), take(y, part)
    return Problem(
        X_pool=take(X, pool),
        y_pool=take(y, pool),
        pool_rows=pool,
        classes=classes,
        estimator=estimator,
        scorer=scorer,
        batch_size=batch_size,
        n_rounds=_possible_rounds(n_rounds, batch_size, len(pool)),
        seed=seed,
        fit_params=_cut_fit_params(X, fit_params, rows.get("warm"), pool, sets),
        **sets,
    )


def _check_given(
    given: Mapping[str, tuple[Any, Any]], X: Any, estimator: Any
) -> dict[str, Any]:
    sets = {}
    for name, (X_given, y_given) in given.items():
        is_empty = n_rows(X_given) == 0
        # Without rows, it need not be a table: an empty list will do.
        if is_empty:
            X_given = take(X, np.arange(0))
        else:
            X_given = check_rows(X_given, f"X_{name}", estimator)
        check_pair(X_given, y_given, name, X)
        if name == "warm" or not is_empty:
            sets[f"X_{name}"] = X_given
            sets[f"y_{name}"] = check_labels(y_given, f"y_{name}")
    if sets:
        tables = {key: value for key, value in sets.items() if key[0] == "X"}
        check_disjoint({"X": X, **tables})
    return sets


def _fill_in_warm_size(
    sizes: Mapping[str, float | None], n: int, batch_size: int
) -> dict[str, float]:
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(known) < len(sizes):
        left = n - sum(count_of(size, n) for size in known.values())
        known["warm"] = min(2 * batch_size, max(1, left // 4))
    return known


def _possible_rounds(n_rounds: int, batch_size: int, n_pool: int) -> int:
    if n_rounds * batch_size <= n_pool:
        return n_rounds
    possible = -(-n_pool // batch_size)
    last = n_pool - (possible - 1) * batch_size
    warnings.warn(
        f"{n_rounds} rounds of batch_size={batch_size} need {n_rounds * batch_size} "
        f"rows, and the pool holds {n_pool}: stopping early, after {possible} rounds, "
        f"the last of them with {last} rows. Ask for fewer or smaller rounds.",
        stacklevel=7,  # the caller of ActiveLearner.fit, behind two decorators
    )
    return possible


def _cut_fit_params(
    X: Any,
    fit_params: Mapping[str, Any],
    warm_rows: NDArray | None,
    pool_rows: NDArray,
    sets: Mapping[str, Any],
) -> dict[str, Any]:
    """Cut what has one value per row of `X` to the warm start and the pool."""
    if warm_rows is None and n_rows(sets["X_warm"]):
        whole = _check_method_params(X, fit_params)
        cut = _check_method_params(X, fit_params, indices=pool_rows)
        per_row = [name for name in whole if cut[name] is not whole[name]]
        if per_row:
            raise ValueError(
                f"{per_row[0]} has one value per row of X and none for X_warm: put the "
                "warm start into X and set `warm_size`, so that it is carved out."
            )
    warm_rows = np.empty(0, dtype=np.int64) if warm_rows is None else warm_rows
    rows = np.concatenate([warm_rows, pool_rows])
    return _check_method_params(X, fit_params, indices=rows)
