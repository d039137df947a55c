"""Rows, labels and data sets: checked, indexed and joined whatever they come in."""

from skal.inputs._tags import TagScorer

__all__ = ["TagScorer"]
