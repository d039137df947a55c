"""Replay of a known labelling order."""

from skal.inputs._checks import check_order
from skal.strategies._order import OrderStrategy, check_inside


class FixedOrder(OrderStrategy):
    """Label rows in a given order.

    This is how seed transfer and model transfer work: they follow the `order_` of one
    run under another seed or with another estimator, on the same data sets.

    Parameters
    ----------
    order : array-like of int
        Distinct rows of the `X` given to `fit`, as in `ActiveLearner.order_`. It may
        be longer than the run needs.

    See Also
    --------
    AnnealingOracle : Search for the optimal order.
    evaluate_order : Follow an order under several seeds.

    References
    ----------
    Zhou et al., AISTATS 2021, sections 6.2 and 6.3 (seed and model transfer).

    Examples
    --------
    >>> from skal import FixedOrder
    >>> X = [[0], [1], [2], [3]]
    >>> FixedOrder([2, 0, 3]).fit(X).select(None, X, 2).tolist()
    [2, 0]
    """

    _parameter_constraints: dict = {"order": ["array-like"]}

    def __init__(self, order):
        self.order = order

    def _fit(self, X, y, problem):
        if problem is not None:
            self._plan = problem.positions(self.order, is_whole=True)
            return
        self._plan = check_order(self.order)
        check_inside(self._plan, self.n_pool_)
