"""Rows, labels and data sets in any container: checks, indexing and joining."""

from skal.inputs._tags import TagScorer

__all__ = ["TagScorer"]
