"""The rows of the validation set on which margins are compared."""

import numpy as np
from numpy.typing import NDArray

from skal.inputs._containers import n_rows
from skal.inputs._tags import is_tags
from skal.problem import Problem
from skal.seeding import Stream, stream

# Approximate number of answers on validation whose margins are compared (`some_rows`
# gives the reason), and number of models whose margins are kept in memory: together
# about 16 MB in half precision.
MAX_ANSWERS = 4000


def some_rows(problem: Problem) -> NDArray[np.int64]:
    """Return the rows of the validation set whose margins are compared.

    With 1,000 of 4,000 answers, a search overfitted these, and took several times as
    many trainings.

    Parameters
    ----------
    problem : Problem
        With a validation set.

    Returns
    -------
    ndarray of shape (n_rows,)
        Ascending: all rows, or a random choice with about `MAX_ANSWERS` answers.
    """
    rng = stream(problem.seed, Stream.SAMPLE)
    order = rng.permutation(n_rows(problem.X_val))
    sizes = [1]
    if is_tags(problem.y_val):
        sizes = [len(problem.y_val[row]) for row in order]
    elif problem.target.has_columns:
        sizes = [problem.y_val.shape[1]]
    n_answers = np.cumsum(np.broadcast_to(sizes, len(order)))
    return np.sort(order[: np.searchsorted(n_answers, MAX_ANSWERS, side="right") or 1])
