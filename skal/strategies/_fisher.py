"""Fisher information: label the rows that make the weights most certain."""

from numbers import Real

import numpy as np
from scipy import sparse

from skal._sklearn import Interval
from skal._threads import single_threaded
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._gradients import finite_probabilities
from skal.strategies._points import best, blocks, doubles

# The information of the last layer is a matrix with so many rows: 32 MB.
MAX_WEIGHTS = 2_000
# An inverse is exact enough if the regularization is such a share of the information.
_SHARE = 1e-13
# Gains that differ by less than this share are equal but for rounding.
_ROUNDING = 1e-9


class BAIT(EmbeddingStrategy):
    """Label the rows that make the weights of the last layer most certain.

    Batch active learning via information matrices. The batch is chosen such that the
    Fisher information of all labelled rows bounds the expected error on the pool: it
    minimizes the trace of the inverse of that information, times the information of
    the candidates. Twice as many rows as asked for are added greedily, and half of
    them are removed again.

    Parameters
    ----------
    regularization : float, default=1.0
        Number above 0 that is added to the diagonal of the information of the labelled
        rows.

    embedding : {"rows"}, transformer or None, default=None
        The inputs of the last layer: None takes the model's embeddings if it has some
        (the hidden layer of a net, what the last step of a Pipeline sees), and scaled
        rows otherwise; "rows" takes scaled rows always; a transformer is fitted to the
        pool.

    random_state : int, RandomState instance or None, default=None
        Decides between rows of equal value. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BADGE : Needs far less time, and works for many classes and columns.
    CoreSet : Needs no model.

    Notes
    -----
    For C classes and embeddings of D columns, the last layer has C D weights, which may
    be 2,000 at most. The information of a row with embedding h and class probabilities
    p is the Kronecker product of diag(p) - p p' and h h'. Its factors are never formed:
    for each candidate, two C x C matrices are kept, and updated by the Woodbury
    identity. For N candidates, memory is then proportional to N (C^2 + D), and the time
    for each row of the batch to N C^2 (C + D), in place of the N (C D)^2 that it takes
    to compute these matrices anew.

    References
    ----------
    Ash, Goel, Krishnamurthy and Kakade, "Gone Fishing: Neural Active Learning with
    Fisher Embeddings", NeurIPS 2021, Algorithm 1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import BAIT
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> BAIT().fit(X).select(model, X, 3).shape
    (3,)
    """

    needs = ("predict_proba", "embedding")
    _parameter_constraints: dict = {
        **EmbeddingStrategy._parameter_constraints,
        "regularization": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, regularization=1.0, embedding=None, random_state=None):
        self.regularization = regularization
        self.embedding = embedding
        self.random_state = random_state

    def _select(self, estimator, X, n, candidates, labelled):
        rows = _dense(self._embed(estimator, X, candidates[:1]))
        probs = finite_probabilities(estimator, X, candidates[:1], self)
        n_weights = probs.shape[1] * rows.shape[1]
        if n_weights > MAX_WEIGHTS:
            raise ValueError(
                f"BAIT takes at most {MAX_WEIGHTS:,} weights in the last layer, got "
                f"{n_weights:,}, {probs.shape[1]} classes times {rows.shape[1]} "
                "columns: set `embedding` to a transformer with fewer columns, such as "
                "PCA, or choose BADGE."
            )
        rows = _dense(self._embed(estimator, X, candidates))
        probs = finite_probabilities(estimator, X, candidates, self)
        known = self.regularization * np.eye(n_weights)
        others = self._embed_labelled(estimator, labelled)
        if others is not None:
            every = np.arange(others.shape[0])
            probs_of_others = finite_probabilities(estimator, labelled.X, every, self)
            known += information(_dense(others), probs_of_others)
        self._check_scale(rows, known)
        priority = self._draw_priority()[candidates]
        with single_threaded():
            picked = forward_backward(Greedy(rows, probs, known), n, priority)
        return candidates[picked]

    def _check_scale(self, rows, known):
        """Raise an error if the regularization would be lost in rounding."""
        squares = np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
        # p (1 - p) is at most 1/4.
        least = _SHARE * (np.diag(known).max() + squares.max() / 4)
        if self.regularization < least:
            raise ValueError(
                f"The embeddings are so large that regularization="
                f"{self.regularization} is lost in rounding: scale them, such as by "
                "StandardScaler in a Pipeline, or set `regularization` of BAIT to at "
                f"least {2 * least:.1g}."
            )


