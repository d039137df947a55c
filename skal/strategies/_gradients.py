"""Diverse gradients: label rows that would change the last layer in different ways."""

import numpy as np

from skal._threads import single_threaded
from skal.answers._reading import probabilities
from skal.answers._wrapper import name_of
from skal.inputs._containers import by_chunks
from skal.seeding import Stream, stream
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._points import Points, best
from skal.strategies._ranking import check_numbers

# Number of rows whose probabilities are held in double precision at once.
_AT_ONCE = 2**13


class BADGE(EmbeddingStrategy):
    """Label rows with large and different gradients of the loss in the last layer.

    Batch active learning by diverse gradient embeddings. The gradient of the loss of a
    row, with the predicted class in place of its label, is large if the model is unsure
    of it. The batch is drawn by the seeding of k-means++: the row with the largest
    gradient, and then rows with probabilities proportional to the squared distances of
    their gradients from the nearest one that was picked.

    Parameters
    ----------
    embedding : {"rows"}, transformer or None, default=None
        The inputs of the last layer: None takes the model's embeddings if it has some
        (the hidden layer of a net, what the last step of a Pipeline sees), and scaled
        rows otherwise; "rows" takes scaled rows always; a transformer is fitted to the
        pool.

    random_state : int, RandomState instance or None, default=None
        Draws the rows. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    CoreSet : Spread the rows, whether the model is sure of them or not.
    ClusterMargin : Spread the rows with the smallest margins over clusters.

    Notes
    -----
    The gradient of a row with embedding h is the outer product of h with the difference
    between its class probabilities and the indicator of the predicted class. These
    products are never formed: the inner product of two gradients is the product of two
    inner products, of the embeddings and of the differences. Memory is proportional to
    N (C + D), not to N C D, for N candidates, C classes and D columns of embeddings,
    and so is the time for each row of the batch.

    Rows whose gradients equal the gradient of a row in the batch are drawn last, in an
    order that depends on the seed alone.

    References
    ----------
    Ash, Zhang, Krishnamurthy, Langford and Agarwal, "Deep Batch Active Learning by
    Diverse, Uncertain Gradient Lower Bounds", ICLR 2020, Algorithm 1. Arthur and
    Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA 2007.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import BADGE
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> BADGE(random_state=0).fit(X).select(model, X, 3).shape
    (3,)
    """

    needs = ("predict_proba", "embedding")

    def __init__(self, *, embedding=None, random_state=None):
        self.embedding = embedding
        self.random_state = random_state

    def _select(self, estimator, X, n, candidates, labelled):
        rows = self._embed(estimator, X, candidates)
        residuals = finite_probabilities(estimator, X, candidates, self, _residuals)
        priority = self._draw_priority()[candidates]
        rng = stream(self.seed_, Stream.STRATEGY)
        with single_threaded():
            gradients = Gradients(residuals, rows)
            picked = far_apart(gradients, n, rng, priority)
        return candidates[picked]


class Gradients(Points):
    """Outer products of two vectors for each row, as points that are never formed.

    Parameters
    ----------
    residuals : ndarray of shape (n_points, n_classes), dtype float32
    rows : ndarray or csr matrix of shape (n_points, n_columns), dtype float32
    """

    def __init__(self, residuals, rows):
        self.factors = Points(residuals), Points(rows)
        self.norms = self.factors[0].norms * self.factors[1].norms

    def products(self, i):
        """Return the inner products of outer product i with all of them."""
        return self.factors[0].products(i) * self.factors[1].products(i)


def far_apart(points, n, rng, priority):
    """Draw points that are far from one another, by the seeding of k-means++.

    Parameters
    ----------
    points : Points
    n : int
        Number of points to draw, 1 <= n <= n_points.
    rng : numpy.random.Generator
    priority : ndarray of shape (n_points,), dtype int64
        Decides between points of equal norm, the lowest comes first; and the order of
        points that equal ones before them.

    Returns
    -------
    list of n int
        The first is the point that is farthest from the origin.
    """
    picked = [best(points.norms, priority)]
    nearest = points.distances(picked[0])
    while len(picked) < n:
        nearest[picked] = 0
        total = nearest.sum()
        if total == 0:
            rest = np.argsort(priority)
            rest = rest[~np.isin(rest, picked)]
            return picked + rest[: n - len(picked)].tolist()
        picked.append(int(rng.choice(len(points), p=nearest / total)))
        nearest = np.minimum(nearest, points.distances(picked[-1]))
    return picked


def _residuals(probs_N_C):
    """Return the indicator of the predicted class minus the probabilities."""
    found = -np.asarray(probs_N_C, dtype=np.float64)
    found[np.arange(len(found)), found.argmin(axis=1)] += 1
    return found.astype(np.float32)


def finite_probabilities(estimator, X, rows, strategy, then=np.asarray):
    """Return the class probabilities of some rows, after a check for NaN.

    Parameters
    ----------
    estimator : fitted classifier
    X : rows
        Any container of rows.
    rows : ndarray of int
        The indices of the rows to ask about.
    strategy : strategy
        Named in the error message.
    then : callable, default=np.asarray
        Applied to the probabilities of a part of the rows at a time.

    Returns
    -------
    ndarray of shape (len(rows), n_classes)

    Raises
    ------
    ValueError
        If a probability is NaN.
    """

    def answer(part):
        found = probabilities(estimator, part)
        is_missing = np.isnan(found).any(axis=1)
        check_numbers(is_missing, strategy, name_of(estimator), "value")
        return then(found)

    return by_chunks(answer, X, rows, at_once=_AT_ONCE)
