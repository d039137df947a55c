"""The rows, labels and models of a run, as scikit-activeml takes them."""

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin

from skal.answers._posterior import sample_posterior
from skal.answers._reading import predicted_codes, probabilities
from skal.inputs._containers import is_frame


def as_table(X, name="X"):
    """Return rows as a dense array of finite numbers.

    Parameters
    ----------
    X : rows, n_rows of them
        An array, a sparse matrix or a data frame.
    name : str, default="X"
        The name of the rows in the error message.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype float64

    Raises
    ------
    ValueError
        If the rows are no table of numbers, or some numbers are missing.
    """
    try:
        table = X.toarray() if sparse.issparse(X) else X
        table = np.asarray(table, dtype=np.float64)
        is_sound = table.ndim == 2 and bool(np.isfinite(table).all())
    except (TypeError, ValueError):
        is_sound = False
    if not is_sound:
        raise ValueError(
            f"{name} must be a table of finite numbers, since query strategies of "
            "scikit-activeml take no other rows: turn the rows into numbers and fill "
            "the missing ones before the learner is given them."
        )
    return table


class Container:
    """Puts an array back into the container of the pool, as the model was given it.

    Parameters
    ----------
    X : rows of the pool
    """

    def __init__(self, X):
        self.n_columns = np.shape(X)[1]
        self.is_sparse = sparse.issparse(X)
        self.columns = list(X.columns) if is_frame(X) else None
        if self.columns is not None:
            self.backend = nw.get_native_namespace(nw.from_native(X))

    def restore(self, table):
        """Return an array as a data frame or sparse matrix, if the pool is one."""
        if self.is_sparse:
            return sparse.csr_array(table)
        # scikit-learn looks at column names only if all are strings.
        if self.columns is None or not all(isinstance(c, str) for c in self.columns):
            return table
        frame = nw.from_numpy(table, schema=self.columns, backend=self.backend)
        return frame.to_native()


class ModelView(ClassifierMixin, BaseEstimator):
    """A fitted model that takes arrays and answers in class numbers.

    Parameters
    ----------
    model : fitted classifier
    classes : ndarray of shape (n_classes,)
        The class list, sorted.
    container : Container
        The container of the rows that the model takes.
    seed : int
        Determines posterior samples.
    """

    def __init__(self, model, classes, container, seed):
        self.model = model
        self.classes = classes
        self.container = container
        self.seed = seed

    @property
    def classes_(self):
        """The class numbers."""
        return np.arange(len(self.classes))

    @property
    def n_features_in_(self):
        """The number of columns."""
        return self.container.n_columns

    def __sklearn_is_fitted__(self):
        return True

    def __deepcopy__(self, memo):
        # SklearnClassifier copies its estimator, and nothing here is ever changed.
        return self

    def fit(self, X, y):
        """Refuse to train the model again: it is the learner that trains it."""
        raise TypeError(
            "it trains the model itself, which only `estimator` allows, a classifier "
            "of scikit-activeml"
        )

    def predict(self, X):
        """Return the predicted class number of each row, shape (n_rows,)."""
        return predicted_codes(self.model, self.container.restore(X), self.classes)

    def predict_proba(self, X):
        """Return class probabilities, shape (n_rows, n_classes)."""
        return probabilities(self.model, self.container.restore(X))

    def sample_members(self, X, n_samples=20):
        """Return the probabilities by each member, (n_members, n_rows, n_classes)."""
        rows = self.container.restore(X)
        samples = sample_posterior(self.model, rows, n_samples, self.seed)
        return samples.transpose(1, 0, 2).astype(np.float64)
