"""The temperature of each step, and the rule by which a move is accepted."""

from typing import Any, NamedTuple

import numpy as np

# With gamma="auto" a loss of typical size is accepted with probability exp(-COLDNESS):
# by uniform proposals in the end, by guided ones all along.
COLDNESS = 10.0


class Schedule(NamedTuple):
    """How cold each step is.

    Parameters
    ----------
    n_steps, n_greedy : int
        Annealing steps t = 1, 2, ..., and the greedy steps that follow.
    gamma : "auto" or float
        As in `AnnealingOracle`.
    """

    n_steps: int
    n_greedy: int
    gamma: Any

    @property
    def last(self) -> int:
        """The last step."""
        return self.n_steps + self.n_greedy

    def beta(self, t: int, typical: float | None) -> float | None:
        """Return the inverse temperature of step t; None for a greedy step.

        Parameters
        ----------
        t : int
        typical : float or None
            The mean size of the changes so far; None as long as there was none.
        """
        if t > self.n_steps:
            return None
        if self.gamma == "auto":
            return COLDNESS * t / self.n_steps / typical if typical else 0.0
        return self.gamma * t


def accepts(gain: float, beta: float | None, uniform: float) -> bool:
    """Decide whether to move, at inverse temperature `beta`; None is greedy."""
    if beta is None:
        return gain > 0
    return bool(uniform < np.exp(beta * min(gain, 0)))
