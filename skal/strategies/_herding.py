"""Herding: label the rows that best cover the pool, weighted by uncertainty or not."""

from numbers import Real

import numpy as np
from joblib import hash as fingerprint

from skal._sklearn import Interval, StrOptions
from skal.answers._reading import probabilities
from skal.answers._wrapper import Wrapper, name_of
from skal.information import entropy
from skal.inputs._containers import by_chunks
from skal.strategies._coverage import gaussian, least_distance
from skal.strategies._covering import CoveringStrategy
from skal.strategies._inner_training import InnerTraining
from skal.strategies._ranking import check_numbers
from skal.strategies._temperature import fit_temperature, tempered
from skal.strategies._uncertainty import closeness

# The radius of MaxHerding: gamma = 1 on embeddings of length 1.
RADIUS = 1.0
# Below this radius a point covers itself alone, and single precision is too coarse.
MIN_RADIUS = 0.01


class Herding(CoveringStrategy):
    """Label the rows that best cover the pool, in the sense of a Gaussian kernel.

    MaxHerding: each row is covered by the most similar labelled row, as far as the two
    are similar, and the next row to label is the one that raises the mean coverage of
    the pool most. Works with no label at all, and needs no model. With
    ``weight="margin"`` it is uncertainty herding (UHerding): uncertain rows count more,
    and the kernel becomes narrower the more is labelled, so that the strategy moves
    from coverage to uncertainty sampling.

    Parameters
    ----------
    weight : {"margin", "entropy"} or None, default=None
        The weight of each row to be covered: one minus the margin between its two most
        probable classes, the entropy of its class probabilities, or the same for all.
        Before there is a model, or if it is certain of all rows, weights are equal and
        the radius is 1.

    n_references : int or None, default=None
        Number of rows that are to be covered, drawn at random from the pool; None for
        all. Time is proportional to the rows of the pool times this number, so a
        number such as 2,000 makes it linear in the pool.

    radius : float or None, default=None
        The kernel of two embeddings of distance d is exp(-d^2 / radius^2). They are
        scaled to length 1 first. None is 1 without weights; with weights it is the
        least distance between two labelled rows that differ, but at least 0.01, or 1
        if no two of them differ.

    temperature : float or None, default=None
        The model's probabilities are flattened as by dividing its logits by this
        number, before they become weights. None chooses the number, out of 1 to 20,
        that gives the least calibration error on a fifth of the labelled rows, of a
        model trained on the others. This takes one training per round. It is 1 if the
        others have a single class, or cannot be trained on.

    embedding : "rows", transformer or None, default=None
        Where embeddings come from: a transformer turns rows into them, and "rows" are
        the scaled rows themselves. None is the hidden layer of a net, the rows as the
        last step of a Pipeline sees them, or else the scaled rows.

    random_state : int, RandomState instance or None, default=None
        Draws the references and the rows held out, and breaks ties. Inside an
        `ActiveLearner`, None takes a seed drawn from the learner's.

    Attributes
    ----------
    n_trainings_ : int
        Number of trainings for the temperature so far.

    See Also
    --------
    ProbCover : Cover rows within a radius fully, and others not at all.
    Then : Follow another strategy after the first labels.

    Notes
    -----
    The kernel is computed in blocks, for few rows after the first one: since a row
    never adds more coverage later than before, most of them need not be looked at
    again. The greedy algorithm on the whole kernel matrix chooses the same rows.

    References
    ----------
    Bae, Noh and Sutherland, "Generalized Coverage for More Robust Low-Budget Active
    Learning", ECCV 2024, algorithm 1 (MaxHerding); Bae, Oliveira and Sutherland,
    "Uncertainty Herding: One Active Learning Method for All Label Budgets", ICLR 2025.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skal import Herding
    >>> X, y = load_iris(return_X_y=True)
    >>> batch = Herding(random_state=0).fit(X).select(None, X, 3)
    >>> sorted(y[batch].tolist())  # one of each class, without a label
    [0, 1, 2]
    """

    _parameter_constraints: dict = {
        **CoveringStrategy._parameter_constraints,
        "weight": [StrOptions({"margin", "entropy"}), None],
        "radius": [Interval(Real, 0, None, closed="neither"), None],
        "temperature": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        weight=None,
        *,
        n_references=None,
        radius=None,
        temperature=None,
        embedding=None,
        random_state=None,
    ):
        self.weight = weight
        self.n_references = n_references
        self.radius = radius
        self.temperature = temperature
        self.embedding = embedding
        self.random_state = random_state

    @property
    def needs(self):
        """Embeddings, and class probabilities if rows are weighted."""
        return ("embedding",) if self.weight is None else ("predict_proba", "embedding")

    @property
    def needs_labelled(self):
        """Return whether `select` must be given the rows labelled so far."""
        return self.weight is not None

    @property
    def n_trainings_(self):
        """Number of trainings for the temperature so far."""
        return self._training.n_trainings

    def _fit(self, X, y, problem):
        super()._fit(X, y, problem)
        estimator = None if problem is None else problem.estimator
        self._training = InnerTraining(estimator, problem, self.seed_, self.n_pool_)
        self._key, self._fitted = None, 1.0

    def _kernel(self, estimator, points, known, weights):
        if self.radius is not None:
            return gaussian(self.radius)
        least = None if known is None or weights is None else least_distance(known)
        return gaussian(RADIUS if least is None else max(least, MIN_RADIUS))

    def _weights(self, estimator, X, labelled):
        """Return the uncertainty of each reference; None if all are certain."""
        if self.weight is None or estimator is None:
            return None
        temperature = self._temperature(estimator, labelled)

        def uncertainty(rows):
            probs_N_C = tempered(probabilities(estimator, rows), temperature)
            return UNCERTAINTY[self.weight](probs_N_C)

        found = by_chunks(uncertainty, X, self._references)
        check_numbers(np.isnan(found), self, name_of(estimator), "weight")
        return found if found.any() else None

    def _temperature(self, estimator, labelled):
        """Return the temperature, fitted once for the same labelled rows."""
        if self.temperature is not None:
            return self.temperature
        key = fingerprint((labelled, self._training.problem is None and estimator))
        if key != self._key:
            if self._training.problem is None:
                self._training.estimator = _unwrapped(estimator)
            self._fitted = fit_temperature(self._training, labelled, self.seed_)
            self._key = key
        return self._fitted


def _unwrapped(estimator):
    """Return the user's own estimator, behind any views of it."""
    while isinstance(estimator, Wrapper):
        estimator = estimator.estimator
    return estimator


def _one_minus_margin(probs_N_C):
    """Return how close the two most probable classes are; 0 for a single class."""
    if probs_N_C.shape[1] == 1:
        return np.zeros(len(probs_N_C))
    return 1 + closeness(probs_N_C)


def _entropy(probs_N_C):
    """Return the entropy of rows, NaN for those with a NaN."""
    is_nan = np.isnan(probs_N_C).any(axis=1)
    return np.where(is_nan, np.nan, entropy(np.where(is_nan[:, None], 0, probs_N_C)))


UNCERTAINTY = {"margin": _one_minus_margin, "entropy": _entropy}
