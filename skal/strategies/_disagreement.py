"""Disagreement: label what samples of the model, or members of an ensemble, dispute."""

from numbers import Integral

import numpy as np

from skal._sklearn import Interval
from skal.answers._posterior import sample_posterior
from skal.information import batchbald, mutual_information, variation_ratio
from skal.inputs._containers import take
from skal.seeding import Stream, stream
from skal.strategies._base import RankingStrategy


class _Disagreement(RankingStrategy):
    """Base class: value a row by samples of its class probabilities."""

    needs = ("posterior",)
    _parameter_constraints: dict = {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, *, n_samples=20, random_state=None):
        self.n_samples = n_samples
        self.random_state = random_state

    def _samples(self, estimator, X, candidates):
        seed = int(stream(self.seed_, Stream.POSTERIOR).integers(2**31))
        rows = take(X, candidates)
        probs_N_T_C = sample_posterior(estimator, rows, self.n_samples, seed)
        # Votes and joint entropies would hide it.
        self._check_numbers(np.sum(probs_N_T_C, axis=(1, 2)), estimator)
        return probs_N_T_C

    def _utility(self, estimator, X, candidates):
        return self._disagreement(self._samples(estimator, X, candidates))


class BALD(_Disagreement):
    """Label the rows whose label tells most about the model.

    Bayesian active learning by disagreement: the mutual information of label and
    model, over posterior samples of the class probabilities. These come from a net
    with Monte-Carlo dropout, or are the members of an ensemble: bagging, a random
    forest, a vote.

    Parameters
    ----------
    n_samples : int, default=20
        Posterior samples to draw from a net. An ensemble gives one per member.
    random_state : int, RandomState instance or None, default=None
        Determines the samples and breaks ties. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BatchBALD : Value a batch as a whole, and not row by row.
    Proxy : Sample another model than the one that the learner trains.
    VariationRatio : Count the votes of the samples.

    References
    ----------
    Houlsby et al., "Bayesian Active Learning for Classification and Preference
    Learning", 2011; Gal, Islam and Ghahramani, "Deep Bayesian Active Learning with
    Image Data", ICML 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skal import BALD
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RandomForestClassifier(20, random_state=0).fit(X[::10], y[::10])
    >>> BALD().fit(X).select(model, X, 3).shape
    (3,)
    """

    def _disagreement(self, probs_N_T_C):
        return mutual_information(probs_N_T_C)


class VariationRatio(_Disagreement):
    """Label the rows on which most samples vote against the majority.

    Parameters
    ----------
    n_samples : int, default=20
        Posterior samples to draw from a net. An ensemble gives one per member.
    random_state : int, RandomState instance or None, default=None
        Determines the samples and breaks ties. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BALD : Value a row by how much its label tells about the model.

    References
    ----------
    Freeman, "Elementary Applied Statistics", 1965; Gal, Islam and Ghahramani, "Deep
    Bayesian Active Learning with Image Data", ICML 2017. What the code of Zhou et al.
    calls BALD for intent classification.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skal import VariationRatio
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RandomForestClassifier(20, random_state=0).fit(X[::10], y[::10])
    >>> VariationRatio().fit(X).select(model, X, 3).shape
    (3,)
    """

    def _disagreement(self, probs_N_T_C):
        return variation_ratio(probs_N_T_C)


class BatchBALD(_Disagreement):
    """Label the batch whose labels together tell most about the model.

    As BALD, but rows that would tell the same are not picked together.

    Parameters
    ----------
    n_samples : int, default=20
        Posterior samples to draw from a net. An ensemble gives one per member.
    n_configurations : int, default=10_000
        Joint outcomes of the batch to keep: exact while they fit, sampled after.
    random_state : int, RandomState instance or None, default=None
        Determines the samples and breaks ties. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BALD : Value each row on its own.
    skal.information.batchbald : The computation.

    References
    ----------
    Kirsch, van Amersfoort and Gal, "BatchBALD: Efficient and Diverse Batch Acquisition
    for Deep Bayesian Active Learning", NeurIPS 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skal import BatchBALD
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RandomForestClassifier(20, random_state=0).fit(X[::10], y[::10])
    >>> BatchBALD().fit(X).select(model, X, 3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        **_Disagreement._parameter_constraints,
        "n_configurations": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, n_samples=20, n_configurations=10_000, random_state=None):
        super().__init__(n_samples=n_samples, random_state=random_state)
        self.n_configurations = n_configurations

    def _select(self, estimator, X, n, candidates, labelled):
        # Equal gains go to the first row, so the order of the rows breaks ties.
        shuffled = candidates[np.argsort(self._priority[candidates])]
        picked, _ = batchbald(
            self._samples(estimator, X, shuffled),
            n,
            n_configurations=self.n_configurations,
            random_state=self.seed_,
        )
        return shuffled[picked]
