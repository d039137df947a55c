"""Uncertainty sampling: label the rows that the current model is least sure of."""

import numpy as np

from skal._sklearn import StrOptions
from skal.answers._decisions import class_scores
from skal.answers._labels import has_several, label_scores
from skal.information import entropy
from skal.inputs._containers import by_chunks
from skal.strategies._ranking import RankingStrategy

# How the uncertainties of the labels of a row become one number.
OVER_LABELS = {"mean": np.mean, "max": np.max, "sum": np.sum}


class _UncertaintySampling(RankingStrategy):
    """Base class: the utility of a row depends on a score for each class.

    A subclass implements `_uncertainty(scores_N_C)`, which returns a float per row. The
    scores are class probabilities, or decision values if the model has none.
    """

    _parameter_constraints: dict = {
        "over_labels": [StrOptions(set(OVER_LABELS)), None],
        "random_state": ["random_state"],
    }

    def __init__(self, *, over_labels=None, random_state=None):
        self.over_labels = over_labels
        self.random_state = random_state

    @property
    def needs(self):
        """Scores of classes; with `over_labels`, also of each of several labels."""
        return ("class_scores",) if self.over_labels is None else ("label_scores",)

    def _utility(self, estimator, X, candidates):
        def uncertainty(rows):
            if self.over_labels is None or not has_several(estimator, rows):
                return self._uncertainty(class_scores(estimator, rows))
            columns = label_scores(estimator, rows)
            found = [self._uncertainty(values) for _, values in columns]
            return OVER_LABELS[self.over_labels](found, axis=0)

        return by_chunks(uncertainty, X, candidates)


class MaxEntropy(_UncertaintySampling):
    """Label the rows with the highest predictive entropy.

    Parameters
    ----------
    over_labels : {"mean", "max", "sum"} or None, default=None
        How the uncertainties of several labels per row, or of several classes, become
        the utility of the row. With None, models of several labels are refused, since
        these choices lead to different rows. For one label per row, it changes nothing.

    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    LeastConfidence : Use the most probable class only.
    Margin : Compare the two most probable classes.

    References
    ----------
    Settles, "Active Learning Literature Survey", 2009, section 3.1; one of the
    heuristics of Zhou et al., AISTATS 2021 (max-entropy). Over labels: Esuli and
    Sebastiani, "Active Learning Strategies for Multi-Label Text Classification", ECIR
    2009, which compares the mean with the maximum.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import MaxEntropy
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> MaxEntropy().fit(X).select(model, X, 3).shape
    (3,)
    """

    @property
    def needs(self):
        """Class probabilities; with `over_labels`, also of each of several labels."""
        is_one = self.over_labels is None
        return ("predict_proba",) if is_one else ("label_probabilities",)

    def _uncertainty(self, scores_N_C):
        return entropy(scores_N_C)


class LeastConfidence(_UncertaintySampling):
    """Label the rows whose most probable class is least probable.

    For a model without probabilities, such as `LinearSVC`, the rows whose highest
    decision value is lowest.

    Parameters
    ----------
    over_labels : {"mean", "max", "sum"} or None, default=None
        How the uncertainties of several labels per row, or of several classes, become
        the utility of the row. With None, models of several labels are refused, since
        these choices lead to different rows. For one label per row, it changes nothing.

    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    MaxEntropy : Use all class probabilities.
    Margin : Compare the two most probable classes.

    References
    ----------
    Lewis and Gale, "A Sequential Algorithm for Training Text Classifiers", SIGIR 1994;
    Settles, "Active Learning Literature Survey", 2009, section 3.1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import LeastConfidence
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> LeastConfidence().fit(X).select(model, X, 3).shape
    (3,)
    """

    def _uncertainty(self, scores_N_C):
        return 1.0 - scores_N_C.max(axis=1)


class Margin(_UncertaintySampling):
    """Label the rows whose two most probable classes are closest to each other.

    For a model without probabilities, such as `SVC`, the two classes with the highest
    decision values; if there are two classes, these are the rows closest to the
    boundary.

    Parameters
    ----------
    over_labels : {"mean", "max", "sum"} or None, default=None
        How the uncertainties of several labels per row, or of several classes, become
        the utility of the row. With None, models of several labels are refused, since
        these choices lead to different rows. For one label per row, it changes nothing.

    random_state : int, RandomState instance or None, default=None
        Breaks ties. Inside an `ActiveLearner`, None takes a seed drawn from the
        learner's.

    See Also
    --------
    MaxEntropy : Use all class probabilities.
    LeastConfidence : Use the most probable class only.

    References
    ----------
    Scheffer, Decomain and Wrobel, "Active Hidden Markov Models for Information
    Extraction", IDA 2001; by decision values: Tong and Koller, "Support Vector Machine
    Active Learning with Applications to Text Classification", JMLR 2001; Settles,
    "Active Learning Literature Survey", 2009, section 3.1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> Margin().fit(X).select(model, X, 3).shape
    (3,)
    """

    @property
    def least_utility(self):
        """Return the lowest utility by probabilities, which `Stochastic` asks for."""
        return -np.inf if self.over_labels == "sum" else -1.0

    def _uncertainty(self, scores_N_C):
        if scores_N_C.shape[1] == 1:
            return np.zeros(len(scores_N_C))
        return closeness(scores_N_C)


def closeness(scores_N_C):
    """Return the second highest score of each row minus the highest, shape (n_rows,).

    Parameters
    ----------
    scores_N_C : ndarray of shape (n_rows, n_classes), n_classes >= 2
    """
    second, first = np.partition(scores_N_C, (-2, -1), axis=1)[:, -2:].T
    return second - first
