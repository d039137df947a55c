"""Questions to a fitted model: predictions, posterior samples, margins."""
