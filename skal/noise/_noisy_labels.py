"""Annotators who are sometimes wrong."""

from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array

from skal._sklearn import HasMethods, Interval, StrOptions, validate
from skal._threads import single_threaded, without_warnings
from skal.inputs._checks import check_labels, check_matching
from skal.inputs._containers import take, whole
from skal.inputs._tags import all_labels, is_tags
from skal.noise._probabilities import (
    choose_by,
    most_probable_other,
    rank_of_difficulty,
    scaled_to,
)
from skal.seeding import MAX_SEED, Stream, as_seed, isolated, set_random_states, stream

# Shape of the gamma distribution of the entries of a drawn confusion matrix. With 0.5
# most mistakes of a class go to a few others, and some classes are harder than others.
SHAPE_OF_CONFUSION = 0.5
N_FOLDS = 5


class NoisyLabels(BaseEstimator):
    """Annotators who give a share of the rows another class.

    As the parameter `noise` of `ActiveLearner`, it changes the labels of all rows that
    are trained on: of the warm start, the pool and the selection set. Validation and
    test keep their true labels, so that a search looks for the order with the best true
    quality, although its models learn from noisy labels.

    Parameters
    ----------
    rate : float, default=0.1
        Expected share of wrong labels, at least 0 and below 1.

    kind : {"uniform", "class", "boundary"}, default="uniform"
        Which rows get a wrong label:

        - "uniform": each with the same probability. The label is any other class, with
          equal probabilities.
        - "class": depends on the true class, by a confusion matrix.
        - "boundary": mostly rows that are hard to tell from another class. A model is
          cross-validated on the true labels; rows are ranked by the probability that it
          gives to their true class, and the probability of a wrong label is
          proportional to the square of the rank, 1 for the easiest row, but at most 1.
          The label is the class that the model takes for the most probable of the
          others.

    confusion : array-like of shape (n_classes, n_classes), default=None
        How often a class (row) is taken for another (column), for `kind="class"`, in
        the order of the sorted classes. Only the ratios of its entries count, and the
        diagonal does not: they are scaled to `rate`. By default, it is drawn: most
        mistakes of a class go to a few others.

    estimator : classifier, default=None
        The model for `kind="boundary"`, with `predict_proba`. By default, a logistic
        regression on scaled columns. The estimator of the run is not used, since
        then each estimator would be given other labels.

    random_state : int, RandomState instance or None, default=None
        Determines which labels are wrong. Inside an `ActiveLearner`, None takes a seed
        drawn from the learner's, so that the noise is part of xi; with an int, all
        runs share the same noisy labels.

    See Also
    --------
    ActiveLearner : Takes it as the parameter `noise`.

    Notes
    -----
    Labels are drawn independently of one another, so the share of wrong labels varies
    around `rate`. If rows have tags, each token gets a noisy tag of its own, by
    `kind="uniform"` or "class". Sets are carved before labels change: `stratify` and
    `warm_per_class` go by the true ones.

    References
    ----------
    Natarajan, Dhillon, Ravikumar and Tewari, "Learning with Noisy Labels", NIPS 2013
    (class-conditional noise).

    Menon, van Rooyen and Natarajan, "Learning from Binary Labels with
    Instance-Dependent Noise", Machine Learning 107, 2018 (noise that decreases with the
    distance to the boundary).

    Chen, Ye, Chen, Zhao and Heng, "Beyond Class-Conditional Assumption: A Primary
    Attempt to Combat Instance-Dependent Label Noise", AAAI 2021 (the wrong label is the
    one that a model prefers).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, Margin, NoisyLabels
    >>> X, y = load_iris(return_X_y=True)
    >>> noisy = NoisyLabels(0.2, random_state=0).corrupt(X, y)
    >>> int((noisy != y).sum())
    30
    >>> learner = ActiveLearner(GaussianNB(), Margin(), batch_size=5, n_rounds=4,
    ...                         noise=NoisyLabels(0.2), random_state=0).fit(X, y)
    >>> int(learner.mislabelled_.sum())
    2
    """

    _parameter_constraints: dict = {
        "rate": [Interval(Real, 0, 1, closed="left")],
        "kind": [StrOptions({"uniform", "class", "boundary"})],
        "confusion": ["array-like", None],
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        rate: float = 0.1,
        kind: str = "uniform",
        *,
        confusion: Any = None,
        estimator: Any = None,
        random_state: Any = None,
    ) -> None:
        self.rate = rate
        self.kind = kind
        self.confusion = confusion
        self.estimator = estimator
        self.random_state = random_state

    def corrupt(self, X: Any, y: Any, *, classes: Any = None) -> Any:
        """Return the labels that the annotators give.

        Parameters
        ----------
        X : rows, n_samples of them
            Only looked at if `kind` is "boundary".
        y : array-like of shape (n_samples,), or list of n_samples lists of tags
            The true labels.
        classes : array-like of shape (n_classes,), default=None
            All classes, sorted; by default, those in `y`.

        Returns
        -------
        ndarray of shape (n_samples,), or list of n_samples lists of tags
            A new array or list; `y` is not changed.

        Raises
        ------
        ValueError
            If a parameter is invalid, `y` has a single class, or rows have tags and
            `kind` is "boundary".
        """
        validate(self)
        y = check_labels(y, "y")
        check_matching(X, y, "y")
        true = np.asarray(all_labels(y))
        if self.rate == 0 or len(true) == 0:
            return take(y, np.arange(len(y)))
        classes = np.unique(true) if classes is None else np.asarray(classes)
        self._check(classes, is_tags(y))
        codes = np.searchsorted(classes, true)
        rng = stream(as_seed(self.random_state), Stream.NOISE)
        weights, table, index = self._mistakes(X, codes, len(classes), rng)
        # The first number decides whether, the second for which class.
        whether, which = rng.random((len(codes), 2)).T
        wrong = np.flatnonzero(whether < scaled_to(weights, self.rate))
        codes[wrong] = choose_by(table[index[wrong]], which[wrong])
        return _in_rows(classes[codes], y)

    def _check(self, classes: NDArray, has_tags: bool) -> None:
        """Refuse labels that this noise cannot change."""
        if len(classes) < 2:
            raise ValueError(
                f"A wrong label is another class, and y has only {classes[0].item()!r}:"
                " give rows of at least two classes, or rate=0."
            )
        if has_tags and self.kind == "boundary":
            raise ValueError(
                "kind='boundary' ranks rows by the probability of their class, and "
                "rows with tags have several: choose kind='uniform' or 'class', which "
                "change the tags of single tokens."
            )

    def _mistakes(
        self, X: Any, codes: NDArray, n_classes: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Return how often each row is mistaken, and for which classes.

        Returns
        -------
        weights : ndarray of shape (n,)
            How often, up to a factor.
        table : ndarray of shape (n_kinds, n_classes)
            How often for each class, up to a factor for each line.
        index : ndarray of shape (n,)
            The line of each row in the table.
        """
        if self.kind == "boundary":
            probs = self._cross_validate(X, codes, n_classes, rng)
            others = most_probable_other(probs, codes)
            return rank_of_difficulty(probs, codes), np.eye(n_classes), others
        confusion = np.ones((n_classes, n_classes))
        if self.kind == "class":
            confusion = self._confusion(n_classes, rng)
        confusion = confusion * ~np.eye(n_classes, dtype=bool)
        return confusion.sum(axis=1)[codes], confusion, codes

    def _confusion(self, n_classes: int, rng: np.random.Generator) -> NDArray:
        """Return the confusion matrix that was given, checked, or a drawn one."""
        shape = n_classes, n_classes
        if self.confusion is None:
            return rng.gamma(SHAPE_OF_CONFUSION, size=shape)
        confusion = check_array(self.confusion, input_name="confusion")
        if confusion.shape != shape or confusion.min() < 0:
            raise ValueError(
                f"confusion must have shape {shape}, a row and a column for each "
                f"class, and no negative entry, got shape {confusion.shape} and the "
                f"smallest entry {confusion.min():.3g}."
            )
        return confusion

    def _cross_validate(
        self, X: Any, codes: NDArray, n_classes: int, rng: np.random.Generator
    ) -> NDArray:
        """Return the probabilities of models that were not trained on the row."""
        n_folds = min(N_FOLDS, np.bincount(codes).max())
        if n_folds < 2:
            raise ValueError(
                "kind='boundary' cross-validates a model, and each class has a single "
                "row: give more rows, or choose kind='uniform'."
            )
        X, seed = self._rows(X), int(rng.integers(MAX_SEED))
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        model = _default_model() if self.estimator is None else clone(self.estimator)
        set_random_states(model, stream(seed), only_unset=True)
        probs = np.zeros((len(codes), n_classes))
        # A rare class is missing in some folds, of which scikit-learn warns.
        with single_threaded(), without_warnings(), isolated(seed):
            for train, test in folds.split(np.zeros(len(codes)), codes):
                fitted = clone(model).fit(take(X, train), codes[train])
                columns = test[:, None], fitted.classes_
                probs[columns] = fitted.predict_proba(take(X, test))
        return probs

    def _rows(self, X: Any) -> Any:
        """Return rows that the model takes; for the default model, numbers."""
        if self.estimator is not None:
            return whole(X)
        try:
            return check_array(X, accept_sparse="csr", dtype="numeric")
        except (ValueError, TypeError) as error:
            raise ValueError(
                "kind='boundary' fits a logistic regression, and rows of X are not a "
                "table of numbers without gaps: give estimator=, a classifier or "
                "Pipeline that takes such rows."
            ) from error


def _default_model() -> Any:
    return make_pipeline(
        StandardScaler(with_mean=False), LogisticRegression(max_iter=1000)
    )


def _in_rows(labels: NDArray, like: Any) -> Any:
    """Return the labels of all tokens as a list for each row, if `like` has tags."""
    if not is_tags(like):
        return labels
    ends = np.cumsum([0, *map(len, like)])
    return [labels[start:end].tolist() for start, end in pairwise(ends)]
