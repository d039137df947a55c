"""Joint entropy of the labels of several rows, and batches that maximize it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skal.information._measures import CACHE_BYTES, Floats, check_probs, mean_entropy
from skal.seeding import Stream, as_seed, stream

# Number of rows whose exact gains lazy selection computes in one step.
_AT_ONCE = 64
# Outcomes are merged if their most likely samples agree, and so do the probabilities of
# these on a scale with these two thresholds.
_LEVELS = (0.5, 0.9)


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

    See Also
    --------
    batchbald : Chooses a batch by it.
    entropy : The entropy of one label.

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
    probs_B_T_C = check_probs(probs_B_T_C, may_be_nan=False)
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

    See Also
    --------
    joint_entropy : The entropy of the labels of several rows.
    BatchBALD : The strategy that uses it.

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
    probs_N_T_C = check_probs(probs_N_T_C, may_be_nan=False)
    if not 0 <= n <= len(probs_N_T_C):
        raise ValueError(
            f"n must be between 0 and the number of rows, {len(probs_N_T_C)}, got {n}: "
            "ask for at most as many rows as there are."
        )
    rng = stream(as_seed(random_state), Stream.CONFIGURATIONS)
    outcomes = _Outcomes(probs_N_T_C.shape[1], probs_N_T_C.dtype)
    noise_N = mean_entropy(probs_N_T_C, max_bytes)
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
        at_once = max(1, min(max_bytes, CACHE_BYTES) // (3 * per_row))
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
