"""Fisher information: label the rows that make the weights most certain."""

from numbers import Real

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve, helmert

from skal._sklearn import Interval
from skal._threads import single_threaded
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._gradients import finite_probabilities
from skal.strategies._points import best, blocks, doubles

# The information of the last layer is a matrix with so many rows: 32 MB.
MAX_WEIGHTS = 2_000
# The matrix from which rows are removed has so many rows: 128 MB.
_MAX_ROOTS = 4_000
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
    p is the Kronecker product of diag(p) - p p' and h h'. It says nothing of a change
    that is the same for all classes, so C - 1 contrasts between classes are enough. The
    factors are never formed: for each candidate, two matrices of the size of the
    contrasts are kept, and updated by the Woodbury identity. For N candidates, memory
    is then proportional to N (C^2 + D), and the time for each row of the batch to
    N C^2 (C + D), in place of the N (C D)^2 that it takes to compute these matrices
    anew. Rows are removed by means of a matrix with C - 1 rows for each row that was
    added, 4,000 at most: for larger batches, fewer rows are added and removed.

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
        known = self.regularization * np.eye(n_weights - rows.shape[1])
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
    """The change of the trace criterion by each row that is added.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    probs : ndarray of shape (n_rows, n_classes)
    known : ndarray of shape (n_weights, n_weights)
        Information before any row is added: symmetric, positive definite. There is a
        weight for each contrast and column.

    Attributes
    ----------
    inverse : ndarray of shape (n_weights, n_weights)
        Inverse of the information after the rows that were added.
    target : ndarray of shape (n_weights, n_weights)
        Mean information of all rows.
    roots : ndarray of shape (n_rows, n_contrasts, n_contrasts)
        The information of a row h is V V', where V is the Kronecker product of its root
        and h.
    within, between : ndarray of shape (n_rows, n_contrasts, n_contrasts)
        V' `inverse` V and V' `inverse` `target` `inverse` V.
    """

    def __init__(self, rows, probs, known):
        self.rows, self.roots, self.known = rows, roots_of(probs), known
        self.target = information(rows, probs) / len(rows)
        self.inverse = np.linalg.inv(known)
        self._space = np.empty_like(self.inverse)
        self.within = _sandwich(rows, self.roots, self.inverse)
        middle = self.inverse @ self.target @ self.inverse
        self.between = _sandwich(rows, self.roots, middle)

    def changes(self):
        """Return how much the trace falls if each row is added, shape (n_rows,)."""
        unit, found = np.eye(self.within.shape[1]), np.empty(len(self.rows))
        for part in blocks(self.within.reshape(len(found), -1)):
            solved = np.linalg.solve(self.within[part] + unit, self.between[part])
            found[part] = np.trace(solved, axis1=1, axis2=2)
        return found

    def add(self, i):
        """Add row i, by the Woodbury identity."""
        moved = _times_row(self.inverse, self.rows[i]) @ self.roots[i]
        unit = np.eye(len(self.roots[i]))
        core = np.linalg.inv(self.within[i] + unit)
        targeted = self.target @ moved
        vectors = np.hstack([moved, self.inverse @ targeted])
        # `between` falls by A B' + B A', where A = V' `moved` `core`.
        half = core @ (moved.T @ targeted) / 2
        turn = np.block([[core, -half], [0 * unit, unit]])
        for part in blocks(self.rows, beside=2 * core.size):
            shares = _shares(self.rows[part], self.roots[part], vectors)
            first, second = np.split(shares @ turn, 2, axis=2)
            ours = shares[:, :, : len(core)]
            self.within[part] -= first @ ours.swapaxes(1, 2)
            mixed = first @ second.swapaxes(1, 2)
            self.between[part] -= mixed + mixed.swapaxes(1, 2)
        self.inverse -= np.matmul(moved @ core, moved.T, out=self._space)

    def removal(self, added):
        """Return what removes some of the rows that were added."""
        rows, roots = doubles(self.rows[added]), self.roots[added]
        vectors = np.einsum("ij,iab->ajib", rows, roots)
        vectors = vectors.reshape(len(self.known), -1)
        return Removal(vectors, self.known, self.target, roots.shape[1])


