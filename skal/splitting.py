"""Split one table into the data sets of a run."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import type_of_target

from skal._sklearn import Interval, validate_params
from skal.inputs._checks import check_matching
from skal.inputs._containers import n_rows, take
from skal.inputs._several import (
    as_table,
    columns_of,
    holds_labels,
    in_columns,
    n_columns,
)
from skal.inputs._tags import is_tags
from skal.seeding import Stream, as_seed, stream

# All sets of a run besides the pool.
HELD_OUT = ("warm", "select", "val", "test")
# Constraint of a size: a number of rows, or a fraction of all rows.
SIZE = [
    Interval(Integral, 0, None, closed="left"),
    Interval(Real, 0, 1, closed="left"),
]


# Constraints of the parameters that say which rows a set takes.
CHOICE: dict[str, list[Any]] = {
    "warm_per_class": [Interval(Integral, 0, None, closed="left")],
    "stratify": ["boolean"],
}


@validate_params(
    {f"{name}_size": SIZE for name in HELD_OUT}
    | CHOICE
    | {"random_state": ["random_state"]},
    prefer_skip_nested_validation=True,
)
def split(
    X: Any,
    y: Any,
    *,
    warm_size: float,
    val_size: float = 0.25,
    test_size: float = 0.25,
    select_size: float = 0,
    warm_per_class: int = 0,
    stratify: bool = False,
    groups: Any = None,
    random_state: Any = None,
) -> dict[str, Any]:
    """Split one table at random into the data sets of a run.

    `ActiveLearner.fit` does this for the sets that it is not given. Call `split` if
    several runs, with different seeds, must share the same sets.

    Parameters
    ----------
    X, y : rows and labels, n_samples of each
        The table to split.
    warm_size, val_size, test_size, select_size : int or float
        Number of rows of each set; a float is a fraction of all rows. The remaining
        rows are the pool.
    warm_per_class : int, default=0
        Minimum number of rows of each class in the warm start; of rows with each label,
        or with each class of each column, if rows have several.
    stratify : bool, default=False
        Whether each set has the class proportions of `y`, as nearly as possible. If
        rows have several labels or classes, rows with equal ones count as a class, as
        in `sklearn.model_selection.train_test_split`.
    groups : array-like of shape (n_samples,), default=None
        The group of each row, such as a patient or a document. A group is never split
        between held-out sets, or between one of them and the rows to train on, and so
        the sizes of the sets are only approximate.
    random_state : int, RandomState instance or None, default=None
        Determines the split.

    Returns
    -------
    dict
        The arguments of `ActiveLearner.fit`: `X`, `y` (the pool), `X_warm`, `y_warm`,
        `X_select`, `y_select`, `X_val`, `y_val`, `X_test`, `y_test`. A set of size
        zero is left out, except for the warm start, which is then empty.

    Raises
    ------
    ValueError
        If a size is out of range, the sizes leave no row for the pool, the number of
        labels or groups is not the number of rows, or a class has too few rows.

    See Also
    --------
    Problem.from_sets : Make a problem of these sets.
    ActiveLearner : Carves the same sets by itself.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skal import split
    >>> X, y = load_iris(return_X_y=True)
    >>> sets = split(X, y, warm_size=10, val_size=40, test_size=40, random_state=0)
    >>> len(sets["X"]), len(sets["X_warm"])
    (60, 10)
    """
    if y is None:
        raise ValueError("y is None: give a label for each row of X.")
    y = in_columns(X, y)
    check_matching(X, y, "y")
    sizes = {"test": test_size, "val": val_size, "select": select_size}
    rows = carve(
        n_rows(X),
        {**sizes, "warm": warm_size},
        as_seed(random_state),
        y=y,
        warm_per_class=warm_per_class,
        stratify=stratify,
        groups=groups,
    )
    pool = rows.pop("pool")
    sets = {"X": take(X, pool), "y": take(y, pool)}
    for name in HELD_OUT:
        if name == "warm" or len(rows[name]):
            sets[f"X_{name}"] = take(X, rows[name])
            sets[f"y_{name}"] = take(y, rows[name])
    return sets


def carve(
    n: int,
    sizes: Mapping[str, float],
    seed: int,
    *,
    y: Any = None,
    warm_per_class: int = 0,
    stratify: bool = False,
    groups: Any = None,
) -> dict[str, NDArray]:
    """Split row numbers into disjoint sets, by one seeded shuffle.

    Parameters
    ----------
    n : int
        Number of rows.
    sizes : dict of str to int or float
        Number of rows of each set, in the order in which they are cut off. A float is a
        fraction of `n`, rounded, and at least one row unless it is zero.
    seed : int
        Determines the split.
    y, warm_per_class, stratify, groups
        As in `split`.

    Returns
    -------
    dict of str to ndarray
        The rows of each set and of "pool", in ascending order.

    Raises
    ------
    ValueError
        If no row is left for the pool, or a class has too few rows.
    """
    counts = {name: count_of(size, n) for name, size in sizes.items()}
    _check_room(n, counts)
    rng = stream(seed, Stream.SPLIT)
    left = shuffled = rng.permutation(n)
    if stratify:
        left = shuffled = _stratified(shuffled, _labels(y, "stratify", groups), rng)
    group_of = None if groups is None else _group_numbers(groups, n)[shuffled]
    if group_of is not None:
        left, group_of = _side_by_side(shuffled, group_of)

    rows = {}
    for name, count in counts.items():
        if name == "warm" and group_of is not None:
            # Warm start and pool are both trained on, so they may share groups.
            left, group_of = shuffled[np.isin(shuffled, left)], None
        if name == "warm" and warm_per_class:
            if n_columns(y) > 1:
                left = _each_label_first(left, as_table(y), warm_per_class, count)
            else:
                labels = _labels(y, "warm_per_class")
                left = _each_class_first(left, labels, warm_per_class, count)
        if group_of is not None:
            count = _whole_groups(group_of, count)
            group_of = group_of[count:]
        rows[name], left = np.sort(left[:count]), left[count:]
    _check_room(n, {name: len(part) for name, part in rows.items()})
    return rows | {"pool": np.sort(left)}


def _check_room(n: int, counts: Mapping[str, int]) -> None:
    """Check that some rows are left for the pool."""
    if n <= sum(counts.values()):
        wanted = ", ".join(f"{name}_size={count}" for name, count in counts.items())
        raise ValueError(
            f"X has n_samples={n}, and {wanted} leave no row for the pool: give more "
            "rows, or make these sets smaller."
        )


def _labels(y: Any, name: str, groups: Any = None) -> NDArray:
    """Return the class by which each row is chosen."""
    if groups is not None:
        raise ValueError(
            "stratify=True does not work with groups, which are not split by class: "
            "set stratify=False."
        )
    if is_tags(y):
        raise ValueError(
            f"{name} needs one label per row, and y holds lists of tags: leave it at "
            "its default."
        )
    columns = list(map(np.asarray, columns_of(y) if n_columns(y) > 1 else [y]))
    _check_no_numbers(columns, name)
    if len(columns) == 1:
        return columns[0]
    codes = [np.unique(column, return_inverse=True)[1] for column in columns]
    return np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1]


def _check_no_numbers(columns: Sequence[NDArray], name: str) -> None:
    """Check that each column holds classes."""
    if any(type_of_target(column) == "continuous" for column in columns):
        raise ValueError(
            f"{name} chooses rows by class, and y holds numbers: leave it at its "
            "default."
        )


def _stratified(
    rows: NDArray[np.int64], labels: NDArray, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Spread the rows of each class evenly, so that any stretch is stratified."""
    _, codes, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
    places = (_ranks(codes) + rng.random(len(counts))[codes]) / counts[codes]
    return rows[np.argsort(places, kind="stable")]


