"""Looking ahead: the sets that a chain will probably need next (prefetching).

The moves of future steps are known, since each step draws them from a random stream of
its own. Only the order that they start from depends on which steps are accepted. The
future is therefore a binary tree of decisions, and its likeliest nodes can be evaluated
ahead of time. The uniform random number of step t is known as well, which gives the
gain that its move must exceed. The share of recent gains above that threshold estimates
the probability that the step is accepted.

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
        Zero or negative; minus infinity if every move is accepted.
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
        Gains of recent moves.
    needed : float
        The gain that the step's move must exceed.

    Returns
    -------
    float
        The share of `gains` above `needed`, smoothed by Laplace's rule of succession,
        so that it is never 0 or 1.
    """
    return (1 + sum(gain > needed for gain in gains)) / (2 + len(gains))


def likely_paths(
    rate: Callable[[int], float], n_steps: int | None
) -> Iterator[tuple[tuple[bool, ...], float]]:
    """Yield the possible decisions of the next steps, the most probable first.

    Parameters
    ----------
    rate : callable
        `rate(i)` is the probability that step i from here is accepted, i = 0, 1, ...
    n_steps : int or None
        Number of steps that are left; None if there is always another.

    Yields
    ------
    path : tuple of bool
        Whether step 0, 1, ... is accepted. Each path is a node of the tree; the root,
        which is the present state, is left out.
    probability : float
        Product of the probabilities of its decisions.
    """
    rates: list[float] = []
    tie = count()
    # Best-first search; the counter breaks ties, the older path first.
    heap: list[tuple[float, int, tuple[bool, ...]]] = [(-1.0, next(tie), ())]
    while heap:
        negative, _, path = heappop(heap)
        if path:
            yield path, -negative
        depth = len(path)
        if depth == n_steps:
            continue
        # The rate of a step is the same on all paths: compute it once, when needed.
        if depth == len(rates):
            rates.append(rate(depth))
        for is_accepted in (False, True):
            share = rates[depth] if is_accepted else 1 - rates[depth]
            heappush(heap, (negative * share, next(tie), (*path, is_accepted)))
