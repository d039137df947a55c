"""Query by disagreement, between samples of the model or members of an ensemble."""

from numbers import Integral

import numpy as np

from skal._sklearn import Interval, StrOptions
from skal.answers._posterior import has_members, sample_posterior
from skal.information import (
    batchbald,
    kl_to_consensus,
    mutual_information,
    variation_ratio,
    vote_entropy,
)
from skal.inputs._containers import by_chunks, take
from skal.seeding import Stream, stream
from skal.strategies._ranking import RankingStrategy

# Number of rows that the members of an ensemble are asked about at once: fewer than a
# single model, since each row gets a probability for each member and class.
AT_ONCE = 2**14


class SamplingStrategy(RankingStrategy):
    """Base class: the utility of a row depends on samples of its class probabilities.

    A subclass implements `_disagreement(probs_N_T_C)`, which returns a float per row,
    or `_utility` by means of `_measured`.
    """

    needs = ("posterior",)
    _parameter_constraints: dict = {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, *, n_samples=20, random_state=None):
        self.n_samples = n_samples
        self.random_state = random_state

    def _samples(self, estimator, rows):
        """Return posterior samples, shape (n_rows, n_samples, n_classes)."""
        seed = int(stream(self.seed_, Stream.POSTERIOR).integers(2**31))
        probs_N_T_C = sample_posterior(estimator, rows, self.n_samples, seed)
        # Check for NaN here, since votes and joint entropies would hide it.
        self._check_numbers(np.sum(probs_N_T_C, axis=(1, 2)), estimator)
        return probs_N_T_C

    def _utility(self, estimator, X, candidates):
        return self._measured(self._disagreement, estimator, X, candidates)

    def _measured(self, measure, estimator, X, candidates):
        """Return a measure of the samples of each candidate, shape (n_candidates,)."""

        def measured(rows):
            return measure(self._samples(estimator, rows))

        # A net draws its samples anew for each chunk.
        if not has_members(estimator):
            return measured(take(X, candidates))
        return by_chunks(measured, X, candidates, at_once=AT_ONCE)


class BALD(SamplingStrategy):
    """Label the rows whose labels are most informative about the model.

    Bayesian active learning by disagreement: the utility of a row is the mutual
    information between its label and the model, over posterior samples of the class
    probabilities. The samples come from a net with Monte-Carlo dropout, or from the
    members of an ensemble: bagging, a random forest or a voting classifier.

    Parameters
    ----------
    n_samples : int, default=20
        Posterior samples to draw from a net. An ensemble gives one per member.
    random_state : int, RandomState instance or None, default=None
        Determines the samples and breaks ties. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BatchBALD : Select a batch as a whole, and not row by row.
    EPIG : Measure what a label tells about predictions, and not about the model.
    Proxy : Draw samples from another model than the one that the learner trains.
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


class VariationRatio(SamplingStrategy):
    """Label the rows for which most samples disagree with the majority vote.

    Parameters
    ----------
    n_samples : int, default=20
        Posterior samples to draw from a net. An ensemble gives one per member.
    random_state : int, RandomState instance or None, default=None
        Determines the samples and breaks ties. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BALD : Select rows by the mutual information between their label and the model.

    References
    ----------
    Freeman, "Elementary Applied Statistics", 1965; Gal, Islam and Ghahramani, "Deep
    Bayesian Active Learning with Image Data", ICML 2017. The code of Zhou et al. calls
    this BALD for intent classification.

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


class Committee(SamplingStrategy):
    """Label the rows on which the members of a committee disagree most.

    Query by committee. The committee is an ensemble: bagging, a random forest or a
    voting classifier. For a net with Monte-Carlo dropout, it is posterior samples.

    Parameters
    ----------
    kind : {"vote_entropy", "kl"}, default="vote_entropy"
        How to measure disagreement: by the entropy of the members' votes, or by the
        mean Kullback-Leibler divergence of their class probabilities from the mean
        over members, the consensus.

    n_samples : int, default=20
        Members to draw from a net. An ensemble gives its own.

    random_state : int, RandomState instance or None, default=None
        Determines the samples and breaks ties. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BALD : The same as ``kind="kl"``.
    VariationRatio : The share of votes against the majority.

    Notes
    -----
    The mean divergence from the consensus is the entropy of the consensus minus the
    mean entropy of the members, and therefore the mutual information that `BALD`
    computes from the same members.

    References
    ----------
    Seung, Opper and Sompolinsky, "Query by Committee", COLT 1992; vote entropy: Dagan
    and Engelson, "Committee-Based Sampling for Training Probabilistic Classifiers",
    ICML 1995; divergence: McCallum and Nigam, "Employing EM and Pool-Based Active
    Learning for Text Classification", ICML 1998.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skal import Committee
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RandomForestClassifier(20, random_state=0).fit(X[::10], y[::10])
    >>> Committee("kl").fit(X).select(model, X, 3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        **SamplingStrategy._parameter_constraints,
        "kind": [StrOptions({"vote_entropy", "kl"})],
    }

    def __init__(self, kind="vote_entropy", *, n_samples=20, random_state=None):
        super().__init__(n_samples=n_samples, random_state=random_state)
        self.kind = kind

    def _disagreement(self, probs_N_T_C):
        measure = vote_entropy if self.kind == "vote_entropy" else kl_to_consensus
        return measure(probs_N_T_C)


class BatchBALD(SamplingStrategy):
    """Label the batch whose labels are jointly most informative about the model.

    Like BALD, but rows that carry the same information are not selected together.

    Parameters
    ----------
    n_samples : int, default=20
        Posterior samples to draw from a net. An ensemble gives one per member.
    n_configurations : int, default=10_000
        Number of joint outcomes of the batch's labels to keep. The computation is exact
        until there are more; then this many are sampled.
    random_state : int, RandomState instance or None, default=None
        Determines the samples and breaks ties. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    See Also
    --------
    BALD : Select each row on its own.
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
        **SamplingStrategy._parameter_constraints,
        "n_configurations": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, n_samples=20, n_configurations=10_000, random_state=None):
        super().__init__(n_samples=n_samples, random_state=random_state)
        self.n_configurations = n_configurations

    def _select(self, estimator, X, n, candidates, labelled):
        # `batchbald` picks the first of rows with equal gain, so their order breaks
        # ties.
        shuffled = candidates[np.argsort(self._priority[candidates])]
        picked, _ = batchbald(
            self._samples(estimator, take(X, shuffled)),
            n,
            n_configurations=self.n_configurations,
            random_state=self.seed_,
        )
        return shuffled[picked]
