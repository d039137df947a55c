"""LCMD: label the farthest row of the cluster that is least well covered."""

import numpy as np

from skal.strategies._core_set import FarthestRows
from skal.strategies._points import best


class LCMD(FarthestRows):
    """Label the farthest row of the largest cluster, one row at a time.

    Largest cluster maximum distance. The rows that are labelled or picked already are
    the centres of clusters, and each candidate belongs to the nearest one. In the
    cluster with the largest sum of squared distances, the row farthest from the centre
    is picked. Unlike `CoreSet`, which takes the farthest row of all, it prefers regions
    with many rows to outliers. It needs no model; the first row of all, while nothing
    is labelled, is the one nearest to the mean of the candidates.

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
    CoreSet : Take the farthest row of all.
    GreedySampling : Measure distances also between predictions.
    TypiClust : Label typical rows of large clusters, not the farthest ones.

    Notes
    -----
    It was proposed for batches in regression with nets, on gradients of the net; the
    embeddings here are activations of its last hidden layer, which are the gradients
    with respect to the last layer. Labelled rows are centres as well, the mode "TP" of
    the paper.

    Distances are Euclidean. Time is proportional to N (L + n), and memory to N, for N
    candidates, L labelled rows and n rows to select.

    References
    ----------
    Holzmüller, Zaverkin, Kästner and Steinwart, "A Framework and Benchmark for Deep
    Batch Active Learning for Regression", JMLR 24 (164), 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skal import LCMD, CoreSet
    >>> from skal.strategies import Labelled
    >>> X = np.array([[0.0], [-5.0], [6.5], [8.0], [10.0], [12.0], [13.0]])
    >>> labelled = Labelled(X[[0, 4]], [1.5, 0.5], np.array([0, 4]))
    >>> rest = [1, 2, 3, 5, 6]  # all but the first of them are around 10
    >>> LCMD(embedding="rows", random_state=1).fit(X).select(
    ...     None, X, 1, candidates=rest, labelled=labelled)
    array([2])
    >>> CoreSet(embedding="rows", random_state=1).fit(X).select(
    ...     None, X, 1, candidates=rest, labelled=labelled)
    array([1])
    """

    def _pick(self, points, n, priority, others):
        return farthest_of_largest(points, n, priority, others)


def farthest_of_largest(points, n, priority, others=None):
    """Return points one by one, each the farthest one of the largest cluster.

    Parameters
    ----------
    points : Points
    n : int
        Number of points to return, 1 <= n <= n_points.
    priority : ndarray of shape (n_points,), dtype int64
        Decides between points at equal distances: the lowest comes first.
    others : ndarray or csr matrix of shape (n_others, n_columns), or None
        The first centres. Without any, the first point is the one nearest to the mean
        of all.

    Returns
    -------
    list of n int
    """
    if others is None:
        picked = [best(-points.from_middle(), priority)]
        nearest, owner = points.distances(picked[0]), np.zeros(len(points), np.int64)
        n_centres = 1
    else:
        picked, (nearest, owner) = [], nearest_of(points, others)
        n_centres = others.shape[0]
    while len(picked) < n:
        size = np.bincount(owner, weights=nearest)[owner]
        # A picked row is at distance 0: not picked again beside its duplicates.
        is_open = np.ones(len(points), bool)
        is_open[picked] = False
        largest = size == size[is_open].max()
        picked.append(best(np.where(largest & is_open, nearest, -1), priority))
        distances = points.distances(picked[-1])
        is_nearer = distances < nearest
        nearest[is_nearer], owner[is_nearer] = distances[is_nearer], n_centres
        n_centres += 1
    return picked


def nearest_of(points, others):
    """Return the squared distance of each point from the nearest centre, and which.

    Parameters
    ----------
    points : Points
    others : ndarray or csr matrix of shape (n_others, n_columns), n_others >= 1
        The centres.

    Returns
    -------
    nearest : ndarray of shape (n_points,), dtype float64
    owner : ndarray of shape (n_points,), dtype int64
        The index of the nearest centre, of equal ones the first.
    """
    nearest, owner = np.full(len(points), np.inf), np.zeros(len(points), np.int64)
    for rows, part, squared in points.distances_to(others):
        closest = squared.argmin(axis=1)
        distances = np.take_along_axis(squared, closest[:, None], axis=1)[:, 0]
        is_nearer = distances < nearest[rows]
        nearest[rows][is_nearer] = distances[is_nearer]
        owner[rows][is_nearer] = part.start + closest[is_nearer]
    return nearest, owner
