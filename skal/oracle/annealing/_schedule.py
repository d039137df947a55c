"""The cooling schedule: the temperature of each step.

All three rules for the inverse temperature are here, with the two estimates of the
typical size of a change that the "auto" rules need.
"""

from collections import deque
from typing import Any, NamedTuple

import numpy as np

# With gamma="auto", the inverse temperature times the typical size of a change: a loss
# of that size is accepted with probability exp(-10), so practically never. Uniform
# proposals reach it at the last step, guided ones have it at every step.
COLDNESS = 10.0
# Number of latest changes that guided proposals average: the size of a change shrinks
# as the search climbs, so old ones would keep it too warm.
N_RECENT_CHANGES = 400


class Schedule(NamedTuple):
    """The inverse temperature of each step.

    Parameters
    ----------
    n_steps : int
        Number of annealing steps, t = 1, 2, ...
    n_greedy : int
        Number of greedy steps that follow.
    gamma : "auto" or float
        Linear annealing factor, as in `AnnealingOracle`.
    """

    n_steps: int
    n_greedy: int
    gamma: Any

    @property
    def last(self) -> int:
        """Return the number of the last step."""
        return self.n_steps + self.n_greedy

    def beta(
        self, t: int, mean_change: float | None, *, is_constant: bool = False
    ) -> float | None:
        """Return the inverse temperature of step t; None for a greedy step.

        Parameters
        ----------
        t : int
            The step, from 1.
        mean_change : float or None
            Mean absolute change of the quality by the moves so far, see `MeanChange`
            and `RecentMeanChange`; None if no move has changed it yet.
        is_constant : bool, default=False
            Whether "auto" is at its coldest from the first step on, instead of cooling
            linearly.

        Returns
        -------
        float or None
            With a number for `gamma`, `gamma * t`. With "auto", `COLDNESS` divided by
            `mean_change`, multiplied by `t / n_steps` unless it is constant; 0.0, which
            accepts every move, while `mean_change` is None.
        """
        if t > self.n_steps:
            return None
        if self.gamma != "auto":
            return self.gamma * t
        if not mean_change:
            return 0.0
        if is_constant:
            return COLDNESS / mean_change
        return COLDNESS * t / self.n_steps / mean_change


class MeanChange:
    """The mean absolute change of the quality, over all moves that changed it."""

    def __init__(self) -> None:
        self._total, self._n = 0.0, 0

    def add(self, gain: float) -> None:
        """Add the gain of a move; zero is ignored."""
        if gain != 0:
            self._total += abs(gain)
            self._n += 1

    @property
    def value(self) -> float | None:
        """Return the mean; None if no move has changed the quality yet."""
        return self._total / self._n if self._n else None


class RecentMeanChange:
    """As `MeanChange`, over the latest `N_RECENT_CHANGES` moves that changed it."""

    def __init__(self) -> None:
        self._sizes = deque[float](maxlen=N_RECENT_CHANGES)

    def add(self, gain: float) -> None:
        """Add the gain of a move; zero is ignored."""
        if gain != 0:
            self._sizes.append(abs(gain))

    @property
    def value(self) -> float | None:
        """Return the mean; None if no move has changed the quality yet."""
        return float(np.mean(self._sizes)) if self._sizes else None
