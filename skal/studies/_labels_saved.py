"""How many labels a strategy saves: pure functions of learning curves."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from skal.seeding import Stream, stream
from skal.studies._statistics import DIGITS

# Number of resamples of the seeds, for the intervals.
N_RESAMPLES = 1000


class LabelsSaved(NamedTuple):
    """The labels that a strategy and random choice need to reach a score.

    Parameters
    ----------
    target : float
        The score.
    random, strategy : float
        Labels that random choice and the strategy need; infinite if the curve does not
        reach the target.
    saved, low, high : float
        How many fewer labels the strategy needs, with an interval. Negative if it needs
        more. If only one of the two reaches the target, it is infinite, with the sign
        of a gain or of a loss; NaN if neither does.

    See Also
    --------
    labels_saved : Compute it from curves.

    Examples
    --------
    >>> from skal.studies import LabelsSaved
    >>> LabelsSaved(0.9, random=200, strategy=150, saved=50, low=20, high=80).share
    0.25
    """

    target: float
    random: float
    strategy: float
    saved: float
    low: float
    high: float

    @property
    def share(self) -> float:
        """Return the labels saved as a share of what random choice needs."""
        if not np.isfinite(self.saved) or self.random == 0:
            return float("nan")
        return self.saved / self.random


def rising(curves: ArrayLike) -> NDArray[np.float64]:
    """Return the nearest curves that never fall, by isotonic regression.

    The first point where a noisy curve touches a score comes too early: some point is
    high by luck. On the fitted curve, a score is only reached once the scores from
    there on are that high on average.

    Parameters
    ----------
    curves : array-like of shape (..., n_rounds + 1)

    Returns
    -------
    ndarray of shape (..., n_rounds + 1)

    References
    ----------
    Barlow, Bartholomew, Bremner and Brunk, "Statistical Inference under Order
    Restrictions", 1972, for the max-min formula.
    """
    found = np.asarray(curves, dtype=np.float64)
    n = found.shape[-1]
    fitted = np.full(found.shape, -np.inf)
    for i in range(n):
        # Means from i to each j, and the lowest of them from each j on.
        means = found[..., i:].cumsum(axis=-1) / np.arange(1, n - i + 1)
        lowest = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
        np.maximum(fitted[..., i:], lowest, out=fitted[..., i:])
    return fitted


def labels_needed(
    n_labelled: ArrayLike, curves: ArrayLike, target: ArrayLike
) -> NDArray[np.float64]:
    """Return the number of labels at which rising curves reach a score.

    Parameters
    ----------
    n_labelled : array-like of shape (n_rounds + 1,)
        Number of labels at each point of a curve.
    curves : array-like of shape (..., n_rounds + 1)
        Scores that never fall. Between two points, a curve is a straight line.
    target : array-like of shape (...)
        The score.

    Returns
    -------
    ndarray of shape (...)
        Infinite if a curve does not reach the target.
    """
    n, scores = np.asarray(n_labelled, dtype=np.float64), np.asarray(curves)
    goal = np.broadcast_to(target, scores.shape[:-1])[..., None]
    reached = scores >= goal - 10.0**-DIGITS * np.maximum(1.0, np.abs(goal))
    after = reached.argmax(axis=-1)[..., None]
    before = np.maximum(after - 1, 0)
    high, low = (np.take_along_axis(scores, at, axis=-1) for at in (after, before))
    step = np.where(high > low, high - low, 1.0)
    share = np.where(high > low, np.clip((goal - low) / step, 0, 1), 1.0)
    found = n[before] + share * (n[after] - n[before])
    return np.where(reached.any(axis=-1), found[..., 0], np.inf)


def labels_saved(
    n_labelled: ArrayLike,
    curves: ArrayLike,
    random_curves: ArrayLike,
    *,
    target: float | None = None,
    overlap: float = 0.0,
    level: float = 0.95,
    seed: int = 0,
) -> LabelsSaved:
    """Return how many labels a strategy saves to reach a score (data utilisation).

    The mean curves over seeds are replaced by the nearest ones that never fall. The
    interval is of a bootstrap over seeds. As few seeds resampled vary less than they
    do themselves, and splits of the same rows overlap, the deviations from the mean
    curve are stretched, by as much as the interval of a corrected resampled t-test is
    wider than the normal one without the correction.

    Parameters
    ----------
    n_labelled : array-like of shape (n_rounds + 1,)
        Number of labels after each round.
    curves, random_curves : array-like of shape (n_seeds, n_rounds + 1)
        Test scores of the strategy and of random choice, paired by seed.
    target : float, default=None
        The score to reach. By default, the last one of random choice.
    overlap : float, default=0.0
        As in `gain_interval`.
    level : float, default=0.95
        The level of the interval.
    seed : int, default=0
        Determines the resamples.

    Returns
    -------
    LabelsSaved
        With one seed, the interval is NaN.

    See Also
    --------
    Verdict : Has it as its attribute `saved`.

    References
    ----------
    Reitmaier and Sick, "Let us know your decision: Pool-based active training of a
    generative classifier with the selection strategy 4DS", Information Sciences 230,
    2013, for the data utilisation rate.

    Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52,
    2003, for the correction.

    Examples
    --------
    >>> from skal.studies import labels_saved
    >>> random = [[0.5, 0.6, 0.7], [0.5, 0.62, 0.7]]
    >>> better = [[0.5, 0.69, 0.8], [0.5, 0.71, 0.8]]
    >>> found = labels_saved([10, 20, 30], better, random)
    >>> found.random, found.strategy, found.saved
    (30.0, 20.0, 10.0)
    """
    both = np.stack([np.asarray(random_curves), np.asarray(curves)], axis=1)
    both = both.astype(np.float64)
    means, n_seeds = both.mean(axis=0), len(both)
    random, strategy = _needed(n_labelled, means, target).tolist()
    low = high = float("nan")
    if n_seeds > 1:
        rng = stream(seed, Stream.BOOTSTRAP)
        drawn = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), N_RESAMPLES)
        deviations = np.tensordot(drawn / n_seeds, both - means, axes=1)
        resampled = means + _stretch(n_seeds, overlap, level) * deviations
        low, high = _interval(_needed(n_labelled, resampled, target), level)
    reached = float(rising(means[0])[-1]) if target is None else float(target)
    saved = float("nan") if np.isinf([random, strategy]).all() else random - strategy
    return LabelsSaved(reached, random, strategy, saved, low, high)


def _needed(
    n_labelled: ArrayLike, pairs: NDArray[np.float64], target: float | None
) -> NDArray[np.float64]:
    """Return the labels that random choice and the strategy need, shape (..., 2)."""
    fitted = rising(pairs)
    goal = fitted[..., :1, -1] if target is None else np.float64(target)
    return labels_needed(n_labelled, fitted, goal)


def _stretch(n_seeds: int, overlap: float, level: float) -> float:
    """Return the factor by which deviations of resampled means are stretched."""
    quantile = 0.5 + level / 2
    student = special.stdtrit(n_seeds - 1, quantile) / special.ndtri(quantile)
    unbiased = np.sqrt(n_seeds / (n_seeds - 1))
    return float(student * unbiased * np.sqrt(1 + n_seeds * overlap))


def _interval(needed: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return the interval of random minus strategy, over resamples.

    A resample in which neither of the two reaches the target says nothing: it counts
    as the lowest at the lower end, and as the highest at the upper end.
    """
    unknown = np.asarray(np.isinf(needed).all(axis=1))
    random, strategy = np.where(np.expand_dims(unknown, 1), 0, needed).T
    lows, highs = (
        np.sort(np.where(unknown, end, random - strategy)) for end in (-np.inf, np.inf)
    )
    outside = int(len(needed) * (1 - level) / 2)
    return float(lows[outside]), float(highs[-1 - outside])
