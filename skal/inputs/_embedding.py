"""Two-dimensional embeddings and clusters of rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from skal.inputs._containers import AT_ONCE, by_chunks, is_text, n_rows, take
from skal.seeding import Stream, stream


def embed(X: Any, seed: int) -> NDArray[np.float64]:
    """Embed rows in two dimensions by t-SNE, after up to 100 principal components.

    Parameters
    ----------
    X : rows of numbers, n_rows of them
        The rows to embed.
    seed : int
        Determines the embedding.

    Returns
    -------
    ndarray of shape (n_rows, 2)
    """
    X = _as_table(X)
    X = X.toarray() if sparse.issparse(X) else X
    X = PCA(min(100, *X.shape), random_state=seed).fit_transform(X)
    perplexity = min(30.0, (len(X) - 1) / 3)
    return TSNE(perplexity=perplexity, random_state=seed).fit_transform(X)


def cluster(X: Any, n_bins: int, seed: int) -> NDArray[np.int64]:
    """Return the k-means cluster of each row.

    The centres of many rows are those of a random choice of them, since k-means looks
    at all rows again and again.

    Parameters
    ----------
    X : rows of numbers, n_rows of them
        The rows to cluster.
    n_bins : int
        Number of clusters.
    seed : int
        Determines the clusters.

    Returns
    -------
    ndarray of shape (n_rows,)
        The number of the cluster, from zero.
    """
    kmeans = KMeans(n_bins, n_init=10, random_state=seed)
    if n_rows(X) <= AT_ONCE:
        return kmeans.fit_predict(_as_table(X))
    rows = np.arange(n_rows(X))
    some = stream(seed, Stream.SAMPLE).choice(rows, AT_ONCE, replace=False)
    # The chosen rows are a copy already.
    kmeans.set_params(copy_x=False).fit(_as_table(take(X, np.sort(some))))
    return by_chunks(lambda part: kmeans.predict(_as_table(part)), X, rows)


def _as_table(X: Any) -> Any:
    """Return rows of numbers as a table, with any further dimensions flattened."""
    if is_text(X):
        raise ValueError(
            "k-means and t-SNE need rows of numbers, but these rows are words: sort "
            'them by "length", or by a function of rows.'
        )
    return X if sparse.issparse(X) else np.asarray(X).reshape(n_rows(X), -1)