def _each_class_first(
    rows: NDArray[np.int64], labels: NDArray, per_class: int, n_warm: int
) -> NDArray[np.int64]:
    """Move the first few rows of each class to the front."""
    classes, codes = np.unique(labels, return_inverse=True)
    counts = np.bincount(codes[rows], minlength=len(classes))
    if counts.min() < per_class:
        rarest = counts.argmin()
        name = classes[rarest].item()
        raise ValueError(
            f"warm_per_class={per_class} needs that many rows of each class, and "
            f"{counts[rarest]} rows of class {name!r} are left outside of the held-out "
            "sets: give more of them, or choose a smaller warm_per_class."
        )
    if n_warm < per_class * len(classes):
        raise ValueError(
            f"warm_size={n_warm} is too small for {per_class} rows of each of "
            f"{len(classes)} classes: it must be at least {per_class * len(classes)}."
        )
    return rows[np.argsort(_ranks(codes[rows]) >= per_class, kind="stable")]


def _each_label_first(
    rows: NDArray[np.int64], y: NDArray, per_label: int, n_warm: int
) -> NDArray[np.int64]:
    """Move rows to the front that together have each label a few times.

    Labels are served from the rarest to the most frequent one, by the first rows that
    have it; rows that came for a label before count for each label that they have.
    """
    names, has = _labels_of(y)
    counts = has[rows].sum(axis=0)
    rarest = counts.argmin()
    if counts[rarest] < per_label:
        raise ValueError(
            f"warm_per_class={per_label} needs that many rows of each label, and "
            f"{counts[rarest]} rows of {names[rarest]} are left outside of the "
            "held-out sets: give more of them, or choose a smaller warm_per_class."
        )
    is_first = np.zeros(len(rows), dtype=bool)
    for label in np.argsort(counts, kind="stable"):
        with_label = has[rows, label]
        n_missing = per_label - int((with_label & is_first).sum())
        more = np.flatnonzero(with_label & ~is_first)
        is_first[more[: max(0, n_missing)]] = True
    if n_warm < is_first.sum():
        raise ValueError(
            f"warm_size={n_warm} is too small for {per_label} rows of each of "
            f"{len(names)} labels, which take {is_first.sum()} rows here: make it at "
            "least as large."
        )
    return rows[np.argsort(~is_first, kind="stable")]


