"""Strategy flags, and checks that a model offers what a strategy needs.

The three functions on flags are the only place that reads `needs`, `peeks` and
`searches`, so a strategy that is not a `BaseStrategy` may leave them out.
"""

from sklearn.base import is_regressor
from sklearn.utils import get_tags

from skal.answers._constant import is_too_much_for
from skal.answers._methods import has_method, with_methods
from skal.answers._posterior import has_posterior
from skal.answers._wrapper import name_of
from skal.inputs._checks import final_step

# Each need that has a text of its own in error messages: a description of it, and the
# advice on how to get it. Any other need is the name of a method.
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
    "embed": (
        "embeddings of the rows",
        "choose a net of skal.nets, or an estimator with a method `embed`",
    ),
    "posterior": (
        "posterior samples of the class probabilities",
        "choose a net with a method `sample_proba`, or an ensemble (BaggingClassifier "
        "makes one of any classifier)",
    ),
}


def strategy_needs(strategy):
    """Return what a strategy needs of the model that `select` is given.

    Parameters
    ----------
    strategy : strategy
        Its attribute `needs` is read.

    Returns
    -------
    tuple of str
        Names of methods, or "posterior"; empty if the strategy has no such attribute.

    Raises
    ------
    TypeError
        If the attribute is not a tuple or list of str.
    """
    needs = getattr(strategy, "needs", ())
    if isinstance(needs, tuple | list) and all(isinstance(n, str) for n in needs):
        return tuple(needs)
    raise TypeError(
        f"{type(strategy).__name__}.needs must be a tuple of method names, got "
        f'{needs!r}: write, for example, needs = ("predict_proba",), or () for none.'
    )


def strategy_peeks(strategy):
    """Return whether `fit` must be given the pool's labels and the validation set.

    Parameters
    ----------
    strategy : strategy
        Its attribute `peeks` is read.

    Returns
    -------
    bool
        False if the strategy has no such attribute.
    """
    return getattr(strategy, "peeks", False)


def strategy_searches(strategy):
    """Return whether a strategy searches for an order on the validation set.

    Parameters
    ----------
    strategy : strategy
        Its attribute `searches` is read.

    Returns
    -------
    bool
        False if the strategy has no such attribute.
    """
    return getattr(strategy, "searches", False)


def check_needs(strategy, estimator):
    """Check that an estimator offers everything that a strategy needs.

    Parameters
    ----------
    strategy : strategy
        Declares its needs in the attribute `needs`.
    estimator : estimator
        Fitted or not.

    Raises
    ------
    TypeError
        If the estimator lacks a method that the strategy needs, or the strategy needs
        posterior samples and the estimator has none.
    """
    for need in strategy_needs(strategy):
        if not _offers(estimator, need):
            method = f"a method `{need}`", f"choose an estimator with a method `{need}`"
            what, remedy = NEEDS.get(need, method)
            raise TypeError(
                f"{type(strategy).__name__} needs {what}, but "
                f"{name_of(estimator)} has none: {remedy}, or a strategy that "
                "needs no more than the estimator offers, such as Random."
            )


def check_classifier(estimator):
    """Check that an estimator is a classifier that takes one label per row.

    Parameters
    ----------
    estimator : estimator
        The unfitted estimator that is to be trained.

    Raises
    ------
    TypeError
        If it is a regressor, or takes several labels per row only.
    """
    name = type(estimator).__name__
    if is_regressor(estimator):
        raise TypeError(
            f"estimator must be a classifier, and {name} is a regressor: skal labels "
            "classes, so choose a classifier (regression is to come later)."
        )
    last = final_step(estimator)
    if not get_tags(last).target_tags.single_output:
        raise TypeError(
            f"estimator must take one label per row, and {type(last).__name__} takes "
            "several: choose the classifier inside it."
        )


def check_pairing(strategy, estimator, n_warm=None):
    """Check that a strategy can work with an estimator, before anything is trained.

    Parameters
    ----------
    strategy : strategy
        The strategy that chooses what to label.
    estimator : estimator
        The unfitted estimator that is to be trained.
    n_warm : int or None, default=None
        Number of rows labelled before the first round; None if it is not known.

    Raises
    ------
    TypeError
        If the estimator is a regressor, takes several labels per row only, or lacks a
        method that the strategy needs.
    ValueError
        If the strategy needs a model and nothing is labelled in the first round, or
        the estimator takes pairs of rows.
    """
    check_classifier(estimator)
    # Some meta-estimators, such as StackingClassifier, offer `predict` only once they
    # are fitted: skip the check for them.
    if hasattr(estimator, "predict"):
        check_needs(strategy, estimator)
    if n_warm == 0 and strategy_needs(strategy):
        raise ValueError(
            f"{type(strategy).__name__} needs a model in the first round, and the warm "
            "start is empty: give X_warm or a positive warm_size, or choose a strategy "
            "that needs no model, such as Random."
        )
    if get_tags(estimator).input_tags.pairwise:
        raise ValueError(
            f"{name_of(estimator)} takes a precomputed matrix over pairs of rows, "
            "which would have to be cut anew for each labelled set: give it the rows "
            "themselves, and a kernel or metric to compute the matrix with."
        )


def asks_in_vain(strategy, estimator):
    """Return whether a strategy needs what there cannot be yet.

    Parameters
    ----------
    strategy : strategy
        Declares its needs in the attribute `needs`.
    estimator : fitted estimator or None

    Returns
    -------
    bool
        True if a single class is labelled, so that nothing could be trained, and the
        strategy needs more than predictions and probabilities.
    """
    return is_too_much_for(estimator, strategy_needs(strategy))


def meet_needs(strategy, estimator):
    """Return an estimator that has every method that a strategy needs.

    Parameters
    ----------
    strategy : strategy
        Declares its needs in the attribute `needs`.
    estimator : fitted estimator or None

    Returns
    -------
    estimator or None
        A method of the last step of a Pipeline, or of a model that was trained on fewer
        classes than the run has, is made available on the whole.

    Raises
    ------
    TypeError
        If the estimator lacks a method that the strategy needs.
    """
    check_needs(strategy, estimator)
    methods = [need for need in strategy_needs(strategy) if need != "posterior"]
    return with_methods(estimator, tuple(methods))


def _offers(estimator, need):
    """Return whether an estimator has a method, or posterior samples."""
    is_posterior = need == "posterior"
    return has_posterior(estimator) if is_posterior else has_method(estimator, need)
