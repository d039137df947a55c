"""Information measures of predictive distributions, as pure functions of arrays.

Shapes are part of the names: N rows, C classes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr


def entropy(probs_N_C: ArrayLike) -> NDArray[np.float64]:
    """Shannon entropy of each row's class distribution, in nats.

    Parameters
    ----------
    probs_N_C : array-like of shape (n_rows, n_classes)
        Class probabilities. A zero contributes nothing.

    Returns
    -------
    ndarray of shape (n_rows,)
        Between 0 and log(n_classes).

    Examples
    --------
    >>> from skal.information import entropy
    >>> entropy([[0.5, 0.5], [1.0, 0.0]]).round(4).tolist()
    [0.6931, 0.0]
    """
    return entr(np.asarray(probs_N_C, dtype=np.float64)).sum(axis=1)
