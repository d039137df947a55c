"""Performance curves: their quality, dominance and optimism."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# A sum of costs may exceed an amount by this factor, since sums of fractions are
# rounded: 0.1 + 0.2 is more than 0.3. Whole numbers are compared exactly up to 10 ** 9.
ROUNDING = 1 + 1e-9


def xi_quality(curve: ArrayLike, *, include_warm_start: bool = False) -> float:
    """Mean of a performance curve over its rounds (xi-quality).

    Parameters
    ----------
    curve : array-like of shape (n_rounds + 1,)
        Scores after k = 0..K rounds; index 0 is the warm start.
    include_warm_start : bool, default=False
        Whether to average over k = 0..K, as in the published tables, instead of
        k = 1..K, as in the definition.

    Returns
    -------
    float
        The mean score.

    Raises
    ------
    ValueError
        If the curve has no round after the warm start, or some of its scores are NaN
        or infinite.

    See Also
    --------
    optimism : How much of a gain is fitted to validation.
    skal.curves.dominates : Compare two curves round by round.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, section 3.3.

    Examples
    --------
    >>> from skal import xi_quality
    >>> xi_quality([0.2, 0.5, 0.75])
    0.625
    """
    curve = np.asarray(curve, dtype=np.float64)
    if curve.ndim != 1 or len(curve) < 2:
        raise ValueError(
            "curve must be one-dimensional, with the warm start and at least one "
            f"round, got shape {curve.shape}."
        )
    scores = curve if include_warm_start else curve[1:]
    # Without a validation set, all scores are NaN.
    if not np.isfinite(scores).all() and not np.isnan(scores).all():
        raise ValueError(
            f"curve must have finite scores, got {curve}: leave out the rounds without "
            "a score, or average from k = 1 if the warm start is empty."
        )
    return float(np.mean(scores))


def quality_scorer(learner: Any, X: Any = None, y: Any = None) -> float:
    """Return the xi-quality of a fitted learner, as a scorer of scikit-learn.

    `GridSearchCV` and `cross_val_score` score the final model of an `ActiveLearner` by
    default, which is the end of its curve. With `scoring=quality_scorer`, they score
    the whole curve: the mean over all rounds.

    Parameters
    ----------
    learner : ActiveLearner or Pipeline
        The fitted learner, or a Pipeline with one as its last step.
    X, y : object, default=None
        Not used: the curve was scored on the test set of `fit`, which the learner
        carves out of the rows that it is given.

    Returns
    -------
    float
        Its `quality_`, on the test set.

    Raises
    ------
    TypeError
        If the estimator is not a learner.

    See Also
    --------
    compare : Compare strategies over several seeds, with tests.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, Margin, Random, quality_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(GaussianNB(), Random(), batch_size=2, n_rounds=4,
    ...                         random_state=0)
    >>> grid = GridSearchCV(learner, {"strategy": [Random(), Margin()]},
    ...                     scoring=quality_scorer).fit(X, y)
    >>> grid.cv_results_["mean_test_score"].shape
    (2,)
    """
    while hasattr(learner, "steps"):
        learner = learner.steps[-1][1]
    if not hasattr(learner, "quality_"):
        raise TypeError(
            f"quality_scorer must be given a fitted ActiveLearner, got "
            f"{type(learner).__name__}: use it as the `scoring` of a GridSearchCV over "
            "a learner."
        )
    return float(learner.quality_)


def dominates(curve: ArrayLike, other: ArrayLike) -> bool:
    """Return whether `curve` is at least as high as `other` after rounds k = 1..K.

    Parameters
    ----------
    curve, other : array-like of shape (n_rounds + 1,)
        The curves to compare. Index 0, the warm start, is common to all orders and is
        not compared.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If the curves are not of the same length.

    See Also
    --------
    anytime_optimal : The curve that dominates every other one.
    xi_quality : One number for a curve.

    References
    ----------
    Zhou et al., AISTATS 2021, Definition 1.

    Examples
    --------
    >>> from skal.curves import dominates
    >>> dominates([0.1, 0.5, 0.7], [0.1, 0.5, 0.6])
    True
    """
    curve, other = np.asarray(curve), np.asarray(other)
    if curve.shape != other.shape:
        raise ValueError(
            f"The curves must have the same length, got shapes {curve.shape} and "
            f"{other.shape}: compare curves over the same number of rounds."
        )
    return bool(np.all(curve[1:] >= other[1:]))


def anytime_optimal(curves: Iterable[ArrayLike]) -> int | None:
    """Find a curve that dominates every other one.

    Parameters
    ----------
    curves : iterable of array-like of shape (n_rounds + 1,)
        The curves of all orders under comparison.

    Returns
    -------
    int or None
        The index of the first such curve; None if no curve dominates all others.

    Raises
    ------
    ValueError
        If no curve is given, or the curves differ in length.

    See Also
    --------
    dominates : Compare two curves.
    xi_quality : One number for a curve.

    References
    ----------
    Zhou et al., AISTATS 2021, Definition 1 and Proposition 1.

    Examples
    --------
    >>> from skal.curves import anytime_optimal
    >>> anytime_optimal([[0, 0.5, 0.6], [0, 0.5, 0.7]])
    1
    >>> anytime_optimal([[0, 0.5, 0.6], [0, 0.4, 0.7]]) is None
    True
    """
    stacked = np.array([np.asarray(curve, dtype=np.float64) for curve in curves])
    if stacked.ndim != 2:
        raise ValueError("No curve is given: give at least one.")
    is_highest = (stacked[:, 1:] == stacked[:, 1:].max(axis=0)).all(axis=1)
    return int(np.argmax(is_highest)) if is_highest.any() else None


def optimism(
    validation: ArrayLike,
    test: ArrayLike,
    baseline_validation: ArrayLike,
    baseline_test: ArrayLike,
) -> NDArray[np.float64]:
    """Gain over a baseline on the validation set minus the gain on the test set.

    An oracle overfits its validation set, and this part of its gain does not carry over
    to other data. The difference between the validation and the test quality does not
    measure it, since one of the two sets may be harder than the other for any order.
    The baseline, which is fitted to neither, corrects for that.

    Parameters
    ----------
    validation, test : array-like
        Qualities of orders that were found by a search on validation.
    baseline_validation, baseline_test : array-like
        Qualities of the baseline on the same data, preferably means over several random
        orders. All four are broadcast against each other.

    Returns
    -------
    ndarray, or float for four numbers
        About zero, up to noise, for an order not fitted to validation. NaN if one
        of the qualities is NaN.

    See Also
    --------
    xi_quality : The quality of a curve.
    compare : Its table has the optimism of each strategy.

    References
    ----------
    The term is due to Efron, "How Biased Is the Apparent Error Rate of a Prediction
    Rule?", Journal of the American Statistical Association 81, 1986.

    Examples
    --------
    >>> from skal.curves import optimism
    >>> value = optimism(0.98, 0.94, baseline_validation=0.88, baseline_test=0.89)
    >>> round(float(value), 4)  # 0.10 gained on validation, 0.05 on test
    0.05
    """
    gain = np.asarray(validation, dtype=np.float64) - np.asarray(baseline_validation)
    return gain - (np.asarray(test, dtype=np.float64) - np.asarray(baseline_test))


def ends_of_rounds(
    order: NDArray[np.int64],
    batch_size: int,
    n_rounds: int,
    costs: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Return how many rows of an order are labelled after k = 0..K rounds.

    Parameters
    ----------
    order : ndarray of shape (n,)
        Positions in the pool in the order in which they are labelled.
    batch_size : int
        Number of rows labelled in a round (B). With costs, the amount that is spent.
    n_rounds : int
        Number of rounds (K).
    costs : ndarray of shape (n_pool,), default=None
        The cost of labelling each row of the pool, positive.

    Returns
    -------
    ndarray of shape (n_rounds + 1,)
        The first k B rows, as far as there are any. With costs, the longest prefix of
        the order that costs at most k B: what a round leaves is spent in later ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skal.curves import ends_of_rounds
    >>> costs = np.array([3.0, 2.0, 4.0, 1.0])
    >>> ends_of_rounds(np.arange(4), 5, 3, costs)  # spent: 0, 3 + 2, 4 + 1, nothing
    array([0, 2, 4, 4])
    """
    if costs is None:
        rounds, size = np.arange(n_rounds + 1), min(batch_size, len(order))
        return np.minimum(rounds * size, len(order))
    limits = spending_limits(batch_size, n_rounds)
    return np.searchsorted(np.cumsum(costs[order]), limits, side="right")


