"""Distribution matching: keep the labelled rows distributed like the whole data."""

from functools import reduce
from numbers import Integral

import numpy as np

from skal._sklearn import HasMethods, Interval, StrOptions
from skal._threads import single_threaded
from skal.answers._needs import (
    strategy_needs,
    strategy_peeks,
    strategy_searches,
    works_from_nothing,
)
from skal.answers._reading import predicted_codes, predictions
from skal.inputs._checks import check_labels, check_sentences
from skal.inputs._containers import by_chunks, lengths, n_rows, whole
from skal.inputs._embedding import cluster, embed
from skal.inputs._joining import concat, joined
from skal.inputs._tags import is_tags
from skal.inputs._targets import Target, check_classes
from skal.seeding import Stream, isolated, stream
from skal.strategies._base import BaseStrategy, fit_inner
from skal.strategies._batches import ask
from skal.strategies._prepare import Preparation

ADVICE = (
    "Set `bins` of IDMR to a function of rows that returns one bin per row, or sort "
    'them by "length" if they are sentences.'
)


class _DistributionMatching(BaseStrategy):
    """Base class: pick from the bin that is furthest below its target share.

    A subclass sets `reference_`, the target share of each bin.
    """

    @property
    def needs(self):
        """Methods that the followed strategy calls on the model."""
        return strategy_needs(self.strategy)

    @property
    def from_nothing(self):
        """Return whether the followed strategy can select while nothing is labelled."""
        return works_from_nothing(self.strategy)

    @property
    def searches(self):
        """Return whether the followed strategy searches on the validation set."""
        return strategy_searches(self.strategy)

    @property
    def n_trainings_(self):
        """Number of trainings by the followed strategy; 0 if it trains nothing."""
        return getattr(self.strategy_, "n_trainings_", 0)

    def _fit_followed(self, X, problem):
        rng = stream(self.seed_, Stream.STRATEGY)
        self.strategy_ = fit_inner(self.strategy, X, problem, rng)

    def _pick(
        self, estimator, X, n, candidates, labelled, bins, counts, reference=None
    ):
        """Pick one row at a time (Algorithm 2).

        `bins` holds the bin of each candidate, shape (n_candidates,), `counts` the
        number of labelled rows in each bin, shape (n_bins,), and `reference` the target
        share of each bin, `reference_` by default.
        """
        reference = self.reference_ if reference is None else reference
        rankings, counts = {}, counts.copy()
        left = np.bincount(bins, minlength=len(counts))
        chosen = np.empty(n, dtype=np.int64)
        for i in range(n):
            # The bin furthest below its target share, among those with candidates left
            excess = counts / max(1, counts.sum()) - reference
            b = int(np.argmin(np.where(left > 0, excess, np.inf)))
            # The followed strategy ranks the rows of a bin when it is first needed
            if b not in rankings:
                rows, size = candidates[bins == b], min(n - i, int(left[b]))
                rankings[b] = iter(
                    ask(self.strategy_, estimator, X, size, rows, labelled)
                )
            chosen[i] = next(rankings[b])
            counts[b] += 1
            left[b] -= 1
        return chosen


