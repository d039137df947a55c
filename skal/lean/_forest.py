"""Decision trees and forests by their compiled trees alone."""

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.utils import (
    check_random_state,
    compute_class_weight,
    compute_sample_weight,
)

from skal.lean._by_class import is_valid
from skal.lean._form import LeanForm
from skal.lean._linear import labels
from skal.lean._trees import Grower, as_float32, can_grow

MAX_SEED = np.iinfo(np.int32).max


class LeanDecisionTree(LeanForm):
    """A decision tree, the same bits as by `fit`."""

    kind = DecisionTreeClassifier
    methods = ("predict", "predict_proba")
    any_order = True

    def suits(self, estimator: Any) -> bool:
        """Return whether the tree is not pruned and has no constraints."""
        return (
            isinstance(estimator.splitter, str)
            and can_grow(estimator)
            and is_valid(estimator)
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Grow the tree, and set the attributes of `fit`."""
        rows = as_float32(X)
        if rows is None:
            model.fit(X, classes[codes])  # It says which numbers are too large.
            return
        random_state = check_random_state(model.random_state)
        weights = None
        if model.class_weight is not None:
            weights = compute_sample_weight(model.class_weight, classes[codes])
        Grower(model, rows, codes, len(classes)).grow(model, weights, random_state)
        model.classes_ = classes

    def look(self, model: Any, X: NDArray) -> NDArray:
        """Return the class probabilities."""
        rows = as_float32(X)
        if rows is None:
            return model.predict_proba(X)  # An error: numbers are too large.
        return model.tree_.predict(rows)[:, : model.n_classes_]

    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return labels or probabilities."""
        return labels(model, seen) if method == "predict" else seen


class LeanForest(LeanForm):
    """A forest, the same bits as by `fit`: see `LeanRandomForest`, `LeanExtraTrees`."""

    methods = ("predict", "predict_proba")
    any_order = True

    def suits(self, estimator: Any) -> bool:
        """Return whether only trees are asked for, by no means that are rare."""
        return (
            type(estimator.estimator) in (DecisionTreeClassifier, ExtraTreeClassifier)
            and can_grow(estimator)
            and (estimator.bootstrap or estimator.max_samples is None)
            and not (estimator.oob_score or estimator.warm_start or estimator.verbose)
            and is_valid(estimator)
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Grow the trees, each from a seed of its own, and set the attributes."""
        rows = as_float32(X)
        weights = _row_weights(model, codes, classes)
        n_drawn = _n_drawn(model, len(X), weights)
        if rows is None or (n_drawn is not None and n_drawn < 1):
            model.fit(X, classes[codes])  # It says what is wrong.
            return
        model.n_features_in_, model.n_outputs_ = X.shape[1], 1
        model.classes_, model.n_classes_ = classes, len(classes)
        model._n_samples, model._n_samples_bootstrap = len(X), n_drawn
        model._sample_weight, model.estimator_ = weights, model.estimator
        trees = _unfitted_trees(model)
        grower = Grower(trees[0], rows, codes, len(classes))
        names = np.arange(len(classes), dtype=float)
        random_state = np.random.RandomState(0)  # Its seed is set for each tree.
        for tree in trees:
            drawn = _drawn_weights(model, tree.random_state, random_state, codes)
            random_state.seed(tree.random_state)
            grower.grow(tree, drawn, random_state)
            tree.classes_ = names.copy()
        model.estimators_ = trees

    def look(self, model: Any, X: NDArray) -> NDArray:
        """Return the mean of the trees' class probabilities."""
        rows = as_float32(X)
        if rows is None:
            return model.predict_proba(X)  # An error: numbers are too large.
        found = np.zeros((len(X), model.n_classes_))
        for tree in model.estimators_:
            found += tree.tree_.predict(rows)
        found /= len(model.estimators_)
        return found

    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return labels or probabilities."""
        return labels(model, seen) if method == "predict" else seen


class LeanRandomForest(LeanForest):
    """A random forest, the same bits as by `fit`."""

    kind = RandomForestClassifier


class LeanExtraTrees(LeanForest):
    """Extremely randomised trees, the same bits as by `fit`."""

    kind = ExtraTreesClassifier


def _unfitted_trees(model: Any) -> list[Any]:
    """Return the trees of a forest, each with a seed, as `fit` makes them."""
    seeds = check_random_state(model.random_state).randint(
        MAX_SEED, size=model.n_estimators
    )
    first = type(model.estimator)(**model.estimator.get_params())
    first.set_params(**{name: getattr(model, name) for name in model.estimator_params})
    trees = []
    for seed in seeds.tolist():
        tree = object.__new__(type(first))
        vars(tree).update(vars(first), random_state=seed)
        trees.append(tree)
    return trees


def _row_weights(
    model: Any, codes: NDArray[np.int64], classes: NDArray
) -> NDArray[np.float64] | None:
    """Return the weight of each row by its class; None if all are the same."""
    wanted = model.class_weight
    if wanted is None or (wanted == "balanced_subsample" and model.bootstrap):
        return None
    y = classes[codes]
    if isinstance(wanted, str):
        found = compute_class_weight("balanced", classes=classes, y=y)
        wanted = dict(zip(classes, found, strict=True))
    return compute_sample_weight(wanted, y)


def _n_drawn(
    model: Any, n_rows: int, weights: NDArray[np.float64] | None
) -> int | None:
    """Return how many rows are drawn for a tree; None if it gets all, 0 if too few."""
    if not model.bootstrap:
        return None
    if model.max_samples is None:
        return n_rows
    if isinstance(model.max_samples, numbers.Integral):
        return int(model.max_samples)
    n_drawn = int(model.max_samples * (n_rows if weights is None else weights.sum()))
    return n_drawn if n_drawn >= max(10, n_rows ** (1 / 3)) else 0


def _drawn_weights(
    model: Any,
    seed: int,
    random_state: np.random.RandomState,
    codes: NDArray[np.int64],
) -> NDArray[np.float64] | None:
    """Return how often each row is drawn for a tree, times its weight in the draw."""
    n_rows, n_drawn, weights = (
        model._n_samples,
        model._n_samples_bootstrap,
        model._sample_weight,
    )
    if not model.bootstrap:
        return weights
    random_state.seed(seed)
    if weights is None:
        drawn = random_state.randint(0, n_rows, n_drawn)
    else:
        shares = weights / np.sum(weights)
        drawn = random_state.choice(n_rows, n_drawn, replace=True, p=shares)
    counts = np.bincount(drawn, minlength=n_rows).astype(float)
    if model.class_weight == "balanced_subsample":
        counts *= _balanced(codes[drawn], model.n_classes_)[codes]
    return counts


def _balanced(codes: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Return weights of classes that are inverse to their numbers; 0 for missing."""
    sizes = np.bincount(codes, minlength=n_classes).astype(float)
    n_present = np.count_nonzero(sizes)
    return np.divide(
        np.sum(sizes), n_present * sizes, out=np.zeros(n_classes), where=sizes > 0
    )
