"""Dropout queries: label rows whose prediction changes when features are dropped."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse

from skal._sklearn import Interval
from skal._threads import single_threaded
from skal.answers._embedding import is_constant
from skal.answers._head import linear_head
from skal.inputs._containers import AT_ONCE, take
from skal.seeding import Stream, stream
from skal.strategies._clustering import central_rows
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._points import blocks, doubles


class DropQuery(EmbeddingStrategy):
    """Label rows whose prediction changes when features are dropped, out of clusters.

    A linear classifier predicts each candidate several times, each time without a
    random three quarters of its features. The candidates whose prediction changes more
    often than not are clustered by k-means, into as many clusters as rows are asked
    for, and the row nearest to the centre of each cluster is labelled.

    Parameters
    ----------
    n_passes : int, default=3
        Number of predictions with features dropped.

    dropout : float, default=0.75
        Share of the features that are dropped, between 0 and 1.

    embedding : {"rows"}, transformer or None, default=None
        The embeddings to cluster: None takes the model's own if it has some (the hidden
        layer of a net, what the last step of a Pipeline sees), and scaled rows
        otherwise; "rows" takes scaled rows always; a transformer is fitted to the pool.
        The features that are dropped are always the inputs of the linear layer.

    random_state : int, RandomState instance or None, default=None
        Draws the features, and determines the clusters. Inside an `ActiveLearner`, None
        takes a seed drawn from the learner's.

    See Also
    --------
    BADGE : Spread rows by their gradients.
    ClusterMargin : Take rows with small margins out of different clusters.

    Notes
    -----
    The classifier must be linear, such as `LogisticRegression`, a Pipeline that ends
    with a linear classifier, or a net whose last layer is linear; features are then the
    inputs of that layer. Those that are kept are divided by the share that is kept, as
    usual in dropout. Which features of a row are dropped depends on the seed and on the
    row's position in the pool alone.

    If fewer candidates than rows to label change their prediction in more than half of
    the passes, candidates that do so less often are clustered as well. Time and memory
    grow linearly with the pool; more than 20,000 rows are clustered by minibatches.

    References
    ----------
    Gupte, Aklilu, Nirschl and Yeung-Levy, "Revisiting Active Learning in the Era of
    Vision Foundation Models", TMLR 2024, section 4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import DropQuery
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> DropQuery(random_state=0).fit(X).select(model, X, 3).shape
    (3,)
    """

    needs = ("classes", "predict", "embedding")
    _parameter_constraints: dict = {
        **EmbeddingStrategy._parameter_constraints,
        "n_passes": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, *, n_passes=3, dropout=0.75, embedding=None, random_state=None):
        self.n_passes = n_passes
        self.dropout = dropout
        self.embedding = embedding
        self.random_state = random_state

    def _select(self, estimator, X, n, candidates, labelled):
        n_flips = self._n_flips(estimator, X, candidates)
        priority = self._draw_priority()[candidates]
        least = self.n_passes // 2 + 1
        while np.count_nonzero(n_flips >= least) < n:
            least -= 1
        chosen = np.flatnonzero(n_flips >= least)
        rows = self._embed(estimator, X, candidates[chosen])
        with single_threaded():
            central = central_rows(rows, n, self.seed_, priority[chosen])
        picked = chosen[central]
        # Clusters are empty if there are duplicates, which then fill the batch.
        rest = np.setdiff1d(chosen, picked)
        rest = rest[np.lexsort((priority[rest], -n_flips[rest]))]
        return candidates[np.concatenate([picked, rest])[:n]]

    def _n_flips(self, estimator, X, candidates):
        """Return how often the prediction of each candidate changes."""
        if is_constant(estimator):
            return np.zeros(len(candidates), dtype=np.int64)
        head, found = linear_head(estimator), []
        rng = stream(self.seed_, Stream.STRATEGY)
        of_pool = rng.integers(2**64, size=self.n_pool_, dtype=np.uint64)
        for start in range(0, len(candidates), AT_ONCE):
            rows = candidates[start : start + AT_ONCE]
            inputs = head.inputs(take(X, rows))
            with single_threaded():
                found.append(self._flips_of(head, inputs, of_pool[rows]))
        return np.concatenate(found)

    def _flips_of(self, head, inputs, of_rows):
        """Return the number of flips of rows, given their inputs and their keys."""
        shape, n_flips = (self.n_passes, inputs.shape[1]), []
        rng = stream(self.seed_, Stream.STRATEGY, 1)
        of_columns = rng.integers(2**64, size=shape, dtype=np.uint64)
        for part in blocks(inputs):
            block, keys = doubles(inputs[part]), of_rows[part]
            usual = head.predict(block)
            flips = [
                head.predict(_dropped(block, keys, columns, self.dropout)) != usual
                for columns in of_columns
            ]
            n_flips.append(np.sum(flips, axis=0))
        return np.concatenate(n_flips)


def _dropped(inputs, of_rows, of_columns, share):
    """Return inputs of which a share is set to zero, and the others are scaled up.

    Parameters
    ----------
    inputs : ndarray or csr matrix of shape (n_rows, n_columns), dtype float64
    of_rows, of_columns : ndarray of shape (n_rows,) and (n_columns,), dtype uint64
        Random numbers. Two of them make the key of an entry, so that the same entries
        of an array and of a sparse matrix are dropped.
    share : float

    Returns
    -------
    ndarray or csr matrix of shape (n_rows, n_columns)
    """
    if sparse.issparse(inputs):
        found = inputs.copy()
        of_rows = np.repeat(of_rows, np.diff(found.indptr))
        found.data *= _is_kept(of_rows ^ of_columns[found.indices], share)
        found.data /= 1 - share
        return found
    return inputs * _is_kept(of_rows[:, None] ^ of_columns, share) / (1 - share)


def _is_kept(keys, share):
    """Return whether each entry is kept, from its 64-bit key."""
    # The last steps of the generator SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keys ^= keys >> np.uint64(31)
    return keys >= np.uint64(share * 2.0**64)
