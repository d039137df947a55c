"""Compiled decision trees of scikit-learn, grown without what surrounds them."""

import numbers
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal import _sklearn
from skal.lean._numbers import is_finite


def can_grow(estimator: Any) -> bool:
    """Return whether `Grower` grows the trees of a tree or a forest."""
    return (
        _sklearn.trees is not None
        and isinstance(estimator.criterion, str)
        and estimator.ccp_alpha == 0
        and estimator.monotonic_cst is None
        and (
            estimator.class_weight is None
            or not isinstance(estimator.class_weight, list)
        )
    )


def as_float32(X: NDArray) -> NDArray[np.float32] | None:
    """Return rows as trees take them; None if a number is too large for it."""
    with np.errstate(over="ignore"):
        X = np.ascontiguousarray(X, dtype=np.float32)
    return X if is_finite(X) else None


class Grower:
    """Grows decision trees of the same parameters on the same rows.

    Parameters
    ----------
    tree : DecisionTreeClassifier
        All trees have its parameters.
    X : ndarray of shape (n_rows, n_features), dtype float32
    codes : ndarray of shape (n_rows,)
        The class of each row.
    n_classes : int
    """

    def __init__(
        self,
        tree: Any,
        X: NDArray[np.float32],
        codes: NDArray[np.int64],
        n_classes: int,
    ) -> None:
        self.tree, self.X = tree, X
        self.y = codes.astype(np.float64)[:, None]
        self.n_classes = np.array([n_classes], dtype=np.intp)
        self.max_features = _n_features(tree.max_features, X.shape[1])
        self.min_leaf, self.min_split = _sizes(tree, len(X))

    def grow(
        self,
        model: Any,
        weights: NDArray[np.float64] | None,
        random_state: np.random.RandomState,
    ) -> None:
        """Grow a tree, and set the attributes of a model that `fit` would set.

        Parameters
        ----------
        model : DecisionTreeClassifier
        weights : ndarray of shape (n_rows,) or None
            The weight of each row.
        random_state : RandomState
        """
        kinds, tree = _sklearn.trees, self.tree
        n_features = self.X.shape[1]
        total = len(self.X) if weights is None else np.sum(weights)
        min_weight = tree.min_weight_fraction_leaf * total
        splitter = kinds.splitters[tree.splitter](
            kinds.criteria[tree.criterion](1, self.n_classes),
            self.max_features,
            self.min_leaf,
            min_weight,
            random_state,
            None,
        )
        grown = kinds.tree(n_features, self.n_classes, 1)
        builder = self._builder(splitter, min_weight)
        builder.build(grown, self.X, self.y, weights, None)
        model.n_features_in_, model.n_outputs_ = n_features, 1
        model.n_classes_, model.max_features_ = self.n_classes[0], self.max_features
        model.tree_ = grown

    def _builder(self, splitter: Any, min_weight: float) -> Any:
        kinds, tree = _sklearn.trees, self.tree
        limits = [self.min_split, self.min_leaf, min_weight]
        limits += [np.iinfo(np.int32).max if tree.max_depth is None else tree.max_depth]
        if tree.max_leaf_nodes is None:
            return kinds.depth_first(splitter, *limits, tree.min_impurity_decrease)
        return kinds.best_first(
            splitter, *limits, tree.max_leaf_nodes, tree.min_impurity_decrease
        )


def _n_features(max_features: Any, n_features: int) -> int:
    """Return how many features a split looks at."""
    if max_features is None:
        return n_features
    if max_features == "sqrt":
        return max(1, int(np.sqrt(n_features)))
    if max_features == "log2":
        return max(1, int(np.log2(n_features)))
    if isinstance(max_features, numbers.Integral):
        return int(max_features)
    return max(1, int(max_features * n_features))


def _sizes(tree: Any, n_rows: int) -> tuple[int, int]:
    """Return the fewest rows of a leaf, and of a node that is split."""
    min_leaf, min_split = tree.min_samples_leaf, tree.min_samples_split
    if not isinstance(min_leaf, numbers.Integral):
        min_leaf = ceil(min_leaf * n_rows)
    if not isinstance(min_split, numbers.Integral):
        min_split = max(2, ceil(min_split * n_rows))
    return min_leaf, max(min_split, 2 * min_leaf)
