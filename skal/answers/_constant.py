"""A constant model, for an estimator that needs two classes to be trained."""

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.utils.metaestimators import available_if

from skal.answers._wrapper import Wrapper
from skal.inputs._containers import n_rows

# All that a constant model can answer, whatever it stands for.
ANSWERED = {
    "classes",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "class_scores",
    "label_probabilities",
    "label_scores",
    "embedding",
    "posterior",
}


class ConstantModel(Wrapper, DummyClassifier):
    """Predict the only class that is labelled so far.

    Parameters
    ----------
    estimator : estimator
        The unfitted estimator, which is trained once there are two classes.
    """

    def __init__(self, estimator):
        super().__init__()
        self.estimator = estimator

    @available_if(lambda self: hasattr(self.estimator, "decision_function"))
    def decision_function(self, X):
        """Return a score of zero for each row and the only class, shape (n_rows, 1)."""
        return np.zeros((n_rows(X), 1))

    def __getattr__(self, name):
        if name == "estimator" or name.startswith("__"):
            return super().__getattr__(name)
        raise AttributeError(
            f"{type(self.estimator).__name__} has no {name!r} yet, since a single "
            "class is labelled: label rows of two classes first, such as in a larger "
            "warm start."
        )


def is_too_much_for(model, needs):
    """Return whether a strategy needs more than a constant model can answer.

    Parameters
    ----------
    model : fitted estimator or None
    needs : tuple of str
        Methods that the strategy needs, or "posterior".

    Returns
    -------
    bool
        False for any other model.
    """
    while isinstance(model, Wrapper) and not isinstance(model, ConstantModel):
        model = model.estimator
    return isinstance(model, ConstantModel) and not ANSWERED.issuperset(needs)
