"""`NearestCentroid` by matrix products in place of a loop over classes."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances, pairwise_distances_argmin
from sklearn.neighbors import NearestCentroid

from skal.lean._by_class import class_means, is_valid, sorted_by_class
from skal.lean._form import LeanForm
from skal.lean._near_ties import competitors

EPS = float(np.finfo(float).eps)


class LeanNearestCentroid(LeanForm):
    """Nearest centroid: the same bits as by `fit`, and the same labels.

    Distances are expanded into products of rows and centroids. Where rounding could
    change a label, or a probability by more than the tolerance, all are computed anew
    by scikit-learn's own functions.
    """

    kind = NearestCentroid
    tolerance = 1e-6

    def suits(self, estimator: Any) -> bool:
        """Return whether distances are Euclidean, and the parameters valid."""
        # `fit` cannot compare an array of priors with a string.
        return (
            estimator.metric == "euclidean"
            and not isinstance(estimator.priors, np.ndarray)
            and is_valid(estimator)
        )

    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Set the centroids and what belongs to them, as `fit` does."""
        n_rows, n_classes = len(X), len(classes)
        prior = _priors(model.priors, codes, n_classes)
        constant = (X[0] == X).all()
        if constant or (prior < 0).any() or not np.isclose(prior.sum(), 1.0):
            model.fit(X, classes[codes])  # It says what is wrong with them.
            return
        rows, sizes = sorted_by_class(X, codes, n_classes)
        centroids = class_means(rows, sizes).astype(float)
        spread = np.square(X - centroids[codes]).sum(axis=0)
        deviation = np.sqrt(spread / (n_rows - n_classes))
        if (deviation == 0).any():
            warnings.warn(
                "self.within_class_std_dev_ has at least 1 zero standard deviation."
                "Inputs within the same classes for at least 1 feature are identical.",
                stacklevel=2,
            )
        model.n_features_in_ = X.shape[1]
        model.classes_, model.class_prior_ = classes, prior
        model.within_class_std_dev_ = deviation
        middle = X.mean(axis=0)
        scale = np.sqrt((1.0 / sizes) - (1.0 / n_rows))
        scale = scale[:, None] * (deviation + np.median(deviation))
        model.centroids_, model.deviations_ = _shrunk(
            centroids, middle, scale, model.shrink_threshold
        )

    def look(self, model: Any, X: NDArray) -> NDArray:
        """Return the discriminant scores of each row, and the number of its class."""
        X = X.astype(float, copy=False)
        seen = np.full((len(X), len(model.classes_) + 1), np.nan)
        if _are_known(model, "decision_function"):
            seen[:, :-1] = _scores(model, X, self.tolerance)
        if not _by_distance_alone(model):
            seen[:, -1] = seen[:, :-1].argmax(axis=1)
        elif _are_known(model, "predict"):
            seen[:, -1] = _nearest(model, X)
        return seen

    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return labels, probabilities or scores."""
        if not _are_known(model, method):
            # scikit-learn says why there are no answers.
            return getattr(model, method)(np.zeros((1, model.n_features_in_)))
        if method == "predict":
            return model.classes_.take(seen[:, -1].astype(np.intp))
        scores = seen[:, :-1]
        if method == "decision_function":
            return _difference(scores)
        return _probabilities(scores)


def _by_distance_alone(model: Any) -> bool:
    """Return whether priors are even, so that columns are not scaled for labels."""
    return bool(np.isclose(model.class_prior_, 1 / len(model.classes_)).all())


def _are_known(model: Any, method: str) -> bool:
    """Return whether a method has answers: not all, with one row for each class."""
    if np.isnan(model.centroids_).any():
        return False
    by_distance = method == "predict" and _by_distance_alone(model)
    return by_distance or not np.isnan(model.within_class_std_dev_).any()


def _priors(priors: Any, codes: NDArray[np.int64], n_classes: int) -> NDArray:
    """Return the prior probability of each class."""
    if isinstance(priors, str) and priors == "uniform":
        return np.asarray([1 / n_classes] * n_classes)
    if isinstance(priors, str):
        return np.bincount(codes) / float(len(codes))
    return np.asarray(priors)


def _shrunk(
    centroids: NDArray, middle: NDArray, scale: NDArray, threshold: float | None
) -> tuple[NDArray, NDArray]:
    """Return the centroids and their deviations, both shrunk by the threshold."""
    deviations = (centroids - middle) / scale
    if not threshold:
        return centroids, deviations
    signs = np.sign(deviations)
    deviations = np.clip(np.abs(deviations) - threshold, 0, None) * signs
    return middle + scale * deviations, deviations


def _products(X: NDArray, centroids: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return squared distances less the squared length of each row.

    Returns
    -------
    found : ndarray of shape (n_rows, n_classes)
    lengths : ndarray of shape (n_rows,)
        Squared lengths of the rows.
    errors : ndarray of shape (n_rows,)
        Bounds on the errors here and of scikit-learn, which expands the square alike.
    """
    squares = np.einsum("ij,ij->i", centroids, centroids)
    lengths = np.einsum("ij,ij->i", X, X)
    found = X @ (-2 * centroids.T)
    found += squares
    return found, lengths, 4 * (X.shape[1] + 8) * EPS * (lengths + squares.max())


