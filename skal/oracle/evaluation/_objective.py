"""The objective of a search: scores of labelled sets, each trained on once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from math import ceil
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.judging import Evaluation, Judgement
from skal.oracle.evaluation._budget import Budget, OutOfTime
from skal.oracle.evaluation._kept_margins import KeptMargins, Margins
from skal.oracle.evaluation._sample import some_rows
from skal.oracle.evaluation._score_table import ScoreTable
from skal.oracle.evaluation._workers import Jobs
from skal.oracle.journal._journal import Journal
from skal.problem import Problem
from skal.training import Trainer

# Minimum duration in seconds of a batch of parallel jobs, or of the trainings between
# two checks of the time: joblib polls for results every 0.01 seconds, so shorter ones
# would mostly wait.
MIN_BATCH_SECONDS = 0.02

# Maximum number of trainings per job that prefetching adds for that: predictions
# further ahead are rarely used.
MAX_TURNS_AHEAD = 8

# Duration in seconds of the trainings between two reports of progress if there is no
# time limit: long enough that waiting for the slowest job does not matter, and short
# enough to watch.
TURN_SECONDS = 0.5


# Minimum probability that a set will be needed for prefetching it where nets are
# trained side by side, where each extra net costs time. Measured on EmbeddingBag with
# half of the steps accepted: 0.25 to 0.6 were alike, 0 took a quarter longer.
MIN_CHANCE = 0.4


# Labelled sets by their digests.
Sets = dict[bytes, NDArray[np.int64]]


# The probability that sets will be needed, and the sets.
Likely = tuple[float, Sequence[NDArray[np.int64]]]


class Objective:
    """Validation scores of labelled sets.

    A set that was requested before, or is in the journal, is not trained again; the
    others are distributed over jobs. Use it in a `with` block, so that the workers are
    kept between calls.

    Parameters
    ----------
    problem : Problem
        The data and the estimator, with a validation set.
    n_jobs : int or None, default=None
        Number of trainings that run in parallel. It does not change any score.
    prefetch : "auto" or int, default=0
        Maximum number of sets to train ahead, along with the requested ones: "auto"
        fills the workers. It does not change any score, nor `n_trainings`.
    journal : Journal or None, default=None
        Where scores are looked up and written.
    with_margins : bool, default=False
        Whether to keep the margins of each model on some rows of validation. The rows
        are the same for all models, see `some_rows`.
    budget : Budget or None, default=None
        Measures the trainings. If it has a `max_time`, this is checked between them,
        and `OutOfTime` is raised once it is over. The first set is always trained.
    """

    def __init__(
        self,
        problem: Problem,
        n_jobs: int | None = None,
        *,
        prefetch: Any = 0,
        journal: Journal | None = None,
        with_margins: bool = False,
        budget: Budget | None = None,
    ) -> None:
        self.trainer = Trainer(problem)
        self._ends = problem.ends
        sample = some_rows(problem) if with_margins else None
        self._evaluation = Evaluation.on(problem, "val", sample)
        self._n_answers = self._evaluation.n_answers if with_margins else 0
        self._margins = KeptMargins()
        self._jobs = Jobs(self.trainer, self._evaluation, n_jobs)
        # Scores of requested sets, and of sets that were only trained ahead.
        self._scores = ScoreTable()
        self._ahead: dict[bytes, float] = {}
        # Sets in a batch that failed, which are not prefetched again, and sets whose
        # score is the `error_score` of the problem.
        self._suspects: set[bytes] = set()
        self._failed: set[bytes] = set()
        # Scores of the batch in progress that have arrived so far.
        self._arrived: dict[bytes, float] = {}
        self._prefetch = prefetch
        self._journal = journal
        self.budget = Budget() if budget is None else budget
        # Called after each training, or after each group that runs side by side.
        self.on_trained: Callable[[], None] = lambda: None

    def __enter__(self) -> "Objective":
        self._jobs.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._jobs.__exit__(kind, error, trace)

    @property
    def n_trainings(self) -> int:
        """Return the number of requested sets; sets trained ahead do not count."""
        return len(self._scores)

    @property
    def n_trainings_so_far(self) -> int:
        """Return the number of trainings, including the batch in progress."""
        return len(self._scores) + len(self._arrived)

    @property
    def n_speculative(self) -> int:
        """Return the number of sets that were trained ahead and not requested yet."""
        return len(self._ahead)

    def n_new(self, sets: Sequence[NDArray[np.int64]]) -> int:
        """Return the number of sets that were not requested before."""
        return len(self._new(sets))

    def scores(
        self,
        sets: Sequence[NDArray[np.int64]],
        likely: Iterable[Likely] = (),
    ) -> NDArray[np.float64]:
        """Score the model of each set on validation.

        Parameters
        ----------
        sets : sequence of ndarray
            Positions in the pool, in any order.
        likely : iterable of (float, sequence of ndarray), default=()
            Sets that may be requested later, with their probability, the likeliest
            first. If any requested set must be trained, as many of these are trained
            along with it as `prefetch` allows.

        Returns
        -------
        ndarray of shape (len(sets),)
            Their scores.

        Raises
        ------
        OutOfTime
            If `max_time` is over. Scores that have arrived are kept.
        """
        # Look up the sets that were requested before, trained ahead, or in the journal.
        keys = [_key(positions) for positions in sets]
        keyed = dict(zip(keys, sets, strict=True))
        found = self._scores.find(keyed)
        new = [key for key in keyed if key not in found]
        found |= self._request(new)
        missing = {key: keyed[key] for key in new if key not in found}
        try:
            # Train on the others, and on some likely ones along with them.
            if missing:
                found |= self._train(missing, likely)
            else:
                self.budget.skip()
        finally:
            self._margins.request(new)
        # Return the scores in the order of the request, repeated sets included.
        return np.array([found[key] for key in keys])

    def margins(self, sets: Sequence[NDArray[np.int64]]) -> list[Margins | None]:
        """Return the margins of the models of sets.

        Parameters
        ----------
        sets : sequence of ndarray
            Positions in the pool, in any order.

        Returns
        -------
        list of (ndarray of shape (n_answers,) or None)
            None if a set was not scored, or so long ago that its margins were dropped.
        """
        keys = [_key(positions) for positions in sets]
        found = self._margins.find(keys)
        return [found.get(key) for key in keys]

    def scores_so_far(self, sets: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return the scores of sets, without training; NaN if a set has none."""
        keys = [_key(positions) for positions in sets]
        found = self._scores.find(keys)
        return np.array([found.get(key, np.nan) for key in keys])

    def scores_in_time(self, sets: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Score growing sets, as far as time and the user allow.

        At least one of the sets, or the empty set, must have a score already.

        Parameters
        ----------
        sets : sequence of ndarray
            Positions in the pool, each set containing the one before it.

        Returns
        -------
        ndarray of shape (len(sets),)
            Their scores. A set that could not be scored gets the score of the set
            before it.
        """
        with suppress(OutOfTime, KeyboardInterrupt):
            return self.scores(sets)
        # Fill gaps with the latest known score; before the first, with the first.
        empty = np.empty(0, dtype=np.int64)
        found = self.scores_so_far([empty, *sets])
        is_known = ~np.isnan(found)
        latest = np.maximum.accumulate(np.where(is_known, np.arange(len(found)), -1))
        latest[latest < 0] = np.argmax(is_known)
        return found[latest][1:]

    def check_time(self) -> None:
        """Raise OutOfTime if the time is over, unless no set was scored yet."""
        if self.n_trainings or self._arrived:
            self.budget.check()

    def train(self, positions: NDArray[np.int64]) -> Any:
        """Train on a set, and keep its score as if it had been requested.

        Parameters
        ----------
        positions : ndarray of shape (n_labelled,)
            Positions in the pool.

        Returns
        -------
        estimator or None
            The fitted model; None if nothing is labelled. If the training fails and the
            problem has an `error_score`, the model of an earlier round.

        Raises
        ------
        OutOfTime
            If `max_time` is over.
        """
        self.check_time()
        try:
            model = self.trainer.train(positions)
            judgement = self._evaluation.judge(model)
        except Exception as error:
            self.trainer.explain(error, positions)
            if self._evaluation.error_score is None:
                raise
            model = self._earlier_model(positions, error)
            judgement = self._evaluation.failed(error)
        if model is not None:
            scores = self._note({_key(positions): judgement})
            self._margins.request(scores)
            self._scores.add(scores)
            self._write(scores)
            self.budget.add(1)
            self.on_trained()
        return model

    def _earlier_model(self, order: NDArray[np.int64], error: Exception) -> Any:
        """Return the model of the latest round before `order` that can be trained."""
        ends = self._ends(order)
        for n in np.unique(ends[ends < len(order)])[::-1]:
            with suppress(Exception):
                return self.trainer.train(order[:n])
        raise error

    def _new(self, sets: Iterable[NDArray[np.int64]]) -> Sets:
        """Return the sets that were not requested before, each once."""
        keyed = {_key(positions): positions for positions in sets}
        known = self._scores.find(keyed)
        return {key: s for key, s in keyed.items() if key not in known}

    def _request(self, new: Iterable[bytes]) -> dict[bytes, float]:
        """Return the known scores of new sets, and count these sets as requested."""
        known = self._known(new)
        for key in known:
            self._ahead.pop(key, None)
        self._scores.add(known)
        return known

    def _known(self, new: Iterable[bytes]) -> dict[bytes, float]:
        """Return scores of new sets that were trained ahead or are in the journal."""
        known = {key: self._ahead[key] for key in new if key in self._ahead}
        if self._journal is None:
            return known
        unknown = [key for key in new if key not in known]
        if self._evaluation.sample is None:
            return known | self._journal.find(unknown)
        # A search without margins wrote scores alone: ignore them, and train again.
        found = self._journal.find_margins(unknown, self._n_answers)
        self._margins.add(found)
        return known | self._journal.find(found)

    def _write(self, scores: Mapping[bytes, float]) -> None:
        """Write scores to the journal, unless the training failed."""
        if self._journal is not None:
            scores = {k: score for k, score in scores.items() if k not in self._failed}
            self._journal.add_scores(scores, self._margins.find(scores))

    def flush(self) -> None:
        """Write new scores to the journal now, instead of with the next step."""
        if self._journal is not None:
            self._journal.write()

    def _train(self, missing: Sets, likely: Iterable[Likely]) -> dict[bytes, float]:
        """Train on the missing sets, and on likely ones; return the missing scores."""
        ahead = self._choose(missing, likely)
        try:
            trained = self._train_and_score(missing | ahead)
        except (OutOfTime, KeyboardInterrupt):
            self._keep(self._arrived, ahead)
            raise
        except Exception:
            done = self._arrived
            self._keep(done, ahead)
            if not ahead:
                raise
            # The cause may be a set that will never be needed: go on without them.
            self._suspects.update(ahead)
            left = {key: missing[key] for key in missing if key not in done}
            trained = done | self._train(left, ())
            return {key: trained[key] for key in missing}
        self._keep(trained, ahead)
        return {key: trained[key] for key in missing}

    def _keep(self, trained: Mapping[bytes, float], ahead: Sets) -> None:
        """Store scores, separately for sets that were trained ahead."""
        self._write(trained)
        self._ahead |= {key: trained[key] for key in ahead if key in trained}
        self._scores.add({k: score for k, score in trained.items() if k not in ahead})
        self._arrived = {}

    def _choose(self, missing: Sets, likely: Iterable[Likely]) -> Sets:
        """Choose the sets to train ahead, along with the missing ones."""
        room = self._n_ahead(len(missing))
        chosen: Sets = {}
        # A bound on the steps to look at, since some need hardly any new set.
        for chance, sets in islice(likely, 2 * room):
            if chance < self._least_chance(len(missing) + len(chosen)):
                break
            fresh = self._new(sets)
            known = self._known(fresh).keys() | missing.keys() | self._suspects
            chosen |= {key: fresh[key] for key in fresh if key not in known}
            if len(chosen) >= room:
                break
        return dict(islice(chosen.items(), room))

    def _n_ahead(self, n_missing: int) -> int:
        """Return the maximum number of sets to train ahead."""
        if self._prefetch != "auto":
            return self._prefetch
        at_once = self._jobs.n_jobs * self._width
        turns = ceil(n_missing / at_once)
        if self._jobs.n_jobs > 1:
            seconds = self._jobs.seconds * self._width
            turns = max(turns, min(MAX_TURNS_AHEAD, ceil(MIN_BATCH_SECONDS / seconds)))
        return turns * at_once - n_missing

    def _least_chance(self, n_chosen: int) -> float:
        """Return the probability from which one more set is worth training ahead."""
        is_free = n_chosen < self._jobs.n_jobs or self._width == 1
        return 0.0 if is_free or self._prefetch != "auto" else MIN_CHANCE

    @cached_property
    def _width(self) -> int:
        """Number of sets that one job trains at the same time."""
        return self.trainer.width

    def _train_and_score(self, sets: Sets) -> dict[bytes, float]:
        """Train on sets, turn by turn, and return their scores."""
        scores: dict[bytes, float] = {}
        for turn in self._turns(sets):
            scores |= self._run(turn)
        return scores

    def _run(self, turn: Sets) -> dict[bytes, float]:
        """Train on the sets of a turn, unless the time is over."""
        self.check_time()
        # Train, and keep scores and margins, in case a later turn is cut short.
        judgements = self._jobs.run(list(turn.values()))
        scores = self._note(dict(zip(turn, judgements, strict=True)))
        self._arrived |= scores
        # Count the trainings and their time.
        ran_in_workers = self._jobs.n_jobs > 1 and len(turn) > 1
        busy = self._jobs.seconds * len(turn) / self._jobs.n_jobs
        self.budget.add(len(turn), busy if ran_in_workers else None)
        self.on_trained()
        return scores

    def _note(self, judgements: Mapping[bytes, Judgement]) -> dict[bytes, float]:
        """Keep margins and note failures; return the scores."""
        self._margins.add({key: judged.margins for key, judged in judgements.items()})
        self._failed.update(k for k, judged in judgements.items() if judged.has_failed)
        return {key: _exact(judged.score) for key, judged in judgements.items()}

    def _turns(self, sets: Sets) -> Iterator[Sets]:
        """Split sets into turns: groups between which time and progress are checked."""
        items = list(sets.items())
        begin = 0
        while begin < len(items):
            # The mean time of a training is measured anew after each turn.
            end = begin + self._n_in_turn(sets)
            yield dict(items[begin:end])
            begin = end

    def _n_in_turn(self, sets: Sets) -> int:
        """Return the number of sets to train in a turn."""
        n_jobs, is_timed = self._jobs.n_jobs, self.budget.max_time is not None
        # Without time limit, take all sets at once if turns would leave workers idle:
        # sets of different sizes do not end together.
        if not is_timed and n_jobs > 1 and len({len(s) for s in sets.values()}) > 1:
            return len(sets)
        # Nets side by side are fastest all at once.
        if not is_timed and self._width > 1:
            return len(sets)
        # Nor is a group trained side by side for which the time is not enough.
        at_once = int(min(n_jobs * self._width, max(n_jobs, self.budget.n_affordable)))
        seconds = at_once * self.budget.seconds_per_training
        duration = MIN_BATCH_SECONDS if is_timed else TURN_SECONDS
        return at_once * max(1, int(duration / seconds) if seconds > 0 else 1)


def _key(positions: NDArray[np.int64]) -> bytes:
    """Return the digest of a set, 16 bytes."""
    return blake2b(np.sort(positions).tobytes(), digest_size=16).digest()


def _exact(score: float) -> float:
    """Return the score as SQLite stores it: it turns negative zero into zero."""
    return score + 0.0
