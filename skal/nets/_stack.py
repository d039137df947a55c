"""Models of one architecture side by side: their weights, stacked, and Adam's state."""

BETAS, EPSILON = (0.9, 0.999), 1e-8