def _nearest(model: Any, X: NDArray) -> NDArray[np.intp]:
    """Return the number of the nearest centroid of each row."""
    with np.errstate(over="ignore", invalid="ignore"):
        found, _, errors = _products(X, model.centroids_)
        rows, best = np.arange(len(X)), found.argmin(axis=1)
        least = found[rows, best]
        found[rows, best] = np.inf
        clear = (found.min(axis=1) - least > 2 * errors).all()
    if clear:
        return best
    return pairwise_distances_argmin(X, model.centroids_, metric="euclidean")


def _scores(model: Any, X: NDArray, tolerance: float) -> NDArray:
    """Return minus the squared distance to each class, in deviations, plus priors."""
    scale = np.where(model.within_class_std_dev_ == 0, 1, model.within_class_std_dev_)
    X, centroids = X / scale, model.centroids_ / scale
    with np.errstate(divide="ignore"):
        log_priors = 2.0 * np.log(model.class_prior_)[np.arange(len(centroids))]
    with np.errstate(over="ignore", invalid="ignore"):
        scores, lengths, errors = _products(X, centroids)
        scores += lengths[:, None]
        np.maximum(scores, 0, out=scores)
        np.subtract(log_priors, scores, out=scores)
        exact = _are_exact(model, scores, errors, tolerance)
    return scores if exact else _scores_one_by_one(X, centroids, log_priors)


def _are_exact(model: Any, scores: NDArray, errors: NDArray, tolerance: float) -> bool:
    """Return whether errors change no label, and answers by less than the tolerance."""
    values = _difference(scores)
    largest = np.abs(values[np.isfinite(values)]).max(initial=0)
    if not errors.max() <= tolerance * largest:
        return False
    if errors.max() <= tolerance / 2 and _by_distance_alone(model):
        return True
    errors = np.broadcast_to(errors[:, None], scores.shape)
    return not competitors(scores, errors, tolerance, scores.dtype).any()


def _scores_one_by_one(X: NDArray, centroids: NDArray, log_priors: NDArray) -> NDArray:
    """Return the same scores as scikit-learn, bit for bit."""
    scores = np.empty((len(X), len(centroids)))
    for k, (centroid, log_prior) in enumerate(zip(centroids, log_priors, strict=True)):
        distances = pairwise_distances(X, centroid[None], metric="euclidean").ravel()
        distances **= 2
        scores[:, k] = -distances + log_prior
    return scores


def _difference(scores: NDArray) -> NDArray:
    """Return the decision values: of two classes, the difference of their scores."""
    return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores


def _probabilities(scores: NDArray) -> NDArray:
    """Return the probability of each class."""
    likelihood = scores - scores.max(axis=1)[:, None]
    return np.exp(likelihood - np.log(np.exp(likelihood).sum(axis=1)[:, None]))
