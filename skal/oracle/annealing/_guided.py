"""Guided annealing: proposals ranked by forecasts, several tried in each step."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skal.oracle.annealing._chain import Chain, State, accepts
from skal.oracle.annealing._forecast import Drawn, Forecast, Moved
from skal.oracle.annealing._forward import margins_of_scored
from skal.oracle.annealing._guided_state import GuidedState, Move, Result
from skal.oracle.annealing._moves import (
    bounds_of_exchanges,
    ends_after,
    exchange,
    propose,
    propose_many,
)
from skal.oracle.annealing._regression import goes_row_by_row
from skal.oracle.annealing._schedule import RecentMeanChange, Schedule
from skal.oracle.annealing._start import StartSearch
from skal.oracle.annealing._value import value_of
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._journal import Journal
from skal.problem import Problem
from skal.seeding import Stream, stream

# Number of random moves that are ranked in each step: ranking takes no training, so
# there are many more than the few that are then tried. With a regression, more of
# them are worth ranking.
N_DRAWN, N_SCREENED = 150, 600
# With costs, one step in so many tries an exchange that changes where rounds end, even
# if others rank higher, since it changes more sets. On digits, with 400 trainings and
# three seeds, the quality was 0.950 with 2, and 0.948 without this.
SHIFT_EVERY = 2


class GuidedChain(Chain):
    """Annealing whose proposals are guided by forecasts of their gains.

    Each step draws many random moves, predicts their gains, and tries those with the
    highest expected improvement whose changed rounds do not overlap. Such moves do not
    affect one another, so they are trained side by side, and each of them is accepted
    or rejected independently. With costs, an exchange of a cheap point and a dear one
    may change where rounds end, so that other points move as well. Such an exchange is
    tried alone.

    Parameters
    ----------
    problem : Problem
        The data, the estimator and the rounds.
    objective : Objective
        Scores labelled sets. It must be made with `with_margins=True`.
    seed : int
        Determines the moves.
    schedule : Schedule
        The temperature of each step.
    start : StartSearch
        Finds the order to start from.
    max_trainings : int or None, default=None
        The search ends before the step that would exceed it.
    journal : Journal or None, default=None
        Where the steps are written.
    """

    current: GuidedState
    best: GuidedState

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        seed: int,
        schedule: Schedule,
        start: StartSearch,
        max_trainings: int | None = None,
        journal: Journal | None = None,
    ) -> None:
        super().__init__(
            problem, objective, seed, schedule, start, max_trainings, journal
        )
        self._mean_change = RecentMeanChange()
        # Row by row, a step tries many short exchanges. Their losses are small beside
        # a typical exchange's, but many of them lead far below the start.
        self._is_row_by_row = goes_row_by_row(problem)
        self._only_gains = schedule.gamma == "auto" and self._is_row_by_row

    def begin(self) -> None:
        """Find the start and score it, which is step 0."""
        order = self.start.order()
        sets = self._sets(order)
        scores = self.objective.scores(sets)
        margins = self.start.margins
        if margins is None:
            margins = margins_of_scored(self.objective, sets)
        value = value_of(self.problem.target, self._is_row_by_row)
        self.current = self.best = GuidedState(order, scores, margins, value)
        self._record(0, self.current, True)

    @cached_property
    def forecast(self) -> Forecast:
        """The forecasts, made when the first step needs them."""
        trainer, state = self.objective.trainer, self.current
        sets = self._sets(state.order)
        return Forecast(self.problem, trainer, sets, state.margins, state.value)

    def step(self, t: int) -> bool:
        """Take step t. Return whether it was taken.

        Parameters
        ----------
        t : int
            The step, from 1.

        Returns
        -------
        bool
            False if no move is possible, or the step would exceed `max_trainings`.
        """
        if not self._begins_lap(t) or self._has_too_little_left():
            return False
        rng = stream(self.seed, Stream.STEP, t)
        beta = self._begin_step(t)
        drawn = self._draw_moves(rng)
        if not drawn:
            return False
        if t % SHIFT_EVERY == 0:
            # The sort is stable: both kinds stay ranked.
            drawn.sort(key=lambda move: not move.shifts_ends)
        moves, n_new = self._choose_moves(drawn)
        if self._exceeds_limit(self.objective.n_trainings + n_new):
            return False
        if not moves:
            # Every drawn neighbour is already scored, so no training is needed: accept
            # one of them, to leave this region. A greedy step still rejects a loss.
            moves = [self._known_move(drawn, rng)]
            beta = None if self.schedule.is_greedy(t) else 0.0

        before = self.current
        proposed = self._take(moves, beta, rng)
        if self.current.sort_key > self.best.sort_key:
            self.best = self.current
        self._record(t, proposed, self.current is not before)
        return True

    def _has_too_little_left(self) -> bool:
        """Return whether a step should not be prepared, since it will not be taken.

        Row by row, a step takes about as many trainings as there are rounds.
        """
        least = self.objective.n_trainings + self.problem.n_rounds
        return self._is_row_by_row and self._exceeds_limit(least)

    def _begin_step(self, t: int) -> float | None:
        """Return beta of step t; None if losses are not accepted.

        Greedy steps start from the best order.
        """
        mean_change = self._mean_change.value
        beta = self.schedule.beta(t, mean_change, is_constant=True)
        if beta is None:
            self.current = self.best
        return None if self._only_gains else beta

    def _take(
        self, moves: list[Move], beta: float | None, rng: np.random.Generator
    ) -> GuidedState:
        """Train the changed sets, and accept or reject each move by itself.

        Returns
        -------
        GuidedState
            The state after all moves, also after those that are rejected.
        """
        before = proposed = self.current
        for move, result in zip(moves, self._try_moves(moves), strict=True):
            gain = self._learn(move, before, result)
            proposed = proposed.after(move, result)
            if accepts(gain, beta, rng.random()):
                self.current = self.current.after(move, result)
        return proposed

    def _known_move(self, drawn: list[Move], rng: np.random.Generator) -> Move:
        """Return a random move of those that are all scored, or the best of them.

        Either is right half of the time: random moves alone would hardly ever climb,
        and the best ones alone would come back to the same order.
        """
        chosen = drawn[int(rng.integers(len(drawn)))]
        if rng.random() < 0.5:
            return chosen
        after = [self.objective.scores(self._sets_after(move)).sum() for move in drawn]
        before = [self.current.scores[move.rows].sum() for move in drawn]
        return drawn[int(np.argmax(np.subtract(after, before)))]

    def _choose_moves(self, ranked: list[Move]) -> tuple[list[Move], int]:
        """Return the best new moves that do not overlap, and their trainings."""
        free_rounds = set(range(1, self.problem.n_rounds + 1))
        used_places = set[int]()
        chosen: list[Move] = []
        total = 0
        for move in ranked:
            if move.shifts_ends and chosen:
                continue
            rounds = self._affected(move)
            if not free_rounds.issuperset(rounds):
                continue
            if not used_places.isdisjoint(move.places):
                continue
            # A move whose sets are all scored already is not tried again.
            if n_new := self._n_new(move):
                chosen.append(move)
                total += n_new
                free_rounds.difference_update(rounds)
                used_places.update(move.places)
                if move.shifts_ends:
                    break
            if not free_rounds:
                break
        return chosen, total

    def _affected(self, move: Move) -> Iterable[int]:
        """Return the rounds that no other move of the step may change.

        With costs, a round whose next point gets cheaper belongs to them: after another
        move as well, that point might fit.
        """
        costs, order = self.problem.costs, self.current.order
        if move.shifts_ends or costs is None:
            return move.rounds
        before, after = costs[order[list(move.places)]]
        if after >= before:
            return move.rounds
        begin = int(np.searchsorted(self._ends(order), move.places[0]))
        return range(max(1, begin), move.rounds[-1] + 1)

    def _draw_moves(self, rng: np.random.Generator) -> list[Move]:
        """Draw random moves, and return them by descending expected improvement."""
        places = self._draw_places(rng)
        if not len(places):
            return []
        order, forecast = self.current.order, self.forecast
        forecast.follow(self._sets(order), self.current.margins)
        # The point at the later place is added, the one at the earlier place removed.
        added, removed = order[places.T[::-1]]
        begin, end = bounds_of_exchanges(places, self._ends(order))
        n_sets = self._changes(places, begin, end).sum(axis=1)
        drawn = Drawn(places, added, removed, begin, end, n_sets)
        drawn = forecast.most_promising(drawn)
        moved = None if self.problem.costs is None else self._moved(drawn.places)
        gains = forecast.gains(drawn, moved)  # (n_moves, n_rounds)
        improvement = forecast.improvement(gains.sum(axis=1), drawn.n_sets)
        moves = self._as_moves(drawn, gains)
        return [moves[i] for i in np.argsort(-improvement, kind="stable")]

    def _as_moves(self, drawn: Drawn, gains: NDArray[np.float64]) -> list[Move]:
        """Return exchanges as moves, with the rounds that they change."""
        changes = self._changes(drawn.places, drawn.begin, drawn.end)
        shifts = np.asarray(self._shifts(drawn.places).any(axis=1))
        rows = zip(drawn.places.tolist(), drawn.begin, drawn.end, gains, strict=True)
        return [
            Move((a, b), np.flatnonzero(changes[n]) if shifts[n] else range(i, j), gain)
            for n, ((a, b), i, j, gain) in enumerate(rows)
        ]

    def _changes(
        self,
        places: NDArray[np.int64],
        begin: NDArray[np.int64],
        end: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Return whether a move changes a round, shape (n_moves, n_rounds + 1)."""
        rounds = np.arange(self.problem.n_rounds + 1)
        exchanged = (begin[:, None] <= rounds) & (rounds < end[:, None])
        return exchanged | self._shifts(places)

    def _shifts(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether a move changes where a round ends, as `_changes` does."""
        problem, order = self.problem, self.current.order
        if problem.costs is None:
            return np.zeros((len(places), problem.n_rounds + 1), dtype=bool)
        after = ends_after(places, order, problem.costs, problem.limits)
        return after != self._ends(order)

    def _moved(self, places: NDArray[np.int64]) -> Moved:
        """Return the points that move because rounds end elsewhere."""
        problem, order = self.problem, self.current.order
        assert problem.costs is not None
        before = self._ends(order)
        ends = ends_after(places, order, problem.costs, problem.limits)
        found = [
            (i, k, point, after > before[k])
            for i, one in enumerate(ends)
            for k, after in enumerate(one)
            if after != before[k]
            for point in exchange(order, places[i])[slice(*sorted((before[k], after)))]
        ]
        i, k, points, is_added = np.array(found, dtype=np.int64).reshape(-1, 4).T
        return Moved(i, k, points, is_added.astype(bool))

    def _draw_places(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the places of random moves, of shape (n_moves, 2), each move once."""
        sizes = self._ends(self.current.order), self.n_affordable
        if self.forecast.is_screening:
            return propose_many(N_SCREENED, *sizes, rng)
        # One by one, as when there was no screening: the journals of that time go on.
        draws = [propose(*sizes, rng) for _ in range(N_DRAWN)]
        pairs = {(min(draw), max(draw)) for draw in draws if draw is not None}
        return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)

    def _try_moves(self, moves: list[Move]) -> list[Result]:
        """Train on the changed sets of all moves side by side."""
        sets = [self._sets_after(move) for move in moves]
        scores = self.objective.scores([s for changed in sets for s in changed])
        ends = np.cumsum([len(changed) for changed in sets])[:-1]
        return [
            Result(move_scores, self._margins_after(move, changed))
            for move, changed, move_scores in zip(
                moves, sets, np.split(scores, ends), strict=True
            )
        ]

    def _margins_after(
        self, move: Move, sets: list[NDArray[np.int64]]
    ) -> NDArray[np.float32]:
        """Return the margins after a move; predicted where they were forgotten."""
        if move.shifts_ends:
            return margins_of_scored(self.objective, sets)
        found = self.objective.margins(sets)
        if all(kept is not None for kept in found):
            return np.array(found, dtype=np.float32)
        margins = self.current.margins[move.rows].copy()
        points = self._points(move, self.current)
        for i, kept in enumerate(found):
            if kept is None:
                margins[i] += self.forecast.shift(move.rows.start + i, *points)
            else:
                margins[i] = kept
        return margins

    def _learn(self, move: Move, before: GuidedState, result: Result) -> float:
        """Update all estimates with the result of a move, and return its gain."""
        gains = self.forecast.value.of(*result) - before.values[move.rows]
        if not move.shifts_ends:
            points = self._points(move, before)
            self.forecast.learn(*points, move.rows, result.margins)
        # Calibration: predicted and actual gain of each changed set.
        predicted = move.predicted_gains[move.rows]
        for predicted_gain, gain in zip(predicted, gains, strict=True):
            self.forecast.calibration.add(float(predicted_gain), float(gain))
        # Temperature: the size of the gain of the whole order.
        total_gain = float(gains.sum()) / self.problem.n_rounds
        self._mean_change.add(total_gain)
        return total_gain

    @staticmethod
    def _points(move: Move, state: State) -> tuple[int, int]:
        """Return the point that a move adds to its rounds, and the one it removes."""
        first, last = move.places
        return int(state.order[last]), int(state.order[first])

    def _n_new(self, move: Move) -> int:
        """Count the sets that a move would have to train on."""
        return self.objective.n_new(self._sets_after(move))

    def _sets_after(self, move: Move) -> list[NDArray[np.int64]]:
        """Return the labelled sets that a move changes, as they are after it."""
        return self._sets(*self._apply(self.current.order, move.places))
