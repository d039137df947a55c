"""Base class of strategies that cover the pool by what is labelled."""

from numbers import Integral

import numpy as np

from skal._sklearn import Interval
from skal._threads import single_threaded
from skal.seeding import Stream, stream
from skal.strategies._coverage import Coverage, unit_rows
from skal.strategies._embedding import EmbeddingStrategy


class CoveringStrategy(EmbeddingStrategy):
    """Base class: choose the rows that, with the labelled ones, best cover the pool.

    A subclass has a parameter `n_references`, and writes `_kernel`.
    """

    from_nothing = True
    _parameter_constraints: dict = {
        **EmbeddingStrategy._parameter_constraints,
        "n_references": [Interval(Integral, 1, None, closed="left"), None],
    }

    def _fit(self, X, y, problem):
        super()._fit(X, y, problem)
        self._priority = self._draw_priority()
        self._references = self._sample(self.n_references)

    def _sample(self, n):
        """Return `n` rows of the pool at random, ascending; all rows if it is None."""
        if n is None or n >= self.n_pool_:
            return np.arange(self.n_pool_)
        rng = stream(self.seed_, Stream.STRATEGY)
        return np.sort(rng.choice(self.n_pool_, n, replace=False))

    def _kernel(self, estimator, points, known, weights):
        """Return a function that turns squared distances into coverage, in place.

        Parameters
        ----------
        estimator : fitted estimator or None
        points : array or csr matrix of shape (n_points, n_columns)
            The embeddings of candidates and references, of length 1.
        known : array or csr matrix of shape (n_labelled, n_columns), or None
            Those of the labelled rows, if there are any.
        weights : ndarray of shape (n_references,), or None

        Returns
        -------
        callable
        """
        raise NotImplementedError

    def _weights(self, estimator, X, labelled):
        """Return the weight of each reference, or None for equal weights."""
        return None

    def _select(self, estimator, X, n, candidates, labelled):
        # The mean is over the pool: its labelled rows are covered, and add nothing.
        rows = np.union1d(candidates, self._references)
        with single_threaded():
            points = unit_rows(self._embed(estimator, X, rows))
            known = self._embed_labelled(estimator, labelled)
            known = None if known is None else unit_rows(known)
            weights = self._weights(estimator, X, labelled)
            kernel = self._kernel(estimator, points, known, weights)
            is_all = len(rows) == len(self._references)
            places = np.searchsorted(rows, self._references)
            references = points if is_all else points[places]
            coverage = Coverage(points, references, kernel, weights)
            if known is not None:
                coverage.add(known)
            preferred = candidates[np.argsort(self._priority[candidates])]
            return rows[coverage.choose(n, np.searchsorted(rows, preferred))]
