"""The learning curve of a session, and where it leads."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.labeling._audit import LEVEL, CrossFit
from skal.seeding import Stream, stream

# The power law is fitted to this many sizes, the smallest an eighth of the largest.
N_SIZES, SMALLEST, SHARE = 8, 10, 1 / 8
# Fewest labels of the audit that a curve is computed from.
FEWEST = 10
# Exponents that are tried, from curves that hardly bend to curves that end soon.
EXPONENTS = np.geomspace(0.1, 3, 40)


class PowerLaw(NamedTuple):
    """Curves `a - b n^-c`, one for each resample of the audit.

    Parameters
    ----------
    a, b, c : ndarray of shape (n_curves,)
        Where the curve ends, how far below it begins, and how fast it bends.
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64]

    def at(self, n: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score with n labels, by each curve."""
        return self.a - self.b * n**-self.c

    def reaching(self, score: float) -> NDArray[np.float64]:
        """Return the number of labels at which each curve reaches a score."""
        gap = self.a - score
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            n = (self.b / gap) ** (1 / self.c)
        return np.where(gap > 0, n, np.inf)


def fit_power_law(
    sizes: NDArray[np.float64], scores: NDArray[np.float64], top: float = np.inf
) -> PowerLaw:
    """Fit a power law to each of several curves, by least squares with weights n.

    For each of some exponents, `a` and `b` have a closed form, so a fit cannot fail.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
        Numbers of labels.
    scores : ndarray of shape (n_curves, n_sizes)
        The scores with so many labels.
    top : float, default=inf
        The highest score there can be.

    Returns
    -------
    PowerLaw
        Curves do not fall: `b` is at least 0.

    References
    ----------
    Figueroa et al., "Predicting sample size required for classification performance",
    BMC Medical Informatics and Decision Making 12, 2012.
    """
    x = sizes ** -EXPONENTS[:, None, None]  # (n_exponents, 1, n_sizes)
    w = sizes / sizes.sum()
    mean_x, mean_y = (x * w).sum(-1), (scores * w).sum(-1)
    spread = (w * (x - mean_x[..., None]) ** 2).sum(-1)
    shared = (w * (x - mean_x[..., None]) * (scores - mean_y[:, None])).sum(-1)
    b = np.maximum(0, -shared / spread)
    a = mean_y + b * mean_x
    # Where the curve would end too high, it ends at the top.
    at_top = (
        (w * x * (top - scores)).sum(-1) / (w * x**2).sum(-1) if np.isfinite(top) else b
    )
    is_high = a > top
    a, b = np.where(is_high, top, a), np.where(is_high, np.maximum(0, at_top), b)
    errors = (w * (scores - (a[..., None] - b[..., None] * x)) ** 2).sum(-1)
    best = errors.argmin(axis=0), np.arange(len(scores))
    return PowerLaw(a[best], b[best], EXPONENTS[best[0]])


class Forecast(NamedTuple):
    """The score that more labels are expected to bring.

    Parameters
    ----------
    n_labels : int
        Number of labels so far.
    n_more : int
        Number of further labels.
    score, low, high : float
        The score with them, and bounds that hold it with 95 %.
    gain, gain_low, gain_high : float
        How much higher it is than now, with bounds.
    sizes, scores : tuple of float
        The learning curve so far: labels in training, and scores on the audit.
    law : (float, float, float)
        The power law a - b n^-c through it.

    See Also
    --------
    LabelingSession.forecast : Returns it.
    Estimate : The score now.

    Examples
    --------
    >>> from skal.labeling import Forecast
    >>> forecast = Forecast(200, 100, score=0.92, low=0.88, high=0.96, gain=0.02,
    ...                     gain_low=-0.01, gain_high=0.05, sizes=(50.0, 100.0, 200.0),
    ...                     scores=(0.8, 0.86, 0.9), law=(0.95, 1.1, 0.5))
    >>> print(forecast)
    100 more labels are expected to bring +0.020 (-0.010 to +0.050)
    """

    n_labels: int
    n_more: int
    score: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float
    sizes: tuple[float, ...]
    scores: tuple[float, ...]
    law: tuple[float, float, float]

    def __str__(self) -> str:
        return (
            f"{self.n_more} more labels are expected to bring {self.gain:+z.3f} "
            f"({self.gain_low:+z.3f} to {self.gain_high:+z.3f})"
        )


def is_enough(n_audit: int, n_labels: int) -> bool:
    """Return whether there are labels enough for a forecast."""
    return n_audit >= FEWEST and n_labels >= 2 * SMALLEST


class Curve:
    """The learning curve of a session: scores on the audit after so many labels.

    Parameters
    ----------
    fit : CrossFit
    n_labels : int
        Number of labels so far.

    Raises
    ------
    ValueError
        If there are too few labels.
    """

    def __init__(self, fit: CrossFit, n_labels: int) -> None:
        sizes = np.geomspace(max(SMALLEST, SHARE * n_labels), n_labels, N_SIZES)
        if not is_enough(fit.n, n_labels):
            raise ValueError(
                f"A forecast needs {2 * SMALLEST} labels, {FEWEST} of them of the "
                f"audit, and there are {n_labels} and {fit.n}: label more, or increase "
                "audit."
            )
        found = [fit.scores(n) for n in np.unique(sizes.astype(int))]
        self.n_labels = n_labels
        self.sizes = np.array([one.size for one in found])
        everything = np.arange(fit.n)
        self.scores = np.array([one.of(everything) for one in found])
        rows = fit.resamples()
        if found[0].is_plain:
            hits = np.array([one.hits for one in found])
            resampled = np.stack([one[rows].mean(-1) for one in hits], axis=1)
        else:
            resampled = np.array([[one.of(part) for one in found] for part in rows])
        top = 1.0 if self.scores.max() <= 1 and self.scores.min() >= 0 else np.inf
        self.law = fit_power_law(self.sizes, self.scores[None], top)
        self._laws = fit_power_law(self.sizes, resampled, top)
        self._noise = self._residuals(fit.seed, len(rows))

    def _residuals(self, seed: int, n_curves: int) -> NDArray[np.float64]:
        """Return how far scores may be off a curve, since models differ by chance."""
        left, w = self.scores - self.law.at(self.sizes), self.sizes / self.sizes.sum()
        n = len(left)
        spread = np.sqrt((w * left**2).sum() * n / max(1, n - 2))
        return stream(seed, Stream.BOOTSTRAP, 1).normal(0, spread, size=n_curves)

    def forecast(self, n_more: int) -> Forecast:
        """Return the score after more labels, with a band of 95 %."""
        now, then = self.n_labels, self.n_labels + n_more
        ends = [0.5 - LEVEL / 2, 0.5 + LEVEL / 2]
        scores = self._laws.at(then) + self._noise
        gains = self._laws.at(then) - self._laws.at(now) + self._noise
        low, high = np.quantile(scores, ends)
        gain_low, gain_high = np.quantile(gains, ends)
        score = float(self.law.at(then)[0])
        return Forecast(
            now,
            n_more,
            score,
            float(low),
            float(high),
            score - float(self.law.at(now)[0]),
            float(gain_low),
            float(gain_high),
            tuple(self.sizes.tolist()),
            tuple(self.scores.tolist()),
            (float(self.law.a[0]), float(self.law.b[0]), float(self.law.c[0])),
        )

    def needed(self, score: float) -> tuple[float, float, float]:
        """Return how many labels a score needs, by the curve and by its band.

        Parameters
        ----------
        score : float

        Returns
        -------
        n, low, high : float
            Infinity where a curve ends below the score.
        """
        found = np.sort(self._laws.reaching(score))
        low, high = (
            float(found[min(len(found) - 1, int(share * len(found)))])
            for share in (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)
        )
        return float(self.law.reaching(score)[0]), low, high
