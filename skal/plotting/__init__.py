"""Pictures, as scikit-learn's Display classes.

They can be told apart by the colour-blind, and on grey paper. An `HTMLReport` is a page
to put them on, in one file.
"""

from skal.plotting._curve import PerformanceCurveDisplay
from skal.plotting._distribution import DistributionDisplay
from skal.plotting._embedding import EmbeddingDisplay
from skal.plotting._gain import GainDisplay
from skal.plotting._overlap import OverlapDisplay
from skal.plotting._report import HTMLReport
from skal.plotting._search import SearchDisplay
from skal.plotting._transfer import TransferDisplay

__all__ = [
    "DistributionDisplay",
    "EmbeddingDisplay",
    "GainDisplay",
    "HTMLReport",
    "OverlapDisplay",
    "PerformanceCurveDisplay",
    "SearchDisplay",
    "TransferDisplay",
]
