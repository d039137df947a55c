"""Simulated annealing over labelling orders."""
