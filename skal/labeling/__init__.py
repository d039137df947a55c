"""Labelling by people: sessions that lose nothing, and say how good the model is."""

from skal.labeling._advice import Advice, Stop
from skal.labeling._agreement import Agreement
from skal.labeling._audit import Estimate
from skal.labeling._forecast import Forecast
from skal.labeling._progress import Progress
from skal.labeling._questions import Question
from skal.labeling._session import LabelingSession
from skal.studies import Verdict

__all__ = [
    "Advice",
    "Agreement",
    "Estimate",
    "Forecast",
    "LabelingSession",
    "Progress",
    "Question",
    "Stop",
    "Verdict",
]
