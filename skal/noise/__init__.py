"""Labels that annotators get wrong: simulations of noise."""

from skal.noise._noisy_labels import NoisyLabels

__all__ = ["NoisyLabels"]
