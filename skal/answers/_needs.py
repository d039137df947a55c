"""Methods that a strategy needs of a model, and checks that the model has them."""

from sklearn.base import is_regressor
from sklearn.utils import get_tags

from skal.answers._posterior import has_posterior

# What a strategy may need: how to call it, and how to get it. Any other name is that of
# a method.
NEEDS = {
    "predict": ("predictions", "choose an estimator with a method `predict`"),
    "predict_proba": (
        "class probabilities",
        "choose an estimator with a method `predict_proba` (CalibratedClassifierCV "
        "adds it to any classifier)",
    ),
    "predict_token_log_proba": (
        "log-probabilities of the tags of each token",
        "choose a tagger with a method `predict_token_log_proba`, such as "
        "skal.nets.BiLSTMTagger",
    ),
    "posterior": (
        "posterior samples of the class probabilities",
        "choose a net with a method `sample_proba`, or an ensemble (BaggingClassifier "
        "makes one of any classifier)",
    ),
}


def check_needs(strategy, estimator):
    """Raise a TypeError if `estimator` lacks what `strategy` declares that it needs.

    Parameters
    ----------
    strategy : strategy
    estimator : estimator
        Fitted or not.
    """
    for need in getattr(strategy, "needs", ()):
        if not _offers(estimator, need):
            method = f"a method `{need}`", f"choose an estimator with a method `{need}`"
            what, remedy = NEEDS.get(need, method)
            raise TypeError(
                f"{type(strategy).__name__} needs {what}, and "
                f"{type(estimator).__name__} has none: {remedy}, or a strategy that "
                "needs no more than the estimator offers, such as Random."
            )


def check_pairing(strategy, estimator, n_warm=None):
    """Refuse an estimator that cannot serve a strategy, before anything is trained.

    Parameters
    ----------
    strategy : strategy
    estimator : estimator
        Not fitted.
    n_warm : int or None, default=None
        Number of rows labelled before the first round; None if it is not known.

    Raises
    ------
    TypeError
        If the estimator is a regressor, or lacks a method that the strategy needs.
    ValueError
        If the strategy needs a model and nothing is labelled in the first round, or
        the estimator takes pairs of rows.
    """
    name = type(estimator).__name__
    if is_regressor(estimator):
        raise TypeError(
            f"{name} is a regressor, and what is labelled here are classes: choose a "
            "classifier."
        )
    # Some meta-estimators, such as StackingClassifier, offer `predict` only once they
    # are fitted: skip the check for them.
    if hasattr(estimator, "predict"):
        check_needs(strategy, estimator)
    if n_warm == 0 and getattr(strategy, "needs", ()):
        raise ValueError(
            f"{type(strategy).__name__} needs a model in the first round, and the warm "
            "start is empty: give X_warm or a positive warm_size, or choose a strategy "
            "that needs no model, such as Random."
        )
    if get_tags(estimator).input_tags.pairwise:
        raise ValueError(
            f"{name} takes a matrix of pairs of rows, and that has to be cut anew for "
            "each labelled set: give it the rows themselves and a kernel or metric to "
            "compute the pairs with."
        )


def _offers(estimator, need):
    return has_posterior(estimator) if need == "posterior" else hasattr(estimator, need)
