"""Oracles: strategies that search for the optimal order, with the labels in hand."""

from skal.oracle._annealing import AnnealingOracle
from skal.oracle._exhaustive import ExhaustiveOracle

__all__ = ["AnnealingOracle", "ExhaustiveOracle"]