class IDMR(_DistributionMatching):
    """Match the distribution of the inputs while following another strategy.

    Input distribution-matching regularization. Rows are sorted into bins, and picked
    one at a time: from the bin that is furthest below its share of all inputs, the row
    that the other strategy prefers.

    Parameters
    ----------
    strategy : strategy
        The strategy to follow within a bin.

    bins : {"length", "kmeans", "tsne"} or callable, default="kmeans"
        How to sort rows into bins: by sentence length, one bin per length; by k-means
        on the features, or on a t-SNE embedding of up to 100 of their principal
        components. A callable takes rows and returns one bin per row. Rows that are
        not numbers are clustered as the steps of the learner's Pipeline before its last
        one prepare them, without labels; numbers that are missing, as the mean of
        their column. If there are more than 65,536 rows, the centres of the clusters
        are computed from so many of them.

    n_bins : int, default=5
        Number of clusters. Not used for lengths and callables.

    random_state : int, RandomState instance or None, default=None
        Determines the clusters. Inside an `ActiveLearner`, None takes a seed drawn from
        the learner's.

    Attributes
    ----------
    strategy_ : strategy
        The fitted strategy that is followed.

    bins_ : ndarray of shape (n_pool,)
        The bin of each row of the pool, counted from zero.

    reference_ : ndarray of shape (n_bins,)
        Share of each bin in all inputs: warm start, pool and selection set.

    See Also
    --------
    MaxEntropy, BALD : Strategies to follow.
    ODMR : Match the distribution of the labels.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.5, Algorithm 2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import IDMR, MaxEntropy
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::10], y[::10])
    >>> strategy = IDMR(MaxEntropy(), n_bins=3, random_state=0).fit(X)
    >>> strategy.bins_[strategy.select(model, X, 3)]  # one out of each
    array([0, 1, 2])
    """

    _parameter_constraints: dict = {
        "strategy": [HasMethods(["fit", "select"])],
        "bins": [StrOptions({"length", "kmeans", "tsne"}), callable],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, strategy, *, bins="kmeans", n_bins=5, random_state=None):
        self.strategy = strategy
        self.bins = bins
        self.n_bins = n_bins
        self.random_state = random_state

    def _fit(self, X, y, problem):
        self._fit_followed(X, problem)

        # Sort all inputs into bins: the pool, the warm start and the selection set
        others = _other_inputs(problem)
        inputs = joined(X, reduce(concat, others)) if others else X
        estimator = None if problem is None else problem.estimator
        all_bins = self._sort_into_bins(inputs, estimator)
        self.reference_ = np.bincount(all_bins) / len(all_bins)
        self.bins_ = all_bins[: self.n_pool_]

        # Count the bins of the warm start, which is labelled from the beginning
        n_warm = n_rows(others[0]) if others else 0
        warm_bins = all_bins[self.n_pool_ : self.n_pool_ + n_warm]
        self._warm_counts = np.bincount(warm_bins, minlength=len(self.reference_))

    @property
    def peeks(self):
        """Return whether the followed strategy uses labels that were not acquired."""
        return strategy_peeks(self.strategy)

    def _sort_into_bins(self, X, estimator):
        """Return the bin of each row, counted from zero, shape (n_rows,)."""
        if callable(self.bins):
            found = np.asarray(self.bins(whole(X)))
            if found.shape != (n_rows(X),):
                raise ValueError(
                    f"bins must return one bin for each of the {n_rows(X)} rows, got "
                    f"shape {found.shape}."
                )
        elif self.bins == "length":
            check_sentences(X, 'IDMR(bins="length")')
            found = lengths(X)
        else:
            found = self._cluster(X, estimator)
        return np.unique(found, return_inverse=True)[1]

    def _cluster(self, X, estimator):
        with isolated(self.seed_), single_threaded():
            X = Preparation(estimator, self.seed_, ADVICE).fit_transform(X)
            X = embed(X, self.seed_) if self.bins == "tsne" else X
            return cluster(X, self.n_bins, self.seed_)

    def _select(self, estimator, X, n, candidates, labelled):
        counts = self._labelled_counts(labelled)
        bins = self.bins_[candidates]
        return self._pick(estimator, X, n, candidates, labelled, bins, counts)

    def _labelled_counts(self, labelled):
        """Return the number of labelled rows in each bin, shape (n_bins,)."""
        if labelled is None:
            return self._warm_counts.copy()
        acquired = labelled.positions[labelled.positions >= 0]
        acquired_bins = np.bincount(
            self.bins_[acquired], minlength=len(self.reference_)
        )
        return self._warm_counts + acquired_bins


