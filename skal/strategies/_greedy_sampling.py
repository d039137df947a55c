"""Greedy sampling for regression: the rows farthest from all labelled ones."""

import numpy as np

from skal._sklearn import StrOptions
from skal.answers._numbers import as_numbers, predicted_numbers
from skal.inputs._containers import by_chunks, n_rows
from skal.strategies._core_set import FarthestRows
from skal.strategies._points import Points


class GreedySampling(FarthestRows):
    """Label rows far from all labelled ones, in inputs, predictions or both.

    For regressors. One row at a time, the candidate is picked whose distance from the
    nearest row that is labelled or picked already is largest. The distance is measured
    between inputs (GSx), between predictions and labels (GSy), or as the product of
    both (iGS).

    Parameters
    ----------
    space : {"x", "y", "xy"}, default="x"
        Where distances are measured. "x" is the distance between embeddings, and needs
        no model: it works while nothing is labelled, and then begins with the row
        nearest to the mean of the candidates. "y" is the difference between the
        prediction for a candidate and the label of a labelled row, and "xy" the product
        of both distances. They need a model, so let "x" begin:
        ``Then(GreedySampling(), GreedySampling("xy"), n_first=10)``.

    embedding : {"rows"}, transformer or None, default=None
        The embeddings for "x" and "xy": None takes the model's own if it has some (the
        hidden layer of a net, what the last step of a Pipeline sees), and scaled rows
        otherwise; "rows" takes scaled rows always; a transformer is fitted to the pool.

    random_state : int, RandomState instance or None, default=None
        Decides between rows at equal distances. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    CoreSet : The same as ``space="x"``.
    LCMD : Spread a batch over the inputs, with less weight on outliers.
    MaxVariance : Label the rows whose prediction is least certain.

    Notes
    -----
    The paper labels one row in a round. In a larger batch, the label of a row that was
    picked is not known yet, and the model's prediction is used in its place.

    Distances are Euclidean; of several outputs, too. Time is proportional to N (L + n),
    and memory to N, for N candidates, L labelled rows and n rows to select.

    References
    ----------
    Wu, Lin and Huang, "Active Learning for Regression Using Greedy Sampling",
    Information Sciences 474, 2019, algorithms 1 to 3. GSx is from Yu and Kim, "Passive
    Sampling for Regression", ICDM 2010.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skal import GreedySampling
    >>> from skal.strategies import Labelled
    >>> X, y = load_diabetes(return_X_y=True)
    >>> first = GreedySampling(random_state=0).fit(X).select(None, X, 10)
    >>> model = Ridge().fit(X[first], y[first])
    >>> labelled = Labelled(X[first], y[first], first)
    >>> rest = [row for row in range(442) if row not in first]
    >>> strategy = GreedySampling("xy", random_state=0).fit(X)
    >>> strategy.select(model, X, 5, candidates=rest, labelled=labelled).shape
    (5,)
    """

    _parameter_constraints: dict = {
        **FarthestRows._parameter_constraints,
        "space": [StrOptions({"x", "y", "xy"})],
    }

    def __init__(self, space="x", *, embedding=None, random_state=None):
        self.space = space
        self.embedding = embedding
        self.random_state = random_state

    @property
    def needs(self):
        """Embeddings, predicted numbers, or both."""
        return {
            "x": ("embedding",),
            "y": ("predicted_numbers",),
            "xy": ("predicted_numbers", "embedding"),
        }[self.space]

    @property
    def needs_labelled(self):
        """Return whether `select` must be given the rows labelled so far."""
        return self.space != "x"

    def _fit(self, X, y, problem):
        # Predictions alone can be compared for rows that nothing embeds.
        if self.space != "y":
            super()._fit(X, y, problem)

    def _points(self, estimator, X, candidates, labelled):
        outputs = inputs = None
        if self.space != "x":
            outputs = self._outputs(estimator, X, candidates, labelled)
        if self.space != "y":
            inputs = super()._points(estimator, X, candidates, labelled)
        if inputs is None or outputs is None:
            return inputs or outputs
        both = tuple(zip(inputs, outputs, strict=True))
        return Products(*both[0]), both[1] if n_rows(labelled.X) else None

    def _outputs(self, estimator, X, candidates, labelled):
        """Return the predictions for candidates as points, and the known labels."""
        found = by_chunks(lambda X: predicted_numbers(estimator, X), X, candidates)
        # Differences of large numbers would be lost in rounding.
        centre = found.mean(axis=0)
        if n_rows(labelled.X) == 0:
            return Points(found - centre), None
        return Points(found - centre), as_numbers(labelled.y, "the labels") - centre


class Products:
    """Points in two spaces at once, whose distances are the products of both.

    It has the methods of `Points` that `farthest_first` calls.

    Parameters
    ----------
    inputs, outputs : Points
        The same points in either space.
    """

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = inputs, outputs

    def from_middle(self):
        """Return the squared distances from the mean of the inputs."""
        return self.inputs.from_middle()

    def distances(self, i):
        """Return the squared products of the distances of point i from all points."""
        return self.inputs.distances(i) * self.outputs.distances(i)

    def nearest(self, others):
        """Return the least squared product for each point, over some other rows.

        Parameters
        ----------
        others : tuple of two arrays or csr matrices
            The rows in either space, n_others of them.

        Returns
        -------
        ndarray of shape (n_points,)
        """
        found = np.full(len(self.inputs), np.inf)
        others_x, others_y = others
        for rows, part, squared in self.inputs.distances_to(others_x):
            squared *= self.outputs.between(rows, others_y[part])
            found[rows] = np.minimum(found[rows], squared.min(axis=1))
        return found
