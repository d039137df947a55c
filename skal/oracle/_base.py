"""What all oracles share: they search on validation, then follow what they found."""

import numpy as np

from skal.loop import check_validation
from skal.strategies import OrderStrategy


class BaseOracle(OrderStrategy):
    """Base class of oracles. A subclass writes `_search(problem)`.

    `_search` returns the best order it found, as positions in the pool, its quality on
    validation, and the number of trainings that took.
    """

    peeks = True
    # Whether it needs a validation set.
    searches = True

    def _fit(self, X, y, problem):
        if problem is None:
            raise ValueError(
                f"{type(self).__name__} searches with the labels of the pool, so it "
                "needs a problem: use it as the strategy of an ActiveLearner."
            )
        check_validation(problem, self)
        order, self.quality_, self.n_trainings_ = self._search(problem)
        self._plan = np.asarray(order, dtype=np.int64)
        self.order_ = problem.pool_rows[self._plan]
