"""Replays of an order: how much of its quality is luck of the seed."""

from collections.abc import Iterable
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from skal.learner import ActiveLearner
from skal.strategies import FixedOrder
from skal.studies._seeds import SeedResults, run_seeds


def evaluate_order(
    order: ArrayLike,
    learner: ActiveLearner,
    X: Any,
    y: Any,
    *,
    seeds: int | Iterable[int] = 5,
    n_jobs: int | None = None,
    **fit_params: Any,
) -> SeedResults:
    """Follow a labelling order under several seeds.

    An oracle's order was found with one seed and one validation set, and fits what is
    particular to both. How much worse it is with other seeds tells how much of its
    quality was luck of the seed. Luck of the validation set is how much more it gains
    over random orders there than on test: see `skal.curves.optimism`.

    Parameters
    ----------
    order : array-like of int
        Rows of `X`, such as an `ActiveLearner`'s `order_`.
    learner : ActiveLearner
        With the estimator to be trained; its strategy and seed are not used.
    X, y : rows and labels
        The pool that the order is of.
    seeds : int or iterable of int, default=5
        What takes the place of xi. An int counts from zero.
    n_jobs : int or None, default=None
        Seeds that run side by side. It does not change the result.
    **fit_params : dict
        Passed to `ActiveLearner.fit`: the sets, which have to be given, and whatever
        the estimator's `fit` takes.

    Returns
    -------
    SeedResults
        Also printed as a table: the quality of each seed on test and on validation.

    Raises
    ------
    ValueError
        If a set is not given, or the order does not suit the pool.

    See Also
    --------
    FixedOrder : The strategy that follows an order.
    skal.curves.optimism : How much of a gain on validation is lost on test.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.2 (seed transfer).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import ActiveLearner, AnnealingOracle, evaluate_order, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> learner = ActiveLearner(DecisionTreeClassifier(), AnnealingOracle(n_steps=50),
    ...                         batch_size=2, n_rounds=4, random_state=0).fit(**sets)
    >>> others = evaluate_order(learner.order_, learner, **sets, seeds=[1, 2, 3])
    >>> bool(others.table()["validation_quality"].mean() < learner.validation_quality_)
    True
    """
    replay = clone(learner).set_params(strategy=FixedOrder(order))
    missing = [
        f"X_{name}"
        for name, size in replay.carved_sizes().items()
        if size != 0 and fit_params.get(f"X_{name}") is None
    ]
    if missing:
        raise ValueError(
            f"{', '.join(missing)} would be carved out of X anew for each seed, and an "
            "order belongs to one pool: give the sets, as skal.split returns them."
        )
    return run_seeds(replay, X, y, seeds=seeds, n_jobs=n_jobs, **fit_params)
