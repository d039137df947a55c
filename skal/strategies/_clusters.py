"""Strategies that take rows out of different clusters."""

import heapq
from numbers import Integral, Real

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skal._sklearn import Interval
from skal._threads import single_threaded
from skal.inputs._joining import concat
from skal.seeding import Stream, stream
from skal.strategies._clustering import agglomerate, k_means
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._uncertainty import Margin

# The time to find neighbours is quadratic in the rows of a cluster.
_MAX_MEMBERS = 2_000


class TypiClust(EmbeddingStrategy):
    """Label the most typical row of each large cluster without a labelled row.

    The labelled rows and the candidates are clustered by k-means, into as many clusters
    as rows will be labelled after the batch. One row at a time is taken out of the
    cluster with the fewest labelled rows, the largest of these: the one with the least
    mean distance from its nearest neighbours in the cluster. It needs no model, and is
    meant for the first labels; once there are many, rows that the model is unsure of
    serve better.

    Parameters
    ----------
    max_clusters : int, default=500
        Maximum number of clusters.

    n_neighbors : int, default=20
        Number of neighbours that tell how typical a row is, or all others in a cluster
        with fewer rows.

    embedding : {"rows"}, transformer or None, default=None
        The embeddings: None takes the model's own if it has some (the hidden layer of
        a net, what the last step of a Pipeline sees), and scaled rows otherwise; "rows"
        takes scaled rows always; a transformer is fitted to the pool.

    random_state : int, RandomState instance or None, default=None
        Determines the clusters, and decides between equally typical rows. Inside an
        `ActiveLearner`, None takes a seed drawn from the learner's.

    See Also
    --------
    CoreSet : Needs no model, either; labels the farthest rows.
    ClusterMargin : Takes rows that the model is unsure of out of different clusters.

    Notes
    -----
    Only unlabelled rows count as neighbours and for the size of a cluster. If more rows
    are asked for than there are clusters without a label, each cluster gives its next
    most typical row in turn.

    More than 20,000 rows are clustered by minibatches, and of more than 2,000 rows in
    a cluster, 2,000 drawn at random are considered. Time and memory then grow linearly
    with the pool.

    References
    ----------
    Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit
    High and Low Budgets", ICML 2022, Algorithm 1 (the variant with k-means).

    Examples
    --------
    >>> import numpy as np
    >>> from skal import TypiClust
    >>> X = np.array([[0.0], [1.0], [2.0], [80.0], [81.0], [82.0], [84.0]])
    >>> TypiClust(random_state=0, n_neighbors=2).fit(X).select(None, X, 2)
    array([4, 1])
    """

    _parameter_constraints: dict = {
        **EmbeddingStrategy._parameter_constraints,
        "max_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, *, max_clusters=500, n_neighbors=20, embedding=None, random_state=None
    ):
        self.max_clusters = max_clusters
        self.n_neighbors = n_neighbors
        self.embedding = embedding
        self.random_state = random_state

    def _select(self, estimator, X, n, candidates, labelled):
        rows = self._embed(estimator, X, candidates)
        known = self._embed_labelled(estimator, labelled)
        every = rows if known is None else concat(rows, known)
        n_clusters = min(every.shape[0] - rows.shape[0] + n, self.max_clusters)
        clusters, _ = k_means(every, n_clusters, self.seed_)
        n_labelled = np.bincount(clusters[len(candidates) :], minlength=n_clusters)
        clusters = clusters[: len(candidates)]
        priority = self._draw_priority()[candidates]

        def in_order(cluster):
            members = np.flatnonzero(clusters == cluster)
            order = typical_first(rows[members], self.n_neighbors, priority[members])
            return iter(members[order])

        with single_threaded():
            picked = _in_turn(clusters, n_labelled, n, in_order)
        return candidates[picked]


