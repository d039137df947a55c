"""Statistics of paired runs: pure functions of arrays, one number per seed.

A p-value that is not defined is NaN, and never a warning: with a single seed, or where
the difference is the same for every seed, so that seeds repeat each other and tell
nothing about the next one.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

# Scores are sums of thousands of numbers: what differs by less than this part of them
# is equal.
DIGITS = 12


def paired_t(first: ArrayLike, second: ArrayLike, overlap: float = 0.0) -> float:
    """Return the p-value of a paired t-test, two-sided.

    Random splits of the same rows share rows, so that what they give is correlated, and
    the mean over n splits varies more than its n values tell. The corrected resampled
    t-test multiplies the variance of the mean, s^2 / n, by 1 + n * overlap.

    Parameters
    ----------
    first, second : array-like of shape (n_seeds,)
    overlap : float, default=0.0
        Test rows per other row, where each seed has a random split of the same rows;
        0 where all seeds share one split.

    Returns
    -------
    float
        NaN if it is not defined.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.1.

    Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52,
    2003, section 3.
    """
    differences = _differences(first, second)
    if _is_constant(differences):
        return float("nan")
    n = len(differences)
    error = differences.std(ddof=1) * np.sqrt(1 / n + overlap)
    return float(2 * special.stdtr(n - 1, -abs(differences.mean() / error)))


def wilcoxon(first: ArrayLike, second: ArrayLike) -> float:
    """Return the p-value of Wilcoxon's signed-rank test, two-sided and exact.

    Seeds without a difference are left out. With n seeds, no p-value is below 2 / 2^n:
    of five seeds, none is significant at 0.05.

    Parameters
    ----------
    first, second : array-like of shape (n_seeds,)

    Returns
    -------
    float
        NaN if it is not defined.
    """
    differences = _differences(first, second)
    if _is_constant(differences):
        return float("nan")
    differences = differences[differences != 0]
    # Twice the ranks are integers, also where some are tied.
    ranks = np.rint(2 * stats.rankdata(np.abs(differences))).astype(int)
    won = ranks[differences > 0].sum()
    chances = _sums_of_some(ranks)
    return float(min(1.0, 2 * min(chances[: won + 1].sum(), chances[won:].sum())))


def _sums_of_some(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how likely each sum is, where each rank counts with probability 1/2."""
    chances = np.zeros(ranks.sum() + 1)
    chances[0] = 1
    for rank in ranks:
        moved = np.zeros_like(chances)
        moved[rank:] = chances[: len(chances) - rank]
        chances = (chances + moved) / 2
    return chances


def _differences(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return what the first has more, in parts of the largest of all numbers."""
    pair = np.array([first, second], dtype=np.float64)
    scale = np.abs(pair).max(initial=0)
    return np.round((pair[0] - pair[1]) / (scale if scale > 0 else 1), DIGITS)


def _is_constant(differences: NDArray[np.float64]) -> bool:
    """Whether differences do not vary, or cannot: then nothing can be tested."""
    if len(differences) < 2 or not np.isfinite(differences).all():
        return True
    return bool(np.ptp(differences) < 10 * 10.0**-DIGITS)


def jackknife_pairs(qualities: ArrayLike) -> NDArray[np.float64]:
    """Return the pseudo-values of the mean over pairs of two different seeds.

    Rows share a source and columns a target, so that their means are not independent,
    and a test takes them for more seeds than there are. A pseudo-value is what one seed
    adds to the mean, as a source and as a target: these can be tested.

    Parameters
    ----------
    qualities : array-like of shape (..., n_seeds, n_seeds)
        By source and target; the diagonal is left out.

    Returns
    -------
    ndarray of shape (..., n_seeds)
        Their mean is that over pairs.

    Raises
    ------
    ValueError
        If there are less than three seeds: two are one pair.

    References
    ----------
    Arvesen, "Jackknifing U-Statistics", Annals of Mathematical Statistics, 1969.

    Examples
    --------
    >>> import numpy as np
    >>> from skal.studies import jackknife_pairs
    >>> source = np.array([[0.7], [0.8], [0.9]])  # no target makes a difference
    >>> jackknife_pairs(source + np.zeros(3)).round(6)
    array([0.7, 0.8, 0.9])
    """
    q = np.asarray(qualities, dtype=np.float64)
    n = q.shape[-1]
    if n < 3:
        raise ValueError(f"{n} seeds have no pseudo-values: give three or more.")
    own = np.diagonal(q, axis1=-2, axis2=-1)
    sums = q.sum(axis=-2) + q.sum(axis=-1) - 2 * own
    total = sums.sum(axis=-1, keepdims=True) / 2
    return total / (n - 1) - (total - sums) / (n - 2)


def holm(pvalues: ArrayLike) -> NDArray[np.float64]:
    """Correct p-values for being several, by Holm's method.

    Parameters
    ----------
    pvalues : array-like of shape (n_tests,)
        NaN for a test that is not defined; it stays so, and does not count.

    Returns
    -------
    ndarray of shape (n_tests,)
    """
    corrected = np.array(pvalues, dtype=np.float64)
    defined = np.flatnonzero(~np.isnan(corrected))
    ranking = defined[np.argsort(corrected[defined], kind="stable")]
    stricter = corrected[ranking] * np.arange(len(ranking), 0, -1)
    corrected[ranking] = np.minimum(1, np.maximum.accumulate(stricter))
    return corrected


def share_of_gap(
    qualities: ArrayLike, baseline: ArrayLike, oracle: ArrayLike
) -> NDArray[np.float64]:
    """Return which share of the way from the baseline to the oracle is gone.

    Parameters
    ----------
    qualities, baseline, oracle : array-like
        Of shapes that broadcast.

    Returns
    -------
    ndarray
        0 at the baseline, 1 at the oracle; NaN where the oracle is not better.
    """
    q, low, high = (np.asarray(a, dtype=float) for a in (qualities, baseline, oracle))
    gap = high - low
    is_open = gap > 10.0**-DIGITS
    return np.where(is_open, (q - low) / np.where(is_open, gap, 1), np.nan)


def win_table(qualities: ArrayLike) -> NDArray[np.int64]:
    """Count the seeds in which one strategy is better than another.

    Parameters
    ----------
    qualities : array-like of shape (n_strategies, n_seeds)

    Returns
    -------
    ndarray of shape (n_strategies, n_strategies)
        Wins of the strategy of the row over that of the column. What is missing to the
        number of seeds, in both directions together, are ties.
    """
    qualities = np.asarray(qualities, dtype=np.float64)
    ahead = qualities[:, None] - qualities[None]
    return (ahead > 10.0**-DIGITS).sum(axis=-1)


def total_variation(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the total variation distance of frequencies, over the last axis.

    Parameters
    ----------
    first, second : array-like of shape (..., n_bins)
        Each sums to 1.

    Returns
    -------
    ndarray of shape (...)
        0 where they are the same, 1 where they have no bin in common.
    """
    gaps = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    return np.abs(gaps).sum(axis=-1) / 2
