"""Answers of a fitted model: predictions, posterior samples, margins."""
