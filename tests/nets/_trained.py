"""What a net has learned, for tests to compare."""

import numpy as np


def weights_by_name(model):
    """Return each tensor of the module, as an array."""
    return {name: value.numpy() for name, value in model.module_.state_dict().items()}


def weights(model):
    """Return them all as one vector."""
    return np.concatenate([value.ravel() for value in weights_by_name(model).values()])


def scores_of(many, sets, X, y, scorer):
    """Return the score of the model of each set, trained side by side."""
    return [score for score, _ in many.judge(sets, X, y, scorer)]
