"""Sorting of rows into bins: by a number, a text, or a point in the plane."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.inputs._containers import is_text, lengths, n_rows
from skal.inputs._embedding import cluster, embed
from skal.inputs._joining import concat
from skal.problem import Problem

# Sets whose rows are sorted into bins, in this order. The test set comes last, so that
# it can be left out.
SETS = "pool", "warm", "select", "test"


def set_sizes(problem: Problem, names: Iterable[str]) -> dict[str, int]:
    """Return how many rows each set has; 0 for a set that does not exist."""
    sets = {name: getattr(problem, f"X_{name}") for name in names}
    return {name: 0 if X is None else n_rows(X) for name, X in sets.items()}


def cut(values: NDArray, sizes: dict[str, int]) -> dict[str, NDArray]:
    """Split an array into one part per data set."""
    parts = np.split(values, np.cumsum(list(sizes.values()))[:-1])
    return dict(zip(sizes, parts, strict=True))


def values_of(
    problem: Problem, feature: Any, sizes: dict[str, int], random_state: int
) -> NDArray:
    """Return the value of each row of all sets, one set after the other.

    Parameters
    ----------
    problem : Problem
    feature : {"length", "tsne"}, callable or array-like
        As in `input_distribution`.
    sizes : dict of str to int
        Number of rows in each set.
    random_state : int
        Seed of the embedding.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, 2)

    Raises
    ------
    ValueError
        If there is not one value per row, or a value is not finite.
    """
    is_given = not callable(feature) and not isinstance(feature, str)
    values = np.asarray(
        feature if is_given else _look(feature, _rows(problem, sizes), random_state)
    )
    n = sum(sizes.values())
    if values.shape not in ((n,), (n, 2)):
        wanted = ", ".join(f"{size} of {name}" for name, size in sizes.items() if size)
        raise ValueError(
            f"feature must give one value, or one point of two coordinates, for each "
            f"of {n} rows ({wanted}), got shape {values.shape}."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(
            "feature must give finite values, got NaN or infinity: give a number for "
            "each row."
        )
    return values


def _rows(problem: Problem, sizes: dict[str, int]) -> Any:
    rows = problem.X_pool
    for name in list(sizes)[1:]:
        if sizes[name]:
            rows = concat(rows, getattr(problem, f"X_{name}"))
    return rows


def _look(feature: Any, rows: Any, random_state: int) -> Any:
    if callable(feature):
        return feature(rows)
    if feature == "tsne":
        return embed(rows, random_state)
    if not is_text(rows):
        raise ValueError(
            'feature="length" counts the words of a sentence, but these rows are not '
            'sentences: give "tsne" or a function of rows.'
        )
    return lengths(rows)


def sort_into_bins(
    values: NDArray,
    n_bins: int | None,
    random_state: int,
    *,
    of_equal_width: bool = False,
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the bin of each row, and the names of the bins.

    Parameters
    ----------
    values : ndarray of shape (n_rows,) or (n_rows, 2)
    n_bins : int or None
        None makes one bin per distinct integer or text, 10 quantiles of floats, or 5
        clusters of points.
    random_state : int
        Seed of the clustering.
    of_equal_width : bool, default=False
        Whether bins of numbers have equal widths, in place of equal numbers of rows.

    Returns
    -------
    bins : ndarray of shape (n_rows,)
    names : tuple of str
    """
    if values.ndim == 2:
        which = cluster(values, 5 if n_bins is None else n_bins, random_state)
        return which, tuple(map(str, range(which.max() + 1)))
    if values.dtype.kind not in "iuf" or (values.dtype.kind != "f" and n_bins is None):
        distinct, which = np.unique(values, return_inverse=True)
        return which, tuple(map(str, distinct.tolist()))
    n_bins = 10 if n_bins is None else n_bins
    if of_equal_width:
        ends = np.linspace(values.min(), values.max(), n_bins + 1)[1:-1]
    else:
        # These quantiles are observed values, so equal values stay in one bin.
        ends = np.quantile(values, np.arange(1, n_bins) / n_bins, method="inverted_cdf")
    which = np.unique(np.searchsorted(ends, values), return_inverse=True)[1]
    return which, _name([values[which == b] for b in range(which.max() + 1)])


def _name(bins: list[NDArray]) -> tuple[str, ...]:
    """Name each bin by its smallest and largest value, with distinct names."""
    ends = [(values.min(), values.max()) for values in bins]
    if bins[0].dtype.kind != "f":
        return tuple(f"{a}" if a == b else f"{a}-{b}" for a, b in ends)
    for digits in range(3, 18):
        names = tuple(f"{a:.{digits}g} to {b:.{digits}g}" for a, b in ends)
        if len(set(names)) == len(names):
            break
    return names
