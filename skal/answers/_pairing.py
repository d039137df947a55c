"""Which estimators skal takes, and which strategies they can be paired with."""

from sklearn.utils import get_tags

from skal.answers._needs import check_needs, works_from_nothing
from skal.answers._wrapper import name_of
from skal.inputs._checks import final_step
from skal.inputs._targets import check_same_target


def check_single_output(estimator):
    """Check that an estimator takes one label or number per row.

    Parameters
    ----------
    estimator : estimator
        The unfitted estimator that is to be trained.

    Raises
    ------
    TypeError
        If it takes several of them only.
    """
    last = final_step(estimator)
    if not get_tags(last).target_tags.single_output:
        raise TypeError(
            f"estimator must take one label per row, and {type(last).__name__} takes "
            "several: choose the estimator inside it."
        )


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
        If the estimator takes several labels per row only or another kind of target, or
        lacks what the strategy needs.
    ValueError
        If the strategy needs a model and nothing is labelled in the first round, or
        the estimator takes pairs of rows.
    """
    check_single_output(estimator)
    if target is not None:
        check_same_target(estimator, target)
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
