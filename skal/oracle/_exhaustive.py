"""Exhaustive search: finds the optimal order by training on every possible set."""

from itertools import combinations, islice
from math import comb
from numbers import Integral

import numpy as np

from skal._sklearn import Interval, validate
from skal.oracle._base import BaseOracle
from skal.oracle._within_budget import affordable_sets, best_order, chains
from skal.oracle.evaluation._objective import Objective


class ExhaustiveOracle(BaseOracle):
    """Find the optimal order of a tiny pool, by training on every possible set.

    The quality of an order is the mean score of its labelled sets, so dynamic
    programming over sets proves the optimum without evaluating all orders. With costs,
    these are the sets after which the next row of some order does not fit.

    Parameters
    ----------
    max_trainings : int, default=100_000
        Maximum number of trainings. A problem that takes more is refused.

    n_jobs : int or None, default=None
        Number of trainings that run in parallel. It does not change the result.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the optimal order; if there are several, the first.

    quality_ : float
        xi-quality of `order_` on validation.

    n_trainings_ : int
        Number of trainings.

    See Also
    --------
    AnnealingOracle : Search if the problem is too large for this.

    References
    ----------
    Zhou et al., AISTATS 2021, section 4.1, Equation 1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, ExhaustiveOracle, split
    >>> X, y = load_iris(return_X_y=True)
    >>> sets = split(X, y, warm_size=6, val_size=69, test_size=69, random_state=0)
    >>> learner = ActiveLearner(GaussianNB(), ExhaustiveOracle(), batch_size=1,
    ...                         n_rounds=2, random_state=0).fit(**sets)
    >>> learner.strategy_.n_trainings_  # 6 sets of one, 15 of two
    21
    """

    _parameter_constraints: dict = {
        "max_trainings": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(self, *, max_trainings=100_000, n_jobs=None):
        self.max_trainings = max_trainings
        self.n_jobs = n_jobs

    def expected_trainings(self, problem):
        """Return the number of sets that the search trains on.

        Parameters
        ----------
        problem : Problem
            The problem to search on.

        Returns
        -------
        int
            Number of trainings, at most `max_trainings`.
        """
        validate(self)
        return min(self.max_trainings, _n_sets(problem, self.max_trainings))

    def check_problem(self, problem):
        """Check that the parameters are valid and suit a problem, without training.

        Parameters
        ----------
        problem : Problem
            The problem to search on.

        Raises
        ------
        ValueError
            If they are not, or the search takes more than `max_trainings`.
        """
        super().check_problem(problem)
        n_sets = _n_sets(problem, self.max_trainings)
        if n_sets > self.max_trainings:
            number = n_sets if problem.costs is None else f"at least {n_sets}"
            raise ValueError(
                f"Proving the optimum takes {number} trainings, more than "
                f"max_trainings={self.max_trainings}: make the pool or n_rounds "
                "smaller, raise max_trainings, or search with AnnealingOracle."
            )

    def _search(self, problem):
        if problem.costs is not None:
            return self._search_within(problem)
        sizes = _sizes(problem)
        # Score all possible sets of each size, then find the best chain of sets.
        levels = [list(combinations(range(problem.n_pool), size)) for size in sizes]
        with Objective(problem, self.n_jobs) as objective:
            flat = objective.scores([np.array(s) for level in levels for s in level])
        bounds = np.cumsum([len(level) for level in levels])[:-1]
        order, total = best_chain(levels, np.split(flat, bounds))
        return order, total / problem.n_rounds, objective.n_trainings

    def _search_within(self, problem):
        """Search among the orders whose rounds spend an amount."""
        rows, costs = problem.affordable, problem.costs[problem.affordable]
        levels = chains(costs, problem.limits)
        sets = list(dict.fromkeys(labelled for level in levels for labelled in level))
        with Objective(problem, self.n_jobs) as objective:
            found = objective.scores([rows[list(labelled)] for labelled in sets])
        scores = dict(zip(sets, found.tolist(), strict=True))
        order, total = best_order(levels, scores, costs)
        order = rows[order]
        acquired = order[: problem.ends(order)[-1]]
        return acquired, total / problem.n_rounds, objective.n_trainings


def _sizes(problem):
    """Return the number of pool rows that are labelled after each round."""
    return [
        min(k * problem.batch_size, problem.n_acquired)
        for k in range(1, problem.n_rounds + 1)
    ]


def _n_sets(problem, most):
    """Return the number of sets, or with costs of affordable sets, up to `most` + 1."""
    if problem.costs is not None:
        costs = problem.costs[problem.affordable]
        sets = affordable_sets(costs, problem.limits[-1])
        return sum(1 for _ in islice(sets, most + 1))
    return sum(comb(problem.n_pool, size) for size in _sizes(problem))


def best_chain(levels, scores):
    """Find the chain of growing sets with the highest sum of scores.

    Parameters
    ----------
    levels : list of list of tuple of int
        The sets of each size, ascending; each set a sorted tuple.
    scores : list of ndarray
        Their scores, an array of shape (n_sets,) for each size.

    Returns
    -------
    order : list of int
        The order whose labelled sets form the chain; ascending within a batch.
    total : float
        The sum of the scores of its sets.
    """
    # For each set of the present size: the best total of a chain that ends in it, and
    # the order of that chain.
    best = {(): (0.0, [])}
    for level, level_scores in zip(levels, scores, strict=True):
        n_before = len(next(iter(best)))
        grown = {}
        for labelled, score in zip(level, level_scores, strict=True):
            before = max(combinations(labelled, n_before), key=lambda s: best[s][0])
            total, order = best[before]
            batch = sorted(set(labelled) - set(before))
            grown[labelled] = (total + float(score), order + batch)
        best = grown
    total, order = max(best.values(), key=lambda found: found[0])
    return order, total