def spending_limits(batch_size: int, n_rounds: int) -> NDArray[np.float64]:
    """Return the amounts that may be spent after k = 0..K rounds.

    Parameters
    ----------
    batch_size : int
        The amount of a round (B).
    n_rounds : int
        Number of rounds (K).

    Returns
    -------
    ndarray of shape (n_rounds + 1,)
        k B, and a little more, since sums of costs are rounded.
    """
    return np.arange(n_rounds + 1, dtype=np.float64) * (batch_size * ROUNDING)


def round_of(
    n: int, spent: float, batch_size: int, costs: NDArray[np.float64] | None
) -> int:
    """Return the first round after which a set can be labelled.

    Parameters
    ----------
    n : int
        Number of rows in the set.
    spent : float
        Their total cost. It matters only with costs.
    batch_size, costs
        As in `ends_of_rounds`.

    Returns
    -------
    int
        The number of the round; 0 for the empty set.
    """
    if costs is None:
        return -(-n // batch_size)
    return int(np.ceil(spent / (batch_size * ROUNDING)))


def prefixes(
    order: NDArray[np.int64],
    ends: Sequence[int] | NDArray[np.int64],
    rounds: Iterable[int],
) -> list[NDArray[np.int64]]:
    """Return the positions that are labelled after each of some rounds.

    Parameters
    ----------
    order : ndarray of shape (n_acquired,)
        Positions in the order in which they are labelled.
    ends : sequence of int, of length n_rounds + 1
        How many of them are labelled after k = 0..K rounds, see `ends_of_rounds`.
    rounds : iterable of int
        The rounds k, each between 0 and K.

    Returns
    -------
    list of ndarray
        The first `ends[k]` positions of `order`, for each k.
    """
    return [order[: ends[k]] for k in rounds]