class Greedy:
    """The change of the trace criterion by each row that is added or removed.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    probs : ndarray of shape (n_rows, n_classes)
    known : ndarray of shape (n_weights, n_weights)
        Information before any row is added: symmetric, positive definite.

    Attributes
    ----------
    inverse : ndarray of shape (n_weights, n_weights)
        Inverse of the information after the rows that were added.
    target : ndarray of shape (n_weights, n_weights)
        Mean information of all rows.
    within, between : ndarray of shape (n_rows, n_classes, n_classes)
        V' `inverse` V and V' `inverse` `target` `inverse` V, where V V' is the
        information of a row.
    """

    def __init__(self, rows, probs, known):
        self.rows, self.probs = rows, probs
        self.target = information(rows, probs) / len(rows)
        self.inverse = np.linalg.inv(known)
        self.within = _sandwich(rows, probs, self.inverse)
        middle = self.inverse @ self.target @ self.inverse
        self.between = _sandwich(rows, probs, middle)

    def only(self, some):
        """Keep some rows only, which can then be moved; the target stays the same."""
        for name in ("rows", "probs", "within", "between"):
            setattr(self, name, getattr(self, name)[some])

    def changes(self, sign):
        """Return how much the trace falls if each row is added, or rises if removed.

        Parameters
        ----------
        sign : {1, -1}
            1 to add rows, -1 to remove them.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        unit = sign * np.eye(self.probs.shape[1])
        found = np.empty(len(self.rows))
        for part in blocks(self.within.reshape(len(found), -1)):
            solved = np.linalg.solve(self.within[part] + unit, self.between[part])
            found[part] = sign * np.trace(solved, axis1=1, axis2=2)
        return found

    def move(self, i, sign):
        """Add row i, or remove it, by the Woodbury identity."""
        root = _root(self.rows[i], self.probs[i])
        moved = self.inverse @ root
        core = np.linalg.inv(self.within[i] + sign * np.eye(root.shape[1]))
        targeted = self.target @ moved
        across = self.inverse @ targeted
        middle = core @ (moved.T @ targeted) @ core
        for part in blocks(self.rows, beside=self.within[0].size):
            rows, probs = doubles(self.rows[part]), self.probs[part]
            ours, theirs = _shares(rows, probs, moved), _shares(rows, probs, across)
            ours_t, mixed = ours.swapaxes(1, 2), ours @ core @ theirs.swapaxes(1, 2)
            self.within[part] -= ours @ core @ ours_t
            self.between[part] -= mixed + mixed.swapaxes(1, 2) - ours @ middle @ ours_t
        self.inverse = self.inverse - moved @ core @ moved.T


def forward_backward(greedy, n, priority):
    """Add twice as many rows as asked for, and remove the others again.

    Parameters
    ----------
    greedy : Greedy
        It is changed.
    n : int
        Number of rows, 1 <= n <= n_rows.
    priority : ndarray of shape (n_rows,), dtype int64
        Decides between rows of equal value: the lowest comes first.

    Returns
    -------
    list of n int
        In the order in which they were added.
    """
    added = []
    for _ in range(min(2 * n, len(priority))):
        gains = greedy.changes(1)
        gains[added] = -np.inf
        added.append(_highest(gains, priority))
        greedy.move(added[-1], 1)
    greedy.only(added)
    while len(added) > n:
        i = _highest(-greedy.changes(-1), priority[added])
        greedy.move(i, -1)
        del added[i]
        greedy.only(np.arange(len(added) + 1) != i)
    return added


def information(rows, probs):
    """Return the sum of the Fisher information of the last layer over rows.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    probs : ndarray of shape (n_rows, n_classes)

    Returns
    -------
    ndarray of shape (n_weights, n_weights)
        The weights are sorted by class.
    """
    n_columns, n_classes = rows.shape[1], probs.shape[1]
    found = np.zeros((n_classes, n_columns, n_classes, n_columns))
    flat = found.reshape(n_classes * n_columns, -1)
    for part in blocks(rows, beside=len(flat)):
        some = doubles(rows[part])
        weighted = (probs[part, :, None] * some[:, None]).reshape(len(some), -1)
        flat -= weighted.T @ weighted
        squares = (some.T @ weighted).reshape(n_columns, n_classes, n_columns)
        for c in range(n_classes):
            found[c, :, c] += squares[:, c]
    return flat


def _sandwich(rows, probs, matrix):
    """Return V' `matrix` V for each row, shape (n_rows, n_classes, n_classes)."""
    n_columns, n_classes = rows.shape[1], probs.shape[1]
    found = np.empty((len(rows), n_classes, n_classes))
    for part in blocks(rows, beside=len(matrix)):
        some = doubles(rows[part])
        for c in range(n_classes):
            product = some @ matrix[c * n_columns : (c + 1) * n_columns]
            product = product.reshape(len(some), n_classes, n_columns)
            found[part, c] = np.einsum("nej,nj->ne", product, some)
        once = _times_root(probs[part], found[part])
        found[part] = _times_root(probs[part], once.swapaxes(1, 2))
    return found


def _shares(rows, probs, vectors):
    """Return V' `vectors` for each row, shape (n_rows, n_classes, n_vectors)."""
    n_columns, n_classes = rows.shape[1], probs.shape[1]
    vectors = vectors.reshape(n_classes, n_columns, -1).swapaxes(0, 1)
    products = rows @ vectors.reshape(n_columns, -1)
    return _times_root(probs, products.reshape(len(rows), n_classes, -1))


def _times_root(probs, values):
    """Return K' `values` for each row, where K K' = diag(p) - p p'."""
    return np.sqrt(probs)[:, :, None] * (values - probs[:, None] @ values)


def _root(row, probs):
    """Return V of one row, shape (n_weights, n_classes)."""
    factor = (np.eye(len(probs)) - probs[:, None]) * np.sqrt(probs)
    return np.kron(factor, doubles(row)[:, None])


def _highest(values, priority):
    """Return the index of the highest value, as good as it can be told."""
    top = values.max()
    return best(values >= top - _ROUNDING * abs(top), priority)


def _dense(rows):
    """Return rows as an array: there are few columns."""
    return rows.toarray() if sparse.issparse(rows) else rows
