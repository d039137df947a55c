"""The data sets of a problem: checked, and carved out of `X` where they are missing."""

import warnings
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_scalar

from skal._sklearn import _check_method_params
from skal.answers._fixed_classes import class_list
from skal.answers._pairing import check_outputs
from skal.curves import ROUNDING
from skal.inputs._checks import (
    check_matching,
    check_order,
    check_pair,
    takes_selection_set,
)
from skal.inputs._columns import in_common_types
from skal.inputs._containers import is_frame, is_list, n_rows, take, whole_or_part
from skal.inputs._joining import concat
from skal.inputs._overlap import check_disjoint
from skal.inputs._row_costs import costs_of, n_at_mean_cost
from skal.inputs._several import check_same_width, column_classes, in_columns
from skal.inputs._tables import check_rows, in_kind_of
from skal.inputs._targets import Target, check_choice, check_targets, target_of
from skal.splitting import HELD_OUT, carve, check_size, count_of


def with_rows(
    pairs: Mapping[str, tuple[Any, Any]],
) -> dict[str, tuple[Any, Any]]:
    """Return the sets that are given, out of pairs of rows and labels.

    Parameters
    ----------
    pairs : mapping of str to (rows, labels)
        The sets by name; both are None for a set that is not given.

    Returns
    -------
    dict of str to (rows, labels)

    Raises
    ------
    ValueError
        If a set has labels and no rows.
    """
    for name, (rows, labels) in pairs.items():
        if rows is None and labels is not None:
            raise ValueError(
                f"y_{name} is given and X_{name} is missing: give both, or neither."
            )
    return {name: pair for name, pair in pairs.items() if pair[0] is not None}


def checked_sets(
    X: Any,
    y: Any,
    given: Mapping[str, tuple[Any, Any]],
    sizes: Mapping[str, float | None],
    fit_params: Mapping[str, Any],
    *,
    batch_size: int,
    n_rounds: int,
    estimator: Any,
    seed: int,
    choice: Mapping[str, Any],
    cost: Any = None,
) -> dict[str, Any]:
    """Check the given sets and carve the other ones out of `X`.

    Parameters
    ----------
    X, y, given, sizes, fit_params, batch_size, n_rounds, estimator, seed, choice, cost
        As in `skal.problem.assemble`.

    Returns
    -------
    dict of str to object
        The arguments of `Problem` that depend on data: the sets, `pool_rows`, `target`,
        `classes`, `column_classes`, `costs`, `fit_params` cut to the warm start and the
        pool, `batch_size`, and `n_rounds` as far as the pool allows.

    Raises
    ------
    ValueError
        If labels are missing or of the wrong kind, sets overlap or disagree in width,
        or `X` is too small.
    TypeError
        If the estimator takes several targets per row only, or only one.
    """
    # Integers of Python, since small ones of numpy wrap around
    batch_size, n_rounds = int(batch_size), int(n_rounds)
    check_scalar(batch_size, "batch_size", int, max_val=np.iinfo(np.int64).max)

    # Check everything before anything is carved
    target = target_of(estimator, y)
    check_outputs(estimator, target)
    check_choice(choice, target)
    X, y = check_rows(X, "X", estimator), check_targets(y, "y", target)
    check_matching(X, y, "y")
    sets = _check_given(given, X, y, estimator, target)
    if sets:
        X, sets = _comparable(X, sets)
    labels = [y, *(sets[key] for key in sets if key[0] == "y")]
    classes = class_list(labels) if target.has_classes else np.empty(0)
    by_column = _classes_of_columns(target, labels)
    costs = costs_of(cost, X)

    # Carve the sets that are not given; what remains is the pool
    n = n_rows(X)
    least = choice.get("warm_per_class", 0) * _n_kinds_of_rows(y, target)
    per_round = batch_size if costs is None else n_at_mean_cost(batch_size, costs)
    counts = _fill_in_warm_size(sizes, n, per_round, least)
    rows = carve(n, counts, seed, y=y, **choice)
    pool = rows.pop("pool")
    costs = None if costs is None else costs[pool]
    for name, part in rows.items():
        if name == "warm" or len(part):
            sets[f"X_{name}"], sets[f"y_{name}"] = take(X, part), take(y, part)

    return {
        **sets,
        "X_pool": whole_or_part(X, pool),
        "y_pool": take(y, pool),
        "pool_rows": pool,
        "target": target,
        "classes": classes,
        "column_classes": by_column,
        "costs": costs,
        "batch_size": batch_size,
        "n_rounds": _possible_rounds(n_rounds, batch_size, len(pool), costs),
        "fit_params": _cut_fit_params(X, fit_params, rows.get("warm"), pool, sets),
    }


