"""Numbers whose rounding errors could change an answer."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Numbers in a block of rows at once.
BLOCK = 1 << 20


def competitors(
    values: NDArray, errors: NDArray, tolerance: float, dtype: np.dtype
) -> NDArray[np.bool_]:
    """Return which values must be known to the bit.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_classes)
        Log-probabilities, up to a constant per row.
    errors : ndarray of shape (n_rows, n_classes)
        Bounds on their errors.
    tolerance : float
        How much the errors may change a probability.
    dtype : dtype
        In which the probabilities are computed.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        True in rows where errors could change which class is best, or a probability by
        more than the tolerance, or the best value is not finite: there for all classes
        that have a probability at all, so that all probabilities are the same bits.
    """
    rows = np.arange(len(values))
    best = values.argmax(axis=1)
    error_of_best = errors[rows, best]
    least = (values[rows, best] - error_of_best)[:, None]
    # A class this far behind has no probability that counts. One that is nearer may
    # have any, and then both errors must be small.
    far = np.log(4 * values.shape[1] / tolerance)
    inexact = errors > (tolerance - error_of_best)[:, None]
    most = values + errors
    near = ~(most + far * inexact < least)
    near[rows, best] = ~np.isfinite(least[:, 0])
    unsure = near.any(axis=1)
    found = np.zeros_like(near)
    found[unsure] = ~(most[unsure] < least[unsure] + np.log(np.finfo(dtype).tiny) - 20)
    return found


def blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Return slices of rows, each of about a million numbers at most."""
    step = max(1, BLOCK // max(1, n_columns))
    return (slice(start, start + step) for start in range(0, n_rows, step))
