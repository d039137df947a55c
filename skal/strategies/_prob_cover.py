"""ProbCover: label the rows whose balls cover most of the pool."""

from math import ceil
from numbers import Integral, Real

import numpy as np

from skal._sklearn import Interval
from skal._threads import single_threaded, without_warnings
from skal.answers._embedding import has_embedding
from skal.inputs._embedding import cluster
from skal.seeding import Stream, stream
from skal.strategies._coverage import (
    RESOLUTION,
    ball,
    nearest_of_others,
    unit_rows,
)
from skal.strategies._covering import CoveringStrategy

# Number of clusters if the classes are not known, as without a learner.
N_CLUSTERS = 10
# Number of balls that are looked at to choose the radius: enough for the share of pure
# ones to be known to half a point.
N_BALLS = 2000


class ProbCover(CoveringStrategy):
    """Label the rows whose balls cover most of the rows that are not covered yet.

    Probability coverage: a labelled row covers all rows of the pool within a radius.
    Works with no label at all, and needs no model.

    Parameters
    ----------
    delta : float or None, default=None
        The radius, as a distance of embeddings, which are scaled to length 1 first. It
        is between 0 and 2. None chooses the largest one at which the balls around
        `purity` of the rows are pure: all rows in them are in the same k-means cluster.
        It is chosen once for the pool, and in each round if embeddings come from a
        model.

    n_clusters : int or None, default=None
        Number of clusters; None for the number of classes of the run, or 10 without a
        learner. Not used if `delta` is given.

    purity : float, default=0.95
        Share of the balls that must be pure. Not used if `delta` is given.

    n_references : int or None, default=None
        Number of rows that are to be covered, drawn at random from the pool; None for
        all. Time is proportional to the rows of the pool times this number.

    embedding : "rows", transformer or None, default=None
        Where embeddings come from: a transformer turns rows into them, and "rows" are
        the scaled rows themselves. None is the hidden layer of a net, the rows as the
        last step of a Pipeline sees them, or else the scaled rows.

    random_state : int, RandomState instance or None, default=None
        Determines the clusters, draws the references and breaks ties. Inside an
        `ActiveLearner`, None takes a seed drawn from the learner's.

    Attributes
    ----------
    delta_ : float
        The radius for embeddings that do not come from a model; infinite if all rows
        are in one cluster.

    See Also
    --------
    Herding : Cover rows the more, the closer they are; has no radius to choose.

    References
    ----------
    Yehuda, Dekel, Hacohen and Weinshall, "Active Learning Through a Covering Lens",
    NeurIPS 2022, algorithm 1, and its rule for the radius.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skal import ProbCover
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = ProbCover(n_clusters=3, random_state=0).fit(X)
    >>> strategy.select(None, X, 3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        **CoveringStrategy._parameter_constraints,
        "delta": [Interval(Real, 0, None, closed="neither"), None],
        "n_clusters": [Interval(Integral, 1, None, closed="left"), None],
        "purity": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(
        self,
        delta=None,
        *,
        n_clusters=None,
        purity=0.95,
        n_references=None,
        embedding=None,
        random_state=None,
    ):
        self.delta = delta
        self.n_clusters = n_clusters
        self.purity = purity
        self.n_references = n_references
        self.embedding = embedding
        self.random_state = random_state

    def _fit(self, X, y, problem):
        super()._fit(X, y, problem)
        self._n_clusters = self.n_clusters
        if self._n_clusters is None:
            classes = () if problem is None else problem.classes
            self._n_clusters = len(classes) or N_CLUSTERS
        self.delta_ = self.delta
        # Rows that only a net can embed have to wait for it.
        if self.delta is None and self._scaled is not None:
            with single_threaded():
                points = unit_rows(self._embed(None, X, np.arange(self.n_pool_)))
                self.delta_ = self._pure_radius(points)

    def _kernel(self, estimator, points, known, weights):
        is_of_model = has_embedding(estimator) and not self._rows_alone
        is_fitted = self.delta is not None or not is_of_model
        return ball(self.delta_ if is_fitted else self._pure_radius(points))

    def _pure_radius(self, points):
        """Return the largest radius at which enough balls are pure."""
        n = points.shape[0]
        n_clusters = min(self._n_clusters, n)
        # Fewer points may differ than there are clusters.
        with without_warnings("Number of distinct clusters"):
            clusters = cluster(points, n_clusters, self.seed_)
        some = stream(self.seed_, Stream.SAMPLE).permutation(n)[:N_BALLS]
        reach = np.sort(nearest_of_others(points, clusters, some))
        radius = reach[len(reach) - ceil(self.purity * len(reach))]
        if radius < RESOLUTION:
            raise ValueError(
                f"ProbCover finds no radius at which {self.purity:.0%} of the balls "
                f"are pure, since rows of different clusters are equal: set delta, or "
                f"n_clusters to fewer than {n_clusters}."
            )
        return float(radius)
