"""A guided search's order with its margins, and a move to another order."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal.oracle.annealing._chain import State
from skal.oracle.annealing._moves import exchange
from skal.oracle.annealing._value import Value


@dataclass(frozen=True)
class GuidedState(State):
    """An order, its scores, and the margins of its models.

    Parameters
    ----------
    order, scores : ndarray
        As in `State`.
    margins : ndarray of shape (n_rounds, n_answers)
        Margins after k = 1..K rounds.
    value : Value
        Turns the two into the objective.
    """

    margins: NDArray[np.float32]
    value: Value

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The objective value of each round, shape (n_rounds,)."""
        return self.value.of(self.scores, self.margins)

    @cached_property
    def sort_key(self) -> tuple[float, float]:
        """The quality, and the mean objective value, which breaks ties."""
        return self.quality, float(self.values.mean())

    def after(self, move: "Move", result: "Result") -> "GuidedState":
        """Return the state after a move."""
        scores, margins = self.scores.copy(), self.margins.copy()
        scores[move.rows], margins[move.rows] = result
        order = exchange(self.order, move.places)
        return GuidedState(order, scores, margins, self.value)


class Move(NamedTuple):
    """An exchange of two points of the order.

    Parameters
    ----------
    places : (int, int)
        Their two indices in the order, ascending.
    rounds : range or ndarray of int
        The rounds k whose labelled set the move changes: an array if it changes, under
        costs, where rounds end.
    predicted_gains : ndarray of shape (n_rounds,)
        Predicted gain in each round; zero where the labelled set stays the same.
    """

    places: tuple[int, int]
    rounds: range | NDArray[np.int64]
    predicted_gains: NDArray[np.float64]

    @property
    def shifts_ends(self) -> bool:
        """Return whether the move changes where rounds end, so that more rows move."""
        return not isinstance(self.rounds, range)

    @property
    def rows(self) -> Any:
        """Return the rows of arrays of shape (n_rounds, ...) that the move changes."""
        if isinstance(self.rounds, range):
            return slice(self.rounds.start - 1, self.rounds.stop - 1)
        return self.rounds - 1


class Result(NamedTuple):
    """Scores and margins of the models that a move changes.

    Parameters
    ----------
    scores : ndarray of shape (n_changed,)
        One for each of the move's rounds.
    margins : ndarray of shape (n_changed, n_answers)
        Likewise.
    """

    scores: NDArray[np.float64]
    margins: NDArray[np.float32]