class Removal:
    """The change of the trace criterion by each row that is removed again.

    A row that nearly alone determines some weights has a large effect. It is computed
    without cancellation, from a matrix that has a row for each root that was added, in
    place of one for each weight.

    Parameters
    ----------
    vectors : ndarray of shape (n_weights, n_added * n_contrasts)
        V of each row that was added, side by side.
    known : ndarray of shape (n_weights, n_weights)
        Information before any row was added.
    target : ndarray of shape (n_weights, n_weights)
    n_contrasts : int

    Attributes
    ----------
    rest : ndarray of shape (n_left * n_contrasts, n_left * n_contrasts)
        Inverse of I + `vectors`' inverse(`known`) `vectors`, for the rows left.
    spread : ndarray of the same shape
        `rest` times `vectors`' inverse(`known`) `target` inverse(`known`) `vectors`
        times `rest`.
    """

    def __init__(self, vectors, known, target, n_contrasts):
        self.size = n_contrasts
        solved = cho_solve(cho_factor(known), vectors)
        self.rest = np.linalg.inv(np.eye(vectors.shape[1]) + vectors.T @ solved)
        self.spread = self.rest @ (solved.T @ target @ solved) @ self.rest

    def losses(self):
        """Return how much the trace rises if each row is removed."""
        rest, spread = (self._diagonal(found) for found in (self.rest, self.spread))
        return np.trace(np.linalg.solve(rest, spread), axis1=1, axis2=2)

    def _diagonal(self, matrix):
        """Return the blocks on the diagonal, shape (n_left, n_contrasts, ...)."""
        n = len(matrix) // self.size
        return matrix.reshape(n, self.size, n, self.size)[np.arange(n), :, np.arange(n)]

    def remove(self, i):
        """Remove row i of the rows left."""
        of_row = np.arange(i * self.size, (i + 1) * self.size)
        column, block = self.rest[:, of_row], self.spread[np.ix_(of_row, of_row)]
        share = column @ np.linalg.inv(column[of_row])
        mixed = share @ (self.spread[of_row] - block @ share.T / 2)
        self.rest = self._without(of_row, self.rest - share @ column.T)
        self.spread = self._without(of_row, self.spread - mixed - mixed.T)

    def _without(self, of_row, matrix):
        return np.delete(np.delete(matrix, of_row, axis=0), of_row, axis=1)


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
    most = max(n, _MAX_ROOTS // greedy.roots.shape[1])
    added = []
    for _ in range(min(2 * n, most, len(priority))):
        gains = greedy.changes()
        gains[added] = -np.inf
        added.append(_highest(gains, priority))
        greedy.add(added[-1])
    if len(added) == n:
        return added
    removal = greedy.removal(added)
    while len(added) > n:
        i = _highest(-removal.losses(), priority[added])
        removal.remove(i)
        del added[i]
    return added


def contrasts(n_classes):
    """Return the directions in which probabilities can change, which sum to one.

    Returns
    -------
    ndarray of shape (n_contrasts, n_classes)
        Orthonormal rows that sum to zero; there is one less than there are classes.
    """
    return helmert(n_classes)


def information(rows, probs):
    """Return the sum of the Fisher information of the last layer over rows.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    probs : ndarray of shape (n_rows, n_classes)

    Returns
    -------
    ndarray of shape (n_weights, n_weights)
        The weights are sorted by contrast of classes. A change of all classes' weights
        by the same amount changes no probability, and has no information.
    """
    turn, n_columns = contrasts(probs.shape[1]), rows.shape[1]
    n_contrasts, n_classes = turn.shape
    found = np.zeros((n_contrasts * n_columns,) * 2)
    squares = np.zeros((n_columns, n_classes * n_columns))
    for part in blocks(rows, beside=squares.shape[1]):
        some, share = doubles(rows[part]), probs[part]
        squares += some.T @ _products(share, some)
        weighted = _products(share @ turn.T, some)
        found -= weighted.T @ weighted
    squares = squares.reshape(n_columns, n_classes, n_columns)
    pairs = turn[:, None] * turn
    by_class = np.tensordot(pairs, squares, axes=(2, 1))
    return found + by_class.swapaxes(1, 2).reshape(found.shape)


def roots_of(probs):
    """Return a root of the information of each row's outputs, in terms of contrasts.

    Parameters
    ----------
    probs : ndarray of shape (n_rows, n_classes)

    Returns
    -------
    ndarray of shape (n_rows, n_contrasts, n_contrasts)
        A matrix R with R R' = E (diag(p) - p p') E' for the contrasts E.
    """
    turn, shares = contrasts(probs.shape[1]), np.sqrt(probs, dtype=np.float64)
    # diag(p) - p p' = K K' for K = (1 - p 1') diag(sqrt(p)). K sqrt(p) is zero, and a
    # reflection that turns sqrt(p) into the last axis makes the last column zero.
    last = shares[:, -1:]
    middle = (probs @ turn.T + last * turn[:, -1]) / (1 + last)
    return (turn[:, :-1] - middle[:, :, None]) * shares[:, None, :-1]


def _products(shares, rows):
    """Return the outer product of two vectors for each row, as one row."""
    return (shares[:, :, None] * rows[:, None]).reshape(len(rows), -1)


def _sandwich(rows, roots, matrix):
    """Return V' `matrix` V for each row, shape (n_rows, n_contrasts, n_contrasts)."""
    n_columns, n_contrasts = rows.shape[1], roots.shape[1]
    found = np.empty(roots.shape)
    for part in blocks(rows, beside=len(matrix)):
        some = doubles(rows[part])
        for c in range(n_contrasts):
            # The matrix is symmetric, and so is the result.
            start = c * n_columns
            product = some @ matrix[start : start + n_columns, start:]
            product = product.reshape(len(some), -1, n_columns) @ some[:, :, None]
            found[part, c, c:] = found[part, c:, c] = product[:, :, 0]
        turned = roots[part].swapaxes(1, 2)
        found[part] = turned @ found[part] @ roots[part]
    return found


def _shares(rows, roots, vectors):
    """Return V' `vectors` for each row, shape (n_rows, n_contrasts, n_vectors)."""
    n_columns, n_contrasts = rows.shape[1], roots.shape[1]
    vectors = vectors.reshape(n_contrasts, n_columns, -1).swapaxes(0, 1)
    products = doubles(rows) @ vectors.reshape(n_columns, -1)
    products = products.reshape(len(rows), n_contrasts, -1)
    return roots.swapaxes(1, 2) @ products


def _times_row(matrix, row):
    """Return the product of a matrix and the Kronecker product of identity and row."""
    return (matrix.reshape(-1, len(row)) @ doubles(row)).reshape(len(matrix), -1)


def _highest(values, priority):
    """Return the index of the highest value, as good as it can be told."""
    top = values.max()
    return best(values >= top - _ROUNDING * abs(top), priority)


def _dense(rows):
    """Return rows as an array: there are few columns."""
    return rows.toarray() if sparse.issparse(rows) else rows