def _classes_of_columns(target: Target, labels: list[Any]) -> tuple[NDArray, ...]:
    """Return the class list of each column of several labels or classes per row."""
    if target is Target.CLASSES:
        return column_classes(labels)
    if target is Target.LABELS:
        return (np.array([0, 1]),) * labels[0].shape[1]
    return ()


def _n_kinds_of_rows(y: Any, target: Target) -> int:
    """Return of how many kinds rows are that `warm_per_class` asks for."""
    if target is Target.CLASS:
        return len(np.unique(y))
    if target is Target.LABELS:
        return y.shape[1]
    return sum(map(len, column_classes([y]))) if target is Target.CLASSES else 1


def named_sets(sets: Any) -> dict[str, Any]:
    """Return the sets that are given, after a check of their names.

    Parameters
    ----------
    sets : mapping of str to rows or labels
        The sets, named as the arguments of `ActiveLearner.fit`; None for a set that is
        not given.

    Returns
    -------
    dict of str to rows or labels

    Raises
    ------
    TypeError
        If they are not in a mapping.
    ValueError
        If `X` or `y` is missing, or a name is unknown.
    """
    if not isinstance(sets, Mapping):
        raise TypeError(
            f"sets must be a dict of data sets, got {type(sets).__name__}: give what "
            "skal.split returns."
        )
    sets = {name: part for name, part in sets.items() if part is not None}
    known = ["X", "y", *(f"{letter}_{name}" for name in HELD_OUT for letter in "Xy")]
    known.append("cost")
    missing = [name for name in known[:2] if name not in sets]
    unknown = [name for name in sets if name not in known]
    if missing or unknown:
        wrong = f"{missing[0]} is missing" if missing else f"{unknown[0]} is unknown"
        raise ValueError(
            f"sets must have the names that skal.split uses, X, y, X_warm and so on: "
            f"{wrong}."
        )
    return sets


def checked_sizes(
    sizes: Mapping[str, float | None], estimator: Any
) -> dict[str, float | None]:
    """Return the sizes of the sets to carve, after a check.

    Parameters
    ----------
    sizes : mapping of str to int, float or None
        By the names in `HELD_OUT`. Only "warm" may be None.
    estimator : estimator
        If its `fit` takes no selection set, the size of "select" is 0.

    Returns
    -------
    dict of str to int, float or None

    Raises
    ------
    ValueError
        If a size is out of range.
    """
    for name, size in sizes.items():
        check_size(size, f"{name}_size", may_be_none=name == "warm")
    return {**sizes, **({} if takes_selection_set(estimator) else {"select": 0})}


def positions_of(
    rows: Any, pool_rows: NDArray[np.int64], name: str
) -> NDArray[np.int64]:
    """Return the position in the pool of rows of `X`.

    Parameters
    ----------
    rows : array-like of int
        Distinct rows of `X`.
    pool_rows : ndarray of shape (n_pool,)
        The row of `X` at each position.
    name : str
        The name of `rows` in error messages.

    Returns
    -------
    ndarray of shape (len(rows),)

    Raises
    ------
    ValueError
        If a row is repeated or not in the pool.
    """
    rows = check_order(rows, name)
    order = np.argsort(pool_rows)
    places = np.searchsorted(pool_rows, rows, sorter=order)
    positions = order[places.clip(max=len(pool_rows) - 1)]
    foreign = rows[pool_rows[positions] != rows]
    if len(foreign):
        raise ValueError(
            f"{name} holds {len(foreign)} rows that are not in the pool, such as "
            f"{foreign[0]}: an order can only be replayed on the pool it came from, so "
            "give the same data sets (or the same random_state, which carves them)."
        )
    return positions


def checked_error_score(value: Any) -> float | None:
    """Return the score of failed trainings; None to raise their errors.

    Parameters
    ----------
    value : object
        The `error_score` that the user gave.

    Returns
    -------
    float or None

    Raises
    ------
    ValueError
        If it is neither "raise" nor a finite number.
    """
    if isinstance(value, str) and value == "raise":
        return None
    if isinstance(value, Real) and np.isfinite(float(value)):
        return float(value)
    raise ValueError(
        f"error_score must be 'raise' or a finite number, got {value!r}: choose a "
        "score that is below the score of any model, such as 0."
    )


