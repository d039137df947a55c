"""Split one table into the data sets of a run."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal._sklearn import Interval, validate_params
from skal.inputs._checks import check_matching
from skal.inputs._containers import n_rows, take
from skal.seeding import Stream, as_seed, stream

# All sets of a run besides the pool.
HELD_OUT = ("warm", "select", "val", "test")
# Constraint of a size: a number of rows, or a fraction of all rows.
SIZE = [
    Interval(Integral, 0, None, closed="left"),
    Interval(Real, 0, 1, closed="left"),
]


@validate_params(
    {f"{name}_size": SIZE for name in HELD_OUT} | {"random_state": ["random_state"]},
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
    random_state: Any = None,
) -> dict[str, Any]:
    """Split one table into the data sets of a run, at random and not stratified.

    `ActiveLearner.fit` does this for the sets that it is not given. Call `split` if
    several runs, with different seeds, must share the same sets.

    Parameters
    ----------
    X, y : rows and labels, n_samples of each
        The table to split.
    warm_size, val_size, test_size, select_size : int or float
        Number of rows of each set; a float is a fraction of all rows. The remaining
        rows are the pool.
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
        If a size is out of range, the sizes leave no row for the pool, or the number
        of labels is not the number of rows.

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
    check_matching(X, y, "y")
    sizes = {"test": test_size, "val": val_size, "select": select_size}
    rows = carve(n_rows(X), {**sizes, "warm": warm_size}, as_seed(random_state))
    pool = rows.pop("pool")
    sets = {"X": take(X, pool), "y": take(y, pool)}
    for name in HELD_OUT:
        if name == "warm" or len(rows[name]):
            sets[f"X_{name}"] = take(X, rows[name])
            sets[f"y_{name}"] = take(y, rows[name])
    return sets


def carve(n: int, sizes: Mapping[str, float], seed: int) -> dict[str, NDArray]:
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

    Returns
    -------
    dict of str to ndarray
        The rows of each set and of "pool", in ascending order.

    Raises
    ------
    ValueError
        If no row is left for the pool.
    """
    counts = {name: count_of(size, n) for name, size in sizes.items()}
    if n <= sum(counts.values()):
        wanted = ", ".join(f"{name}_size={count}" for name, count in counts.items())
        raise ValueError(
            f"X has n_samples={n}, and {wanted} leave no row for the pool: give more "
            "rows, or make these sets smaller."
        )
    shuffled = stream(seed, Stream.SPLIT).permutation(n)
    cuts = np.cumsum(list(counts.values()))
    parts = np.split(shuffled, cuts)
    return {
        name: np.sort(part) for name, part in zip([*counts, "pool"], parts, strict=True)
    }


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
