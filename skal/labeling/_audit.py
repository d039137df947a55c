"""The score of a model on the audit: rows drawn at random, each left out in turn."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from skal._threads import single_threaded
from skal.inputs._containers import take
from skal.inputs._tags import flatten
from skal.inputs._targets import Target
from skal.labeling._models import Models
from skal.labeling._progress import audited
from skal.labeling._state import State
from skal.seeding import Stream, stream

# Parts of the audit that are left out in turn, fewer for each point of a curve.
N_FOLDS, N_FOLDS_OF_CURVES = 10, 5
# Resampled audits behind an interval.
N_RESAMPLED = 300
LEVEL = 0.95


class Estimate(NamedTuple):
    """A score with its interval.

    Parameters
    ----------
    score : float
        NaN if there is nothing to compute it from.
    low, high : float
        The bounds of a confidence interval of 95 %.
    n : int
        Number of rows that it was computed from.

    See Also
    --------
    LabelingSession.estimate : Returns it.
    Forecast : The score with more labels.

    Examples
    --------
    >>> from skal.labeling import Estimate
    >>> print(Estimate(score=0.9, low=0.77, high=0.96, n=40))
    0.900, between 0.770 and 0.960 (95 %), from 40 rows drawn at random
    """

    score: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "unknown, since no row of the audit is labelled"
        return (
            f"{self.score:z.3f}, between {self.low:z.3f} and {self.high:z.3f} (95 %), "
            f"from {self.n} rows drawn at random"
        )


def wilson(n_hits: int, n: int, level: float = LEVEL) -> Estimate:
    """Return a share with the interval of Wilson.

    Parameters
    ----------
    n_hits : int
        Number of hits.
    n : int
        Number of rows; with none, anything from 0 to 1 is possible.
    level : float, default=0.95
        The level of confidence.

    Returns
    -------
    Estimate

    References
    ----------
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    Journal of the American Statistical Association 22, 1927.
    """
    if n == 0:
        return Estimate(np.nan, 0.0, 1.0, 0)
    low, high = binomtest(n_hits, n).proportion_ci(level, method="wilson")
    return Estimate(n_hits / n, float(low), float(high), n)


class CrossFit:
    """Scores models on the audit, by predictions for rows that they have not seen.

    The audit is cut into parts. Each is predicted by a model that is trained on
    all labels but those of this part, so labels of the audit are not lost to training.

    Parameters
    ----------
    models : Models
    X : rows of the pool
    state : State
    """

    def __init__(self, models: Models, X: Any, state: State) -> None:
        self.audit = np.array(audited(state), dtype=np.int64)
        self.n = len(self.audit)
        self.target, self.seed = state.target, state.seed
        self._order = np.array(list(state.labels), dtype=np.int64)
        self._X, self._is_plain = X, models.is_accuracy
        self._trainer = models.trainer(X, state.labels, state.classes)
        self._scorer = (
            None
            if models.scoring is None
            else models.problem(X, state.labels, state.classes).scorer
        )
        self._y = take(self._trainer.y, self.audit)
        self._known: dict[bytes, Any] = {}

    def scores(
        self, n_labels: int | None = None, n_folds: int = N_FOLDS_OF_CURVES
    ) -> "Scores":
        """Return the predictions of models that are trained on the first labels.

        Parameters
        ----------
        n_labels : int or None, default=None
            Number of labels, in the order in which they were given; None for all.
        n_folds : int, default=5
            Number of parts of the audit.

        Returns
        -------
        Scores
        """
        labelled = self._order[:n_labels]
        predicted: list[Any] = [None] * self.n
        probabilities: list[Any] = [None] * self.n
        sizes: list[int] = []
        for fold in range(min(n_folds, self.n)):
            held = np.arange(fold, self.n, n_folds)
            rest = labelled[~np.isin(labelled, self.audit[held])]
            model, sizes = self._model(rest), [*sizes, len(rest)]
            rows = take(self._X, self.audit[held])
            for i, label in zip(held, model.predict(rows), strict=True):
                predicted[i] = label
            if self._scorer is not None and hasattr(model, "predict_proba"):
                for i, p in zip(
                    held, np.asarray(model.predict_proba(rows)), strict=False
                ):
                    probabilities[i] = p
        stored = _stored(self.target, predicted, probabilities, self._trainer.classes)
        size = float(np.mean(sizes)) if sizes else float(len(labelled))
        return Scores(stored, self._y, self._scorer, self._is_plain, size)

    def _model(self, rows: NDArray[np.int64]) -> Any:
        """Return the model of some labelled rows, trained once."""
        key = np.sort(rows).tobytes()
        if key not in self._known:
            with single_threaded():
                self._known[key] = self._trainer.train(rows)
        return self._known[key]

    def resamples(self) -> NDArray[np.int64]:
        """Return rows drawn with replacement, shape (n_resamples, n_audit)."""
        rng = stream(self.seed, Stream.BOOTSTRAP)
        return rng.integers(max(1, self.n), size=(N_RESAMPLED, self.n))


class Scores:
    """Predictions for the audit, and how they are scored.

    Parameters
    ----------
    stored : estimator
        Predicts by looking up.
    y : labels of the audit
    scorer : callable or None
        None for the estimator's usual score: accuracy, or R2 of numbers.
    is_plain : bool
        Whether the score is the share of right predictions.
    size : float
        The mean number of labels that a model was trained on.
    """

    def __init__(
        self, stored: Any, y: Any, scorer: Any, is_plain: bool, size: float
    ) -> None:
        self.size, self.is_plain, self._y = size, is_plain, y
        self._stored = stored
        self._score: Callable = scorer or (lambda model, X, y: model.score(X, y))
        if is_plain:
            self.hits = np.asarray(stored.predict(np.arange(len(y)))) == np.asarray(y)

    def of(self, rows: NDArray[np.int64]) -> float:
        """Return the score on some rows of the audit, which may be repeated."""
        if self.is_plain:
            return float(self.hits[rows].mean())
        return float(self._score(self._stored, rows, take(self._y, rows)))

    def estimate(self, resamples: NDArray[np.int64]) -> Estimate:
        """Return the score on the whole audit with its interval.

        Parameters
        ----------
        resamples : ndarray of shape (n_resamples, n_audit)
            Not used for a share of right predictions, which has Wilson's interval.

        Returns
        -------
        Estimate
        """
        n = len(self._y)
        if self.is_plain or n == 0:
            return wilson(int(self.hits.sum()) if n else 0, n)
        found = [self.of(rows) for rows in resamples]
        low, high = np.quantile(found, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
        return Estimate(self.of(np.arange(n)), float(low), float(high), n)


class _Stored(BaseEstimator):
    """A model that looks predictions up: the rows are their numbers."""

    def __init__(self, predicted: Any, probabilities: Any, classes: Any) -> None:
        self.predicted, self.probabilities = predicted, probabilities
        self.classes_ = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> Any:
        return take(self.predicted, X)


class _StoredClassifier(ClassifierMixin, _Stored):
    def predict_proba(self, X: Any) -> Any:
        return np.array([self.probabilities[i] for i in X])


class _StoredTagger(_StoredClassifier):
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        return float((flatten(self.predict(X)) == flatten(y)).mean())


class _StoredRegressor(RegressorMixin, _Stored):
    pass


def _stored(target: Target, predicted: list, probabilities: list, classes: Any) -> Any:
    """Return a model that looks predictions up."""
    if target is Target.TAGS:
        return _StoredTagger(predicted, probabilities, classes)
    kind = _StoredRegressor if target.is_numeric else _StoredClassifier
    return kind(np.array(predicted), probabilities, classes)
