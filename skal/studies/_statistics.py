"""Statistics of paired runs: pure functions of arrays with one number per seed.

A p-value that is not defined is NaN, without a warning. This is so with a single seed,
and if the difference is the same for every seed: the seeds then repeat each other and
are no evidence about further seeds.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from skal.seeding import Stream, stream

# Significant digits to which scores are compared: they are sums of thousands of
# numbers, so smaller differences are rounding errors.
DIGITS = 12


def paired_t(first: ArrayLike, second: ArrayLike, overlap: float = 0.0) -> float:
    """Return the two-sided p-value of a paired t-test.

    Random splits of the same rows overlap, so their results are correlated, and s^2 / n
    underestimates the variance of the mean over n splits. The corrected resampled
    t-test multiplies it by 1 + n * overlap.

    Parameters
    ----------
    first, second : array-like of shape (n_seeds,)
        The paired values.
    overlap : float, default=0.0
        Ratio of test rows to all other rows if each seed has a random split of the same
        rows; 0 if all seeds share one split.

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


def gain_interval(
    gains: ArrayLike, *, overlap: float = 0.0, level: float = 0.95
) -> tuple[float, float]:
    """Return the confidence interval of a mean gain over seeds.

    It is the interval that belongs to `paired_t`: the corrected resampled t-test if
    each seed has a split of its own.

    Parameters
    ----------
    gains : array-like of shape (n_seeds,)
        Quality minus quality of the reference, for each seed.
    overlap : float, default=0.0
        Ratio of test rows to all other rows if each seed has a random split of the same
        rows; 0 if all seeds share one split.
    level : float, default=0.95
        The level of the interval, between 0 and 1.

    Returns
    -------
    low, high : float
        NaN if there are fewer than two seeds.

    Raises
    ------
    ValueError
        If `level` is not between 0 and 1.

    See Also
    --------
    sign_flip_test : A p-value without the assumption of normal gains.
    seeds_needed : How many seeds show a gain of a given size.

    References
    ----------
    Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52,
    2003, section 3.

    Examples
    --------
    >>> from skal.studies import gain_interval
    >>> low, high = gain_interval([0.02, 0.03, 0.01, 0.02])
    >>> round(low, 4), round(high, 4)
    (0.007, 0.033)
    """
    check_share(level, "level")
    found = np.asarray(gains, dtype=np.float64)
    n = len(found)
    if n < 2:
        return float("nan"), float("nan")
    error = found.std(ddof=1) * np.sqrt(1 / n + overlap)
    half = float(special.stdtrit(n - 1, 0.5 + level / 2) * error)
    return float(found.mean()) - half, float(found.mean()) + half


def check_share(value: float, name: str) -> None:
    """Refuse a number that is not between 0 and 1.

    Parameters
    ----------
    value : float
    name : str
        Its name, for the message.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not 0 < value < 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value!r}.")


def sign_flip_test(
    first: ArrayLike, second: ArrayLike, *, n_resamples: int = 9999, seed: int = 0
) -> float:
    """Return the two-sided p-value of a sign-flip permutation test of the mean.

    If neither is better, the difference of each seed might as well have the other sign.
    p is the share of all choices of signs with a mean at least as far from zero. It
    needs no normal distribution, but independent seeds: on random splits of the same
    rows, which overlap, use `gain_interval` or the t-tests of `PairedTests`.

    Parameters
    ----------
    first, second : array-like of shape (n_seeds,)
        The paired values.
    n_resamples : int, default=9999
        Number of choices of signs to draw. All are tried if there are no more, which is
        so up to 13 seeds.
    seed : int, default=0
        Determines the draws.

    Returns
    -------
    float
        NaN if it is not defined. With n seeds, the smallest possible value is 2 / 2^n.

    See Also
    --------
    gain_interval : Confidence interval of the mean difference.

    References
    ----------
    Fisher, "The Design of Experiments", 1935, section 21.

    Examples
    --------
    >>> from skal.studies import sign_flip_test
    >>> sign_flip_test([0.9, 0.8, 0.9, 0.9, 0.8, 0.9], [0.7, 0.7, 0.8, 0.6, 0.7, 0.8])
    0.03125
    """
    differences = _differences(first, second)
    if _is_constant(differences):
        return float("nan")
    found = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=n_resamples,
        vectorized=True,
        random_state=stream(seed, Stream.BOOTSTRAP),
    )
    return float(found.pvalue)


def wilcoxon(first: ArrayLike, second: ArrayLike) -> float:
    """Return the two-sided, exact p-value of Wilcoxon's signed-rank test.

    Seeds without a difference are left out. With n seeds, the smallest possible p-value
    is 2 / 2^n: with five seeds, it is not significant at 0.05.

    Parameters
    ----------
    first, second : array-like of shape (n_seeds,)
        The paired values.

    Returns
    -------
    float
        NaN if it is not defined.
    """
    differences = _differences(first, second)
    if _is_constant(differences):
        return float("nan")
    differences = differences[differences != 0]
    # Doubled, so that ranks of ties are integers, too.
    ranks = np.rint(2 * stats.rankdata(np.abs(differences))).astype(int)
    rank_sum = ranks[differences > 0].sum()
    p = _rank_sum_distribution(ranks)
    return float(min(1.0, 2 * min(p[: rank_sum + 1].sum(), p[rank_sum:].sum())))


def _rank_sum_distribution(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability of each sum if each rank is included with p = 1/2."""
    p = np.zeros(ranks.sum() + 1)
    p[0] = 1
    for rank in ranks:
        shifted = np.zeros_like(p)
        shifted[rank:] = p[: len(p) - rank]
        p = (p + shifted) / 2
    return p


