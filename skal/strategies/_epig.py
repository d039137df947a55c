"""Expected predictive information gain, over the rows that matter for prediction."""

from numbers import Integral

import numpy as np

from skal._sklearn import Interval
from skal.information import epig
from skal.inputs._containers import n_rows, take
from skal.seeding import Stream, stream
from skal.strategies._disagreement import SamplingStrategy


class EPIG(SamplingStrategy):
    """Label the rows whose labels are most informative about other predictions.

    Expected predictive information gain: the mutual information between the label of a
    row and the label of a target row, averaged over the target rows. `BALD` measures
    what a label tells about the model, even where nothing is ever predicted, such as at
    outliers; EPIG measures what it tells about the labels of the target rows.

    Parameters
    ----------
    X_target : rows or None, default=None
        Rows like the ones to be predicted, in the same container as the pool,
        without labels. By default, the rows of the pool.

    n_targets : int, default=100
        Number of target rows, which are drawn once, at random; all of them if there
        are fewer. The time is proportional to it.

    n_samples : int, default=20
        Posterior samples to draw from a net. An ensemble gives one per member.

    random_state : int, RandomState instance or None, default=None
        Determines the target rows and the samples, and breaks ties. Inside an
        `ActiveLearner`, None takes a seed drawn from the learner's.

    Attributes
    ----------
    targets_ : ndarray of shape (n_targets,)
        Positions of the target rows in `X_target` or the pool, ascending.

    See Also
    --------
    BALD : Measure what a label tells about the model.
    skal.information.epig : The computation.

    Notes
    -----
    The model is asked about the targets and the candidates one after the other. Called
    with the same seed, `sample_proba` of a net of your own must use the same networks,
    as the nets of `skal.nets` do.

    References
    ----------
    Bickford Smith, Kirsch, Farquhar, Gal, Foster and Rainforth, "Prediction-Oriented
    Bayesian Active Learning", AISTATS 2023, section 4; 100 targets as in their
    experiments.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skal import EPIG
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RandomForestClassifier(20, random_state=0).fit(X[::10], y[::10])
    >>> EPIG(n_targets=50).fit(X).select(model, X, 3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        **SamplingStrategy._parameter_constraints,
        "X_target": "no_validation",
        "n_targets": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, *, X_target=None, n_targets=100, n_samples=20, random_state=None
    ):
        super().__init__(n_samples=n_samples, random_state=random_state)
        self.X_target = X_target
        self.n_targets = n_targets

    def _fit(self, X, y, problem):
        n = n_rows(X if self.X_target is None else self.X_target)
        if n == 0:
            raise ValueError(
                "X_target of EPIG must have at least one row: name the rows that are "
                "to be predicted, or leave it out to take the pool's."
            )
        rng = stream(self.seed_, Stream.SAMPLE)
        self.targets_ = np.sort(rng.permutation(n)[: self.n_targets])

    def _utility(self, estimator, X, candidates):
        among = X if self.X_target is None else self.X_target
        targets_J_T_C = self._samples(estimator, take(among, self.targets_))

        def information(probs_N_T_C):
            return epig(probs_N_T_C, targets_J_T_C)

        return self._measured(information, estimator, X, candidates)
