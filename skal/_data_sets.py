"""The data sets of a problem: checked, and carved out of `X` where they are missing."""

import warnings
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal._sklearn import _check_method_params
from skal.answers._fixed_classes import class_list
from skal.curves import ROUNDING
from skal.inputs._checks import (
    check_labels,
    check_matching,
    check_pair,
)
from skal.inputs._columns import in_common_types
from skal.inputs._containers import is_frame, is_list, n_rows, take, whole_or_part
from skal.inputs._joining import concat
from skal.inputs._overlap import check_disjoint
from skal.inputs._row_costs import costs_of
from skal.inputs._tables import check_rows, in_kind_of
from skal.inputs._tags import is_tags
from skal.splitting import HELD_OUT, carve, count_of


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
        The arguments of `Problem` that depend on data: the sets, `pool_rows`,
        `classes`, `costs`, `fit_params` cut to the warm start and the pool, and
        `n_rounds` as far as the pool allows.

    Raises
    ------
    ValueError
        If labels are missing, sets overlap or disagree in width, or `X` is too small.
    """
    # Check everything before anything is carved
    X, y = check_rows(X, "X", estimator), check_labels(y, "y")
    check_matching(X, y, "y")
    sets = _check_given(given, X, estimator)
    if sets:
        X, sets = _comparable(X, sets)
    classes = class_list([y, *(sets[key] for key in sets if key[0] == "y")])
    costs = costs_of(cost, X)

    # Carve the sets that are not given; what remains is the pool
    n = n_rows(X)
    least = choice.get("warm_per_class", 0)
    if least and not is_tags(y):
        least *= len(np.unique(y))
    per_round = batch_size if costs is None else int(batch_size / costs.mean())
    counts = _fill_in_warm_size(sizes, n, max(1, per_round), least)
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
        "classes": classes,
        "costs": costs,
        "n_rounds": _possible_rounds(n_rounds, batch_size, len(pool), costs),
        "fit_params": _cut_fit_params(X, fit_params, rows.get("warm"), pool, sets),
    }


def check_names(sets: Mapping[str, Any]) -> None:
    """Check that the pool is among the sets, and that each name is a known one.

    Parameters
    ----------
    sets : mapping of str to rows or labels
        The sets, named as the arguments of `ActiveLearner.fit`.

    Raises
    ------
    ValueError
        If `X` or `y` is missing, or a name is unknown.
    """
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
    given: Mapping[str, tuple[Any, Any]], X: Any, estimator: Any
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
        check_pair(X_given, y_given, name, X)
        X_given = in_kind_of(X, X_given)
        if name == "warm" or not is_empty:
            sets[f"X_{name}"] = X_given
            sets[f"y_{name}"] = check_labels(y_given, f"y_{name}")
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
        stacklevel=8,  # the caller of ActiveLearner.fit, which has two decorators
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
        stacklevel=8,  # the caller of ActiveLearner.fit, which has two decorators
    )
    return concat(np.ones(n_warm), np.asarray(cut))


def _n_values(value: Any) -> int | None:
    """Return the number of values of an argument of `fit`; None for a single value."""
    is_array_like = hasattr(value, "__len__") or hasattr(value, "shape")
    if not is_array_like or isinstance(value, str | Mapping):
        return None
    return n_rows(value) if getattr(value, "ndim", 1) > 0 else None