class ClusterMargin(EmbeddingStrategy):
    """Label rows with small margins, out of different clusters.

    The pool is clustered once, before the first round. In each round, the candidates
    with the smallest margins between the two most probable classes are sorted into
    these clusters, and rows are drawn out of one cluster after another, from the one
    with the fewest of them to the one with the most, and again from the beginning. It
    was made for very large batches.

    Parameters
    ----------
    n_clusters : int or None, default=None
        Number of clusters. None makes one for each ten rows of the pool, and at most
        1,000.

    oversampling : float, default=1.25
        Number of candidates with the smallest margins, as a multiple of the batch. In a
        small batch, a large multiple leaves small clusters only, that is, outliers.

    embedding : {"rows"}, transformer or None, default=None
        The embeddings to cluster, which are computed before a model is trained: None
        and "rows" take scaled rows; a transformer is fitted to the pool.

    random_state : int, RandomState instance or None, default=None
        Draws the rows, and determines the clusters of a large pool. Inside an
        `ActiveLearner`, None takes a seed drawn from the learner's.

    Attributes
    ----------
    clusters_ : ndarray of shape (n_pool,)
        The cluster of each row of the pool, counted from zero.

    See Also
    --------
    Margin : Takes the rows with the smallest margins themselves.
    IDMR : Keeps the labelled rows distributed over clusters like the whole data.

    Notes
    -----
    A pool of up to 4,000 rows is clustered by average linkage, as in the paper, which
    takes memory quadratic in its size. Larger ones are clustered by k-means, more than
    20,000 rows by minibatches; time and memory then grow linearly with the pool.

    A model without class probabilities, such as `LinearSVC`, has margins between its
    decision values.

    References
    ----------
    Citovsky, DeSalvo, Gentile, Karydas, Rajagopalan, Rostamizadeh and Kumar, "Batch
    Active Learning at Scale", NeurIPS 2021, Algorithms 1 and 2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ClusterMargin
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> ClusterMargin(n_clusters=15).fit(X).select(model, X, 3).shape
    (3,)
    """

    needs = ("class_scores", "embedding")
    _parameter_constraints: dict = {
        **EmbeddingStrategy._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left"), None],
        "oversampling": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(
        self, *, n_clusters=None, oversampling=1.25, embedding=None, random_state=None
    ):
        self.n_clusters = n_clusters
        self.oversampling = oversampling
        self.embedding = embedding
        self.random_state = random_state

    def _fit(self, X, y, problem):
        super()._fit(X, y, problem)
        n_clusters = self.n_clusters or min(1000, -(-self.n_pool_ // 10))
        rows = self._embed(None, X, np.arange(self.n_pool_))
        self.clusters_ = agglomerate(rows, min(n_clusters, self.n_pool_), self.seed_)
        self._margin = Margin(random_state=self.seed_).fit(X)

    def _select(self, estimator, X, n, candidates, labelled):
        n_small = min(len(candidates), int(np.ceil(self.oversampling * n)))
        small = self._margin.select(estimator, X, n_small, candidates=candidates)
        rng = stream(self.seed_, Stream.STRATEGY)
        shuffled = small[np.argsort(rng.permutation(self.n_pool_)[small])]
        return shuffled[round_robin(self.clusters_[shuffled])[:n]]


def round_robin(clusters):
    """Return the order of rows that takes one out of each cluster in turn.

    Parameters
    ----------
    clusters : ndarray of shape (n_rows,), dtype int64
        The cluster of each row.

    Returns
    -------
    ndarray of shape (n_rows,), dtype int64
        In each turn, small clusters come first. The rows of a cluster stay in order.
    """
    order = np.argsort(clusters, kind="stable")
    grouped, sizes = clusters[order], np.bincount(clusters)
    first = np.cumsum(sizes) - sizes
    turn = np.arange(len(order)) - first[grouped]
    return order[np.lexsort((grouped, sizes[grouped], turn))]


def _in_turn(clusters, n_labelled, n, in_order):
    """Take one row at a time out of the cluster with the fewest labelled rows.

    Parameters
    ----------
    clusters : ndarray of shape (n_rows,), dtype int64
        The cluster of each row.
    n_labelled : ndarray of shape (n_clusters,)
        Number of labelled rows of each cluster.
    n : int
        Number of rows to take, at most n_rows.
    in_order : callable
        `in_order(cluster)` returns an iterator over the rows of a cluster.

    Returns
    -------
    list of n int
    """
    sizes = np.bincount(clusters, minlength=len(n_labelled))
    queue = [(n_labelled[c], -sizes[c], c) for c in np.flatnonzero(sizes)]
    heapq.heapify(queue)
    left, rows, picked = sizes.copy(), {}, []
    while len(picked) < n:
        count, size, c = heapq.heappop(queue)
        # The rows of a cluster are ordered when the first one is taken.
        if c not in rows:
            rows[c] = in_order(c)
        picked.append(int(next(rows[c])))
        left[c] -= 1
        if left[c]:
            heapq.heappush(queue, (count + 1, size, c))
    return picked


def typical_first(rows, n_neighbors, priority):
    """Return the order of rows by the mean distance from their nearest neighbours.

    Parameters
    ----------
    rows : ndarray or csr matrix of shape (n_rows, n_columns)
    n_neighbors : int
    priority : ndarray of shape (n_rows,), dtype int64
        A random permutation. It decides between rows at equal distances, and of very
        many rows, which ones are considered; the others come last.

    Returns
    -------
    ndarray of shape (n_rows,), dtype int64
    """
    by_priority = np.argsort(priority)
    some, rest = by_priority[:_MAX_MEMBERS], by_priority[_MAX_MEMBERS:]
    if len(some) == 1:
        return some
    neighbours = NearestNeighbors(
        n_neighbors=min(n_neighbors, len(some) - 1), algorithm="brute"
    ).fit(rows[some])
    distances = neighbours.kneighbors()[0].mean(axis=1)
    return np.concatenate([some[np.argsort(distances, kind="stable")], rest])
