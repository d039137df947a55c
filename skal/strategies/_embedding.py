"""Base class of strategies that look at embeddings of the rows."""

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler

from skal._sklearn import HasMethods, StrOptions
from skal._threads import single_threaded
from skal.answers._embedding import as_embedding, embedding, has_embedding
from skal.answers._methods import has_method
from skal.inputs._containers import AT_ONCE, n_rows, take, whole
from skal.seeding import isolated, set_random_states, stream
from skal.strategies._base import BaseStrategy
from skal.strategies._prepare import Preparation

# Columns share one unit if the widest range is at most so many times the median one:
# at most 4.4 on digits, satimage, texture and components of Fashion-MNIST, and at least
# 14 on tables such as vehicle, segment and wine.
UNIT = 10
# Share of zeros from which rows are sparse; digits have nearly a half.
ZEROS = 1 / 3


class EmbeddingStrategy(BaseStrategy):
    """Base class of strategies that look at embeddings of the rows.

    A subclass has the parameters `embedding` and `random_state`, and its `_select`
    calls `_embed` for rows of the pool and `_embed_rows` for others, such as the
    labelled ones. The embeddings are, unless the user names others:

    - of a net of `skal.nets`, or any model with a method `embed`: what that returns,
      the activations of the last hidden layer;
    - of a Pipeline: what its last step sees;
    - with any other model, and without one: the rows, each column scaled by the mean
      and standard deviation of the pool. Columns of one unit, such as pixels, are
      centred only. Rows with many zeros are not centred. Rows that are not a table of
      finite numbers are prepared by the steps of the learner's Pipeline before its last
      one, which are fitted to the pool, without labels.

    See Also
    --------
    BaseStrategy : Documents the attributes, and the methods that may be written.

    Examples
    --------
    >>> import numpy as np
    >>> from skal.strategies import EmbeddingStrategy
    >>> class Outermost(EmbeddingStrategy):
    ...     def __init__(self, embedding=None, *, random_state=None):
    ...         self.embedding = embedding
    ...         self.random_state = random_state
    ...     def _select(self, estimator, X, n, candidates, labelled):
    ...         rows = self._embed(estimator, X, candidates)
    ...         norms = np.linalg.norm(rows, axis=1)
    ...         return candidates[np.argsort(-norms)[:n]]
    >>> X = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> Outermost().fit(X).select(None, X, 1)
    array([3])
    """

    needs: tuple[str, ...] = ("embedding",)
    _parameter_constraints: dict = {
        "embedding": [StrOptions({"rows"}), HasMethods(["fit", "transform"]), None],
        "random_state": ["random_state"],
    }

    def _fit(self, X, y, problem):
        """Fit to the pool what turns rows into numbers without a model."""
        estimator = None if problem is None else problem.estimator
        self._rows_alone = self.embedding is not None
        has_other = not self._rows_alone and has_method(estimator, "embed")
        try:
            with isolated(self.seed_), single_threaded():
                self._scaled = self._fit_scaled(X, estimator)
        except ValueError:
            # A net embeds rows that nothing else can, once it is trained.
            if not has_other or n_rows(problem.X_warm) == 0:
                raise
            self._scaled = None

    def _fit_scaled(self, X, estimator):
        """Return the fitted transformer of rows, scaled unless the user named it."""
        name = f"{type(self).__name__}(embedding=...)"
        if not isinstance(self.embedding, str | None):
            steps = set_random_states(clone(self.embedding), stream(self.seed_))
            return _Table(steps.fit(whole(X)), name)
        advice = (
            f"Set `embedding` of {type(self).__name__} to a transformer that turns "
            "rows into numbers."
        )
        return _Scaled(Preparation(estimator, self.seed_, advice)).fit(X)

    def _embed(self, model, X, rows):
        """Return the embeddings of some rows of the pool.

        Parameters
        ----------
        model : fitted estimator or None
        X : rows of the pool, n_pool of them
        rows : ndarray of shape (n_rows,), dtype int64
            Positions in the pool.

        Returns
        -------
        ndarray or csr matrix of shape (n_rows, n_columns), dtype float32
        """
        # Scaling copies the rows; a model is asked about more of them at once.
        size = AT_ONCE if has_embedding(model) else AT_ONCE // 8
        parts = [rows[i : i + size] for i in range(0, max(1, len(rows)), size)]
        found = [self._embed_rows(model, take(X, part)) for part in parts]
        if len(found) == 1:
            return found[0]
        is_sparse = sparse.issparse(found[0])
        return sparse.vstack(found, "csr") if is_sparse else np.concatenate(found)

    def _embed_labelled(self, model, labelled):
        """Return the embeddings of the labelled rows, or None before the first."""
        if labelled is None or n_rows(labelled.X) == 0:
            return None
        return self._embed_rows(model, labelled.X)

    def _embed_rows(self, model, rows):
        """Return the embeddings of any rows, as `_embed` does."""
        if has_embedding(model) and not self._rows_alone:
            return embedding(model, rows)
        if self._scaled is None:
            raise ValueError(
                f"{type(self).__name__} cannot embed the rows before a net is trained: "
                "set `embedding` to a transformer that turns rows "
                "into numbers."
            )
        return self._scaled.transform(rows)


class _Table:
    """A fitted transformer, whose answers are checked."""

    def __init__(self, transformer, name):
        self.transformer, self.name = transformer, name

    def transform(self, rows):
        return as_embedding(self.transformer.transform(rows), self.name)


class _Scaled:
    """Rows of numbers, whose columns are made comparable."""

    def __init__(self, preparation):
        self.preparation = preparation

    def fit(self, X):
        X = as_embedding(self.preparation.fit_transform(X), "the rows")
        self._is_sparse = _is_sparse(X)
        X = self._in_form(X)
        self.scaler = _scaler(X, self._is_sparse).fit(X)
        # Not a frame, whatever the user's configuration is.
        self.scaler.set_output(transform="default")
        return self

    def transform(self, rows):
        rows = as_embedding(self.preparation.transform(rows), "the rows")
        return self.scaler.transform(self._in_form(rows))

    def _in_form(self, X):
        """Return rows as an array if they can be centred, in any container."""
        return X if self._is_sparse or not sparse.issparse(X) else X.toarray()


def _is_sparse(X):
    """Return whether many numbers are zero, so that zero may mean "nothing here"."""
    n_other = X.count_nonzero() if sparse.issparse(X) else np.count_nonzero(X)
    return n_other < (1 - ZEROS) * np.prod(X.shape)


def _scaler(X, is_sparse):
    """Return the unfitted transformer that makes columns comparable.

    Columns of different units are scaled to variance 1. Where all have one unit, as
    pixels or principal components, this would enlarge the ones that hardly vary:
    Herding with 10 labels then loses .10 accuracy on digits and .03 on Fashion-MNIST
    (docs/cold_start.md). Sparse columns are not centred, whatever container they come
    in: digits lost .05.
    """
    spread = _spread(X)
    spread = spread[spread > 0]
    has_one_unit = len(spread) == 0 or spread.max() <= UNIT * np.median(spread)
    if is_sparse:
        return FunctionTransformer() if has_one_unit else MaxAbsScaler()
    return StandardScaler(with_std=not has_one_unit)


def _spread(X):
    """Return the range of each column."""
    if sparse.issparse(X):
        return (X.max(axis=0) - X.min(axis=0)).toarray().ravel()
    return np.ptp(X, axis=0)
