"""Strategy flags, and checks that a model offers what a strategy needs.

The three functions on flags are the only place that reads `needs`, `peeks` and
`searches`, so a strategy that is not a `BaseStrategy` may leave them out.
"""

from skal.answers._constant import is_too_much_for
from skal.answers._methods import has_method, with_methods
from skal.answers._numbers import has_variance
from skal.answers._posterior import has_posterior
from skal.answers._wrapper import name_of
from skal.inputs._targets import predicts_numbers

# Each need that has a text of its own in error messages: a description of it, and the
# advice on how to get it. Any other need is the name of a method, or "embedding", which
# rows have with any model and without one.
NEEDS = {
    "classes": ("classes as targets", "choose a classifier"),
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
    "class_scores": (
        "class probabilities or decision values",
        "choose an estimator with a method `predict_proba` or `decision_function`",
    ),
    "label_probabilities": (
        "probabilities of each label",
        "choose an estimator with a method `predict_proba`",
    ),
    "label_scores": (
        "probabilities or decision values of each label",
        "choose an estimator with a method `predict_proba` or `decision_function`",
    ),
    "embed": (
        "embeddings of the rows",
        "choose a net of skal.nets, or an estimator with a method `embed`",
    ),
    "predicted_numbers": (
        "predicted numbers",
        "choose a regressor",
    ),
    "variance": (
        "the variance of its predicted numbers",
        "choose an ensemble of regressors (BaggingRegressor makes one of any "
        "regressor), or a regressor whose `predict` takes `return_std`, such as "
        "GaussianProcessRegressor",
    ),
    "posterior": (
        "posterior samples of the class probabilities",
        "choose a net with a method `sample_proba`, or an ensemble (BaggingClassifier "
        "makes one of any classifier)",
    ),
}


# Needs that a model of several labels per row does not meet.
OF_ONE_LABEL = (
    *("classes", "class_scores", "posterior", "predict_token_log_proba"),
    *("predict_proba", "predict_log_proba", "decision_function"),
)


def strategy_needs(strategy):
    """Return what a strategy needs of the model that `select` is given.

    Parameters
    ----------
    strategy : strategy
        Its attribute `needs` is read.

    Returns
    -------
    tuple of str
        Names of methods, or one of the names in `OTHERS`; empty if the strategy has no
        such attribute.

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


def works_from_nothing(strategy):
    """Return whether a strategy can select while nothing is labelled.

    Parameters
    ----------
    strategy : strategy
        Its attribute `from_nothing` is read, if it has one.

    Returns
    -------
    bool
        Without such an attribute, whether it needs no model: embeddings are those of
        the rows then.
    """
    needs_model = set(strategy_needs(strategy)) - {"embedding", "classes"}
    return getattr(strategy, "from_nothing", not needs_model)


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
        posterior samples or classes and the estimator has none.
    """
    for need in strategy_needs(strategy):
        if not _offers(estimator, need):
            method = f"a method `{need}`", f"choose an estimator with a method `{need}`"
            what, remedy = NEEDS.get(need, method)
            name = name_of(estimator)
            lacks = f"but {name} has none: {remedy}, or"
            if predicts_numbers(estimator) and need not in OF_NUMBERS:
                lacks = f"and {name} is a regressor: choose"
            raise TypeError(
                f"{type(strategy).__name__} needs {what}, {lacks} a strategy that "
                "needs no more than the estimator offers, such as Random."
            )


def check_several(strategy, target):
    """Check that a strategy takes several labels or classes per row, if there are.

    Parameters
    ----------
    strategy : strategy
        Declares its needs in the attribute `needs`.
    target : Target
        The kind of target of the run.

    Raises
    ------
    ValueError
        If it needs answers about one label per row, and rows have several.
    """
    needs = [need for need in strategy_needs(strategy) if need in OF_ONE_LABEL]
    if target.has_columns and not target.is_numeric and needs:
        what = NEEDS.get(needs[0], (f"a method `{needs[0]}`",))[0]
        raise ValueError(
            f"{type(strategy).__name__} needs {what} for one label per row, and y has "
            "several labels per row: set `over_labels` of MaxEntropy, LeastConfidence "
            'or Margin, to "mean" for example, or choose a strategy that needs no more '
            "than embeddings, such as CoreSet."
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
    if estimator is None and works_from_nothing(strategy):
        return None
    check_needs(strategy, estimator)
    methods = [need for need in strategy_needs(strategy) if need not in OTHERS]
    return with_methods(estimator, tuple(methods))


def _has_scores(estimator):
    """Return whether an estimator has probabilities or decision values."""
    names = "predict_proba", "decision_function"
    return any(has_method(estimator, name) for name in names)


# Needs that some regressors meet, and no classifier.
OF_NUMBERS = ("predicted_numbers", "variance")

# How to find out whether an estimator offers what is not one method of it.
OTHERS = {
    "posterior": has_posterior,
    "predicted_numbers": predicts_numbers,
    "variance": has_variance,
    "class_scores": _has_scores,
    "label_scores": _has_scores,
    "label_probabilities": lambda estimator: has_method(estimator, "predict_proba"),
    "embedding": lambda estimator: True,
    "classes": lambda estimator: not predicts_numbers(estimator),
}


def _offers(estimator, need):
    """Return whether an estimator has a method, or what stands for several."""
    if need in OTHERS:
        return OTHERS[need](estimator)
    return has_method(estimator, need)
