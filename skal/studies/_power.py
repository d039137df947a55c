"""How many seeds a test needs, and which gain it finds: the power of paired t-tests."""

import numpy as np
from scipy import optimize, stats

from skal.studies._statistics import check_share

# More seeds than anyone runs: a gain that they do not show is not to be shown.
MOST_SEEDS = 10**6


def power_of_test(
    gain: float,
    deviation: float,
    n_seeds: int,
    *,
    alpha: float = 0.05,
    overlap: float = 0.0,
) -> float:
    """Return how often a paired t-test finds a gain of a given size.

    Parameters
    ----------
    gain : float
        The true mean gain.
    deviation : float
        Standard deviation of the gains over seeds.
    n_seeds : int
        Number of seeds, at least two.
    alpha : float, default=0.05
        p-value below which the gain counts as found. Divide it by the number of
        strategies that are tested.
    overlap : float, default=0.0
        Ratio of test rows to all other rows if each seed has a random split of the same
        rows; 0 if all seeds share one split.

    Returns
    -------
    float
        Between `alpha` and 1.

    Raises
    ------
    ValueError
        If there are fewer than two seeds, or a number is out of range.

    See Also
    --------
    seeds_needed : The number of seeds for a given power.
    detectable_gain : The gain for a given power.

    Notes
    -----
    With overlapping splits, the variance of the mean is taken to be as large as the
    correction of Nadeau and Bengio says. If it is smaller, the power is higher.

    References
    ----------
    Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, section 2.3.

    Examples
    --------
    >>> from skal.studies import power_of_test
    >>> round(power_of_test(0.5, 1.0, 34), 3)
    0.808
    """
    check_share(alpha, "alpha")
    if n_seeds < 2 or deviation <= 0 or overlap < 0:
        raise ValueError(
            "n_seeds must be at least 2, deviation positive and overlap at least 0, "
            f"got {n_seeds}, {deviation} and {overlap}."
        )
    shift = abs(gain) / (deviation * np.sqrt(1 / n_seeds + overlap))
    bound = stats.t.isf(alpha / 2, n_seeds - 1)
    # Far on the wrong side, the probability underflows to NaN, with a warning in some
    # versions of scipy.
    with np.errstate(divide="ignore"):
        wrong_side = np.nan_to_num(stats.nct.cdf(-bound, n_seeds - 1, shift))
        right_side = stats.nct.sf(bound, n_seeds - 1, shift)
    if np.isnan(right_side):
        right_side = 1.0
    return float(min(1.0, right_side + wrong_side))


def seeds_needed(
    gain: float,
    deviation: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    overlap: float = 0.0,
) -> float:
    """Return the number of seeds that a paired t-test needs to find a gain.

    Parameters
    ----------
    gain, deviation : float
        As in `power_of_test`.
    power : float, default=0.8
        How often the gain is to be found.
    alpha, overlap : float
        As in `power_of_test`.

    Returns
    -------
    int or float
        Infinite if no number of seeds is enough: random splits of the same rows
        overlap, so more of them say less and less. More rows help then.

    Raises
    ------
    ValueError
        If a number is out of range.

    See Also
    --------
    power_of_test : The power for a given number of seeds.
    detectable_gain : The gain for a given power.

    References
    ----------
    Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, section 2.4.

    Examples
    --------
    >>> from skal.studies import seeds_needed
    >>> seeds_needed(0.5, 1.0)
    34
    >>> seeds_needed(0.5, 1.0, overlap=1 / 3)
    inf
    """
    check_share(power, "power")

    def is_enough(n: int) -> bool:
        """Return whether n seeds reach the power."""
        found = power_of_test(gain, deviation, n, alpha=alpha, overlap=overlap)
        return found >= power

    low, high = 1, 2
    while not is_enough(high):
        if high >= MOST_SEEDS:
            return float("inf")
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def detectable_gain(
    deviation: float,
    n_seeds: int,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    overlap: float = 0.0,
) -> float:
    """Return the smallest gain that a paired t-test finds with a given power.

    Parameters
    ----------
    deviation : float
        Standard deviation of the gains over seeds.
    n_seeds : int
        Number of seeds, at least two.
    power : float, default=0.8
        How often the gain is to be found; more than `alpha`.
    alpha, overlap : float
        As in `power_of_test`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a number is out of range.

    See Also
    --------
    power_of_test : The power for a given gain.
    seeds_needed : The number of seeds for a given power.

    Examples
    --------
    >>> from skal.studies import detectable_gain
    >>> round(detectable_gain(0.02, 10), 4)
    0.0199
    """
    check_share(power, "power")
    if power <= alpha:
        raise ValueError(f"power must be more than alpha={alpha}, got {power}.")
    power_of_test(0.0, deviation, n_seeds, alpha=alpha, overlap=overlap)  # checks
    # From here on a test with few seeds and a small alpha has nearly all its power.
    most = stats.t.isf(alpha / 2, n_seeds - 1) + stats.t.isf((1 - power) / 4, 1)
    error = deviation * np.sqrt(1 / n_seeds + overlap)

    def surplus(shift: float) -> float:
        """Return by how much the power exceeds the wanted one."""
        gain = shift * error
        found = power_of_test(gain, deviation, n_seeds, alpha=alpha, overlap=overlap)
        return found - power

    while surplus(most) < 0:
        most *= 2
    return float(optimize.brentq(surplus, 0.0, most) * error)
