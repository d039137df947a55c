"""Strategies for named entities: counts of tags, token entropies, and fluctuation."""

from numbers import Integral, Real

import numpy as np

from skal._sklearn import Interval, StrOptions
from skal.answers._reading import predicted_tags, token_log_probabilities
from skal.information import entropy
from skal.inputs._containers import by_chunks
from skal.inputs._tags import is_tags
from skal.strategies._ranking import RankingStrategy


class _EntityStrategy(RankingStrategy):
    """Base class of strategies that tell tokens in an entity from those outside.

    A subclass has the parameter `outside`, the tag of tokens that are in no entity.
    """

    def _fit(self, X, y, problem):
        self._is_checked = problem is not None
        if problem is None:
            return
        if len(problem.y_warm) and not is_tags(problem.y_warm):
            raise ValueError(
                f"{type(self).__name__} looks at the tags of tokens, but each row has "
                "one label: give a list of tags for each row, or choose a strategy "
                "for classes, such as Margin."
            )
        self._check_outside(problem.classes)

    def _check_outside(self, tags):
        """Raise an error unless the outside tag is among the known ones."""
        if self.outside not in list(tags):
            raise ValueError(
                f"outside of {type(self).__name__} must be the tag of tokens in no "
                f"entity, got {self.outside!r}, and the tags are "
                f"{list(tags)!s:.80}: name one of them."
            )

    def _are_inside(self, estimator, rows):
        """Return, for each sentence, which tokens are predicted to be in an entity."""
        if not self._is_checked and hasattr(estimator, "classes_"):
            self._check_outside(estimator.classes_)
        tags = predicted_tags(estimator, rows)
        return [np.array([tag != self.outside for tag in row], bool) for row in tags]


class TagCount(_EntityStrategy):
    """Label the sentences with most tokens that are predicted to be in an entity.

    Most tokens are in no entity, and teach a tagger little. The strategy prefers long
    sentences in which the tagger finds much.

    Parameters
    ----------
    outside : str or int, default="O"
        The tag of tokens that are in no entity.

    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    Longest : Count all tokens.
    TokenEntropy : Weigh tokens by the entropy of their tags.

    References
    ----------
    Esuli, Marcheggiani and Sebastiani, "Sentence-Based Active Learning Strategies for
    Information Extraction", IIR 2010; Kohl, Krämer, Fohry and Kraft, "Comparative
    Performance Analysis of Active Learning Strategies for the Entity Recognition Task",
    KDIR 2024, in whose 115 experiments it is one of two clear winners.

    Examples
    --------
    >>> from skal import TagCount
    >>> from skal.datasets import make_tagged_sentences
    >>> from skal.nets import BiLSTMTagger
    >>> X, y = make_tagged_sentences(60, random_state=0)
    >>> tagger = BiLSTMTagger(max_epochs=2, random_state=0).fit(X[:20], y[:20])
    >>> TagCount().fit(X).select(tagger, X, 3).shape
    (3,)
    """

    needs = ("classes", "predict")
    _parameter_constraints: dict = {
        "outside": [str, Integral],
        "random_state": ["random_state"],
    }

    def __init__(self, *, outside="O", random_state=None):
        self.outside = outside
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        def count(rows):
            inside = self._are_inside(estimator, rows)
            return np.array([flags.sum() for flags in inside], dtype=np.int64)

        return by_chunks(count, X, candidates)


class TokenEntropy(_EntityStrategy):
    """Label the sentences whose tags have the highest entropy.

    The entropies of the tags of all tokens are added up, so long sentences are
    preferred; or averaged; or added up over the tokens in predicted entities only.

    Parameters
    ----------
    kind : {"total", "mean", "positive"}, default="total"
        Which entropy of a sentence to take: the sum over its tokens, the mean over
        them, or the sum over tokens predicted to be in an entity.

    outside : str or int, default="O"
        The tag of tokens that are in no entity. Used by ``kind="positive"`` only.

    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    MinConfidence : Use the probability of the predicted tag only.
    TagCount : Count the tokens in predicted entities.

    Notes
    -----
    Sapci et al. find tokens that may be positive by clustering word embeddings. Here
    the tagger itself says which they are.

    References
    ----------
    Settles and Craven, "An Analysis of Active Learning Strategies for Sequence Labeling
    Tasks", EMNLP 2008 (total token entropy, token entropy); positive tokens: Sapci,
    Kemik, Yeniterzi and Tastan, "Focusing on Potential Named Entities During Active
    Label Acquisition", Natural Language Engineering, 2023.

    Examples
    --------
    >>> from skal import TokenEntropy
    >>> from skal.datasets import make_tagged_sentences
    >>> from skal.nets import BiLSTMTagger
    >>> X, y = make_tagged_sentences(60, random_state=0)
    >>> tagger = BiLSTMTagger(max_epochs=2, random_state=0).fit(X[:20], y[:20])
    >>> TokenEntropy("positive").fit(X).select(tagger, X, 3).shape
    (3,)
    """

    _parameter_constraints: dict = {
        "kind": [StrOptions({"total", "mean", "positive"})],
        "outside": [str, Integral],
        "random_state": ["random_state"],
    }

    def __init__(self, kind="total", *, outside="O", random_state=None):
        self.kind = kind
        self.outside = outside
        self.random_state = random_state

    @property
    def needs(self):
        """Methods called on the tagger: predictions only to find entities."""
        needs = ("predict_token_log_proba",)
        return (*needs, "predict") if self.kind == "positive" else needs

    def _fit(self, X, y, problem):
        if self.kind == "positive":
            super()._fit(X, y, problem)

    def _utility(self, estimator, X, candidates):
        def of_sentences(rows):
            log_probs = token_log_probabilities(estimator, rows)
            n_tokens = np.array([len(tokens) for tokens in log_probs])
            entropies = token_entropies(log_probs)
            if self.kind == "positive":
                entropies *= np.concatenate(self._are_inside(estimator, rows))
            sentences = np.repeat(np.arange(len(n_tokens)), n_tokens)
            sums = np.bincount(sentences, entropies, minlength=len(n_tokens))
            return sums / np.maximum(1, n_tokens) if self.kind == "mean" else sums

        return by_chunks(of_sentences, X, candidates)