class ODMR(_DistributionMatching):
    """Match the distribution of the labels while following another strategy.

    Output distribution-matching regularization. Rows are picked one at a time: from the
    class that is furthest below its target share, the row that the other strategy
    prefers. The paper has four variants, for two parameters with two values each.

    Parameters
    ----------
    strategy : strategy
        The strategy to follow within a class.

    reference : {"accessible", "test", "uniform"}, default="accessible"
        Which label frequencies to match: "accessible" takes the warm start and the
        selection set; "test" takes the test set, which peeks. "uniform" stands for the
        same share of each class, for data in which some are rare; it is not in the
        paper.

    labels : {"predicted", "true"}, default="predicted"
        Which class a candidate belongs to: the predicted one, or its true one, which
        peeks.

    random_state : int, RandomState instance or None, default=None
        Seeds the followed strategy. Inside an `ActiveLearner`, None takes a seed drawn
        from the learner's.

    Attributes
    ----------
    strategy_ : strategy
        The fitted strategy that is followed.

    reference_ : ndarray of shape (n_classes,)
        The target share of each class. Not there if it was fitted without a problem.

    peeks : bool
        Whether the variant uses labels that a real strategy never sees. It then gives
        an upper bound only.

    See Also
    --------
    IDMR : Match the distribution of the inputs.

    Notes
    -----
    Without a learner, the accessible labels are `labelled.y`, as passed to `select`,
    and the classes are these labels and the predicted ones. The other variants need the
    problem that a learner gives.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.5 and appendix G.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ODMR, ActiveLearner, MaxEntropy
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), ODMR(MaxEntropy()),
    ...                         batch_size=5, n_rounds=4, random_state=0)
    >>> learner.fit(X, y).strategy_.peeks
    False
    """

    _parameter_constraints: dict = {
        "strategy": [HasMethods(["fit", "select"])],
        "reference": [StrOptions({"accessible", "test", "uniform"})],
        "labels": [StrOptions({"predicted", "true"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        strategy,
        *,
        reference="accessible",
        labels="predicted",
        random_state=None,
    ):
        self.strategy = strategy
        self.reference = reference
        self.labels = labels
        self.random_state = random_state

    @property
    def peeks(self):
        """Return whether it or the followed strategy uses hidden labels."""
        itself = self.reference == "test" or self.labels == "true"
        return itself or strategy_peeks(self.strategy)

    @property
    def needs(self):
        """Methods called on the model, by the followed strategy and for `labels`."""
        followed = strategy_needs(self.strategy)
        return followed if self.labels == "true" else (*followed, "predict")

    @property
    def from_nothing(self):
        """Return whether it and the followed strategy need no model at first."""
        return self.labels == "true" and super().from_nothing

    @property
    def needs_labelled(self):
        """Return whether the labels to match come from `select`, not from a problem."""
        return getattr(self, "_is_alone", False)

    def check_problem(self, problem):
        """Check that the labels of a problem are classes, without training.

        Parameters
        ----------
        problem : Problem
            The problem to select rows for.

        Raises
        ------
        ValueError
            If they are tags or numbers.
        """
        check_classes(problem.target, "ODMR sorts rows by their class", "IDMR")

    def _fit(self, X, y, problem):
        if problem is None and self.peeks:
            raise ValueError(
                f"ODMR(reference={self.reference!r}, labels={self.labels!r}) looks up "
                "labels in a problem: use it as the strategy of an ActiveLearner."
            )
        self._fit_followed(X, problem)
        self._is_alone = problem is None
        if not self._is_alone:
            self._fit_to_problem(y, problem)

    def _fit_to_problem(self, y, problem):
        self.check_problem(problem)
        self._classes = problem.classes
        self._warm_counts = _count(problem.y_warm, self._classes)
        self._true_bins = None
        if self.labels == "true":
            self._true_bins = np.searchsorted(self._classes, y)
        self.reference_ = self._find_reference(problem)

    def _find_reference(self, problem):
        """Return the target share of each class, shape (n_classes,)."""
        if self.reference == "test":
            return problem.test_frequencies
        if self.reference == "uniform":
            return _uniform(len(self._classes))
        counts = self._warm_counts
        if problem.y_select is not None:
            counts = counts + _count(problem.y_select, self._classes)
        return _shares(counts)

    def _select(self, estimator, X, n, candidates, labelled):
        if self.needs_labelled:
            return self._select_alone(estimator, X, n, candidates, labelled)
        classes, counts = self._classes, self._warm_counts
        if labelled is not None:
            counts = _count(labelled.y, classes)
        if self.labels == "true":
            bins = self._true_bins[candidates]
        else:
            bins = by_chunks(
                lambda rows: predicted_codes(estimator, rows, classes), X, candidates
            )
        return self._pick(estimator, X, n, candidates, labelled, bins, counts)

    def _select_alone(self, estimator, X, n, candidates, labelled):
        """Match the frequencies of the labels so far, without a problem."""
        y = check_labels(labelled.y, "labelled.y")
        kind = Target.TAGS if is_tags(y) else Target.CLASS
        check_classes(kind, "ODMR sorts rows by their class", "IDMR")
        predicted = by_chunks(lambda rows: predictions(estimator, rows), X, candidates)
        classes = np.union1d(y, predicted)
        counts, bins = _count(y, classes), np.searchsorted(classes, predicted)
        is_uniform = self.reference == "uniform"
        shares = _uniform(len(classes)) if is_uniform else _shares(counts)
        return self._pick(estimator, X, n, candidates, labelled, bins, counts, shares)


def _count(y, classes):
    """Return the number of rows of each class, shape (n_classes,)."""
    return np.bincount(np.searchsorted(classes, y), minlength=len(classes))


def _uniform(n_classes):
    """Return the same share for each class, shape (n_classes,)."""
    return np.full(n_classes, 1 / n_classes)


def _shares(counts):
    """Return the share of each class, shape (n_classes,)."""
    if not counts.sum():
        raise ValueError(
            "ODMR finds no labels to match in an empty warm start: give X_warm or "
            'X_select, or reference="test".'
        )
    return counts / counts.sum()


def _other_inputs(problem):
    """Return the inputs besides the pool: the warm start, then the selection set."""
    if problem is None:
        return []
    others = [problem.X_warm, problem.X_select]
    return [rows for rows in others if rows is not None]
