"""Constants of Adam."""

BETAS, EPSILON = (0.9, 0.999), 1e-8