def token_entropies(log_probs):
    """Return the entropy of the tag of each token, one sentence after the other.

    Parameters
    ----------
    log_probs : list of ndarray of shape (n_tokens, n_tags)
        Log-probabilities of the tags of each token, one array per sentence.

    Returns
    -------
    ndarray of shape (n_tokens of all sentences,)
    """
    filled = [tokens for tokens in log_probs if len(tokens)]
    return entropy(np.exp(np.concatenate(filled))) if filled else np.empty(0)


class Fluctuation(RankingStrategy):
    """Label the sentences whose confidence is low and has changed in the last rounds.

    The fluctuation of historical sequences: the utility of a sentence is a weighted sum
    of its uncertainty and the variance of its uncertainty over the last three rounds.
    The uncertainty of a token is 1 minus the probability of its predicted tag.

    Parameters
    ----------
    weight : float, default=0.5
        The weight of the uncertainty in this round, between 0 and 1. The variance has
        the rest.

    aggregate : {"max", "mean", "sum"}, default="max"
        How the uncertainty of a sentence follows from its tokens: the largest one, the
        mean, or the sum, which prefers long sentences.

    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    MinConfidence : The uncertainty in this round alone.

    Notes
    -----
    The strategy remembers the uncertainties of the last rounds, which it tells apart by
    the number of labelled rows, so `select` repeats itself within a round. It must be
    fitted again before another run. In the first round the variance is 0.

    References
    ----------
    Yao, Dou, Nie and Wen, "Looking Back on the Past: Active Learning with Historical
    Evaluation Results", TKDE 2020, with the recommended weight and number of rounds;
    Kohl, Krämer, Fohry and Kraft, "Comparative Performance Analysis of Active Learning
    Strategies for the Entity Recognition Task", KDIR 2024, who take the largest
    uncertainty, and in whose 115 experiments it is one of two clear winners.

    Examples
    --------
    >>> from skal import ActiveLearner, Fluctuation
    >>> from skal.datasets import make_tagged_sentences
    >>> from skal.nets import BiLSTMTagger
    >>> X, y = make_tagged_sentences(80, random_state=0)
    >>> learner = ActiveLearner(BiLSTMTagger(max_epochs=2), Fluctuation(), warm_size=10,
    ...                         batch_size=5, n_rounds=3, random_state=0)
    >>> learner.fit(X, y).order_.shape
    (15,)
    """

    needs = ("predict_token_log_proba",)
    needs_labelled = True
    _parameter_constraints: dict = {
        "weight": [Interval(Real, 0, 1, closed="both")],
        "aggregate": [StrOptions({"max", "mean", "sum"})],
        "random_state": ["random_state"],
    }

    # Rounds whose uncertainties the variance is taken of, this one included.
    _window = 3

    def __init__(self, *, weight=0.5, aggregate="max", random_state=None):
        self.weight = weight
        self.aggregate = aggregate
        self.random_state = random_state

    def _fit(self, X, y, problem):
        # By the number of labelled rows: the uncertainty of each row, NaN if the round
        # did not ask for it.
        self._history = {}

    def _utility_given(self, estimator, X, candidates, labelled):
        def of_sentences(rows):
            log_probs = token_log_probabilities(estimator, rows)
            aggregate = getattr(np, self.aggregate)
            # A sentence without tokens is as certain as one of certain tokens.
            return np.array([aggregate(_uncertainty(tokens)) for tokens in log_probs])

        uncertainty = by_chunks(of_sentences, X, candidates)
        self._check_numbers(uncertainty, estimator)
        rounds = self._remember(len(labelled.positions), candidates, uncertainty)
        variance = np.nanvar(rounds[:, candidates], axis=0)
        return self.weight * uncertainty + (1 - self.weight) * variance

    def _remember(self, n_labelled, candidates, uncertainty):
        """Return the uncertainties of the last rounds, (n_rounds, n_pool)."""
        now = self._history.get(n_labelled, np.full(self.n_pool_, np.nan)).copy()
        now[candidates] = uncertainty
        before = sorted(n for n in self._history if n < n_labelled)
        last = before[-(self._window - 1) :]
        self._history = {n: self._history[n] for n in last} | {n_labelled: now}
        return np.stack(list(self._history.values()))


def _uncertainty(log_probs):
    """Return 1 minus the probability of the predicted tag of each token, or a zero."""
    if len(log_probs) == 0:
        return np.zeros(1)
    return 1 - np.exp(np.max(log_probs, axis=1))
