"""Core-set selection: label the rows that are farthest from all labelled ones."""

import numpy as np

from skal._threads import single_threaded
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._points import Points, best


def farthest_first(points, n, priority, others=None):
    """Return the points that are farthest from others and from those before them.

    Parameters
    ----------
    points : Points
    n : int
        Number of points to return, 1 <= n <= n_points.
    priority : ndarray of shape (n_points,), dtype int64
        Decides between points at equal distances: the lowest comes first.
    others : ndarray or csr matrix of shape (n_others, n_columns), or None
        Rows to stay away from. Without any, the first point is the one nearest to the
        mean of all.

    Returns
    -------
    list of n int
    """
    if others is None:
        picked = [best(-points.from_middle(), priority)]
        nearest = points.distances(picked[0])
    else:
        picked, nearest = [], points.nearest(others)
    while len(picked) < n:
        # Below the distance of any duplicate, so that no point is picked twice.
        nearest[picked] = -1
        picked.append(best(nearest, priority))
        if len(picked) < n:
            nearest = np.minimum(nearest, points.distances(picked[-1]))
    return picked


class FarthestRows(EmbeddingStrategy):
    """Base class of strategies that pick rows one by one, by their distances.

    A subclass may write `_points`, which says between which points, and `_pick`, which
    is called as `farthest_first` is.
    """

    def __init__(self, *, embedding=None, random_state=None):
        self.embedding = embedding
        self.random_state = random_state

    def _select(self, estimator, X, n, candidates, labelled):
        points, others = self._points(estimator, X, candidates, labelled)
        priority = self._draw_priority()[candidates]
        with single_threaded():
            picked = self._pick(points, n, priority, others)
        return candidates[picked]

    def _points(self, estimator, X, candidates, labelled):
        """Return the candidates as points, and what they are to be far from."""
        rows = self._embed(estimator, X, candidates)
        return Points(rows), self._embed_labelled(estimator, labelled)

    def _pick(self, points, n, priority, others):
        return farthest_first(points, n, priority, others)


class CoreSet(FarthestRows):
    """Label the rows whose embeddings are farthest from all labelled ones.

    The greedy algorithm for k centres: one row at a time, the candidate whose distance
    from the nearest row that is labelled or picked already is largest. It needs no
    model, and covers the whole pool, outliers included. The first row of all, while
    nothing is labelled, is the one nearest to the mean of the candidates.

    Parameters
    ----------
    embedding : {"rows"}, transformer or None, default=None
        The embeddings: None takes the model's own if it has some (the hidden layer of
        a net, what the last step of a Pipeline sees), and scaled rows otherwise; "rows"
        takes scaled rows always; a transformer is fitted to the pool.

    random_state : int, RandomState instance or None, default=None
        Decides between rows at equal distances. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BADGE : Spread the rows that the model is unsure of.
    GreedySampling : The same, also by the predictions of a regressor.
    LCMD : Take the farthest row of the largest cluster, so that outliers count less.
    TypiClust : Label typical rows, not the farthest ones.

    Notes
    -----
    Distances are Euclidean. Time is proportional to N (L + n), and memory to N, for N
    candidates, L labelled rows and n rows to select.

    On scaled rows, it is also known as greedy sampling on the inputs (GSx).

    References
    ----------
    Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set
    Approach", ICLR 2018, Algorithm 1 (k-center-greedy).

    Examples
    --------
    >>> import numpy as np
    >>> from skal import CoreSet
    >>> X = np.array([[0.0], [1.0], [4.0], [9.0], [10.0]])
    >>> CoreSet().fit(X).select(None, X, 3)
    array([2, 4, 0])
    """
