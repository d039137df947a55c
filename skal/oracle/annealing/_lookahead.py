"""Looking ahead: what a chain will probably ask for next (prefetching Metropolis).

The moves of the steps to come are known, since each step draws them from a stream of
its own; only what they start from depends on which steps are accepted. So the future is
a binary tree of decisions, and its likeliest nodes can be evaluated ahead of time. Step
t's uniform number is known as well, and with it the gain that its move must exceed: the
share of recent gains that do is how likely the step is to be accepted.

References
----------
Brockwell, "Parallel Markov chain Monte Carlo simulation by pre-fetching", Journal of
Computational and Graphical Statistics 15, 2006. Strid, "Efficient parallelisation of
Metropolis-Hastings algorithms using a prefetching approach", Computational Statistics
and Data Analysis 54, 2010 (the tree that follows the likeliest path).
"""

import math
from collections.abc import Callable, Collection, Iterator
from heapq import heappop, heappush
from itertools import count


def needed_gain(uniform: float, beta: float | None) -> float:
    """Return the gain that a move must exceed to be accepted.

    Parameters
    ----------
    uniform : float
        The step's uniform number in [0, 1).
    beta : float or None
        Inverse temperature; None for a greedy step.

    Returns
    -------
    float
        Zero or negative; where every move is accepted, minus infinity.
    """
    if beta is None:
        return 0.0
    if beta == 0 or uniform == 0:
        return -math.inf
    return math.log(uniform) / beta


def acceptance_rate(gains: Collection[float], needed: float) -> float:
    """Estimate the probability that a step is accepted.

    Parameters
    ----------
    gains : collection of float
        What recent moves gained.
    needed : float
        What the step's move must exceed.

    Returns
    -------
    float
        The share of `gains` that do, by Laplace's rule of succession: never 0 or 1.
    """
    return (1 + sum(gain > needed for gain in gains)) / (2 + len(gains))


def likely_paths(
    rate: Callable[[int], float], n_steps: int
) -> Iterator[tuple[tuple[bool, ...], float]]:
    """Yield the ways in which the next steps may be decided, the most probable first.

    Parameters
    ----------
    rate : callable
        `rate(i)` is the probability that step i from here is accepted, i = 0, 1, ...
    n_steps : int
        How many steps are left.

    Yields
    ------
    path : tuple of bool
        Whether step 0, 1, ... is accepted: a node of the tree, the empty one, here and
        now, excepted.
    probability : float
        The product of those of its decisions.
    """
    rates: list[float] = []
    tie = count()
    heap: list[tuple[float, int, tuple[bool, ...]]] = [(-1.0, next(tie), ())]
    while heap:
        negative, _, path = heappop(heap)
        if path:
            yield path, -negative
        depth = len(path)
        if depth == n_steps:
            continue
        if depth == len(rates):
            rates.append(rate(depth))
        for is_accepted in (False, True):
            share = rates[depth] if is_accepted else 1 - rates[depth]
            heappush(heap, (negative * share, next(tie), (*path, is_accepted)))
