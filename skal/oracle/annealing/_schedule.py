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

    An endless schedule consists of laps. The first has `n_steps` annealing and
    `n_greedy` greedy steps, and each of the others is twice as long as the one before,
    with a schedule of its own. It begins with all steps of the schedule that ends, so a
    limit never changes the steps that are taken.

    Parameters
    ----------
    n_steps : int
        Number of annealing steps, t = 1, 2, ...
    n_greedy : int
        Number of greedy steps that follow.
    gamma : "auto" or float
        Linear annealing factor, as in `AnnealingOracle`.
    is_endless : bool, default=False
        Whether the search goes on after these steps, until one of its limits ends it.
    """

    n_steps: int
    n_greedy: int
    gamma: Any
    is_endless: bool = False

    @property
    def last(self) -> int | None:
        """Return the number of the last step; None if there is none."""
        return None if self.is_endless else self._lap

    @property
    def _lap(self) -> int:
        """Return the number of steps in the first lap."""
        return self.n_steps + self.n_greedy

    def _in_lap(self, t: int) -> tuple[int, int]:
        """Return the number of step t in its lap, and the number of annealing steps."""
        if not self.is_endless:
            return t, self.n_steps
        times_as_long = 1 << (((t - 1) // self._lap + 1).bit_length() - 1)
        return t - self._lap * (times_as_long - 1), self.n_steps * times_as_long

    def starts_lap(self, t: int) -> bool:
        """Return whether step t is the first of a lap, other than the first lap."""
        return t > 1 and self._in_lap(t)[0] == 1

    def is_greedy(self, t: int) -> bool:
        """Return whether step t is a greedy one."""
        number, n_annealing = self._in_lap(t)
        return number > n_annealing

    def is_early(self, t: int, share: float) -> bool:
        """Return whether step t is within the first share of its annealing steps."""
        number, n_annealing = self._in_lap(max(1, t))
        return number < share * n_annealing

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
            accepts every move, while `mean_change` is None. Here, t and `n_steps` are
            those of the lap.
        """
        number, n_annealing = self._in_lap(t)
        if number > n_annealing:
            return None
        if self.gamma != "auto":
            return self.gamma * number
        if not mean_change:
            return 0.0
        if is_constant:
            return COLDNESS / mean_change
        return COLDNESS * number / n_annealing / mean_change


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