def _check_given(
    given: Mapping[str, tuple[Any, Any]],
    X: Any,
    y: Any,
    estimator: Any,
    target: Target,
) -> dict[str, Any]:
    """Return the given sets as the arguments of `Problem`, such as `X_val`."""
    sets = {}
    for name, (X_given, y_given) in given.items():
        is_empty = n_rows(X_given) == 0
        # A set without rows need not be a table: an empty list is fine too.
        if is_empty:
            X_given = take(X, np.arange(0))
        else:
            checked = check_rows(X_given, f"X_{name}", estimator)
            # Numbers stay lists beside a list that is not a table of numbers.
            X_given = X_given if is_list(X) and is_list(X_given) else checked
        if target.has_columns:
            y_given = take(y, np.arange(0)) if is_empty else in_columns(X, y_given)
        check_pair(X_given, y_given, name, X)
        X_given = in_kind_of(X, X_given)
        if name == "warm" or not is_empty:
            sets[f"X_{name}"] = X_given
            y_given = check_targets(y_given, f"y_{name}", target)
            if target.has_columns:
                check_same_width(y_given, f"y_{name}", y)
            sets[f"y_{name}"] = y_given
    return sets


def _comparable(X: Any, sets: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return frames with columns of the same types, after a check for shared rows."""
    tables = {"X": X} | {key: value for key, value in sets.items() if key[0] == "X"}
    if is_frame(X):
        tables = in_common_types(tables)
    check_disjoint(tables)
    return tables.pop("X"), sets | tables


def _fill_in_warm_size(
    sizes: Mapping[str, float | None], n: int, batch_size: int, least: int
) -> dict[str, float]:
    """Return the sizes with the default size of the warm start in place of None."""
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(known) < len(sizes):
        left = n - sum(count_of(size, n) for size in known.values())
        known["warm"] = max(least, min(2 * batch_size, max(1, left // 4)))
    return known


def _possible_rounds(
    n_rounds: int, batch_size: int, n_pool: int, costs: NDArray | None
) -> int:
    """Return the number of rounds that the pool has rows for, with a warning."""
    if costs is not None and len(costs) and costs.min() > batch_size * ROUNDING:
        raise ValueError(
            f"No row of the pool costs at most batch_size={batch_size}, and the "
            f"cheapest costs {costs.min():g}: increase batch_size, the amount that a "
            "round spends."
        )
    whole = n_pool if costs is None else float(costs.sum())
    if n_rounds * batch_size <= whole:
        return n_rounds
    possible = int(-(-whole // batch_size))
    last = whole - (possible - 1) * batch_size
    unit, verb = ("rows", "holds") if costs is None else ("of cost", "costs")
    warnings.warn(
        f"{n_rounds} rounds of batch_size={batch_size} need {n_rounds * batch_size} "
        f"{unit}, and the pool {verb} {whole:g}: stopping early, after {possible} "
        f"rounds, the last of them with {last:g} {unit}. Ask for fewer or smaller "
        "rounds.",
        stacklevel=9,  # the caller of ActiveLearner.fit, which has three decorators
    )
    return possible


def _cut_fit_params(
    X: Any,
    fit_params: Mapping[str, Any],
    warm_rows: NDArray | None,
    pool_rows: NDArray,
    sets: Mapping[str, Any],
) -> dict[str, Any]:
    """Cut arguments with one value per row to the warm start and the pool.

    They have one value for each row of `X`. If the warm start is given, they may also
    have one for each row of `X_warm` and `X`, in this order.
    """
    if warm_rows is not None:
        rows = np.concatenate([warm_rows, pool_rows])
        return _check_method_params(X, fit_params, indices=rows)
    # A row of a given warm start has no row of X
    n_warm, n = n_rows(sets["X_warm"]), n_rows(X)
    return {
        name: _for_given_warm_start(name, value, n_warm, n, pool_rows)
        for name, value in fit_params.items()
    }


def _for_given_warm_start(
    name: str, value: Any, n_warm: int, n: int, pool_rows: NDArray
) -> Any:
    """Cut an argument of `fit` to a warm start that is given and the pool."""
    n_values = _n_values(value)
    if n_values == n_warm + n:
        return take(value, np.concatenate([np.arange(n_warm), n_warm + pool_rows]))
    if n_values != n:
        return value
    cut = take(value, pool_rows)
    if n_warm == 0:
        return cut
    if name.rpartition("__")[2] != "sample_weight":
        raise ValueError(
            f"{name} has one value per row of X and none for X_warm: pass the values "
            "for X_warm, followed by the values for X."
        )
    warnings.warn(
        f"{name} has no values for X_warm, so each of its rows has weight 1: to give "
        "them other weights, pass one for each row of X_warm and then of X.",
        stacklevel=9,  # the caller of ActiveLearner.fit, which has three decorators
    )
    return concat(np.ones(n_warm), np.asarray(cut))


def _n_values(value: Any) -> int | None:
    """Return the number of values of an argument of `fit`; None for a single value."""
    is_array_like = hasattr(value, "__len__") or hasattr(value, "shape")
    if not is_array_like or isinstance(value, str | Mapping):
        return None
    return n_rows(value) if getattr(value, "ndim", 1) > 0 else None
