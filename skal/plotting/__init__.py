"""Pictures, as scikit-learn's Display classes.

They can be told apart by the colour-blind, and on grey paper.
"""

from skal.plotting._curve import PerformanceCurveDisplay
from skal.plotting._distribution import DistributionDisplay
from skal.plotting._embedding import EmbeddingDisplay
from skal.plotting._gain import GainDisplay
from skal.plotting._overlap import OverlapDisplay
from skal.plotting._search import SearchDisplay
from skal.plotting._transfer import TransferDisplay

__all__ = [
    "DistributionDisplay",
    "EmbeddingDisplay",
    "GainDisplay",
    "OverlapDisplay",
    "PerformanceCurveDisplay",
    "SearchDisplay",
    "TransferDisplay",
]
