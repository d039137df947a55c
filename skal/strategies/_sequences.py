"""Strategies for sequence tagging, where each token of a sentence has a label."""

import numpy as np

from skal.answers._reading import token_log_probabilities
from skal.inputs._checks import check_sentences
from skal.inputs._containers import lengths, take
from skal.strategies._ranking import RankingStrategy


class Longest(RankingStrategy):
    """Label the longest sentences.

    A heuristic for tagging, in which a longer sentence yields more labels.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    MinConfidence : Label the sentences whose tags are least certain.
    PerCost : Divide utilities by cost, such as the number of tokens.

    References
    ----------
    Zhou et al., AISTATS 2021, section 5.3.

    Examples
    --------
    >>> from skal import Longest
    >>> X = ["a table", "a table for two", "table"]
    >>> Longest().fit(X).select(None, X, 2).tolist()
    [1, 0]
    """

    _parameter_constraints: dict = {"random_state": ["random_state"]}

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _fit(self, X, y, problem):
        check_sentences(X, "Longest")
        super()._fit(X, y, problem)

    def _utility(self, estimator, X, candidates):
        return lengths(take(X, candidates))


class MinConfidence(RankingStrategy):
    """Label the sentences whose tags the tagger predicts with the lowest confidence.

    The confidence is the log-probability of the predicted tag sequence: the sum, over
    the tokens, of the log-probability of the predicted tag. It decreases with the
    length of a sentence, so long sentences are preferred. The normalized form, the mean
    over the tokens, has no such preference; it is known as MNLP, the maximum normalized
    log-probability.

    Parameters
    ----------
    normalize : bool, default=False
        Whether to divide by the number of tokens.

    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    LeastConfidence : The same for one label per row.
    Longest : Prefers long sentences, whatever their predicted tags.
    Fluctuation : Look at the confidences of several rounds.
    TokenEntropy : Use the probabilities of all tags.

    Notes
    -----
    The tagger must have a method `predict_token_log_proba`, which returns an array of
    shape (n_tokens, n_tags) for each sentence. The confidence in an empty sentence is
    0, the highest there is.

    References
    ----------
    Culotta and McCallum, "Reducing Labeling Effort for Structured Prediction Tasks",
    AAAI 2005; normalized: Shen et al., "Deep Active Learning for Named Entity
    Recognition", ICLR 2018 (MNLP); both as in Zhou et al., AISTATS 2021, section 5.3.

    Examples
    --------
    >>> from skal import MinConfidence
    >>> from skal.datasets import make_tagged_sentences
    >>> from skal.nets import BiLSTMTagger
    >>> X, y = make_tagged_sentences(60, random_state=0)
    >>> tagger = BiLSTMTagger(max_epochs=2, random_state=0).fit(X[:20], y[:20])
    >>> MinConfidence(normalize=True).fit(X).select(tagger, X, 3).shape
    (3,)
    """

    needs = ("predict_token_log_proba",)
    _parameter_constraints: dict = {
        "normalize": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(self, *, normalize=False, random_state=None):
        self.normalize = normalize
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        log_probs = token_log_probabilities(estimator, take(X, candidates))
        return -log_confidence(log_probs, self.normalize)


def log_confidence(log_probs, normalize=False):
    """Return the log-probability of each sentence's most probable tags.

    Parameters
    ----------
    log_probs : list of ndarray of shape (n_tokens, n_tags)
        Log-probabilities of the tags of each token, one array per sentence.
    normalize : bool, default=False
        Whether to return the mean over the tokens instead of the sum.

    Returns
    -------
    ndarray of shape (n_sentences,)
        Zero for a sentence without tokens.
    """
    best = [np.max(rows, axis=1, initial=-np.inf) for rows in log_probs]
    sums = np.array([values.sum() for values in best])
    return sums / [max(1, len(v)) for v in best] if normalize else sums