def _labels_of(y: NDArray) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the names of the labels of a table, and which rows have each of them."""
    if holds_labels(y):
        return [f"label {j}" for j in range(y.shape[1])], y.astype(bool)
    parts = list(map(np.asarray, columns_of(y)))
    _check_no_numbers(parts, "warm_per_class")
    pairs = [(j, one) for j, part in enumerate(parts) for one in np.unique(part)]
    names = [f"class {one.item()!r} of column {j}" for j, one in pairs]
    return names, np.column_stack([parts[j] == one for j, one in pairs])


def _ranks(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of equal codes before each code."""
    ordered = np.argsort(codes, kind="stable")
    starts = np.cumsum(np.bincount(codes)) - np.bincount(codes)
    ranks = np.empty_like(ordered)
    ranks[ordered] = np.arange(len(codes)) - starts[codes[ordered]]
    return ranks


def _group_numbers(groups: Any, n: int) -> NDArray[np.int64]:
    """Return the number of each row's group."""
    if n_rows(groups) != n:
        raise ValueError(
            f"groups must have one value per row of X, {n}, got {n_rows(groups)}."
        )
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups])


def _side_by_side(
    rows: NDArray[np.int64], group_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put the rows of each group side by side, groups by their first row."""
    _, first, inverse = np.unique(group_of, return_index=True, return_inverse=True)
    order = np.argsort(first[inverse], kind="stable")
    return rows[order], group_of[order]


def _whole_groups(group_of: NDArray[np.int64], count: int) -> int:
    """Return the number of rows nearest to `count` that splits no group."""
    if count == 0:
        return 0
    ends = np.append(np.flatnonzero(np.diff(group_of)) + 1, len(group_of))
    return int(ends[np.abs(ends - count).argmin()])


def check_size(size: Any, name: str, *, may_be_none: bool = False) -> None:
    """Check that the size of a set is a number or a fraction of the rows.

    Parameters
    ----------
    size : object
        The size that the user gave.
    name : str
        The name of the parameter, for the error message.
    may_be_none : bool, default=False
        Whether None is allowed too.

    Raises
    ------
    ValueError
        If the size is out of range or of another type.
    """
    allowed = any(interval.is_satisfied_by(size) for interval in SIZE)
    if not (allowed or (may_be_none and size is None)):
        none = " or None" * may_be_none
        raise ValueError(
            f"{name} must be a number of rows, or a fraction of them below 1{none}, "
            f"got {size!r}."
        )


def count_of(size: float, n: int) -> int:
    """Return the number of rows of a set.

    Parameters
    ----------
    size : int or float
        A number of rows, or a fraction of `n`.
    n : int
        Number of all rows.

    Returns
    -------
    int
        A fraction is rounded; it is at least one row unless it is zero.
    """
    if isinstance(size, Integral) or size == 0:
        return int(size)
    return max(1, round(float(size) * n))
