"""Plots of runs and studies, in the style of scikit-learn's Display classes.

All plots are readable for colour-blind people and in greyscale. An `HTMLReport`
collects them on one page, in a single file.
"""

from skal.plotting._curve import PerformanceCurveDisplay
from skal.plotting._distribution import DistributionDisplay
from skal.plotting._embedding import EmbeddingDisplay
from skal.plotting._forecast import ForecastDisplay
from skal.plotting._gain import GainDisplay
from skal.plotting._overlap import OverlapDisplay
from skal.plotting._ranks import CriticalDifferenceDisplay
from skal.plotting._report import HTMLReport
from skal.plotting._search import SearchDisplay
from skal.plotting._transfer import TransferDisplay
from skal.plotting._verdict import VerdictDisplay

__all__ = [
    "CriticalDifferenceDisplay",
    "DistributionDisplay",
    "EmbeddingDisplay",
    "ForecastDisplay",
    "GainDisplay",
    "HTMLReport",
    "OverlapDisplay",
    "PerformanceCurveDisplay",
    "SearchDisplay",
    "TransferDisplay",
    "VerdictDisplay",
]
