"""Pictures, as scikit-learn's Display classes."""

from skal.plotting._curve import PerformanceCurveDisplay
from skal.plotting._search import SearchDisplay

__all__ = ["PerformanceCurveDisplay", "SearchDisplay"]
