"""Uncertainty sampling for regression: the rows whose prediction varies most."""

from skal.answers._numbers import predictive_variance
from skal.inputs._containers import by_chunks
from skal.strategies._disagreement import AT_ONCE
from skal.strategies._ranking import RankingStrategy


class MaxVariance(RankingStrategy):
    """Label the rows whose predicted number has the largest variance.

    For regressors that show how uncertain they are. If `predict` takes `return_std`, as
    in `GaussianProcessRegressor`, `BayesianRidge`, `ARDRegression` and
    `skal.nets.TorchRegressor`, it is the variance of the predictive distribution. With
    an ensemble (bagging, a random forest, extremely randomized trees, voting) it is the
    variance over the members, known as query by committee.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    GreedySampling : Works with any regressor, by distances.
    MaxEntropy : The same for classifiers.
    Stochastic : Makes a batch diverse, which the highest variances need not be.

    Notes
    -----
    Variances are summed over several outputs. The members of a boosted ensemble correct
    one another, so their variance is not an uncertainty, and they are refused.

    References
    ----------
    Cohn, Ghahramani and Jordan, "Active Learning with Statistical Models", JAIR 4,
    1996; by a committee: Burbidge, Rowland and King, "Active Learning for Regression
    Based on Query by Committee", IDEAL 2007; Settles, "Active Learning Literature
    Survey", 2009, section 3.5.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skal import MaxVariance
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RandomForestRegressor(20, random_state=0).fit(X[::10], y[::10])
    >>> MaxVariance().fit(X).select(model, X, 3).shape
    (3,)
    """

    needs = ("variance",)
    _parameter_constraints: dict = {"random_state": ["random_state"]}

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        def variance(rows):
            return predictive_variance(estimator, rows)

        return by_chunks(variance, X, candidates, at_once=AT_ONCE)