def _differences(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return first - second, divided by the largest absolute value and rounded."""
    pair = np.array([first, second], dtype=np.float64)
    scale = np.abs(pair).max(initial=0)
    return np.round((pair[0] - pair[1]) / (scale if scale > 0 else 1), DIGITS)


def _is_constant(differences: NDArray[np.float64]) -> bool:
    """Return whether all differences are equal (or one is undefined): no test then."""
    if len(differences) < 2 or not np.isfinite(differences).all():
        return True
    return bool(np.ptp(differences) < 10 * 10.0**-DIGITS)


def jackknife_pairs(qualities: ArrayLike) -> NDArray[np.float64]:
    """Return jackknife pseudo-values of the mean over pairs of different seeds.

    Pairs in a row share their source and pairs in a column share their target, so they
    are not independent, and a test on them would assume more seeds than there are.
    There is one pseudo-value per seed, the contribution of this seed to the mean as
    source and as target; these can be tested.

    Parameters
    ----------
    qualities : array-like of shape (..., n_seeds, n_seeds)
        Qualities by source and target; the diagonal is ignored.

    Returns
    -------
    ndarray of shape (..., n_seeds)
        The pseudo-values. Their mean equals the mean over pairs.

    Raises
    ------
    ValueError
        If there are fewer than three seeds, and thus a single pair, or qualities are
        not square.

    See Also
    --------
    seed_transfer : Its tests use these values.

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
    if q.ndim < 2 or q.shape[-1] != q.shape[-2]:
        raise ValueError(
            "qualities must have the shape (..., n_seeds, n_seeds), got "
            f"{q.shape}: give the qualities by source and target."
        )
    n = q.shape[-1]
    if n < 3:
        raise ValueError(
            f"jackknife_pairs needs at least three seeds, got {n}: give more seeds."
        )
    own = np.diagonal(q, axis1=-2, axis2=-1)
    sums = q.sum(axis=-2) + q.sum(axis=-1) - 2 * own
    total = sums.sum(axis=-1, keepdims=True) / 2
    return total / (n - 1) - (total - sums) / (n - 2)


def holm(pvalues: ArrayLike) -> NDArray[np.float64]:
    """Correct p-values for multiple testing by Holm's method.

    Parameters
    ----------
    pvalues : array-like of shape (n_tests,)
        NaN for a test that is not defined. It stays NaN and is not counted.

    Returns
    -------
    ndarray of shape (n_tests,)
        Corrected p-values.

    Raises
    ------
    ValueError
        If they are not one-dimensional, or not between 0 and 1.
    """
    corrected = np.array(pvalues, dtype=np.float64)
    if corrected.ndim != 1 or (corrected < 0).any() or (corrected > 1).any():
        raise ValueError(
            "pvalues must be one-dimensional and between 0 and 1, got "
            f"{pvalues!r}: give the p-values of one family of tests."
        )
    defined = np.flatnonzero(~np.isnan(corrected))
    ranking = defined[np.argsort(corrected[defined], kind="stable")]
    stricter = corrected[ranking] * np.arange(len(ranking), 0, -1)
    corrected[ranking] = np.minimum(1, np.maximum.accumulate(stricter))
    return corrected


def win_table(qualities: ArrayLike) -> NDArray[np.int64]:
    """Count the seeds in which one strategy is better than another.

    Parameters
    ----------
    qualities : array-like of shape (n_strategies, n_seeds)
        Quality of each strategy and seed.

    Returns
    -------
    ndarray of shape (n_strategies, n_strategies)
        Number of seeds in which the row's strategy beats the column's strategy. Seeds
        that neither of the two wins are ties.
    """
    qualities = np.asarray(qualities, dtype=np.float64)
    ahead = qualities[:, None] - qualities[None]
    return (ahead > 10.0**-DIGITS).sum(axis=-1)


def total_variation(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the total variation distance between frequencies, over the last axis.

    Parameters
    ----------
    first, second : array-like of shape (..., n_bins)
        Frequencies, which sum to 1 over the last axis.

    Returns
    -------
    ndarray of shape (...)
        0 for equal frequencies, 1 if they have no bin in common.
    """
    gaps = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    return np.abs(gaps).sum(axis=-1) / 2
