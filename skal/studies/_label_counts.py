"""Labels of rows, counted by name, by group or by bin."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.studies._bins import cut, sort_into_bins

Counts = tuple[tuple[str, ...], dict[str, NDArray[np.float64]]]


def _check_no_bins(n_bins: int | None) -> None:
    """Raise an error if a number of bins is given that nothing is sorted into."""
    if n_bins is not None:
        raise ValueError(
            f"n_bins={n_bins} is for numbers without a `group`: leave it out."
        )


def count(
    y: dict[str, Any],
    classes: NDArray | None,
    group: Callable[[Any], Any] | None,
    n_bins: int | None,
    of_equal_width: bool,
) -> Counts:
    """Return the names of groups or bins, and how often each row counts in them.

    Parameters
    ----------
    y : dict of str to labels
        The labels of each set.
    classes : ndarray or None
        The class list; None if labels are numbers.
    group, n_bins : object
        As in `label_distribution`.
    of_equal_width : bool
        Whether bins of numbers have equal widths.

    Returns
    -------
    names : tuple of str
    counts : dict of str to ndarray of shape (n_rows, n_names)
    """
    if classes is None and group is None:
        sizes = {name: len(part) for name, part in y.items()}
        numbers = np.concatenate(list(y.values()))
        which, names = sort_into_bins(numbers, n_bins, 0, of_equal_width=of_equal_width)
        return names, cut(np.eye(len(names))[which], sizes)
    _check_no_bins(n_bins)
    if classes is None:
        classes = np.unique(np.concatenate(list(y.values())))
    names, which = _group(classes, group)
    return names, {
        name: _count_labels(part, classes, which) for name, part in y.items()
    }


def count_several(
    y: dict[str, NDArray], group: Callable[[Any], Any] | None, n_bins: int | None
) -> Counts:
    """Return the names of several labels per row, and which rows have each of them."""
    _check_no_bins(n_bins)
    names, which = _group(np.arange(y["pool"].shape[1]), group)
    one_hot = np.eye(len(names))[which]
    return names, {name: part @ one_hot for name, part in y.items()}


def count_columns(
    y: dict[str, NDArray], column_classes: tuple[NDArray, ...], options: dict[str, Any]
) -> Counts:
    """Return names and counts of the columns of `y`, one after the other."""
    n = y["pool"].shape[1]
    columns = [
        count({name: part[:, j] for name, part in y.items()}, classes, **options)
        for j, classes in enumerate(column_classes or [None] * n)
    ]
    found = [
        f"column {j}: {one}" for j, (names, _) in enumerate(columns) for one in names
    ]
    counts = {name: np.hstack([count[name] for _, count in columns]) for name in y}
    return tuple(found), counts


def _group(
    classes: NDArray, group: Callable[[Any], Any] | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the groups, and the group of each class."""
    labels = classes.tolist()
    grouped = [str(label if group is None else group(label)) for label in labels]
    names = tuple(dict.fromkeys(grouped))
    return names, np.array([names.index(name) for name in grouped])


def _count_labels(y: Any, classes: NDArray, which: NDArray) -> NDArray[np.float64]:
    """Count the labels of each row by bin, shape (n_rows, n_bins)."""
    counts = np.zeros((len(y), which.max() + 1))
    for i in range(len(y)):
        found = which[np.searchsorted(classes, y[i])]
        np.add.at(counts[i], found, 1)
    return counts
