"""Clusters of embeddings, in the same way for every strategy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans, MiniBatchKMeans
from sklearn.metrics.pairwise import euclidean_distances

from skal._threads import single_threaded, without_warnings
from skal.strategies._first_centres import first_centres, has_few_numbers
from skal.strategies._points import Points, best

# k-means looks at all rows again and again: more rows than these are clustered by
# minibatches.
MANY = 20_000
# The memory of agglomerative clustering is quadratic in the number of rows.
_FEW = 4_000


def k_means(
    rows: Any, n_clusters: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Return the cluster of each row, and the centres of the clusters.

    Parameters
    ----------
    rows : ndarray or csr matrix of shape (n_rows, n_columns)
        There is at least one row.
    n_clusters : int
        Number of clusters; no more than there are rows are made. Some are empty if
        fewer rows are distinct.
    seed : int
        Determines the clusters.

    Returns
    -------
    clusters : ndarray of shape (n_rows,)
        The number of the cluster, from zero.
    centres : ndarray of shape (n_clusters, n_columns)
    """
    given = {"n_clusters": min(n_clusters, rows.shape[0]), "random_state": seed}
    init = first_centres if has_few_numbers(rows) else "k-means++"
    model = KMeans(n_init=1, init=init, **given)
    if rows.shape[0] > MANY:
        # A million rows of noise, 125 clusters: a seventh of the time of the default
        # numbers, and distances from the centres that are 0.05 % larger.
        model = MiniBatchKMeans(
            n_init=1, batch_size=4096, max_no_improvement=3, **given
        )
    few = "Number of distinct clusters"
    with single_threaded(), without_warnings(few):
        clusters = model.fit_predict(rows)
    return clusters.astype(np.int64), model.cluster_centers_


def agglomerate(rows: Any, n_clusters: int, seed: int) -> NDArray[np.int64]:
    """Return the cluster of each row by average linkage, of many rows by k-means.

    Parameters
    ----------
    rows : ndarray or csr matrix of shape (n_rows, n_columns)
        There is at least one row.
    n_clusters : int
        Number of clusters, at most n_rows.
    seed : int
        Determines the clusters of many rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        The number of the cluster, from zero.
    """
    if n_clusters == 1:
        return np.zeros(rows.shape[0], dtype=np.int64)
    if rows.shape[0] > _FEW:
        return k_means(rows, n_clusters, seed)[0]
    with single_threaded():
        distances = euclidean_distances(rows)
        model = AgglomerativeClustering(
            n_clusters, metric="precomputed", linkage="average"
        )
        return model.fit_predict(distances).astype(np.int64)


def central_rows(
    rows: Any, n_clusters: int, seed: int, priority: NDArray[np.int64]
) -> list[int]:
    """Return the row nearest to the centre of each cluster, of large clusters first.

    Parameters
    ----------
    rows : ndarray or csr matrix of shape (n_rows, n_columns)
    n_clusters : int
    seed : int
        Determines the clusters.
    priority : ndarray of shape (n_rows,), dtype int64
        Decides between rows at equal distances: the lowest comes first.

    Returns
    -------
    list of int
        There are less than `n_clusters` if some clusters are empty.
    """
    clusters, centres = k_means(rows, n_clusters, seed)
    order = np.argsort(clusters, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(clusters))[:-1])
    found = []
    for centre, members in zip(centres, groups, strict=False):
        if len(members):
            distances = Points(rows[members]).distances_from(centre.astype(np.float64))
            found.append((-len(members), members[best(-distances, priority[members])]))
    return [int(row) for _, row in sorted(found)]
