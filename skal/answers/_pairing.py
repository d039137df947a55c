"""Which estimators skal takes, and which strategies they can be paired with."""

from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.utils import get_tags

from skal.answers._inside import inside
from skal.answers._needs import check_needs, check_several, works_from_nothing
from skal.answers._wrapper import name_of
from skal.inputs._checks import final_step
from skal.inputs._targets import Target, check_same_target


def check_outputs(estimator, target):
    """Check that an estimator takes as many targets per row as there are.

    Parameters
    ----------
    estimator : estimator
        The unfitted estimator that is to be trained.
    target : Target
        The kind of target of the run.

    Raises
    ------
    TypeError
        If it takes one target per row and there are several, or the other way round.
    """
    last = final_step(estimator)
    name = type(last).__name__
    if target.has_columns:
        if not takes_columns(last, target):
            kind = "Regressor" if target.is_numeric else "Classifier"
            raise TypeError(
                f"estimator must take {target.value} per row, as y has them, and "
                f"{name} takes one: choose MultiOutput{kind}({name}()), another "
                "estimator of several outputs, or one column of y."
            )
    elif not get_tags(last).target_tags.single_output:
        raise TypeError(
            f"estimator must take one label per row, and {name} takes several: choose "
            "the estimator inside it, or give a `y` with several columns."
        )


def takes_columns(estimator, target):
    """Return whether an estimator can be trained on a table of targets.

    Parameters
    ----------
    estimator : estimator
    target : Target
        A kind of target with columns.

    Returns
    -------
    bool
        By the tags of the estimator, or of the one that it trains: searches and
        `TransformedTargetRegressor` do not pass these tags on. `MLPRegressor` has no
        such tag, but is documented to take several numbers.
    """
    tags = get_tags(estimator)
    is_multi_label = (
        tags.classifier_tags is not None and tags.classifier_tags.multi_label
    )
    if tags.target_tags.multi_output or isinstance(estimator, MLPRegressor):
        return True
    if target is Target.LABELS and is_multi_label:
        return True
    inner = inside(estimator)
    if isinstance(estimator, TransformedTargetRegressor):
        inner = estimator.regressor
    return inner is not None and takes_columns(inner, target)


def check_pairing(strategy, estimator, n_warm=None, target=None):
    """Check that a strategy can work with an estimator, before anything is trained.

    Parameters
    ----------
    strategy : strategy
        The strategy that chooses what to label.
    estimator : estimator
        The unfitted estimator that is to be trained.
    n_warm : int or None, default=None
        Number of rows labelled before the first round; None if it is not known.
    target : Target or None, default=None
        The kind of target of the run; None if it is not known.

    Raises
    ------
    TypeError
        If the estimator takes another kind or number of targets, or lacks what the
        strategy needs.
    ValueError
        If the strategy needs a model and nothing is labelled in the first round, or
        the estimator takes pairs of rows, or the strategy one label per row and there
        are several.
    """
    if target is not None:
        check_same_target(estimator, target)
        check_outputs(estimator, target)
        check_several(strategy, target)
    # Some meta-estimators, such as StackingClassifier, offer `predict` only once they
    # are fitted: skip the check for them.
    if hasattr(estimator, "predict"):
        check_needs(strategy, estimator)
    if n_warm == 0 and not works_from_nothing(strategy):
        raise ValueError(
            f"{type(strategy).__name__} needs a model in the first round, and the warm "
            "start is empty: give X_warm or a positive warm_size, or let a strategy "
            "that needs no model begin, as in "
            f"Then(Herding(), {type(strategy).__name__}(...))."
        )
    if get_tags(estimator).input_tags.pairwise:
        raise ValueError(
            f"{name_of(estimator)} takes a precomputed matrix over pairs of rows, "
            "which would have to be cut anew for each labelled set: give it the rows "
            "themselves, and a kernel or metric to compute the matrix with."
        )
