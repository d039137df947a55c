"""Information measures of predictive distributions, as pure functions of arrays.

The names of arrays end in their shape: N rows, B rows of a batch, T posterior samples
or members of an ensemble, C classes, M joint outcomes of the labels of several rows.
All measures are in nats.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from skal.seeding import Stream, as_seed, stream

Floats = NDArray[np.floating]

# Error of probabilities that a net computes in half precision.
_ROUNDING = 1e-3
# Number of rows whose exact gains lazy selection computes in one step.
_AT_ONCE = 64
# Outcomes are merged if their most likely samples agree, and so do the probabilities of
# these on a scale with these two thresholds.
_LEVELS = (0.5, 0.9)
# Working memory that fits into a processor's cache: several times as fast as more.
_CACHE_BYTES = 2**22


def entropy(probs_N_C: ArrayLike) -> NDArray[np.float64]:
    """Shannon entropy of each row's class distribution.

    Parameters
    ----------
    probs_N_C : array-like of shape (..., n_classes)
        Class probabilities. A zero contributes nothing.

    Returns
    -------
    ndarray of shape (...,)
        Between 0 and log(n_classes).

    Raises
    ------
    ValueError
        If a value is not between 0 and 1.

    Examples
    --------
    >>> from skal.information import entropy
    >>> entropy([[0.5, 0.5], [1.0, 0.0]]).round(4).tolist()
    [0.6931, 0.0]
    """
    probs_N_C = np.asarray(probs_N_C, dtype=np.float64)
    if probs_N_C.size and not _is_in_range(probs_N_C):
        raise ValueError(
            f"Probabilities must be between 0 and 1, got {probs_N_C.min()} to "
            f"{probs_N_C.max()}: give class probabilities, such as those of "
            "predict_proba."
        )
    return entr(probs_N_C).sum(axis=-1)


def _is_in_range(probs: Floats) -> bool:
    """Return whether no probability is below 0 or above 1; NaN is neither."""
    with np.errstate(invalid="ignore"):
        return not (probs.min() < -_ROUNDING or probs.max() > 1 + _ROUNDING)


def mutual_information(
    probs_N_T_C: ArrayLike, *, max_bytes: int = 2**27
) -> NDArray[np.float64]:
    """Mutual information between each row's label and the model (BALD).

    It is the entropy of the mean prediction minus the mean entropy of the predictions:
    high if the samples are confident and disagree.

    Parameters
    ----------
    probs_N_T_C : array-like of shape (n_rows, n_samples, n_classes)
        Class probabilities by each posterior sample.
    max_bytes : int, default=2**27
        Limit on working memory, besides the input and the result.

    Returns
    -------
    ndarray of shape (n_rows,)
        Never negative.

    References
    ----------
    Houlsby et al., "Bayesian Active Learning for Classification and Preference
    Learning", 2011, Equation 2; Gal, Islam and Ghahramani, "Deep Bayesian Active
    Learning with Image Data", ICML 2017.

    Examples
    --------
    >>> from skal.information import mutual_information
    >>> disagree, unsure = [[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]
    >>> mutual_information([disagree, unsure]).round(4).tolist()
    [0.6931, 0.0]
    """
    probs_N_T_C = _check_probs(probs_N_T_C)
    of_mean_N = entropy(probs_N_T_C.mean(axis=1, dtype=np.float64))
    return np.maximum(of_mean_N - _mean_entropy(probs_N_T_C, max_bytes), 0.0)


def variation_ratio(probs_N_T_C: ArrayLike) -> NDArray[np.float64]:
    """Share of the posterior samples that vote against the majority.

    Parameters
    ----------
    probs_N_T_C : array-like of shape (n_rows, n_samples, n_classes)
        Class probabilities by each posterior sample.

    Returns
    -------
    ndarray of shape (n_rows,)
        Between 0 and 1 - 1 / n_classes.

    References
    ----------
    Freeman, "Elementary Applied Statistics", 1965; Gal, Islam and Ghahramani, ICML
    2017. The code of Zhou et al. calls this BALD for intent classification.

    Examples
    --------
    >>> from skal.information import variation_ratio
    >>> variation_ratio([[[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]]).round(4).tolist()
    [0.3333]
    """
    probs_N_T_C = _check_probs(probs_N_T_C, may_be_nan=False)
    votes_N_T = np.argmax(probs_N_T_C, axis=2)
    n_classes = np.shape(probs_N_T_C)[2]
    counts_N_C = np.stack([(votes_N_T == c).sum(axis=1) for c in range(n_classes)], 1)
    return 1.0 - counts_N_C.max(axis=1) / votes_N_T.shape[1]


def joint_entropy(
    probs_B_T_C: ArrayLike,
    *,
    n_configurations: int = 10_000,
    random_state: Any = None,
) -> float:
    """Joint entropy of the labels of several rows.

    Given the model, the labels are independent; their joint distribution is the mean
    over posterior samples. The entropy is exact until there are more than
    `n_configurations` joint outcomes; then this many are sampled.

    Parameters
    ----------
    probs_B_T_C : array-like of shape (n_rows, n_samples, n_classes)
        Class probabilities by each posterior sample.
    n_configurations : int, default=10_000
        Number of joint outcomes to keep.
    random_state : int, RandomState instance or None, default=None
        Determines the sampling of outcomes.

    Returns
    -------
    float
        Between 0 and n_rows log(n_classes).

    References
    ----------
    Kirsch, van Amersfoort and Gal, "BatchBALD: Efficient and Diverse Batch Acquisition
    for Deep Bayesian Active Learning", NeurIPS 2019, section 3.

    Examples
    --------
    >>> from skal.information import joint_entropy
    >>> coin = [[0.5, 0.5], [0.5, 0.5]]
    >>> round(joint_entropy([coin, coin]), 4)  # two bits
    1.3863
    """
    probs_B_T_C = _check_probs(probs_B_T_C, may_be_nan=False)
    rng = stream(as_seed(random_state), Stream.CONFIGURATIONS)
    outcomes = _Outcomes(probs_B_T_C.shape[1], probs_B_T_C.dtype)
    total = 0.0
    for probs_T_C in probs_B_T_C:
        total += float(outcomes.conditional_entropy(probs_T_C[None])[0])
        outcomes.extend(probs_T_C, n_configurations, rng)
    return total


def batchbald(
    probs_N_T_C: ArrayLike,
    n: int,
    *,
    n_configurations: int = 10_000,
    random_state: Any = None,
    max_bytes: int = 2**27,
    lazy: bool = True,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pick rows greedily by the mutual information of their labels and the model.

    The gain of a row is a mean over the joint outcomes of the batch so far. Entropy is
    concave, so merging similar outcomes gives an upper bound on the gain at a fraction
    of the cost. Lazy selection computes the exact gains of those rows only whose bound
    is high enough, and picks the same rows as the plain greedy algorithm. (The usual
    bound of lazy selection, the gain in an earlier step, does not strictly hold once
    outcomes are sampled.)

    Parameters
    ----------
    probs_N_T_C : array-like of shape (n_rows, n_samples, n_classes)
        Class probabilities by each posterior sample. The computation is in float32 if
        they are float32, and in float64 otherwise.
    n : int
        Number of rows to pick.
    n_configurations : int, default=10_000
        Number of joint outcomes of the batch to keep. The computation is exact until
        there are more; then this many are sampled.
    random_state : int, RandomState instance or None, default=None
        Determines the sampling of outcomes.
    max_bytes : int, default=2**27
        Limit on working memory, besides the input and the joint outcomes.
    lazy : bool, default=True
        Whether to skip rows by the bound on their gain. False computes the exact gain
        of every row for every pick, for comparison.

    Returns
    -------
    rows : ndarray of shape (n,), dtype int64
        The picked rows, in the order in which they were picked. Among equal gains the
        first row is picked.
    gains : ndarray of shape (n,)
        The gain of each row: how much it added to the mutual information between the
        labels of the batch and the model.

    Raises
    ------
    ValueError
        If `n` exceeds the number of rows.

    References
    ----------
    Kirsch, van Amersfoort and Gal, "BatchBALD: Efficient and Diverse Batch Acquisition
    for Deep Bayesian Active Learning", NeurIPS 2019, Algorithm 1.

    Examples
    --------
    >>> from skal.information import batchbald
    >>> row, other = [[1, 0], [1, 0], [0, 1], [0, 1]], [[1, 0], [0, 1]] * 2
    >>> rows, gains = batchbald([row, row, other], 2)  # a duplicate adds nothing
    >>> rows.tolist(), gains.round(4).tolist()
    ([0, 2], [0.6931, 0.6931])
    """
    probs_N_T_C = _check_probs(probs_N_T_C, may_be_nan=False)
    if not 0 <= n <= len(probs_N_T_C):
        raise ValueError(
            f"n must be between 0 and the number of rows, {len(probs_N_T_C)}, got {n}: "
            "ask for at most as many rows as there are."
        )
    rng = stream(as_seed(random_state), Stream.CONFIGURATIONS)
    outcomes = _Outcomes(probs_N_T_C.shape[1], probs_N_T_C.dtype)
    noise_N = _mean_entropy(probs_N_T_C, max_bytes)
    is_open = np.ones(len(probs_N_T_C), dtype=bool)
    picked, gains = np.empty(n, dtype=np.int64), np.empty(n)

    def gains_of(rows: NDArray[np.int64], given: _Outcomes) -> Floats:
        labels = given.conditional_entropy(probs_N_T_C, rows, max_bytes)
        return labels - noise_N[rows]

    for i in range(n):
        rows = np.flatnonzero(is_open)
        picked[i], gains[i] = _best(rows, gains_of, outcomes, lazy)
        is_open[picked[i]] = False
        outcomes.extend(probs_N_T_C[picked[i]], n_configurations, rng)
    return picked, gains


def _best(
    rows: NDArray[np.int64],
    gains_of: Callable[[NDArray[np.int64], "_Outcomes"], Floats],
    outcomes: "_Outcomes",
    lazy: bool,
) -> tuple[int, float]:
    """Return the row with the highest gain, the first of equals, and its gain."""
    # Round gains: their last bits depend on how rows are grouped, and must not decide
    # between equal ones
    single = outcomes.weight_M.dtype == np.float32
    decimals, slack = (5, 2e-5) if single else (11, 2e-11)
    merged = outcomes.merged()
    if not lazy or merged is outcomes:
        gains = gains_of(rows, outcomes).round(decimals)
        best = int(np.argmax(gains))
        return int(rows[best]), max(float(gains[best]), 0.0)

    # Compute exact gains in the order of their bounds, until no bound is high enough
    bounds = gains_of(rows, merged) + slack
    ranking = np.argsort(-bounds)
    best_gain, best_row = -np.inf, -1
    for start in range(0, len(rows), _AT_ONCE):
        part = ranking[start : start + _AT_ONCE]
        if best_gain > bounds[part[0]]:
            break
        gains = gains_of(rows[part], outcomes).round(decimals)
        row = int(rows[part[gains == gains.max()]].min())
        if (gains.max(), -row) > (best_gain, -best_row):
            best_gain, best_row = float(gains.max()), row
    return best_row, max(best_gain, 0.0)


class _Outcomes:
    """Joint outcomes of the labels of the rows taken so far.

    Parameters
    ----------
    n_samples : int
        Number of posterior samples.
    dtype : dtype
        Type of all computations.

    Attributes
    ----------
    weight_M : ndarray of shape (n_outcomes,)
        Probability of each outcome, or equal weights if outcomes are sampled.
    belief_M_T : ndarray of shape (n_outcomes, n_samples)
        Posterior distribution over the samples, given the outcome.
    """

    def __init__(self, n_samples: int, dtype: Any) -> None:
        self.weight_M = np.ones(1, dtype=dtype)
        self.belief_M_T = np.full((1, n_samples), 1.0 / n_samples, dtype=dtype)

    def conditional_entropy(
        self,
        probs_N_T_C: Floats,
        rows: NDArray[np.int64] | None = None,
        max_bytes: int = 2**27,
    ) -> NDArray[np.float64]:
        """Return the entropy of each row's label, given the labels taken so far."""
        rows = np.arange(len(probs_N_T_C)) if rows is None else rows
        _, n_samples, n_classes = probs_N_T_C.shape
        per_row = max(len(self.weight_M), n_samples) * n_classes * probs_N_T_C.itemsize
        at_once = max(1, min(max_bytes, _CACHE_BYTES) // (3 * per_row))
        found = np.empty(len(rows))
        for start in range(0, len(rows), at_once):
            part = slice(start, start + at_once)
            found[part] = self._conditional_entropy(probs_N_T_C[rows[part]])
        return found

    def _conditional_entropy(self, probs_N_T_C: Floats) -> NDArray[np.float64]:
        n_rows, n_samples, n_classes = probs_N_T_C.shape
        flat_T_NC = probs_N_T_C.transpose(1, 0, 2).reshape(n_samples, -1)
        predicted_M_NC = self.belief_M_T @ flat_T_NC
        # Adding the smallest number makes log(0) finite and changes nothing else.
        logs_M_NC = predicted_M_NC + np.finfo(predicted_M_NC.dtype).tiny
        np.log(logs_M_NC, out=logs_M_NC)
        predicted_M_NC *= logs_M_NC
        negative_NC = self.weight_M @ predicted_M_NC
        return -negative_NC.reshape(n_rows, n_classes).sum(axis=1, dtype=np.float64)

    def merged(self) -> "_Outcomes":
        """Return similar outcomes merged: equal most likely sample, similar belief.

        By Jensen's inequality, a conditional entropy given the merged outcomes is at
        least the conditional entropy given these outcomes.
        """
        likely_M = self.belief_M_T.argmax(axis=1)
        level_M = np.digitize(self.belief_M_T.max(axis=1), _LEVELS)
        group_M = likely_M * (len(_LEVELS) + 1) + level_M
        order = np.argsort(group_M, kind="stable")
        starts = np.flatnonzero(np.diff(group_M[order], prepend=-1))
        if 2 * len(starts) > len(order):
            return self
        merged = _Outcomes(self.belief_M_T.shape[1], self.belief_M_T.dtype)
        weighted_M_T = self.weight_M[order, None] * self.belief_M_T[order]
        merged.weight_M = np.add.reduceat(self.weight_M[order], starts)
        sums = np.add.reduceat(weighted_M_T, starts, axis=0)
        merged.belief_M_T = sums / merged.weight_M[:, None]
        return merged

    def extend(self, probs_T_C: Floats, at_most: int, rng: np.random.Generator) -> None:
        """Take one more row: each outcome branches into the possible classes.

        If there are more than `at_most` outcomes afterwards, this many are sampled.
        """
        predicted_M_C = self.belief_M_T @ probs_T_C
        joint = (self.weight_M[:, None] * predicted_M_C).ravel()
        branches = np.flatnonzero(joint > 0)
        weight = joint[branches]
        if len(branches) > at_most:
            branches = branches[_resample(weight, at_most, rng)]
            weight = np.full(at_most, 1.0 / at_most)
        m, c = np.divmod(branches, probs_T_C.shape[1])
        belief = self.belief_M_T[m] * probs_T_C[:, c].T
        belief /= belief.sum(axis=1, keepdims=True)
        self.belief_M_T = belief
        self.weight_M = (weight / weight.sum()).astype(belief.dtype)


def _resample(weight: Floats, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw `size` indices with probabilities proportional to their weights.

    Systematic resampling: unbiased, and with less variance than independent draws.
    """
    cumulative = np.cumsum(weight, dtype=np.float64)
    points = (rng.random() + np.arange(size)) / size * cumulative[-1]
    return np.searchsorted(cumulative, points, side="right").clip(0, len(weight) - 1)


def _mean_entropy(probs_N_T_C: Floats, max_bytes: int) -> NDArray[np.float64]:
    """Return the mean entropy of each row's predictions, computed chunk by chunk."""
    n_rows, n_samples, n_classes = probs_N_T_C.shape
    at_once = max(1, max_bytes // (2 * 8 * n_samples * n_classes))
    found = np.empty(n_rows)
    for start in range(0, n_rows, at_once):
        part = slice(start, start + at_once)
        found[part] = entropy(probs_N_T_C[part]).mean(axis=1)
    return found


def _check_probs(probs_N_T_C: ArrayLike, *, may_be_nan: bool = True) -> Floats:
    """Return posterior samples as an array of float32 or float64."""
    probs = np.asarray(probs_N_T_C)
    if probs.ndim != 3:
        raise ValueError(
            "Posterior samples must have the shape (n_rows, n_samples, n_classes), got "
            f"{probs.shape}."
        )
    if not may_be_nan and np.isnan(np.sum(probs, dtype=np.float64)):
        raise ValueError(
            "Posterior samples must be numbers, got NaN: change the parameters of the "
            "estimator or scale the rows, so that it returns numbers."
        )
    return probs if probs.dtype == np.float32 else probs.astype(np.float64, copy=False)
