"""Oracles: strategies that search for the optimal order, with the labels in hand."""

from skal.oracle._beam import BeamOracle, GreedyOracle
from skal.oracle._best_of import BestOfStrategiesOracle
from skal.oracle._exhaustive import ExhaustiveOracle
from skal.oracle.annealing._oracle import AnnealingOracle
from skal.oracle.journal._journal import read_journal

__all__ = [
    "AnnealingOracle",
    "BeamOracle",
    "BestOfStrategiesOracle",
    "ExhaustiveOracle",
    "GreedyOracle",
    "read_journal",
]
