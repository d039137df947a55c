"""Labelling by people: sessions that lose nothing, and say how good the model is."""

from skal.labeling._progress import Progress
from skal.labeling._questions import Question
from skal.labeling._session import LabelingSession

__all__ = ["LabelingSession", "Progress", "Question"]
