"""`KNeighborsClassifier` by its compiled search for neighbours alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import BallTree, KDTree, KNeighborsClassifier
from sklearn.utils.extmath import weighted_mode

from skal import _sklearn
from skal.lean._by_class import is_valid
from skal.lean._form import LeanForm

TREES = {"kd_tree": KDTree, "ball_tree": BallTree}
# With more columns, "auto" does not mean a tree.
MOST_COLUMNS = 15


class LeanKNeighbors(LeanForm):
    """Nearest neighbours by Euclidean distance, the same bits as by `fit`."""

    kind = KNeighborsClassifier
    methods = ("predict", "predict_proba")

    def suits(self, estimator: Any) -> bool:
        """Return whether distances are Euclidean, and weights no function."""
        metric = estimator.metric
        return (
            _sklearn.arg_k_min is not None
            and isinstance(metric, str)
            and (metric == "euclidean" or (metric == "minkowski" and estimator.p == 2))
            and estimator.metric_params is None
            and not callable(estimator.weights)
            and is_valid(estimator)
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Keep the rows, in a tree where scikit-learn grows one."""
        model.n_features_in_, model.n_samples_fit_ = X.shape[1], len(X)
        model.outputs_2d_, model.classes_ = False, classes
        model._y, model._fit_X = codes.astype(np.intp), X
        model.effective_metric_, model.effective_metric_params_ = "euclidean", {}
        model._fit_method, model._tree = _algorithm(model, X), None
        if model._fit_method != "brute":
            tree = TREES[model._fit_method]
            model._tree = tree(X, model.leaf_size, metric="euclidean")

    def look(self, model: Any, X: NDArray) -> NDArray:
        """Return the class probabilities of each row, and the number of its class."""
        by_distance = model.weights == "distance"
        distances, rows = _neighbours(model, X, by_distance)
        codes = model._y[rows]
        seen = np.zeros((len(X), len(model.classes_) + 1))
        weights = _weights(distances) if by_distance else distances
        queries = np.arange(len(X))
        for k in range(codes.shape[1]):
            seen[queries, codes[:, k]] += weights[:, k]
        probabilities = seen[:, :-1]
        probabilities /= probabilities.sum(axis=1)[:, None]
        if by_distance:
            # `predict` adds in another order, and so has other ties.
            seen[:, -1] = weighted_mode(codes, weights, axis=1)[0].ravel()
        else:
            seen[:, -1] = probabilities.argmax(axis=1)
        return seen

    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return labels or probabilities."""
        if method == "predict":
            return model.classes_.take(seen[:, -1].astype(np.intp))
        return seen[:, :-1].copy()


def _algorithm(model: Any, X: NDArray) -> str:
    """Return the algorithm that scikit-learn searches by."""
    if model.algorithm != "auto":
        return model.algorithm
    n_rows, n_columns = X.shape
    many = model.n_neighbors is not None and model.n_neighbors >= n_rows // 2
    return "brute" if many or n_columns > MOST_COLUMNS else "kd_tree"


def _neighbours(
    model: Any, X: NDArray, with_distances: bool
) -> tuple[NDArray, NDArray[np.intp]]:
    """Return distances of the nearest rows, or ones, and their positions."""
    n_neighbors, known = model.n_neighbors, model._fit_X
    by_brute = model._fit_method == "brute"
    if n_neighbors > len(known) or (
        by_brute and not _sklearn.arg_k_min.is_usable_for(X, known, "euclidean")
    ):
        # Too many neighbours: an error. Or rows of two types.
        found = model.kneighbors(X, return_distance=with_distances)
    elif by_brute:
        found = _sklearn.arg_k_min.compute(
            X=X,
            Y=known,
            k=n_neighbors,
            metric="euclidean",
            metric_kwargs={},
            strategy="auto",
            return_distance=with_distances,
        )
    else:
        found = model._tree.query(X, n_neighbors, with_distances)
    return found if with_distances else (np.ones_like(found), found)


def _weights(distances: NDArray) -> NDArray:
    """Return the inverse of distances; where there are zeros, they alone count."""
    with np.errstate(divide="ignore"):
        weights = 1.0 / distances
    equal = np.isinf(weights)
    rows = np.any(equal, axis=1)
    weights[rows] = equal[rows]
    return weights
