"""Rows of any container that `ActiveLearner.fit` takes, for strategies of your own."""

import numpy as np

from skal.inputs._containers import n_rows, take


def take_rows(X, rows):
    """Return some rows of `X`, in the same kind of container.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of n_rows rows
        Rows or labels, as a strategy is given them.
    rows : array-like of int, shape (n_taken,)
        The positions of the rows to return. A row may be taken several times.

    Returns
    -------
    rows
        The rows in the order of `rows`. A sparse matrix is returned in CSR format, and
        a tuple as a list.

    Raises
    ------
    ValueError
        If `rows` is not one-dimensional, or not of integers.
    IndexError
        If a position is outside of the rows.

    See Also
    --------
    count_rows : Count the rows.

    Examples
    --------
    >>> from skal.utils import take_rows
    >>> take_rows(["first", "second", "third"], [2, 0])
    ['third', 'first']
    """
    rows = np.asarray(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise ValueError(
            "rows must be a one-dimensional sequence of positions, got shape "
            f"{rows.shape} and dtype {rows.dtype}: use np.flatnonzero for a mask."
        )
    n = count_rows(X)
    outside = rows[(rows >= n) | (rows < -n)]
    if outside.size:
        raise IndexError(f"rows must be positions in {n} rows, got {outside[0]}.")
    return take(X, rows.astype(np.int64))


def count_rows(X):
    """Return the number of rows of `X`.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of n_rows rows
        Rows or labels, as a strategy is given them.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If `X` has no rows.

    See Also
    --------
    take_rows : Take some of the rows.

    Examples
    --------
    >>> from scipy.sparse import eye_array
    >>> from skal.utils import count_rows
    >>> count_rows(eye_array(3))
    3
    """
    return int(n_rows(X))
