"""Feature mixing: label rows that a little of another class turns into that class."""

from numbers import Real

import numpy as np
from scipy import sparse

from skal._sklearn import Interval
from skal._threads import single_threaded
from skal.answers._embedding import is_constant
from skal.answers._head import linear_head
from skal.inputs._containers import by_chunks, n_rows
from skal.strategies._clustering import central_rows
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._points import blocks, doubles, mean_row


class AlfaMix(EmbeddingStrategy):
    """Label rows whose prediction changes when they are mixed with labelled ones.

    The features of each candidate are moved towards the mean of the labelled rows of
    each class, most along the features to which its prediction is sensitive. Candidates
    whose prediction changes after a small step are clustered by k-means, into as many
    clusters as rows are asked for, and the row nearest to the centre of each cluster is
    labelled.

    Parameters
    ----------
    max_mix : float, default=0.2
        Length of the largest step, as a share of the distance to the mean of a class.

    embedding : {"rows"}, transformer or None, default=None
        The embeddings to cluster: None takes the model's own if it has some (the hidden
        layer of a net, what the last step of a Pipeline sees), and scaled rows
        otherwise; "rows" takes scaled rows always; a transformer is fitted to the pool.
        The features that are mixed are always the inputs of the linear layer.

    random_state : int, RandomState instance or None, default=None
        Determines the clusters, and breaks ties. Inside an `ActiveLearner`, None takes
        a seed drawn from the learner's.

    See Also
    --------
    DropQuery : Drop features, and see whether the prediction changes.

    Notes
    -----
    The classifier must be linear, as for `DropQuery`. The step towards a mean follows
    the gradient of the loss for the predicted class, but only in features that bring
    the row closer to the mean, and never beyond it. Its effect on a linear layer grows
    in proportion to its length, so that the shortest step that changes the prediction
    is found in closed form. If fewer candidates than rows to label change within
    `max_mix`, the ones with the shortest steps are added.

    References
    ----------
    Parvaneh, Abbasnejad, Teney, Haffari, van den Hengel and Shi, "Active Learning by
    Feature Mixing", CVPR 2022, Equations 3 to 5.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import AlfaMix
    >>> from skal.strategies import Labelled
    >>> X, y = load_iris(return_X_y=True)
    >>> labelled = Labelled(X[::10], y[::10], range(0, 150, 10))
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> AlfaMix().fit(X).select(model, X, 3, labelled=labelled).shape
    (3,)
    """

    needs = ("classes", "predict", "embedding")
    needs_labelled = True
    _parameter_constraints: dict = {
        **EmbeddingStrategy._parameter_constraints,
        "max_mix": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(self, *, max_mix=0.2, embedding=None, random_state=None):
        self.max_mix = max_mix
        self.embedding = embedding
        self.random_state = random_state

    def _select(self, estimator, X, n, candidates, labelled):
        steps = self._steps(estimator, X, candidates, labelled)
        priority = self._draw_priority()[candidates]
        nearest = np.lexsort((priority, steps))
        n_changed = np.count_nonzero(steps <= self.max_mix)
        chosen = np.sort(nearest[: max(n, n_changed)])
        rows = self._embed(estimator, X, candidates[chosen])
        with single_threaded():
            picked = chosen[central_rows(rows, n, self.seed_, priority[chosen])]
        # Clusters are empty if there are duplicates, which then fill the batch.
        rest = nearest[: len(chosen)]
        rest = rest[~np.isin(rest, picked)]
        return candidates[np.concatenate([picked, rest])[:n]]

    def _steps(self, estimator, X, candidates, labelled):
        """Return the shortest step that changes the prediction of each candidate."""
        if is_constant(estimator) or n_rows(labelled.X) == 0:
            return np.full(len(candidates), np.inf)
        head = linear_head(estimator)
        means = class_means(head.inputs(labelled.X), np.asarray(labelled.y))

        def steps(rows):
            inputs = head.inputs(rows)
            with single_threaded():
                found = [
                    shortest_steps(head, doubles(inputs[part]), means)
                    for part in blocks(inputs, beside=head.coef.shape[1])
                ]
            return np.concatenate(found)

        return by_chunks(steps, X, candidates)


def class_means(inputs, labels):
    """Return the mean of the rows of each class, shape (n_classes, n_columns).

    Parameters
    ----------
    inputs : ndarray or csr matrix of shape (n_rows, n_columns)
    labels : ndarray of shape (n_rows,)
    """
    classes, codes = np.unique(labels, return_inverse=True)
    return np.array([mean_row(inputs[codes == c]) for c in range(len(classes))])


def shortest_steps(head, inputs, means):
    """Return the shortest step towards a mean that changes each row's prediction.

    Parameters
    ----------
    head : LinearHead
    inputs : ndarray or csr matrix of shape (n_rows, n_columns), dtype float64
    means : ndarray of shape (n_classes, n_columns)

    Returns
    -------
    ndarray of shape (n_rows,)
        As a share of the distance to the mean; infinite if none changes it.
    """
    inputs = inputs.toarray() if sparse.issparse(inputs) else inputs
    coef, intercept = _one_output_per_class(head)
    outputs = inputs @ coef.T + intercept
    predicted = outputs.argmax(axis=1)
    is_predicted = np.eye(len(coef), dtype=bool)[predicted]
    weights = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    # The gradient of the log-loss for the predicted class, of length 1.
    gradient = (weights - is_predicted) @ coef
    norms = np.linalg.norm(gradient, axis=1, keepdims=True)
    gradient = np.divide(gradient, norms, out=np.zeros_like(gradient), where=norms > 0)
    # How far each output is below the predicted class's.
    gaps = outputs.max(axis=1, keepdims=True) - outputs
    found = np.full(len(inputs), np.inf)
    for mean in means:
        away = mean - inputs
        along = np.linalg.norm(away, axis=1, keepdims=True) * gradient
        step = np.where(along * away > 0, along, 0)
        step = np.clip(step, -np.abs(away), np.abs(away))
        moved = step @ coef.T
        gains = moved - moved[np.arange(len(moved)), predicted, None]
        ratios = np.full_like(gaps, np.inf)
        np.divide(gaps, gains, out=ratios, where=(gains > 0) & ~is_predicted)
        found = np.minimum(found, ratios.min(axis=1))
    return np.where(found <= 1, found, np.inf)


def _one_output_per_class(head):
    """Return the coefficients and intercepts of a head, one row for each class."""
    coef, intercept = head.coef, head.intercept
    if len(coef) > 1:
        return coef, intercept
    return np.concatenate([-coef, coef]) / 2, np.append(-intercept, intercept) / 2
