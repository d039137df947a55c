"""Distribution matching: keep the labelled rows distributed like the whole data."""

from numbers import Integral

import numpy as np

from skal._sklearn import HasMethods, Interval, StrOptions
from skal._threads import single_threaded
from skal.answers._needs import strategy_needs, strategy_peeks, strategy_searches
from skal.answers._reading import predicted_codes
from skal.inputs._checks import check_sentences
from skal.inputs._containers import lengths, n_rows, take
from skal.inputs._embedding import cluster, embed
from skal.inputs._joining import concat
from skal.inputs._tags import is_tags
from skal.seeding import Stream, isolated, stream
from skal.strategies._base import BaseStrategy, fit_inner


class _DistributionMatching(BaseStrategy):
    """Base class: pick from the bin that is furthest below its target share.

    A subclass sets `reference_`, the target share of each bin.
    """

    @property
    def needs(self):
        """Methods that the followed strategy calls on the model."""
        return strategy_needs(self.strategy)

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

    def _pick(self, estimator, X, n, candidates, labelled, bins, counts):
        """Pick one row at a time (Algorithm 2).

        `bins` holds the bin of each candidate, shape (n_candidates,), and `counts` the
        number of labelled rows in each bin, shape (n_bins,).
        """
        rankings, counts = {}, counts.copy()
        left = np.bincount(bins, minlength=len(counts))
        chosen = np.empty(n, dtype=np.int64)
        for i in range(n):
            # The bin furthest below its target share, among those with candidates left
            excess = counts / max(1, counts.sum()) - self.reference_
            b = int(np.argmin(np.where(left > 0, excess, np.inf)))
            # The followed strategy ranks the rows of a bin when it is first needed
            if b not in rankings:
                ranking = self.strategy_.select(
                    estimator,
                    X,
                    min(n - i, left[b]),
                    candidates=candidates[bins == b],
                    labelled=labelled,
                )
                rankings[b] = iter(ranking)
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
        components. A callable takes rows and returns one bin per row.

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
        inputs = X
        for rows in others:
            inputs = concat(inputs, rows)
        all_bins = self._sort_into_bins(inputs)
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

    def _sort_into_bins(self, X):
        """Return the bin of each row, counted from zero, shape (n_rows,)."""
        if callable(self.bins):
            found = np.asarray(self.bins(X))
            if found.shape != (n_rows(X),):
                raise ValueError(
                    f"bins must return one bin for each of the {n_rows(X)} rows, got "
                    f"shape {found.shape}."
                )
        elif self.bins == "length":
            check_sentences(X, 'IDMR(bins="length")')
            found = lengths(X)
        else:
            found = self._cluster(X)
        return np.unique(found, return_inverse=True)[1]

    def _cluster(self, X):
        with isolated(self.seed_), single_threaded():
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

    Output distribution-matching regularization, in four variants. Rows are picked one
    at a time: from the class that is furthest below its target share, the row that the
    other strategy prefers.

    Parameters
    ----------
    strategy : strategy
        The strategy to follow within a class.

    reference : {"accessible", "test"}, default="accessible"
        Which label frequencies to match: "accessible" takes the warm start and the
        selection set; "test" takes the test set, which peeks.

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
        The target share of each class.

    peeks : bool
        Whether the variant uses labels that a real strategy never sees. It then gives
        an upper bound only.

    See Also
    --------
    IDMR : Match the distribution of the inputs.

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
        "reference": [StrOptions({"accessible", "test"})],
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

    def _fit(self, X, y, problem):
        if problem is None:
            raise ValueError(
                "ODMR matches the label frequencies of a problem: use it as the "
                "strategy of an ActiveLearner."
            )
        if any(map(is_tags, (problem.y_warm, problem.y_select, y))):
            raise ValueError(
                "ODMR sorts rows by their label, but a row with tags has several: use "
                "IDMR, which sorts rows by their inputs."
            )
        self._fit_followed(X, problem)
        self._classes = problem.classes
        self._warm_counts = self._count(problem.y_warm)
        self._true_bins = None
        if self.labels == "true":
            self._true_bins = np.searchsorted(self._classes, y)
        self.reference_ = self._find_reference(problem)

    def _find_reference(self, problem):
        """Return the target share of each class, shape (n_classes,)."""
        if self.reference == "test":
            return problem.test_frequencies
        counts = self._warm_counts
        if problem.y_select is not None:
            counts = counts + self._count(problem.y_select)
        if not counts.sum():
            raise ValueError(
                "ODMR finds no labels to match in an empty warm start: give X_warm or "
                'X_select, or reference="test".'
            )
        return counts / counts.sum()

    def _count(self, y):
        """Return the number of rows of each class, shape (n_classes,)."""
        bins = np.searchsorted(self._classes, y)
        return np.bincount(bins, minlength=len(self._classes))

    def _select(self, estimator, X, n, candidates, labelled):
        counts = self._warm_counts if labelled is None else self._count(labelled.y)
        if self.labels == "true":
            bins = self._true_bins[candidates]
        else:
            rows = take(X, candidates)
            bins = predicted_codes(estimator, rows, self._classes)
        return self._pick(estimator, X, n, candidates, labelled, bins, counts)


def _other_inputs(problem):
    """Return the inputs besides the pool: the warm start, then the selection set."""
    if problem is None:
        return []
    others = [problem.X_warm, problem.X_select]
    return [rows for rows in others if rows is not None]
